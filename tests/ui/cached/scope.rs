use cacheado::cached;

struct OrgId(u32);

cacheado::scopes! {
    mod scopes {
        organization(org_id) { user(user_id) { session(session_id) } }
        car(car_id)
    }
}

#[cached(scope = "user")]
fn missing_ancestor(user_id: u32) -> u32 {
    user_id
}

#[cached(scope = "session")]
fn missing_all(n: u32) -> u32 {
    n
}

#[cached(scope = "usr")]
fn slip(user_id: u32) -> u32 {
    user_id
}

#[cached(scope = scopes::tenant)]
fn unknown_in_path(user_id: u32) -> u32 {
    user_id
}

#[cached(scope = user)]
fn bare(user_id: u32) -> u32 {
    user_id
}

#[cached(scope = "a b")]
fn no_name(user_id: u32) -> u32 {
    user_id
}

#[cached(scope = 5)]
fn number(user_id: u32) -> u32 {
    user_id
}

#[cached(scope)]
fn without_value(user_id: u32) -> u32 {
    user_id
}

#[cached(scope = "organization", skip(org_id))]
fn no_scope_value(org_id: OrgId) -> u32 {
    org_id.0
}

#[cached(scope = "global")]
fn root(n: u32) -> u32 {
    n
}

#[cached(scope = scopes::global)]
fn root_in_path(n: u32) -> u32 {
    n
}

#[cached(scope = scopes::organization(org_id))]
fn called(org_id: u32) -> u32 {
    org_id
}

mod elsewhere {
    #[cacheado::cached(scope = "user")]
    fn no_module_named_scopes(org_id: u32, user_id: u32) -> u32 {
        org_id + user_id
    }
}

fn main() {}
