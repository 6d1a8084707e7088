//! The caches, asked for one key after the other on one thread.

use ::moka::sync::Cache as Moka;
use ::quick_cache::sync::Cache as QuickCache;
use cacheado::rules::{Adaptive, Lru, Rule};
use cacheado::{Cache, Ttl};

use super::optimal;

/// One way to decide what leaves.
pub(super) struct Policy {
    /// In plots, and where peers are compared with ours.
    pub(super) name: &'static str,
    /// In tables.
    pub(super) label: &'static str,
    /// Whether a user could take it instead of `Adaptive`.
    pub(super) is_rival: bool,
    /// How many of the accesses hit at this capacity.
    pub(super) hits: fn(&[u32], usize) -> usize,
}

pub(super) const ADAPTIVE: &str = "cacheado Adaptive";

pub(super) const POLICIES: [Policy; 5] = [
    Policy { name: "optimal", label: "optimal", is_rival: false, hits: optimal::hits },
    Policy { name: ADAPTIVE, label: "Adaptive", is_rival: false, hits: adaptive },
    Policy { name: "cacheado Lru", label: "LRU", is_rival: true, hits: lru },
    Policy { name: "quick_cache", label: "quick_cache", is_rival: true, hits: quick_cache },
    Policy { name: "moka", label: "moka", is_rival: true, hits: moka },
];

fn adaptive(keys: &[u32], capacity: usize) -> usize {
    ours(keys, Adaptive::new(capacity))
}

fn lru(keys: &[u32], capacity: usize) -> usize {
    ours(keys, Lru::new(capacity))
}

/// The store itself, as a user has it.
#[expect(clippy::expect_used, reason = "a constant configuration, in memory")]
fn ours(keys: &[u32], rule: impl Rule) -> usize {
    let cache = Cache::builder().rule(rule).build().expect("the configuration is valid");
    let mut misses = 0;
    for key in keys {
        let computed = cache.get_or_compute(*key, Ttl::Never, || {
            misses += 1;
            *key
        });
        computed.expect("there is nothing to fail");
    }
    keys.len() - misses
}

fn quick_cache(keys: &[u32], capacity: usize) -> usize {
    let cache = QuickCache::<u32, u32>::new(capacity);
    let hit = |key: &&u32| {
        let is_hit = cache.get(*key).is_some();
        if !is_hit {
            cache.insert(**key, **key);
        }
        is_hit
    };
    keys.iter().filter(hit).count()
}

fn moka(keys: &[u32], capacity: usize) -> usize {
    let cache = Moka::<u32, u32>::new(capacity as u64);
    let hit = |key: &&u32| {
        let is_hit = cache.get(*key).is_some();
        if !is_hit {
            cache.insert(**key, **key);
        }
        is_hit
    };
    keys.iter().filter(hit).count()
}
