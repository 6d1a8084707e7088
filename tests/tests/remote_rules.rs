//! Rules over a remote backend: they know its entries by a ledger, without their values.

use std::sync::Arc;
use std::time::Duration;

use cacheado::Key;
use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::rules::{Effect, EntryMeta, Lru, MaxItems, Rule};
use cacheado::testing::ManualClock;

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
