//! Callers on tasks of one runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use ::cached::macros::{cached, concurrent_cached};
use ::moka::future::Cache as Moka;
use ::quick_cache::sync::Cache as QuickCache;
use cacheado::Cache;
use cacheado::rules::Lru;
use hitbox::concurrency::BroadcastConcurrencyManager;
use hitbox::policy::ConcurrencyLimit;
use hitbox_fn::prelude::PolicyConfig;
use hitbox_moka::MokaBackend;

use super::{BODY, CAPACITY, Stampede, TASKS, TTL};
use crate::bodies;

type Answer = Pin<Box<dyn Future<Output = u64> + Send>>;

/// Asks for the value of a key.
pub(super) type Ask = Box<dyn Fn(u64) -> Answer + Send + Sync>;

async fn slow(key: u64) -> u64 {
    bodies::count();
    tokio::time::sleep(BODY).await;
    key
}

static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant configuration")]
    Cache::builder().rule(Lru::new(CAPACITY)).build().expect("the configuration is valid")
});

#[cacheado::cached(ttl = 300, cache = CACHE, companions = false)]
async fn ours(key: u64) -> u64 {
    slow(key).await
}

#[cached(max_size = 100_000, ttl_secs = 300, sync_writes = "by_key")]
async fn by_key(key: u64) -> u64 {
    slow(key).await
}

#[concurrent_cached(max_size = 100_000, ttl_secs = 300)]
async fn concurrent(key: u64) -> u64 {
    slow(key).await
}

#[hitbox_fn::cached]
async fn whole(key: u64) -> u64 {
    slow(key).await
}

fn ask<F>(call: impl Fn(u64) -> F + Send + Sync + 'static) -> Ask
where
    F: Future<Output = u64> + Send + 'static,
{
    Box::new(move |key| Box::pin(call(key)))
}

pub(super) fn contenders() -> Vec<(&'static str, Ask)> {
    let moka = Moka::builder().max_capacity(CAPACITY as u64).time_to_live(TTL).build();
    let quick_cache = Arc::new(QuickCache::<u64, u64>::new(CAPACITY));
    let policy = PolicyConfig::builder().ttl(TTL).concurrency(ConcurrencyLimit::MIN).build();
    let hitbox = hitbox_fn::Cache::builder()
        .backend(MokaBackend::builder().max_entries(CAPACITY as u64).build())
        .policy(policy)
        .concurrency_manager(BroadcastConcurrencyManager::new())
        .build();
    vec![
        ("cacheado", ask(ours)),
        ("#[cached] by_key", ask(by_key)),
        ("#[concurrent_cached]", ask(concurrent)),
        (
            "moka get_with",
            ask(move |key| {
                let moka = moka.clone();
                async move { moka.get_with(key, slow(key)).await }
            }),
        ),
        (
            "quick_cache get_or_insert_async",
            ask(move |key| {
                let cache = Arc::clone(&quick_cache);
                async move {
                    let found = cache.get_or_insert_async(&key, async { Ok::<_, ()>(slow(key).await) });
                    found.await.unwrap_or_default()
                }
            }),
        ),
        (
            "hitbox, broadcast",
            ask(move |key| {
                let hitbox = hitbox.clone();
                async move { whole(key).cache(hitbox).await }
            }),
        ),
    ]
}

/// From when the first task is started until the last has an answer.
pub(super) async fn stampede(ask: &Ask, key: u64) -> Stampede {
    let before = bodies::everywhere();
    let start = Instant::now();
    let callers: Vec<_> = (0..TASKS).map(|_| tokio::spawn(ask(key))).collect();
    for caller in callers {
        // A task that panicked has said so.
        let _ = caller.await;
    }
    Stampede { took: start.elapsed(), bodies: bodies::everywhere() - before }
}
