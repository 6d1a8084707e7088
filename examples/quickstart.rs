//! The main job: a shop for two tenants answers a log of requests, and caches what it looks up.
//!
//! ```console
//! cargo run --example quickstart
//! ```

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cacheado::Stats;
use cacheado::prelude::*;

// Who owns what: an organization has users.
cacheado::scopes! {
    mod scopes {
        organization(org_id) { user(user_id) }
    }
}

/// How often the two bodies below have really run.
static PRICES_COMPUTED: AtomicU64 = AtomicU64::new(0);
static PROFILES_LOADED: AtomicU64 = AtomicU64::new(0);

/// The price of an order in cents, from the tenant's own price list. An unknown item is `None`.
#[cached(ttl = "5m", scope = "organization")]
fn price(org_id: &str, item: &str, quantity: u64) -> Option<u64> {
    PRICES_COMPUTED.fetch_add(1, Relaxed);
    let mut lines = include_str!("data/prices.csv").lines().skip(1);
    let offer = |line: &str| {
        let mut fields = line.split(',');
        let is_it = fields.next() == Some(org_id) && fields.next() == Some(item);
        let cents: u64 = fields.next()?.parse().ok()?;
        let from: u64 = fields.next()?.parse().ok()?;
        (is_it && from <= quantity).then_some(cents)
    };
    let cheapest = lines.by_ref().filter_map(offer).min()?;
    Some(cheapest * quantity)
}

/// A customer, as a database would return it.
#[derive(Clone, Debug, PartialEq)]
struct Profile {
    display_name: String,
}

/// Loads a user. The database takes its time.
#[cached(ttl = "5m", scope = "user")]
async fn profile(org_id: &str, user_id: &str) -> Result<Profile, std::io::Error> {
    PROFILES_LOADED.fetch_add(1, Relaxed);
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(Profile { display_name: format!("{user_id}@{org_id}") })
}

/// One line of the log.
struct Request<'l> {
    tenant: &'l str,
    user: &'l str,
    item: &'l str,
    quantity: u64,
}

fn requests() -> Option<Vec<Request<'static>>> {
    let parse = |line: &'static str| {
        let mut fields = line.split(',');
        let (tenant, user, item) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Request { tenant, user, item, quantity: fields.next()?.parse().ok()? })
    };
    include_str!("data/requests.csv").lines().skip(1).map(parse).collect()
}

/// Answers a request, prints it, and says how many bodies ran for it.
async fn answer(request: &Request<'_>) -> Result<u64, Box<dyn Error>> {
    let Request { tenant, user, item, quantity } = request;
    let before = (PRICES_COMPUTED.load(Relaxed), PROFILES_LOADED.load(Relaxed));
    let cents = price(tenant, item, *quantity).ok_or("not in the price list")?;
    let profile = profile(tenant, user).await?;
    let computed = PRICES_COMPUTED.load(Relaxed) - before.0;
    let loaded = PROFILES_LOADED.load(Relaxed) - before.1;
    let how = |ran: u64| if ran == 0 { "hit" } else { "computed" };
    println!(
        "   {:<14} {item:<10} {quantity:>4}   {:>7}.{:02}  {:<9}  {}",
        profile.display_name,
        cents / 100,
        cents % 100,
        how(computed),
        how(loaded),
    );
    Ok(computed + loaded)
}

fn table<'n>(first: &str, rows: impl IntoIterator<Item = (&'n str, &'n Stats)>) {
    println!("\n   {first:<20} lookups   hits  misses  hit rate  evicted  entries now");
    for (name, stats) in rows {
        println!(
            "   {name:<20} {:>7} {:>6} {:>7} {:>7.1} % {:>8} {:>12}",
            stats.hits + stats.misses,
            stats.hits,
            stats.misses,
            stats.hit_rate() * 100.0,
            stats.evictions,
            stats.total_keys,
        );
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let requests = requests().ok_or("the request log cannot be read")?;

    println!("1. {} requests; each needs a price (sync) and a profile (async)\n", requests.len());
    println!("   user           item        qty        price             profile");
    let mut ran = 0;
    for request in &requests {
        ran += answer(request).await?;
    }
    println!("\n   {} lookups, {ran} bodies ran: everything else came from the cache.", 2 * requests.len());
    assert_eq!(ran, 9);

    println!("\n2. Eight tasks ask for the same new profile at once");
    let before = PROFILES_LOADED.load(Relaxed);
    let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(profile("globex", "katherine"))).collect();
    for task in tasks {
        assert_eq!(task.await??.display_name, "katherine@globex");
    }
    let loads = PROFILES_LOADED.load(Relaxed) - before;
    println!("   The body ran {loads} time; the other seven waited for its result.");
    assert_eq!(loads, 1);

    println!("\n3. Acme changes its prices: evict the scope `organization:acme`, with its users in it");
    let cache = cacheado::global();
    let evicted = cache.evict_by_scope(&scopes::organization("acme"))?;
    println!("   {evicted} entries went, {} of Globex stay.\n", cache.stats().total_keys);
    let (mut acme, mut globex) = (0, 0);
    for request in &requests {
        let ran = answer(request).await?;
        *(if request.tenant == "acme" { &mut acme } else { &mut globex }) += ran;
    }
    println!("\n   Bodies that ran: {acme} for Acme, {globex} for Globex.");
    assert_eq!((evicted, acme, globex), (5, 5, 0));

    println!("\n4. What the cache has counted");
    let (functions, levels, all) = (cache.stats_by_function(), cache.stats_by_scope_level(), cache.stats());
    table("function", functions.iter().map(|(name, stats)| (name.as_str(), stats)).chain([("all", &all)]));
    table("scope level", levels.iter().map(|(name, stats)| (name.as_str(), stats)));
    assert_eq!(all.hits + all.misses, 4 * requests.len() as u64 + 8);
    Ok(())
}
