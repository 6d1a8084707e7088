//! `Lru` and `MaxItems` against exact models, and under threads (hazards 16, 17 and 18, invariant 9).

#![allow(clippy::cast_possible_truncation, reason = "small numbers")]

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cacheado::backends::Memory;
use cacheado::rules::{Adaptive, Effect, EntryMeta, Lru, MaxItems, Rule, TtlRule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, Key, Ttl, cached};
use cacheado_tests::random::Random;
use cacheado_tests::tenancy::scopes;
use cacheado_tests::wait::in_time;

/// Which entry: of one of two functions, or a key of our own, in a scope or not.
type Id = (u8, u32);

#[cached(cache = cache, skip(cache), name = "bounds.one")]
fn one(cache: &Cache, n: u32) -> u32 {
    n + 1
}

#[cached(cache = cache, skip(cache), scope = cacheado_tests::tenancy::scopes::organization, name = "bounds.two")]
fn two(cache: &Cache, org_id: u32) -> String {
    org_id.to_string()
}

/// Calls, so that it is there; whether it was a hit.
fn call(cache: &Cache, (kind, n): Id) -> bool {
    let hits = cache.stats().hits;
    match kind {
        0 => assert_eq!(one(cache, n), n + 1),
        1 => assert_eq!(two(cache, n), n.to_string()),
        2 => assert_eq!(cache.get_or_compute(n, Ttl::Never, || n).unwrap(), n),
        _ => {
            let scoped = cache.scoped(scopes::organization("o"));
            assert_eq!(scoped.get_or_compute(n, Ttl::Never, || n).unwrap(), n);
        }
    }
    cache.stats().hits > hits
}

fn overwrite(cache: &Cache, (kind, n): Id) {
    match kind {
        0 => one_entry(cache, n).set(n + 1).unwrap(),
        1 => drop(two_entry(cache, n).refresh()),
        2 => cache.set(n, &n, Ttl::Never).unwrap(),
        _ => cache.scoped(scopes::organization("o")).set(n, &n, Ttl::Never).unwrap(),
    }
}

fn is_there(cache: &Cache, (kind, n): Id) -> bool {
    match kind {
        0 => one_entry(cache, n).peek().unwrap().is_some(),
        1 => two_entry(cache, n).peek().unwrap().is_some(),
        2 => cache.get::<u32>(n).unwrap().is_some(),
        _ => cache.scoped(scopes::organization("o")).get::<u32>(n).unwrap().is_some(),
    }
}

fn evict(cache: &Cache, (kind, n): Id) -> bool {
    match kind {
        0 => one_entry(cache, n).evict().unwrap(),
        1 => two_entry(cache, n).evict().unwrap(),
        2 => cache.evict(n).unwrap(),
        _ => cache.scoped(scopes::organization("o")).evict(n).unwrap(),
    }
}

/// Calls each function once, and empties the cache again.
fn used(cache: &Cache) {
    (0..4).for_each(|kind| assert!(!call(cache, (kind, 1_000_000))));
    cache.evict_by_scope(&cacheado::Scope::global()).unwrap();
}

/// The most recently used at the back.
#[derive(Default)]
struct Model {
    n: usize,
    order: VecDeque<Id>,
}

impl Model {
    fn remove(&mut self, id: Id) -> bool {
        let at = self.order.iter().position(|other| *other == id);
        at.and_then(|at| self.order.remove(at)).is_some()
    }

    fn touch(&mut self, id: Id) -> bool {
        let was_there = self.remove(id);
        self.order.push_back(id);
        if self.order.len() > self.n {
            self.order.pop_front();
        }
        was_there
    }
}

#[test]
fn hazard_17_lru_is_exact_at_every_capacity() {
    let mut random = Random::new();
    for n in 1..=100 {
        let cache = Cache::builder().rule(Lru::new(n)).build().unwrap();
        used(&cache);
        let mut model = Model { n, ..Model::default() };
        let keys = n * 2 + 3;
        for step in 0..600 {
            let id = (random.below(4) as u8, (random.below(keys) / 4) as u32);
            let at = format!("capacity {n}, step {step}, {id:?}");
            match random.below(10) {
                0..6 => assert_eq!(call(&cache, id), model.touch(id), "{at}"),
                6..8 => {
                    overwrite(&cache, id);
                    model.touch(id);
                }
                8 => assert_eq!(evict(&cache, id), model.remove(id), "{at}"),
                _ => {
                    // Looking marks keys of our own as used, and entries of functions not.
                    let there = is_there(&cache, id);
                    assert_eq!(there, model.order.contains(&id), "{at}");
                    if there && id.0 >= 2 {
                        model.touch(id);
                    }
                }
            }
            assert_eq!(cache.stats().total_keys as usize, model.order.len(), "{at}");
        }
        for id in &model.order {
            let there = match *id {
                (2 | 3, _) => true,
                id => is_there(&cache, id),
            };
            assert!(there, "capacity {n}: {id:?} is missing");
        }
    }
}

