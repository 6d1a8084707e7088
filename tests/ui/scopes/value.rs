//! The values of levels.

use cacheado::scopes;

pub struct NoScopeValue;

scopes! { mod typed { organization(org_id: NoScopeValue) } }

scopes! { mod missing_type { organization(org_id: Missing) } }

scopes! { mod scopes { organization(org_id) { user(user_id) } } }

fn uses() {
    let _ = scopes::user("o1");
    let _ = scopes::organization(NoScopeValue);
    let _ = scopes::usr("o1", "u7");
}

fn main() {}
