//! The names in a tree.

use cacheado::scopes;

scopes! { mod empty {} }

scopes! { mod no_parameter { organization } }

scopes! { mod no_name { organization() } }

scopes! { mod two_parameters { organization(org_id, user_id) } }

scopes! { mod duplicate { organization(org_id) { user(user_id) } car(car_id) { user(driver_id) } } }

scopes! { mod parameter_twice_in_a_chain { organization(id) { user(id) } } }

scopes! { mod reserved { global(a) ambient(b) tree(c) type(d) __hidden(e) } }

scopes! { organization(org_id) }

scopes! { mod unfinished { organization(org_id: ) } }

scopes! { mod attribute { #[deprecated] organization(org_id) } }

// What names a tree that is wrong is not wrong as well.
#[cacheado::cached(scope = duplicate::user, tags("a"))]
fn in_a_checked_tree(org_id: u32, user_id: u32) -> u32 {
    org_id + user_id
}

#[cacheado::cached(scope = no_parameter::organization, skip(org_id))]
fn in_a_read_tree(org_id: u32) -> usize {
    org_id.to_string().len() + no_parameter::organization(org_id).to_string().len()
}

fn main() {}
