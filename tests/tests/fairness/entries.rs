//! Bounds of entries: one tenant does not drive out the others.

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::rules::{Adaptive, Lru};
use cacheado::{Tier, observe};
use cacheado_tests::random::Random;
use cacheado_tests::wait::until;
use std::thread;
use std::time::Duration;

use crate::{of_org, of_org_entry, scopes};

fn bounded(most: usize) -> Cache {
    Cache::builder()
        .backend(Memory::builder().max_items_per_scope("organization", most).build())
        .build()
        .expect("nothing is wrong with it")
}

#[cached(cache = cache, skip(cache), scope = "user")]
fn of_user(cache: &Cache, org_id: &str, user_id: u32) -> u32 {
    let _ = (cache, org_id);
    user_id
}

#[cached(cache = cache, skip(cache), tags("organization"))]
fn of_all(cache: &Cache, n: u32) -> u32 {
    let _ = cache;
    n
}

#[test]
fn a_tenant_that_floods_drives_out_only_its_own() {
    let cache = bounded(10);
    for n in 0..5 {
        of_org(&cache, "acme", n);
        of_user(&cache, "acme", n);
        of_all(&cache, n);
    }
    for n in 0..1_000 {
        of_org(&cache, "globex", n);
        of_all(&cache, 100 + n);
    }
    for n in 0..5 {
        assert!(of_org_entry(&cache, "acme", n).peek().unwrap().is_some());
        assert!(of_user_entry(&cache, "acme", n).peek().unwrap().is_some());
        assert!(of_all_entry(&cache, n).peek().unwrap().is_some(), "global entries have no bound");
    }
    let stats = cache.stats();
    assert_eq!((stats.total_keys, stats.evictions), (10 + 10 + 1_005, 990));
}

#[test]
fn the_least_recently_used_of_the_tenant_leaves_first() {
    let cache = bounded(3);
    let has = |n| of_org_entry(&cache, "acme", n).peek().unwrap().is_some();
    for n in [1, 2, 3] {
        of_org(&cache, "acme", n);
    }
    // A hit, and an overwrite: neither makes the tenant hold more.
    of_org(&cache, "acme", 1);
    of_org_entry(&cache, "acme", 2).refresh();
    of_org(&cache, "acme", 4);
    assert_eq!([1, 2, 3, 4].map(has), [true, true, false, true]);
    // Below the level counts as well.
    of_user(&cache, "acme", 7);
    assert_eq!([1, 2, 3, 4].map(has), [false, true, false, true]);
}

#[test]
fn beside_the_adaptive_rule_recency_is_told_by_insertions() {
    let memory = Memory::builder().max_items_per_scope("organization", 3).build();
    let cache = Cache::builder().backend(memory).rule(Adaptive::new(100)).build().unwrap();
    let has = |n| of_org_entry(&cache, "acme", n).peek().unwrap().is_some();
    let uses = |keys: &[u32]| {
        for n in keys {
            of_org(&cache, "acme", *n);
        }
    };
    uses(&[1, 2, 3]);
    // However often it was used, it leaves if it was not since an insertion, also one of another tenant's.
    uses(&[1, 1, 1, 1]);
    of_org(&cache, "globex", 1);
    uses(&[2, 3, 4]);
    assert_eq!([1, 2, 3, 4].map(has), [false, true, true, true]);
    // Between two insertions, who was used less does, whichever was used last.
    uses(&[2, 3, 4, 4, 4, 3, 5]);
    assert_eq!([2, 3, 4, 5].map(has), [false, true, true, true]);
    uses(&[3, 4, 5, 6]);
    assert_eq!([3, 4, 5, 6].map(has), [true, true, false, true]);
}

