//! Rules that use the cache that they are rules of (hazard 23).

use std::cell::Cell;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cacheado::backends::SharedMemory;
use cacheado::rules::{Cause, Effect, EntryMeta, Lru, Rule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, Key, Ttl, cached};
use cacheado_tests::Counter;
use cacheado_tests::wait::in_time;

/// A rule that uses the cache that it is a rule of.
#[derive(Clone, Default)]
struct Inner(Arc<OnceLock<Cache>>, Arc<Counter>);

impl Inner {
    fn meddle(&self) {
        thread_local! {
            static BUSY: Cell<bool> = const { Cell::new(false) };
        }
        let (Some(cache), false) = (self.0.get(), BUSY.replace(true)) else { return };
        self.1.next();
        for n in 0..50_u32 {
            cache.set(n, &n, Ttl::Never).unwrap();
            cache.get::<u32>(n).unwrap();
            cache.evict(n).unwrap();
        }
        let _ = cache.stats();
        BUSY.set(false);
    }
}

impl Rule for Inner {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        self.meddle();
        Effect::Continue
    }
    fn on_set(&self, _: &Key, _: &EntryMeta) -> Effect {
        self.meddle();
        Effect::Continue
    }
    fn on_evict(&self, _: &Key, _: Cause) -> Effect {
        self.meddle();
        Effect::Continue
    }
    fn on_clear(&self) {
        self.meddle();
    }
}

#[test]
fn hazard_23_a_rule_may_use_its_cache() {
    in_time(|| {
        let rule = Inner::default();
        let cache = Cache::builder().rule(rule.clone()).rule(Lru::new(2)).build().unwrap();
        rule.0.set(cache.clone()).unwrap();
        for n in 0..5_u32 {
            cache.set(("own", n), &n, Ttl::Never).unwrap();
            cache.get::<u32>(("own", n)).unwrap();
        }
        cache.evict_by_scope(&cacheado::Scope::global()).unwrap();
        cache.clear().unwrap();
        assert!(rule.1.get() > 10);
    });
}

type Calls = fn(&Cache);

/// A rule that calls a function of its cache.
#[derive(Clone)]
struct Calling {
    cache: Arc<OnceLock<Cache>>,
    get: Calls,
    evict: Calls,
    calls: Arc<Counter>,
}

impl Calling {
    const NOTHING: Calls = |_| {};

    fn new(get: Calls, evict: Calls) -> Self {
        Self { cache: Arc::default(), get, evict, calls: Arc::default() }
    }

    fn call(&self, calls: Calls) {
        thread_local! {
            static BUSY: Cell<bool> = const { Cell::new(false) };
        }
        let (Some(cache), false) = (self.cache.get(), BUSY.replace(true)) else { return };
        self.calls.next();
        calls(cache);
        BUSY.set(false);
    }
}

impl Rule for Calling {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        self.call(self.get);
        Effect::Continue
    }
    fn on_evict(&self, _: &Key, _: Cause) -> Effect {
        self.call(self.evict);
        Effect::Continue
    }
}

/// In memory, and in a backend.
fn caches_with(rule: &Calling) -> [(Cache, ManualClock); 2] {
    let clocks = [ManualClock::new(), ManualClock::new()];
    let builder = |clock: &ManualClock| Cache::builder().clock(clock.clone());
    let backend = SharedMemory::with_clock(clocks[1].clone());
    let caches = [builder(&clocks[0]), builder(&clocks[1]).backend(backend)].map(|builder| {
        let rule = Calling { cache: Arc::default(), ..rule.clone() };
        let cache = builder.rule(rule.clone()).build().unwrap();
        rule.cache.set(cache.clone()).unwrap();
        cache
    });
    let [a, b] = clocks;
    let [in_memory, remote] = caches;
    [(in_memory, a), (remote, b)]
}

#[cached(ttl = 60, stale_if_error = "1h", cache = cache, skip(cache, there))]
fn perhaps(cache: &Cache, there: bool) -> Result<Option<u32>, String> {
    Ok(there.then_some(1))
}

#[test]
fn hazard_23_a_rule_may_call_the_function_whose_body_has_taken_the_entry_away() {
    in_time(|| {
        let rule = Calling::new(Calling::NOTHING, |cache| drop(perhaps(cache, false)));
        let [(cache, clock), _] = caches_with(&rule);
        assert_eq!(perhaps(&cache, true), Ok(Some(1)));
        clock.advance(Duration::from_secs(61));
        assert_eq!(perhaps(&cache, false), Ok(None));
        assert!(rule.calls.get() > 0);
    });
}

#[cached(ttl = 60, cache = cache, skip(cache))]
fn ten(cache: &Cache) -> u32 {
    10
}

#[test]
fn hazard_23_a_rule_may_call_the_function_whose_hit_it_sees() {
    in_time(|| {
        let rule = Calling::new(|cache| assert_eq!(ten(cache), 10), Calling::NOTHING);
        for (cache, _) in caches_with(&rule) {
            assert_eq!((ten(&cache), ten(&cache)), (10, 10));
        }
        assert_eq!(rule.calls.get(), 2);
    });
}

#[cached(batch(ids), cache = cache, skip(cache))]
fn squares(cache: &Cache, ids: &[u32]) -> Vec<u32> {
    ids.iter().map(|id| id * id).collect()
}

#[test]
fn hazard_23_a_rule_may_call_the_batch_that_it_is_told_of() {
    in_time(|| {
        let call: Calls = |cache| assert_eq!(squares(cache, &[3, 2, 1]), [9, 4, 1]);
        let rule = Calling::new(call, call);
        for (cache, _) in caches_with(&rule) {
            squares(&cache, &[2]);
            // The rule sees the hit among them, in the backend while the others are asked for.
            assert_eq!(squares(&cache, &[1, 2, 3]), [1, 4, 9]);
        }
        assert!(rule.calls.get() >= 2);

        let rule = Calling::new(Calling::NOTHING, call);
        let cache = Cache::builder().rule(rule.clone()).rule(Lru::new(3)).build().unwrap();
        rule.cache.set(cache.clone()).unwrap();
        squares(&cache, &[10, 11, 12]);
        // The rule is told of what these have driven out.
        assert_eq!(squares(&cache, &[1, 2, 3]), [1, 4, 9]);
        assert!(rule.calls.get() > 0);
    });
}
