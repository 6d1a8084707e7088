//! Where cacheado is.

cacheado::scopes! { crate = nowhere::cacheado; mod scopes { organization(org_id) } }

cacheado::scopes! { crate = ; mod scopes { organization(org_id) } }

fn main() {}