#[test]
fn hazard_17_the_first_call_of_a_function_whose_entry_was_set_is_a_hit() {
    let cache = Cache::builder().rule(Lru::new(2)).build().unwrap();
    overwrite(&cache, (0, 1));
    overwrite(&cache, (1, 1));
    assert!(call(&cache, (0, 1)), "counted as a hit");
    overwrite(&cache, (0, 2));
    assert!(is_there(&cache, (0, 1)), "marked as used");
}

#[test]
fn hazard_17_three_means_three() {
    let cache = Cache::builder().rule(Lru::new(3)).build().unwrap();
    for n in 0..3 {
        call(&cache, (0, n));
    }
    assert!(call(&cache, (0, 0)), "used again");
    overwrite(&cache, (0, 1));
    call(&cache, (0, 3));
    assert_eq!(
        (0..4).map(|n| is_there(&cache, (0, n))).collect::<Vec<_>>(),
        [true, true, false, true],
        "2 was the least recently used"
    );
}

#[test]
fn hazard_17_lru_is_exact_when_threads_take_turns() {
    in_time(|| {
        let mut random = Random::new();
        for n in [1, 3, 10] {
            let cache = Cache::builder().rule(Lru::new(n)).build().unwrap();
            used(&cache);
            let mut model = Model { n, ..Model::default() };
            for step in 0..60 {
                // Another thread each time; never two at once. Each stores something new first: of hits
                // between the same two insertions, the order is not kept once threads share a cache.
                let new = std::iter::once((0, 1_000 + step));
                let ids: Vec<Id> =
                    new.chain((0..1).map(|_| (random.below(4) as u8, random.below(n * 2) as u32))).collect();
                thread::scope(|scope| {
                    let turn = scope.spawn(|| {
                        for id in &ids {
                            assert_eq!(
                                call(&cache, *id),
                                model.touch(*id),
                                "capacity {n}, step {step}, {id:?}"
                            );
                        }
                    });
                    turn.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                });
            }
        }
    });
}

#[test]
fn hazard_17_what_has_just_been_set_is_there_for_a_thread_that_has_used_the_cache_less() {
    in_time(|| {
        let cache = Cache::builder().rule(Lru::new(3)).build().unwrap();
        for n in 0..3_u32 {
            cache.set(n, &n, Ttl::Never).unwrap();
        }
        for n in 0..300_u32 {
            assert!(cache.get::<u32>(n % 3).unwrap().is_some());
        }
        let other = thread::scope(|scope| {
            let set = scope.spawn(|| {
                cache.set(3_u32, &3_u32, Ttl::Never).unwrap();
                cache.get::<u32>(3_u32).unwrap()
            });
            set.join().unwrap()
        });
        assert_eq!(other, Some(3), "driven out by its own insertion");
    });
}

#[test]
fn max_items_is_exact_at_every_capacity() {
    let mut random = Random::new();
    for n in 1..=100 {
        let clock = ManualClock::new();
        let cache = Cache::builder().rule(MaxItems::new(n)).clock(clock.clone()).build().unwrap();
        let mut model: Vec<(u32, u32, u64)> = Vec::new();
        let mut now = 0;
        let mut rejections = 0;
        for step in 0..400 {
            let key = random.below(n * 2 + 2) as u32;
            let at = format!("capacity {n}, step {step}, key {key}");
            match random.below(10) {
                0..6 => {
                    let (value, ttl) = (random.below(1_000) as u32, 1 + random.below(30) as u64);
                    cache.set(key, &value, Duration::from_secs(ttl)).unwrap();
                    match model.iter().position(|(other, ..)| *other == key) {
                        Some(at) => model[at] = (key, value, now + ttl),
                        None if model.len() < n => model.push((key, value, now + ttl)),
                        None => rejections += 1,
                    }
                }
                6..8 => {
                    let expected = model.iter().find(|(other, ..)| *other == key).map(|entry| entry.1);
                    assert_eq!(cache.get::<u32>(key).unwrap(), expected, "{at}");
                }
                8 => {
                    let before = model.len();
                    model.retain(|(other, ..)| *other != key);
                    assert_eq!(cache.evict(key).unwrap(), model.len() < before, "{at}");
                }
                _ => {
                    let step = random.below(5) as u64;
                    now += step;
                    clock.advance(Duration::from_secs(step));
                    model.retain(|(_, _, deadline)| *deadline > now);
                }
            }
        }
        let stats = cache.stats();
        assert_eq!((stats.total_keys as usize, stats.rejections), (model.len(), rejections), "capacity {n}");
    }
}

