//! Panics in what the cache calls: values that are cloned and dropped, bodies, keys and options (hazard 16). Those of
//! rules are in `rules`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cacheado::rules::{Lru, MaxItems, TtlRule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, cached};
use cacheado_tests::tenancy::scopes;
use cacheado_tests::wait::in_time;

const SECOND: Duration = Duration::from_secs(1);

/// Panics when told to, while it is cloned or dropped.
#[derive(Debug)]
struct Brittle {
    at: &'static str,
    armed: Arc<AtomicBool>,
}

impl Brittle {
    fn breaks(&self, at: &str) -> bool {
        self.at == at && self.armed.load(Ordering::SeqCst)
    }
}

impl Clone for Brittle {
    fn clone(&self) -> Self {
        assert!(!self.breaks("clone"), "clone panics");
        Self { at: self.at, armed: Arc::clone(&self.armed) }
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        assert!(!self.breaks("drop"), "drop panics");
    }
}

#[cached(cache = cache, skip(cache, value), scope = cacheado_tests::tenancy::scopes::organization, tags("t"), ttl = 10)]
fn brittle(cache: &Cache, value: &Brittle, org_id: u32, n: u32) -> Brittle {
    Brittle { at: value.at, armed: Arc::clone(&value.armed) }
}

#[test]
fn hazard_16_a_value_whose_drop_panics_is_contained() {
    in_time(|| {
        let armed = Arc::new(AtomicBool::new(false));
        let value = Brittle { at: "drop", armed: Arc::clone(&armed) };
        let clock = ManualClock::new();
        let cache =
            Cache::builder().rule(Lru::new(3)).rule(TtlRule::new()).clock(clock.clone()).build().unwrap();
        let keep = |n| std::mem::forget(brittle(&cache, &value, 1, n));
        let armed = |on| armed.store(on, Ordering::SeqCst);

        (0..3).for_each(keep);
        armed(true);
        keep(4);
        assert_eq!(cache.stats().total_keys, 3, "the bound holds");
        std::mem::forget(brittle_entry(&cache, &value, 1, 4).refresh());
        assert!(brittle_entry(&cache, &value, 1, 4).evict().unwrap());
        assert_eq!(cache.evict_by_tag("t").unwrap(), 2);
        (0..3).for_each(keep);
        assert_eq!(cache.evict_by_scope(&scopes::organization(1)).unwrap(), 3);
        (0..3).for_each(keep);
        assert_eq!(brittle_cache(&cache).evict_all().unwrap(), 3);
        (0..3).for_each(keep);
        clock.advance(10 * SECOND);
        assert_eq!(cache.stats().total_keys, 0);
        (0..3).for_each(keep);
        cache.clear().unwrap();
        assert_eq!(cache.stats().total_keys, 0, "no orphans");
        (0..3).for_each(keep);
        armed(false);
        drop(brittle(&cache, &value, 1, 2));
        assert_eq!((cache.stats().hits, cache.stats().total_keys), (1, 3));
        armed(true);
        drop(cache);
        armed(false);
    });
}

#[test]
fn hazard_16_a_value_whose_clone_panics_leaves_nothing_behind() {
    in_time(|| {
        let armed = Arc::new(AtomicBool::new(true));
        let value = Brittle { at: "clone", armed: Arc::clone(&armed) };
        let cache = Cache::builder().rule(MaxItems::new(2)).build().unwrap();
        for n in 0..5 {
            // Whether the caller gets the value that it has computed, or the panic, is not said.
            let _ = catch_unwind(AssertUnwindSafe(|| brittle(&cache, &value, 1, n)));
        }
        assert_eq!(cache.stats().total_keys, 0);
        armed.store(false, Ordering::SeqCst);
        drop((brittle(&cache, &value, 1, 1), brittle(&cache, &value, 1, 2)));
        assert_eq!(cache.stats().total_keys, 2, "the bound counts no orphans");
        armed.store(true, Ordering::SeqCst);
        for _ in 0..3 {
            assert!(catch_unwind(AssertUnwindSafe(|| brittle(&cache, &value, 1, 1))).is_err());
        }
        armed.store(false, Ordering::SeqCst);
        let before = cache.stats().hits;
        drop(brittle(&cache, &value, 1, 1));
        assert_eq!(cache.stats().hits, before + 1, "no lock is poisoned");
        assert_eq!(cache.evict_by_scope(&scopes::organization(1)).unwrap(), 2);
    });
}

#[test]
fn hazard_16_a_body_that_panics_leaves_nothing_behind() {
    #[cached(cache = cache, skip(cache, fail))]
    fn may_panic(cache: &Cache, fail: bool, n: u8) -> u8 {
        assert!(!fail, "the body panics");
        n
    }
    in_time(|| {
        let cache = Cache::new();
        for _ in 0..3 {
            assert!(catch_unwind(AssertUnwindSafe(|| may_panic(&cache, true, 1))).is_err());
        }
        assert_eq!((may_panic(&cache, false, 1), may_panic(&cache, true, 1)), (1, 1));
    });
}

#[test]
fn hazard_16_a_key_or_option_that_panics_leaves_nothing_behind() {
    #[cached(cache = cache, skip(cache, fail), refresh_if = must_not(fail == "refresh"), cache_if = check, ttl_with = time)]
    fn picky(cache: &Cache, fail: &str, n: u8) -> u8 {
        if fail == "cache_if" {
            100
        } else if fail == "ttl_with" {
            101
        } else {
            n
        }
    }
    fn must_not(fail: bool) -> bool {
        assert!(!fail);
        false
    }
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the attribute asks for a reference")]
    fn check(value: &u8) -> bool {
        assert_ne!(*value, 100);
        true
    }
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the attribute asks for a reference")]
    fn time(value: &u8) -> Duration {
        assert_ne!(*value, 101);
        SECOND
    }
    in_time(|| {
        let cache = Cache::new();
        assert!(catch_unwind(AssertUnwindSafe(|| picky(&cache, "refresh", 1))).is_err());
        assert_eq!(cache.stats().total_keys, 0);
        // After the body, what it has computed is returned, whatever becomes of storing it.
        for (fail, computed) in [("cache_if", 100), ("ttl_with", 101)] {
            assert_eq!(picky(&cache, fail, 1), computed, "{fail}");
            assert_eq!(cache.stats().total_keys, 0);
        }
        assert_eq!((picky(&cache, "", 1), picky(&cache, "", 1)), (1, 1));
    });
}
