//! Callers on threads.

use std::sync::{Arc, Barrier, LazyLock};
use std::thread;
use std::time::Instant;

use ::cached::macros::{cached, concurrent_cached};
use ::moka::sync::Cache as Moka;
use ::quick_cache::sync::Cache as QuickCache;
use cacheado::Cache;
use cacheado::rules::Lru;

use super::{BODY, CAPACITY, Stampede, THREADS, TTL};
use crate::bodies;

/// Asks for the value of a key.
pub(super) type Ask = Box<dyn Fn(u64) -> u64 + Send + Sync>;

fn slow(key: u64) -> u64 {
    bodies::count();
    thread::sleep(BODY);
    key
}

static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant configuration")]
    Cache::builder().rule(Lru::new(CAPACITY)).build().expect("the configuration is valid")
});

#[cacheado::cached(ttl = 300, cache = CACHE, companions = false)]
fn ours(key: u64) -> u64 {
    slow(key)
}

#[cached(max_size = 100_000, ttl_secs = 300, sync_writes = "by_key")]
fn by_key(key: u64) -> u64 {
    slow(key)
}

#[cached(max_size = 100_000, ttl_secs = 300)]
fn as_usual(key: u64) -> u64 {
    slow(key)
}

#[concurrent_cached(max_size = 100_000, ttl_secs = 300)]
fn concurrent(key: u64) -> u64 {
    slow(key)
}

pub(super) fn contenders() -> Vec<(&'static str, Ask)> {
    let moka = Moka::builder().max_capacity(CAPACITY as u64).time_to_live(TTL).build();
    let quick_cache = Arc::new(QuickCache::<u64, u64>::new(CAPACITY));
    vec![
        ("cacheado", Box::new(ours)),
        ("#[cached] by_key", Box::new(by_key)),
        ("#[cached]", Box::new(as_usual)),
        ("#[concurrent_cached]", Box::new(concurrent)),
        ("moka get_with", Box::new(move |key| moka.get_with(key, || slow(key)))),
        (
            "quick_cache get_or_insert_with",
            Box::new(move |key| {
                let found = quick_cache.get_or_insert_with(&key, || Ok::<_, ()>(slow(key)));
                found.unwrap_or_default()
            }),
        ),
    ]
}

/// From when all may ask until the last has an answer.
pub(super) fn stampede(ask: &Ask, key: u64) -> Stampede {
    let (barrier, before) = (Barrier::new(THREADS), bodies::everywhere());
    let call = || {
        barrier.wait();
        let start = Instant::now();
        ask(key);
        (start, Instant::now())
    };
    let times: Vec<_> = thread::scope(|scope| {
        let callers: Vec<_> = (0..THREADS).map(|_| scope.spawn(call)).collect();
        callers.into_iter().filter_map(|caller| caller.join().ok()).collect()
    });
    let start = times.iter().map(|(start, _)| *start).min();
    let end = times.iter().map(|(_, end)| *end).max();
    let took = start.zip(end).map(|(start, end)| end - start).unwrap_or_default();
    Stampede { took, bodies: bodies::everywhere() - before }
}
