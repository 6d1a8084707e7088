//! Rules over a remote backend: they know its entries by a ledger, without their values.

use std::sync::Arc;
use std::time::Duration;

use cacheado::Key;
use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::rules::{Effect, EntryMeta, Lru, MaxItems, Rule};
use cacheado::testing::ManualClock;
use cacheado::{Tier, observe};
use cacheado_tests::gate::Gated;
use cacheado_tests::wait::until;

fn node(backend: &SharedMemory) -> Cache {
    Cache::builder().backend(backend.clone()).build().unwrap()
}

#[test]
fn lru_over_a_remote_backend_drives_out_the_least_recently_used() {
    for near in [false, true] {
        let backend = SharedMemory::new();
        let cache = Cache::builder().backend(backend.clone()).rule(Lru::new(3));
        let cache = if near { cache.near(Memory::new()) } else { cache }.build().unwrap();
        for key in 0..3_u8 {
            cache.get_or_compute(key, Ttl::Never, || key).unwrap();
        }
        assert_eq!(cache.get::<u8>(0).unwrap(), Some(0));
        cache.get_or_compute(3_u8, Ttl::Never, || 3_u8).unwrap();
        let other = node(&backend);
        let left = other.get_many::<u8>(0..4_u8).unwrap();
        assert_eq!(left, [Some(0), None, Some(2), Some(3)], "near: {near}");
        assert_eq!(cache.stats().evictions, 1);
    }
}

#[test]
fn what_several_keys_or_a_batch_are_found_to_be_is_told_to_rules() {
    #[cached(cache = cache, skip(cache), ttl = 60, batch(ids))]
    fn many(cache: &Cache, ids: &[u8]) -> Vec<u8> {
        ids.to_vec()
    }
    /// Lets nothing pass that lives for ever.
    struct Mortal;
    impl Rule for Mortal {
        fn on_get(&self, _: &Key, entry: &EntryMeta) -> Effect {
            if entry.ttl().is_some_and(|ttl| ttl > Duration::from_secs(50)) {
                Effect::Continue
            } else {
                Effect::Reject
            }
        }
    }
    let backend = Gated::new(SharedMemory::new());
    let cache = || Cache::builder().backend(backend.clone());
    let ruled = cache().rule(Mortal).build().unwrap();
    ruled.set("a", &1_u8, Duration::from_secs(60)).unwrap();
    ruled.set("b", &2_u8, Ttl::Never).unwrap();
    assert_eq!(ruled.get_many::<u8>(["a", "b"]).unwrap(), [Some(1), None]);
    many(&ruled, &[1, 2]);
    many(&ruled, &[1, 2]);
    let stats = many_cache(&ruled).stats();
    assert_eq!((stats.hits, stats.misses), (2, 2), "{stats}");

    let bounded = cache().rule(Lru::new(3)).build().unwrap();
    for key in 0..3_u8 {
        bounded.set(key, &key, Ttl::Never).unwrap();
    }
    bounded.get_many::<u8>([0_u8, 0]).unwrap();
    bounded.set(3_u8, &3_u8, Ttl::Never).unwrap();
    assert_eq!(
        bounded.get_many::<u8>(0..4_u8).unwrap(),
        [Some(0), None, Some(2), Some(3)],
        "1 was used least"
    );
}

#[test]
fn what_several_keys_or_a_batch_are_found_to_be_is_kept_in_the_near_cache() {
    #[cached(cache = cache, skip(cache), ttl = 60, batch(ids))]
    fn many(cache: &Cache, ids: &[u8]) -> Vec<u8> {
        ids.to_vec()
    }
    let (clock, server) = (ManualClock::new(), SharedMemory::new());
    let backend = Gated::new(server);
    let plain = Cache::builder().backend(backend.clone()).build().unwrap();
    let near = Cache::builder().backend(backend.clone()).near(Memory::new()).clock(clock.clone());
    let near = near.near_ttl(Duration::from_secs(3_600)).build().unwrap();
    many(&plain, &[1, 2]);
    plain.set("a", &1_u8, Duration::from_secs(60)).unwrap();
    plain.set("b", &2_u8, Duration::from_secs(60)).unwrap();
    let batch = || observe(|| many(&near, &[1, 2])).1.tier;
    let keys = || near.get_many::<u8>(["a", "b"]);
    until("they are kept", || {
        backend.answer(None);
        assert_eq!((keys().unwrap(), many(&near, &[1, 2])), (vec![Some(1), Some(2)], vec![1, 2]));
        // Whoever asks is told nonsense.
        backend.answer(Some(0));
        keys().is_ok() && batch() == Tier::Near
    });
    clock.advance(Duration::from_secs(60));
    keys().expect_err("a copy does not outlive its entry");
    assert_eq!(batch(), Tier::None);
}

