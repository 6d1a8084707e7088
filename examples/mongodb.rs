//! MongoDB: the cache of several nodes in a collection, for who runs MongoDB and nothing else.
//!
//! ```console
//! cargo run -p cacheado-examples --features mongodb --example mongodb [mongodb://127.0.0.1:27017]
//! ```
//!
//! Without an argument it takes the address in `MONGODB_URI`. It works in the database `cacheado_example`.

use std::error::Error;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cacheado::backends::MongoDb;
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
struct Invoice {
    number: u32,
    cents: u64,
}

/// A user's invoices, from a slow archive. That there are none is remembered for a shorter time.
#[cached(ttl = "1h", cache_none = "30s", scope = "user", tags("invoices"), remote)]
async fn invoices(org_id: &str, user_id: &str) -> Result<Option<Vec<Invoice>>, std::io::Error> {
    BODIES.fetch_add(1, Relaxed);
    let has_some = org_id == "acme" && user_id == "ada";
    Ok(has_some.then(|| vec![Invoice { number: 1, cents: 9_900 }, Invoice { number: 2, cents: 12_500 }]))
}

/// A sync function works over the same server.
#[cached(ttl = "1h", scope = "organization", remote)]
fn discount(org_id: &str) -> u8 {
    BODIES.fetch_add(1, Relaxed);
    u8::try_from(org_id.len()).unwrap_or(u8::MAX)
}

/// What a process does at its start. Nothing connects yet.
fn node(uri: &str) -> Result<Cache, Box<dyn Error>> {
    let namespace = format!("example-{}", std::process::id());
    let mongo = MongoDb::builder(uri).database("cacheado_example").namespace(namespace);
    Ok(Cache::builder().backend(mongo.timeout(Duration::from_secs(2)).build()?).build()?)
}

fn main() -> ExitCode {
    let uri = std::env::args().nth(1).or_else(|| std::env::var("MONGODB_URI").ok());
    match run(&uri.unwrap_or_else(|| "mongodb://127.0.0.1:27017".to_owned())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no MongoDB to work with: {error}");
            eprintln!(
                "Start a `mongod`, or say where one is: an argument or MONGODB_URI, mongodb://host:27017"
            );
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(uri: &str) -> Result<(), Box<dyn Error>> {
    // Two caches stand for two processes: they share nothing but the server.
    let (one, two) = (node(uri)?, node(uri)?);
    // A call would go on without a server. An eviction says that there is none.
    one.clear_async().await?;

    println!("What one node has computed, the other one finds");
    let ada = with_cache_async(&one, invoices("acme", "ada")).await?;
    assert_eq!(with_cache_async(&two, invoices("acme", "ada")).await?, ada);
    with_cache(&two, || discount("acme"));
    assert_eq!(with_cache(&one, || discount("acme")), 4);
    let ran = bodies();
    println!("   4 calls, {ran} bodies ran; {}", two.stats());
    assert_eq!(ran, 2);

    println!("\nThat there is nothing is an entry as well, with a time of its own");
    for node in [&one, &two, &one] {
        assert_eq!(with_cache_async(node, invoices("globex", "grace")).await?, None);
    }
    let left = with_cache(&two, || invoices_entry("globex", "grace")).remaining().await?;
    println!(
        "   3 calls, {} body ran; {} s left",
        BODIES.load(Relaxed),
        left.unwrap_or_default().as_secs_f64().ceil()
    );
    assert_eq!(bodies(), 1);
    assert!(left.is_some_and(|left| left <= Duration::from_secs(30)));

    println!("\nOne entry can be set, and is then what all nodes have");
    let corrected = vec![Invoice { number: 1, cents: 8_900 }];
    with_cache(&one, || invoices_entry("acme", "ada")).set(Some(corrected.clone())).await?;
    assert_eq!(with_cache_async(&two, invoices("acme", "ada")).await?, Some(corrected));
    println!("   bodies that ran: {}", bodies());

    println!("\nEvicting a tenant on one node evicts it on all, and leaves the others");
    let evicted = two.evict_by_scope_async(&scopes::organization("acme")).await?;
    println!("   {}: {evicted} entries went", scopes::organization("acme"));
    assert_eq!(evicted, 2);
    let globex = with_cache(&one, || invoices_entry("globex", "grace")).peek().await?;
    assert!(matches!(globex, Some(Ok(None))), "{globex:?}");
    println!("   {}: still there", scopes::user("globex", "grace"));

    println!("\nSo does a tag, across tenants");
    let evicted = one.evict_by_tag_async("invoices").await?;
    println!("   tag `invoices`: {evicted} entry went");
    assert_eq!(evicted, 1);

    one.clear_async().await?;
    assert_eq!(two.stats().total_keys, 0);
    Ok(())
}
