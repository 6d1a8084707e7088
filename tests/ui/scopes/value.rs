//! The values of levels.

use cacheado::scopes;

pub struct NoScopeValue;

scopes! { mod typed { organization(org_id: NoScopeValue) } }

scopes! { mod missing_type { organization(org_id: Missing) } }

scopes! { mod scopes { organization(org_id) { user(user_id) } } }

scopes! { mod text { organization(org_id: String) } }

#[cacheado::cached(scope = text::organization)]
fn of_a_number(org_id: u32) -> u32 {
    org_id
}

fn uses() {
    let _ = text::organization(7);
    let _ = scopes::user("o1");
    let _ = scopes::organization(NoScopeValue);
    let _ = scopes::usr("o1", "u7");
}

fn main() {}