#[test]
fn levels_have_bounds_of_their_own() {
    let memory = Memory::builder()
        .max_items_per_scope("organization", 9)
        .max_items_per_scope("organization", 4)
        .max_items_per_scope("user", 2)
        .build();
    let cache = Cache::builder().backend(memory).build().unwrap();
    let set = |org: &str, user: &str, key: u32| {
        cache.scoped(scopes::user(org, user)).set(key, &key, Ttl::Never).unwrap();
    };
    let count = |scope: Scope| cache.evict_by_scope(&scope).unwrap();
    for key in 0..5 {
        set("acme", "ada", key);
        set("acme", "bob", key);
        set("acme", "eve", key);
        set("globex", "ada", key);
    }
    assert_eq!(count(scopes::user("acme", "eve")), 2);
    assert_eq!(count(scopes::organization("acme")), 2);
    assert_eq!(count(scopes::organization("globex")), 2);
    assert_eq!(cache.stats().total_keys, 0);
}

#[test]
fn who_is_full_below_makes_room_above() {
    let memory =
        Memory::builder().max_items_per_scope("organization", 3).max_items_per_scope("user", 1).build();
    let cache = Cache::builder().backend(memory).build().unwrap();
    let of = |user: &str| cache.scoped(scopes::user("acme", user));
    let set = |user: &str, key: &str| of(user).set(key, &1, Ttl::Never).unwrap();
    set("bob", "b");
    set("ada", "a");
    set("eve", "c");
    // Ada's own leaves, and not Bob's, which is older.
    set("ada", "a2");
    let has = |user: &str, key: &str| of(user).get::<i32>(key).unwrap().is_some();
    assert_eq!(
        [has("bob", "b"), has("ada", "a"), has("eve", "c"), has("ada", "a2")],
        [true, false, true, true]
    );
    // Where no user is full, the organization's oldest leaves.
    set("dan", "d");
    assert!(!has("bob", "b") && has("dan", "d"));
}

/// Organization, user and key.
type Entry = (usize, usize, usize);

/// What a cache with bounds on both levels and in all holds, least recently used first.
#[derive(Default)]
struct Model(Vec<Entry>);

impl Model {
    const MOST: [usize; 3] = [2, 4, 9];

    /// Marks the entry as used; whether it is there.
    fn used(&mut self, entry: Entry) -> bool {
        let at = self.0.iter().position(|other| *other == entry);
        if let Some(at) = at {
            let entry = self.0.remove(at);
            self.0.push(entry);
        }
        at.is_some()
    }

    fn set(&mut self, entry @ (org, user, _): Entry) {
        if self.used(entry) {
            return;
        }
        self.0.push(entry);
        let [of_user, of_org, of_all] = Self::MOST;
        self.shrink(of_user, |other| (other.0, other.1) == (org, user));
        self.shrink(of_org, |other| other.0 == org);
        self.shrink(of_all, |_| true);
    }

    /// Drives out the least recently used of these while they are too many.
    fn shrink(&mut self, most: usize, is_one: impl Fn(&Entry) -> bool) {
        while self.0.iter().filter(|entry| is_one(entry)).count() > most {
            let oldest = self.0.iter().position(&is_one).expect("there are too many");
            self.0.remove(oldest);
        }
    }
}

#[test]
fn bounds_of_two_levels_and_in_all_hold_what_a_list_by_use_would() {
    let [of_user, of_org, of_all] = Model::MOST;
    let mut random = Random::new();
    for round in 0..100 {
        let memory = Memory::builder()
            .max_items_per_scope("organization", of_org)
            .max_items_per_scope("user", of_user)
            .build();
        let cache = Cache::builder().backend(memory).rule(Lru::new(of_all)).build().unwrap();
        let of = |(org, user, _): Entry| cache.scoped(scopes::user(org.to_string(), user.to_string()));
        let mut model = Model::default();
        for step in 0..200 {
            let entry = (random.below(3), random.below(3), random.below(3));
            match random.below(4) {
                0 | 1 => {
                    of(entry).set(entry.2, &entry.2, Ttl::Never).unwrap();
                    model.set(entry);
                }
                2 => {
                    let found = of(entry).get::<usize>(entry.2).unwrap().is_some();
                    assert_eq!(found, model.used(entry), "round {round}, step {step}: {entry:?}");
                }
                _ => {
                    let was_there = of(entry).evict(entry.2).unwrap();
                    let before = model.0.len();
                    model.0.retain(|other| *other != entry);
                    assert_eq!(was_there, model.0.len() < before, "round {round}, step {step}: {entry:?}");
                }
            }
        }
        assert_eq!(cache.stats().total_keys, u64::try_from(model.0.len()).unwrap(), "round {round}");
    }
}

