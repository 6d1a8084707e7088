use cacheado::cached;

#[derive(cacheado::KeyPart)]
pub struct OrgId(String);

cacheado::scopes! {
    mod scopes { organization(org_id: OrgId) { user(user_id) } }
}

#[cached(scope = "user", scope_args(org = &OrgId(String::new()), user_id = 3))]
fn unknown(n: u32) -> u32 {
    n
}

#[cached(scope_args(user_id = n))]
fn without_scope(n: u32) -> u32 {
    n
}

#[cached(scope = "user", scope_args(user_id = n, user_id = n))]
fn twice(n: u32) -> u32 {
    n
}

#[cached(scope = "user", scope_args(org_id))]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(scope = "user", scope_args())]
fn empty(n: u32) -> u32 {
    n
}

#[cached(scope = "user", scope_args = n)]
fn assigned(n: u32) -> u32 {
    n
}

#[cached(scope = "organization", scope_args(org_id = n))]
fn another_type(n: u32) -> u32 {
    n
}

fn main() {}