#[test]
fn hazard_15_a_rule_after_max_items_is_not_asked_about_what_it_rejects() {
    struct Counts(std::sync::Arc<cacheado_tests::Counter>);
    impl Rule for Counts {
        fn on_set(&self, _: &Key, _: &EntryMeta) -> Effect {
            self.0.next();
            Effect::Continue
        }
    }
    let asked = std::sync::Arc::new(cacheado_tests::Counter::new());
    let counts = || Counts(std::sync::Arc::clone(&asked));
    let after = Cache::builder().rule(MaxItems::new(2)).rule(counts()).build().unwrap();
    let before = Cache::builder().rule(counts()).rule(MaxItems::new(2)).build().unwrap();
    for (cache, expected) in [(after, 3), (before, 6)] {
        for n in [0, 1, 2, 3, 4, 1_u8] {
            cache.set(n, &n, Ttl::Never).unwrap();
        }
        assert_eq!(asked.take(), expected);
        let stats = cache.stats();
        assert_eq!((stats.total_keys, stats.rejections), (2, 3));
    }
}

#[test]
fn both_bounds_at_once() {
    for n in [1_usize, 2, 5] {
        let cache = Cache::builder().rule(Lru::new(n)).rule(MaxItems::new(n + 1)).build().unwrap();
        for key in 0..20_u32 {
            cache.set(key, &key, Ttl::Never).unwrap();
            assert_eq!(
                cache.get::<u32>(key).unwrap(),
                Some(key),
                "the new one drives out, and is not rejected"
            );
        }
        assert_eq!(cache.stats().total_keys as usize, n);
    }
}