#[test]
fn what_has_left_counts_no_more() {
    let clock = cacheado::testing::ManualClock::new();
    let memory = Memory::builder().max_items_per_scope("organization", 3).build();
    let cache = Cache::builder().backend(memory).clock(clock.clone()).build().unwrap();
    let acme = cache.scoped(scopes::organization("acme"));
    let set = |key: u32, seconds| acme.set(key, &key, Duration::from_secs(seconds)).unwrap();
    for round in 0..50 {
        set(1, 60);
        set(2, 1);
        set(3, 1);
        match round % 3 {
            0 => drop(acme.evict(2).unwrap()),
            1 => drop(cache.evict_by_scope(&scopes::organization("acme")).unwrap()),
            _ => cache.clear().unwrap(),
        }
    }
    // One stays, two expire: there is room for two, and the oldest, which lives, is not driven out.
    set(1, 60);
    set(2, 1);
    set(3, 1);
    clock.advance(Duration::from_secs(2));
    set(4, 60);
    set(5, 60);
    let live = [1, 2, 3, 4, 5].map(|key| acme.get::<u32>(key).unwrap().is_some());
    assert_eq!(live, [true, false, false, true, true]);
}

#[test]
fn the_bound_holds_under_load() {
    let cache = bounded(16);
    thread::scope(|threads| {
        for seed in 0..4_u32 {
            let cache = &cache;
            threads.spawn(move || {
                for n in 0..2_000 {
                    of_org(cache, if seed % 2 == 0 { "acme" } else { "globex" }, (n * 7 + seed) % 300);
                }
            });
        }
    });
    assert_eq!(cache.stats().total_keys, 32);
    assert_eq!(cache.evict_by_scope(&scopes::organization("acme")).unwrap(), 16);
}

#[test]
fn copies_in_a_near_cache_are_bounded_too() {
    let near = Memory::builder().max_items_per_scope("organization", 2).build();
    let cache = Cache::builder().backend(SharedMemory::new()).near(near).build().unwrap();
    let tier = |n| observe(|| of_org(&cache, "acme", n)).1.tier;
    until("copies are kept", || tier(100) == Tier::Near);
    for n in 0..50 {
        of_org(&cache, "acme", n);
    }
    assert_eq!([49, 48].map(tier), [Tier::Near, Tier::Near]);
    assert_eq!([100, 0].map(tier), [Tier::Remote, Tier::Remote]);
    // The entries in the backend have no bound by it.
    assert_eq!(cache.stats().total_keys, 51);
}

#[test]
fn a_scan_does_not_drive_out_copies_that_are_used_where_uses_count() {
    let near = Memory::builder().adaptive(100).build();
    let cache = Cache::builder().backend(SharedMemory::new()).near(near).build().unwrap();
    let tier = |n| observe(|| of_org(&cache, "acme", n)).1.tier;
    until("copies are kept", || tier(1_000) == Tier::Near);
    let hot = (0..4).flat_map(|_| 0..50);
    for n in hot.chain(2_000..2_500) {
        of_org(&cache, "acme", n);
    }
    let left = (0..50).filter(|n| tier(*n) == Tier::Near).count();
    assert!(left >= 45, "{left} of 50 are left");
}
