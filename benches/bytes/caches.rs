//! The caches: keys of 32 bytes, an `Arc` for a value.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use ::cached::{Cached, ConcurrentCached, LruTtlCache, ShardedLruTtlCache};
use ::dashmap::DashMap;
use cacheado::rules::{Adaptive, Lru, Rule};

use crate::BOUND;

type Value = Arc<usize>;

const TTL: Duration = Duration::from_hours(1);

/// One cache.
pub(crate) trait Cache {
    /// Computes and stores, or stores.
    fn insert(&self, key: &str, number: usize);

    /// Does what the cache has put off. How many entries there are.
    fn settle(&self) -> u64;
}

/// Makes a cache.
type Open = fn() -> Box<dyn Cache>;

/// All of them, by the names that the report has.
pub(crate) const ALL: [(&str, Open); 8] = [
    ("cacheado", || Box::new(Ours { cache: &PLAIN, call: |key, number| plain(key, number) })),
    ("cacheado with scope", || {
        Box::new(Ours { cache: &SCOPED, call: |key, number| scoped(&key[..12], &key[12..], number) })
    }),
    ("cacheado Adaptive", || Box::new(Ours { cache: &ADAPTIVE, call: |key, number| adaptive(key, number) })),
    ("moka", || Box::new(moka())),
    ("quick_cache", || Box::new(quick_cache::sync::Cache::<String, Value>::new(BOUND))),
    ("cached LruTtlCache", || Box::new(Mutex::new(lru_ttl()))),
    ("cached ShardedLruTtlCache", || Box::new(sharded())),
    ("dashmap", || Box::new(Bounded::default())),
];

cacheado::scopes! {
    mod scopes {
        tenant(tenant_id)
    }
}

fn cache(rule: impl Rule) -> cacheado::Cache {
    #[expect(clippy::expect_used, reason = "a constant configuration")]
    cacheado::Cache::builder().rule(rule).build().expect("the configuration is valid")
}

static PLAIN: LazyLock<cacheado::Cache> = LazyLock::new(|| cache(Lru::new(BOUND)));
static SCOPED: LazyLock<cacheado::Cache> = LazyLock::new(|| cache(Lru::new(BOUND)));
static ADAPTIVE: LazyLock<cacheado::Cache> = LazyLock::new(|| cache(Adaptive::new(BOUND)));

#[cacheado::cached(ttl = TTL, key(key), cache = PLAIN, companions = false)]
fn plain(key: &str, number: usize) -> Value {
    Arc::new(number)
}

#[cacheado::cached(ttl = TTL, key(id), scope = "tenant", cache = SCOPED, companions = false)]
fn scoped(tenant_id: &str, id: &str, number: usize) -> Value {
    Arc::new(number)
}

#[cacheado::cached(ttl = TTL, key(key), cache = ADAPTIVE, companions = false)]
fn adaptive(key: &str, number: usize) -> Value {
    Arc::new(number)
}

/// A function, and the cache that it names.
struct Ours {
    cache: &'static LazyLock<cacheado::Cache>,
    call: fn(&str, usize) -> Value,
}

impl Cache for Ours {
    fn insert(&self, key: &str, number: usize) {
        (self.call)(key, number);
    }

    fn settle(&self) -> u64 {
        self.cache.stats().total_keys
    }
}

fn moka() -> moka::sync::Cache<String, Value> {
    moka::sync::Cache::builder().max_capacity(BOUND as u64).time_to_live(TTL).build()
}

impl Cache for moka::sync::Cache<String, Value> {
    fn insert(&self, key: &str, number: usize) {
        self.insert(key.to_owned(), Arc::new(number));
    }

    fn settle(&self) -> u64 {
        self.run_pending_tasks();
        self.entry_count()
    }
}

impl Cache for quick_cache::sync::Cache<String, Value> {
    fn insert(&self, key: &str, number: usize) {
        self.insert(key.to_owned(), Arc::new(number));
    }

    fn settle(&self) -> u64 {
        self.len() as u64
    }
}

/// What `#[cached]` makes.
#[expect(clippy::expect_used, reason = "a constant configuration")]
fn lru_ttl() -> LruTtlCache<String, Value> {
    LruTtlCache::builder().max_size(BOUND).ttl(TTL).build().expect("the configuration is valid")
}

impl Cache for Mutex<LruTtlCache<String, Value>> {
    fn insert(&self, key: &str, number: usize) {
        let mut cache = self.lock().unwrap_or_else(PoisonError::into_inner);
        cache.cache_set(key.to_owned(), Arc::new(number));
    }

    fn settle(&self) -> u64 {
        self.lock().unwrap_or_else(PoisonError::into_inner).cache_size() as u64
    }
}

/// What `#[concurrent_cached]` makes.
#[expect(clippy::expect_used, reason = "a constant configuration")]
fn sharded() -> ShardedLruTtlCache<String, Value> {
    ShardedLruTtlCache::builder().max_size(BOUND).ttl(TTL).build().expect("the configuration is valid")
}

impl Cache for ShardedLruTtlCache<String, Value> {
    fn insert(&self, key: &str, number: usize) {
        let stored = self.cache_set(key.to_owned(), Arc::new(number));
        debug_assert!(stored.is_ok(), "there is nothing to fail in memory");
    }

    fn settle(&self) -> u64 {
        self.len() as u64
    }
}

/// A map has no bound: the oldest is removed by hand. The list of them is not counted.
#[derive(Default)]
struct Bounded {
    map: DashMap<String, Value>,
    oldest: Mutex<VecDeque<String>>,
}

impl Cache for Bounded {
    fn insert(&self, key: &str, number: usize) {
        let mut oldest = self.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        if oldest.len() == BOUND
            && let Some(left) = oldest.pop_front()
        {
            self.map.remove(&left);
        }
        oldest.push_back(key.to_owned());
        self.map.insert(key.to_owned(), Arc::new(number));
    }

    fn settle(&self) -> u64 {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner) = VecDeque::new();
        self.map.len() as u64
    }
}
