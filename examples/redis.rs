//! Redis: two nodes share what either has computed, and one of them evicts it for both.
//!
//! ```console
//! cargo run -p cacheado-examples --features redis --example redis [redis://127.0.0.1:6379]
//! ```
//!
//! Without an argument it takes the address in `REDIS_URL`. It works in a namespace of its own, which it clears.

use std::error::Error;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cacheado::backends::Redis;
use cacheado::prelude::*;
use cacheado::{with_cache, with_cache_async};
use serde::{Deserialize, Serialize};

cacheado::scopes! {
    mod scopes {
        organization(org_id) { user(user_id) }
    }
}

static BODIES: AtomicU64 = AtomicU64::new(0);

/// How many bodies have run since the last time.
fn bodies() -> u64 {
    BODIES.swap(0, Relaxed)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Profile {
    name: String,
    roles: Vec<String>,
}

/// `remote`: it would not compile if a `Profile` could not leave the process.
#[cached(ttl = "5m", scope = "user", tags("profiles"), remote)]
fn profile(org_id: &str, user_id: &str) -> Profile {
    BODIES.fetch_add(1, Relaxed);
    Profile { name: format!("{user_id}@{org_id}"), roles: vec!["reader".to_owned()] }
}

#[cached(ttl = "5m", scope = "organization", remote)]
async fn seats(org_id: &str) -> Option<u64> {
    BODIES.fetch_add(1, Relaxed);
    (org_id == "acme").then_some(25)
}

/// What a process does at its start. Nothing connects yet.
fn node(url: &str) -> Result<Cache, Box<dyn Error>> {
    let namespace = format!("example-{}", std::process::id());
    let redis = Redis::builder(url).namespace(namespace).timeout(Duration::from_secs(2)).build()?;
    Ok(Cache::builder().backend(redis).build()?)
}

fn main() -> ExitCode {
    let url = std::env::args().nth(1).or_else(|| std::env::var("REDIS_URL").ok());
    match run(&url.unwrap_or_else(|| "redis://127.0.0.1:6379".to_owned())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no Redis to work with: {error}");
            eprintln!(
                "Start a `redis-server`, or say where one is: an argument or REDIS_URL, redis://host:6379"
            );
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(url: &str) -> Result<(), Box<dyn Error>> {
    // Two caches stand for two processes: they share nothing but the server.
    let (one, two) = (node(url)?, node(url)?);
    // A call would go on without a server. An eviction says that there is none.
    one.clear_async().await?;

    println!("What one node has computed, the other one finds");
    let ada = with_cache(&one, || profile("acme", "ada"));
    assert_eq!(with_cache(&two, || profile("acme", "ada")), ada);
    with_cache_async(&two, seats("acme")).await;
    assert_eq!(with_cache_async(&one, seats("acme")).await, Some(25));
    let ran = bodies();
    println!("   4 calls, {ran} bodies ran; {}", two.stats());
    assert_eq!(ran, 2);

    println!("\nThe server knows how long an entry lives");
    let left = with_cache(&two, || profile_entry("acme", "ada").remaining())?.unwrap_or_default();
    println!("   {} s of 300", left.as_secs_f64().ceil());
    assert!(left <= Duration::from_secs(300) && left > Duration::from_secs(280));

    println!("\nEvicting a tenant on one node evicts it on all, and leaves the others");
    with_cache(&one, || profile("acme", "brian"));
    with_cache(&one, || profile("globex", "ada"));
    let evicted = one.evict_by_scope_async(&scopes::organization("acme")).await?;
    println!("   {}: {evicted} entries went", scopes::organization("acme"));
    assert_eq!(evicted, 3);
    bodies();
    with_cache(&two, || profile("acme", "ada"));
    with_cache(&two, || profile("globex", "ada"));
    println!("   {} of 2 bodies ran again", BODIES.load(Relaxed));
    assert_eq!(bodies(), 1);

    println!("\nSo does a tag, across tenants");
    let evicted = two.evict_by_tag_async("profiles").await?;
    println!("   tag `profiles`: {evicted} entries went");
    assert_eq!(evicted, 2);

    println!("\nKeys of your own are shared, too");
    one.set_async(("rate", "EUR"), &1.08_f64, Duration::from_secs(60)).await?;
    let rates = two.get_many_async::<f64>([("rate", "EUR"), ("rate", "JPY")]).await?;
    println!("   in one round trip: {rates:?}");
    assert_eq!(rates, [Some(1.08), None]);

    one.clear_async().await?;
    assert_eq!(two.stats().total_keys, 0);
    Ok(())
}
