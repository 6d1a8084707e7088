//! Tenants: what a scope isolates, what its eviction takes along, and what happens where a tenant is missing.
//!
//! ```console
//! cargo run --example multi_tenant
//! ```

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cacheado::prelude::*;

/// A newtype: part of keys, and the value of a scope level.
#[derive(Clone, Copy, Debug, KeyPart)]
struct OrgId(u32);

cacheado::scopes! {
    mod scopes {
        organization(org_id: OrgId) { user(user_id) { session(session_id) } }
        car(car_id) { door(door_id) }
    }
}

static RUNS: AtomicU64 = AtomicU64::new(0);

fn runs() -> u64 {
    RUNS.swap(0, Relaxed)
}

/// One plan for an organization.
#[cached(scope = "organization")]
fn plan(org_id: OrgId) -> String {
    RUNS.fetch_add(1, Relaxed);
    format!("plan of {}", org_id.0)
}

/// The permissions of a user. A level takes its value from the parameter of its name.
#[cached(scope = "user", tags("permissions"))]
fn permissions(org_id: OrgId, user_id: &str) -> Vec<String> {
    RUNS.fetch_add(1, Relaxed);
    vec![format!("{}/{user_id}:read", org_id.0)]
}

/// What a request carries. Nobody may be logged in.
struct Context {
    org: OrgId,
    user: Option<String>,
}

/// The values of the levels are inside an argument. They are part of the key, although `context` is not.
#[cached(scope = "user", skip(context), scope_args(org_id = context.org, user_id = &context.user))]
fn dashboard(context: &Context, page: u32) -> String {
    RUNS.fetch_add(1, Relaxed);
    format!("page {page} for {}", context.user.as_deref().unwrap_or("a visitor"))
}

/// Another tree, beside the first.
#[cached(scope = "door")]
fn is_locked(car_id: u64, door_id: &str) -> bool {
    RUNS.fetch_add(1, Relaxed);
    car_id > 0 && !door_id.is_empty()
}

fn main() -> cacheado::Result<()> {
    let cache = cacheado::global();
    let (one, two) = (OrgId(1), OrgId(2));

    println!("The same arguments in two tenants are two entries");
    for org in [one, two] {
        plan(org);
        permissions(org, "ada");
    }
    permissions(one, "brian");
    println!("   {} bodies ran for {} entries", runs(), cache.stats().total_keys);
    assert_eq!(cache.stats().total_keys, 5);

    println!("\nA scope has an escaped text, so that no value can pose as a path");
    let tricky = scopes::user(one, "ada/session:1");
    println!("   {tricky}");
    assert!(!scopes::user(one, "ada").contains(&tricky));

    println!("\nEvicting a user leaves the others; evicting an organization takes its users along");
    let evicted = cache.evict_by_scope(&scopes::user(one, "ada"))?;
    println!("   {}: {evicted} entry went", scopes::user(one, "ada"));
    assert_eq!(evicted, 1);
    let evicted = cache.evict_by_scope(&scopes::organization(one))?;
    println!("   {}: {evicted} entries went", scopes::organization(one));
    assert_eq!(evicted, 2);
    plan(two);
    permissions(two, "ada");
    println!("   {}: {} bodies ran for two calls", scopes::organization(two), runs());

    println!("\nA tag goes across tenants");
    permissions(one, "ada");
    let evicted = cache.evict_by_tag("permissions")?;
    println!("   tag `permissions`: {evicted} entries went");
    assert_eq!(evicted, 2);

    println!("\nValues of levels inside an argument, and a call whose user is missing");
    runs();
    let context = |user: Option<&str>| Context { org: one, user: user.map(str::to_owned) };
    for user in [Some("ada"), Some("ada"), Some("brian"), None, None] {
        dashboard(&context(user), 1);
    }
    println!("   five calls, {} bodies ran: the two without a user are never cached", RUNS.load(Relaxed));
    assert_eq!(runs(), 4);
    assert_eq!(cache.stats().bypassed, 2);

    println!("\nTrees stand side by side");
    is_locked(7, "front left");
    println!("   {}", is_locked_entry(7, "front left").key());
    assert_eq!(cache.evict_by_scope(&scopes::car(7_u64))?, 1);

    println!("\nThe levels, and what each needs");
    for level in scopes::tree().levels() {
        println!("   {level:<14} {}", scopes::tree().chain(level));
    }
    Ok(())
}
