//! Tenants side by side: none drives out another's entries, and none takes all the computing.

mod batches;
mod computations;
mod entries;
mod misspelt;
mod outliving;
mod storing;
mod threads_and_tasks;

use cacheado::prelude::*;

cacheado::scopes! {
    mod scopes {
        organization(org_id) { user(user_id) }
    }
}

#[cached(cache = cache, skip(cache), scope = "organization")]
fn of_org(cache: &Cache, org_id: &str, n: u32) -> u32 {
    let _ = (cache, org_id);
    n
}