#[test]
fn max_items_over_a_remote_backend_rejects_new_entries() {
    let backend = SharedMemory::new();
    let cache = Cache::builder().backend(backend.clone()).rule(MaxItems::new(2)).build().unwrap();
    for key in 0..4_u8 {
        cache.set(key, &key, Ttl::Never).unwrap();
    }
    cache.set(1_u8, &11_u8, Ttl::Never).unwrap();
    assert_eq!(node(&backend).get_many::<u8>(0..4_u8).unwrap(), [Some(0), Some(11), None, None]);
    assert_eq!(cache.stats().rejections, 2);
    assert!(cache.evict(0_u8).unwrap());
    cache.set(3_u8, &3_u8, Ttl::Never).unwrap();
    assert_eq!(node(&backend).get::<u8>(3_u8).unwrap(), Some(3));
}

#[test]
fn hazard_18_the_state_of_rules_is_bounded_when_the_server_expires_entries() {
    let clock = ManualClock::new();
    let backend = SharedMemory::with_clock(clock.clone());
    let cache =
        Cache::builder().backend(backend).clock(clock.clone()).rule(MaxItems::new(10)).build().unwrap();
    for round in 0..100_u32 {
        for key in 0..10_u32 {
            cache.set((round, key), &1_u8, Duration::from_secs(5)).unwrap();
        }
        assert_eq!(cache.stats().total_keys, 10);
        clock.advance(Duration::from_secs(5));
    }
    let stats = cache.stats();
    assert_eq!((stats.rejections, stats.expirations, stats.total_keys), (0, 1_000, 0), "{stats}");
}

#[test]
fn rules_of_ones_own_see_remote_entries() {
    #[derive(Default)]
    struct Seen {
        log: std::sync::Mutex<Vec<String>>,
    }
    struct Watch(Arc<Seen>);
    impl Watch {
        fn log(&self, what: &str, key: &Key) -> Effect {
            self.0.log.lock().unwrap().push(format!("{what} {key}"));
            Effect::Continue
        }
    }
    impl Rule for Watch {
        fn on_get(&self, key: &Key, entry: &EntryMeta) -> Effect {
            assert!(entry.ttl().is_some_and(|ttl| ttl > Duration::from_secs(50)), "{:?}", entry.ttl());
            self.log("get", key)
        }
        fn on_set(&self, key: &Key, _: &EntryMeta) -> Effect {
            self.log("set", key)
        }
        fn on_evict(&self, key: &Key, cause: cacheado::rules::Cause) -> Effect {
            self.log(&format!("{cause:?}"), key)
        }
    }
    for near in [false, true] {
        let seen = Arc::new(Seen::default());
        let backend = SharedMemory::new();
        let cache = Cache::builder().backend(backend).rule(Watch(Arc::clone(&seen)));
        let cache = if near { cache.near(Memory::new()) } else { cache }.build().unwrap();
        let minute = Duration::from_secs(60);
        cache.set("a", &1_u8, minute).unwrap();
        for _ in 0..2 {
            assert_eq!(cache.get::<u8>("a").unwrap(), Some(1));
        }
        assert!(cache.evict("a").unwrap());
        cache.set("b", &1_u8, minute).unwrap();
        cache.clear().unwrap();
        let log = seen.log.lock().unwrap().clone();
        let expected = [
            r#"set global ("a")"#,
            r#"get global ("a")"#,
            r#"get global ("a")"#,
            r#"Evicted global ("a")"#,
            r#"set global ("b")"#,
            r#"Cleared global ("b")"#,
        ];
        assert_eq!(log, expected, "near: {near}");
    }
}
