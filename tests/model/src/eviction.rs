//! Invariant 3 under every schedule: after an eviction has returned, nothing is served whose computation
//! began before it.
//!
//! The world is a counter. A body reads it when it begins; whoever changes the world evicts afterwards. A
//! lookup after that must see the new world, however the threads interleave.

use cacheado::{Cache, ScopeTree, Ttl};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

use crate::{Version, explore};

/// Readers race with one writer that changes the world and evicts by `evict`.
fn race(evict: impl Fn(&Cache) + Send + Sync + Clone + 'static) {
    explore(move || {
        let tree =
            ScopeTree::builder().level("org", "org_id").child("org", "user", "user_id").build().unwrap();
        let user = tree.resolve("user", [("org_id", "o1"), ("user_id", "u7")]).unwrap();
        let cache = Cache::new();
        let world = Arc::new(AtomicU64::new(0));
        let scoped = cache.scoped(user);
        assert_eq!(scoped.get::<Version>("warm-up").unwrap(), None);

        let read = {
            let world = Arc::clone(&world);
            move || {
                let compute = || {
                    let seen = world.load(Ordering::SeqCst);
                    thread::yield_now();
                    seen
                };
                scoped.get_or_compute("key", Ttl::Never, compute).unwrap()
            }
        };
        let readers: Vec<_> = (0..2).map(|_| thread::spawn(read.clone())).collect();
        let writer = {
            let (cache, world, evict, read) =
                (cache.clone(), Arc::clone(&world), evict.clone(), read.clone());
            thread::spawn(move || {
                world.store(1, Ordering::SeqCst);
                evict(&cache);
                assert_eq!(read(), 1, "a value from before the eviction was served after it");
            })
        };
        for reader in readers {
            assert!(reader.join().unwrap() <= 1);
        }
        writer.join().unwrap();
        assert_eq!(read(), 1, "a late fill was stored");
    });
}

#[test]
fn hazard_21_eviction_by_scope_wins_over_a_load() {
    race(|cache| {
        let tree = ScopeTree::builder().level("org", "org_id").build().unwrap();
        cache.evict_by_scope(&tree.resolve("org", [("org_id", "o1")]).unwrap()).unwrap();
    });
}

#[test]
fn hazard_21_clearing_wins_over_a_load() {
    race(|cache| cache.clear().unwrap());
}

#[test]
fn hazard_21_eviction_by_key_wins_over_a_load() {
    race(|cache| {
        let scope = "org:o1/user:u7".parse().unwrap();
        cache.scoped(scope).evict("key").unwrap();
    });
}

#[test]
fn hazard_22_a_set_wins_over_a_load_that_began_before() {
    race(|cache| {
        let scope = "org:o1/user:u7".parse().unwrap();
        cache.scoped(scope).set("key", &1_u64, Ttl::Never).unwrap();
    });
}

#[test]
fn hazard_22_a_set_is_stored_whatever_else_is_evicted() {
    explore(|| {
        let cache = Cache::new();
        assert_eq!(cache.get::<Version>("warm-up").unwrap(), None);
        let other = {
            let cache = cache.clone();
            thread::spawn(move || {
                cache.evict("other").unwrap();
                cache.set("other", &7_u64, Ttl::Never).unwrap();
                cache.evict_by_tag("tag").unwrap();
            })
        };
        cache.set("mine", &1_u64, Ttl::Never).unwrap();
        cache.set("mine", &2_u64, Ttl::Never).unwrap();
        assert_eq!(cache.get::<Version>("mine").unwrap(), Some(2));
        other.join().unwrap();
        assert_eq!(cache.get::<Version>("mine").unwrap(), Some(2));
    });
}

#[test]
fn of_a_set_and_a_clear_at_once_the_set_is_there_or_gone_never_the_value_before() {
    explore(|| {
        let cache = Cache::new();
        cache.set("mine", &1_u64, Ttl::Never).unwrap();
        let clearing = {
            let cache = cache.clone();
            thread::spawn(move || cache.clear().unwrap())
        };
        cache.set("mine", &2_u64, Ttl::Never).unwrap();
        assert_ne!(cache.get::<Version>("mine").unwrap(), Some(1));
        clearing.join().unwrap();
        assert_ne!(cache.get::<Version>("mine").unwrap(), Some(1));
    });
}
