//! A rule whose evictions lead to further ones (hazard 16). On its own, as a stack that overflows takes the whole
//! process with it.

use cacheado::rules::{Cause, Effect, Rule};
use cacheado::{Cache, Key, Ttl};

/// What has been evicted takes its successor with it, as an index of dependants would.
struct Dominoes;

impl Rule for Dominoes {
    fn on_evict(&self, key: &Key, _: Cause) -> Effect {
        let mut bytes = key.as_bytes().to_vec();
        let (_, number) = bytes.split_last_chunk_mut::<8>().expect("the key ends with a number");
        *number = (u64::from_le_bytes(*number) + 1).to_le_bytes();
        Effect::Evict(Key::from_bytes(&bytes).into_iter().collect())
    }
}

#[test]
fn hazard_16_evictions_that_lead_to_evictions_do_not_overflow_the_stack() {
    let cache = Cache::builder().rule(Dominoes).build().unwrap();
    for n in 0..20_000_u64 {
        cache.set(n, &n, Ttl::Never).unwrap();
    }
    assert!(cache.evict(0_u64).unwrap());
    assert_eq!(cache.stats().total_keys, 0);
}
