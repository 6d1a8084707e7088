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

fn main() {}
