//! The state of one function in one cache.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use cacheado_backends::memory::{Cause, Label, Listener, Region, Store};

use crate::cache::Inner;
use crate::engine::flight::Flights;
use crate::engine::hash_bytes;
use crate::key::{self, Key};
use crate::scope::Scope;
use crate::stats::{Stats, Tally, count};

/// The value of a programmatic key: its type is the caller's business.
pub(crate) type Dynamic = Arc<dyn Any + Send + Sync>;

/// The version and the name that keys carry. Programmatic keys have the empty name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) name: Arc<str>,
    pub(crate) version: u32,
}

impl Identity {
    pub(crate) fn programmatic() -> Self {
        Self { name: "".into(), version: 0 }
    }

    pub(crate) fn is_programmatic(&self) -> bool {
        self.name.is_empty()
    }
}

/// What is known of a function without its type.
pub(crate) struct Shared {
    pub(crate) identity: Identity,
    pub(crate) level: Arc<str>,
    pub(crate) tally: Tally,
    cache: Weak<Inner>,
}

impl Shared {
    /// The whole key of an entry, from its key bytes in the region and its labels.
    pub(crate) fn key(&self, scope: &Scope, bytes: &[u8]) -> Key {
        let args = if self.identity.is_programmatic() {
            // Before a programmatic key stands its scope.
            key::split_value(bytes).map_or(bytes, |(_, args)| args)
        } else {
            bytes
        };
        Key::assemble(scope, &self.identity.name, self.identity.version, args)
    }
}

impl Listener for Shared {
    fn removed(&self, bytes: &[u8], labels: &[Label], cause: Cause) {
        match cause {
            Cause::Expired => count(&self.tally.expirations),
            Cause::Cleared => {}
            _ => count(&self.tally.evictions),
        }
        let Some(cache) = self.cache.upgrade() else { return };
        if !cache.pipeline.is_empty() {
            let key = self.key(&Scope::of_labels(labels), bytes);
            let evict = cache.pipeline.on_evict(&key, cause);
            cache.evict_for_rule(evict);
        }
    }
}

/// The state of one function in one cache. `V` is what its entries hold.
pub(crate) struct Function<V> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) region: Arc<Region<V>>,
    pub(crate) flights: Flights<V>,
    /// Whether there are rules of the user's, which want to see each hit.
    pub(crate) ruled: bool,
    pub(crate) store: Arc<Store>,
    pub(crate) cache: Weak<Inner>,
    pub(crate) default_ttl: Option<Duration>,
}

impl<V: Clone + Send + Sync + 'static> Function<V> {
    pub(crate) fn open(cache: &Arc<Inner>, identity: Identity, level: Arc<str>) -> Arc<Self> {
        let tally = Tally::default();
        let shared = Arc::new(Shared { identity, level, tally, cache: Arc::downgrade(cache) });
        let listener: Arc<dyn Listener> = Arc::clone(&shared) as _;
        let region = Region::open(&cache.store, listener);
        Arc::new(Self {
            shared,
            region,
            flights: Flights::default(),
            ruled: !cache.pipeline.is_empty(),
            store: Arc::clone(&cache.store),
            cache: Arc::downgrade(cache),
            default_ttl: cache.default_ttl,
        })
    }
}

/// What a cache can do with a function without knowing its type.
pub(crate) trait AnyFunction: Send + Sync {
    fn shared(&self) -> &Shared;
    fn stats(&self) -> Stats;
    /// Evicts the entry with these key bytes; whether there was a live one.
    fn evict(&self, bytes: &[u8], cause: Cause) -> bool;
    fn evict_all(&self) -> u64;
}

impl<V: Clone + Send + Sync + 'static> AnyFunction for Function<V> {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn stats(&self) -> Stats {
        let mut stats = self.shared.tally.stats();
        stats.total_keys = self.region.len() as u64;
        stats.storage_type = crate::cache::IN_MEMORY;
        stats
    }

    fn evict(&self, bytes: &[u8], cause: Cause) -> bool {
        hash_bytes(bytes).is_some_and(|hash| self.region.evict(hash, bytes, cause))
    }

    fn evict_all(&self) -> u64 {
        self.region.evict_all(Cause::Function)
    }
}