/// Eight threads that do everything at once, then the bound.
fn settle(cache: &Cache, n: usize) {
    let mut random = Random::new();
    let streams: Vec<_> = (0..8).map(|_| random.fork()).collect();
    let lookups: u64 = thread::scope(|scope| {
        let threads: Vec<_> = streams
            .into_iter()
            .map(|mut random| {
                scope.spawn(move || {
                    let mut lookups = 0;
                    for _ in 0..2_000 {
                        let id = (random.below(4) as u8, random.below(n * 3) as u32);
                        match random.below(20) {
                            0 => drop(evict(cache, id)),
                            1 => match id.0 {
                                2 => cache.set(id.1, &id.1, Ttl::Never).unwrap(),
                                _ => one_entry(cache, id.1).set(id.1 + 1).unwrap(),
                            },
                            2 => drop(cache.evict_by_scope(&scopes::organization(id.1)).unwrap()),
                            3 if id.1 == 0 => drop(one_cache(cache).evict_all().unwrap()),
                            4 => {
                                lookups += 1;
                                let _ = cache.get::<u32>(id.1).unwrap();
                            }
                            _ => {
                                lookups += 1;
                                match id.0 {
                                    0 => drop(one(cache, id.1)),
                                    1 => drop(two(cache, id.1)),
                                    2 => drop(cache.get_or_compute(id.1, Ttl::Never, || id.1).unwrap()),
                                    _ => {
                                        let scoped = cache.scoped(scopes::organization("o"));
                                        scoped.get_or_compute(id.1, Ttl::Never, || id.1).unwrap();
                                    }
                                }
                            }
                        }
                    }
                    lookups
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let stats = cache.stats();
    assert!(stats.total_keys as usize <= n, "{} of {n}", stats.total_keys);
    assert_eq!(stats.hits + stats.misses, lookups, "every lookup is a hit or a miss");
    // What is counted is what is there: fill it, and empty it again.
    let all: u64 = cache.evict_by_scope(&cacheado::Scope::global()).unwrap();
    assert_eq!((all, cache.stats().total_keys), (stats.total_keys, 0));
    for key in 0..n as u32 {
        cache.set(key, &key, Ttl::Never).unwrap();
    }
    assert_eq!(cache.stats().total_keys as usize, n, "no room is lost to orphans");
}

#[test]
fn hazard_16_lru_holds_under_threads() {
    for n in [1, 3, 50] {
        in_time(move || settle(&Cache::builder().rule(Lru::new(n)).build().unwrap(), n));
    }
}

#[test]
fn hazard_16_max_items_holds_under_threads() {
    for n in [1, 3, 50] {
        in_time(move || settle(&Cache::builder().rule(MaxItems::new(n)).build().unwrap(), n));
    }
}

#[test]
fn hazard_18_what_expires_is_forgotten_by_the_bounds() {
    let clock = ManualClock::new();
    let cache = Cache::builder()
        .rule(MaxItems::new(10))
        .rule(Lru::new(10))
        .rule(TtlRule::new())
        .clock(clock.clone())
        .build()
        .unwrap();
    for round in 0..1_000_u32 {
        for n in 0..10_u32 {
            cache.set((round, n), &n, Duration::from_secs(1)).unwrap();
        }
        assert_eq!(cache.stats().total_keys, 10);
        clock.advance(Duration::from_secs(1));
        assert_eq!(cache.stats().total_keys, 0);
    }
    let stats = cache.stats();
    assert_eq!((stats.expirations, stats.evictions, stats.rejections), (10_000, 0, 0));
}

#[test]
fn beside_an_lru_the_tighter_bound_holds_and_adaptive_chooses() {
    for rules in [(20, 10), (10, 20)] {
        let cache = Cache::builder().rule(Adaptive::new(rules.0)).rule(Lru::new(rules.1)).build().unwrap();
        cache.set("used", &1, Ttl::Never).unwrap();
        cache.get::<i32>("used").unwrap();
        for page in 0..100 {
            cache.set(format!("page {page}"), &page, Ttl::Never).unwrap();
        }
        assert_eq!(cache.stats().total_keys, 10);
        assert_eq!(cache.stats().evictions, 91);
        assert_eq!(cache.get::<i32>("used").unwrap(), Some(1));
    }
}

#[cached(cache = cache, skip(cache))]
fn text(cache: &Cache, n: u32) -> String {
    n.to_string()
}

#[cached(cache = cache, skip(cache))]
fn maybe(cache: &Cache, n: u32) -> Option<String> {
    Some(n.to_string())
}

#[cached(cache = cache, skip(cache))]
fn fallible(cache: &Cache, n: u32) -> Result<String, u8> {
    Ok(n.to_string())
}

#[cached(cache = cache, skip(cache), cache_err)]
fn whole(cache: &Cache, n: u32) -> Result<String, u8> {
    Ok(n.to_string())
}

#[cached(cache = cache, skip(cache))]
fn fallible_maybe(cache: &Cache, n: u32) -> Result<Option<String>, u8> {
    Ok(Some(n.to_string()))
}

#[test]
fn a_weigher_is_given_the_value_whichever_way_it_comes() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let weigher = move |_: &[u8], value: &dyn Any| {
        let kind = if value.is::<String>() {
            "String"
        } else if value.is::<Option<String>>() {
            "Option"
        } else if value.is::<Result<String, u8>>() {
            "Result"
        } else {
            "unknown"
        };
        log.lock().unwrap().push(kind);
        value.downcast_ref::<String>().map_or(1, |text| text.len() as u64)
    };
    let memory = Memory::builder().max_weight(100).weigher(weigher).build();
    let cache = Cache::builder().backend(memory).build().unwrap();
    let took = |kind| assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [kind]);

    for key in ["a", "b", "c"] {
        cache.set(key, &"x".repeat(40), Ttl::Never).unwrap();
        took("String");
    }
    assert_eq!(cache.stats().total_keys, 2, "it bounds keys of one's own, too");
    cache.scoped(scopes::organization("o")).get_or_compute("d", Ttl::Never, || "x".repeat(90)).unwrap();
    took("String");
    assert_eq!(cache.stats().total_keys, 1);
    text(&cache, 1);
    took("String");
    maybe(&cache, 1);
    took("Option");
    fallible(&cache, 1).unwrap();
    took("String");
    whole(&cache, 1).unwrap();
    took("Result");
    fallible_maybe(&cache, 1).unwrap();
    took("Option");
}

#[test]
fn without_a_weigher_keys_of_ones_own_weigh_what_their_values_do() {
    let cache = Cache::builder().backend(Memory::builder().max_weight(2_000).build()).build().unwrap();
    for key in ["a", "b", "c"] {
        cache.set(key, &[[0_u64; 32]; 4], Ttl::Never).unwrap();
    }
    assert_eq!(cache.stats().total_keys, 1, "of values of a kibibyte");
    cache.set("a", &[[0_u64; 32]; 8], Ttl::Never).unwrap();
    assert_eq!(cache.get::<[[u64; 32]; 8]>("a").unwrap(), None, "it is too heavy");
}
