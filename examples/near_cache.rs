//! A near cache: copies in each node's memory, and an eviction on one node that drops the copies of the other.
//!
//! ```console
//! cargo run -p cacheado-examples --features redis --example near_cache [redis://127.0.0.1:6379]
//! ```
//!
//! Without an argument it takes the address in `REDIS_URL`. It works in a namespace of its own, which it clears.

use std::error::Error;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use cacheado::backends::{Memory, Redis};
use cacheado::prelude::*;
use cacheado::with_cache;

cacheado::scopes! {
    mod scopes {
        organization(org_id) { user(user_id) }
    }
}

static BODIES: AtomicU64 = AtomicU64::new(0);

#[cached(ttl = "10m", scope = "user", remote)]
fn permissions(org_id: &str, user_id: &str) -> Vec<String> {
    let version = BODIES.fetch_add(1, Relaxed) + 1;
    vec![format!("{org_id}/{user_id}:read, version {version}")]
}

/// A node: the server, and copies of at most 1,000 entries in front of it, for half a minute at most.
fn node(url: &str) -> Result<Cache, Box<dyn Error>> {
    let namespace = format!("example-near-{}", std::process::id());
    let redis = Redis::builder(url).namespace(namespace).timeout(Duration::from_secs(2)).build()?;
    let copies = Memory::builder().max_items(1_000).build();
    Ok(Cache::builder().backend(redis).near(copies).near_ttl(Duration::from_secs(30)).build()?)
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

fn run(url: &str) -> Result<(), Box<dyn Error>> {
    // Two caches stand for two processes.
    let (one, two) = (node(url)?, node(url)?);
    one.clear()?;
    let call = |node: &Cache| with_cache(node, || permissions("acme", "ada"));
    let stored = |node: &Cache| with_cache(node, || permissions_entry("acme", "ada").peek());

    println!("Each node keeps a copy of what it has read or computed");
    let first = call(&one);
    assert_eq!(call(&two), first);
    for _ in 0..1_000 {
        call(&one);
        call(&two);
    }
    println!("   2,002 calls on two nodes, {} body ran: {}", BODIES.load(Relaxed), first[0]);
    assert_eq!(BODIES.load(Relaxed), 1);

    println!("\nThe node that evicts serves nothing old from then on; the other is told, and drops its copy");
    let evicted = one.evict_by_scope(&scopes::organization("acme"))?;
    assert_eq!((evicted, stored(&one)?), (1, None));
    let evicted_at = Instant::now();
    while stored(&two)?.is_some() {
        assert!(evicted_at.elapsed() < Duration::from_secs(5), "the notice has not come");
        thread::sleep(Duration::from_millis(1));
    }
    println!("   {evicted} entry went, and its copies: far sooner than the 30 s that a copy may live");

    println!("\nBoth find the new value");
    let second = call(&two);
    assert_eq!(call(&one), second);
    println!("   {}", second[0]);
    assert_ne!(first, second);
    assert_eq!(BODIES.load(Relaxed), 2);

    one.clear()?;
    Ok(())
}
