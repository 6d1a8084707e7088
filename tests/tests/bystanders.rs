//! What happens to other keys, scopes and values concerns no call: neither what it stores, nor whom it shares
//! its computation with.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::rules::Lru;
use cacheado::testing::ManualClock;
use cacheado_tests::Counter;
use cacheado_tests::wait::{Watched, in_time, until};
use tokio::sync::Notify;

/// Evicts and overwrites many other things, which all have fences of their own.
fn busy(cache: &Cache) {
    for other in 0..5_000_u32 {
        cache.set(("other", other), &other, Ttl::Never).unwrap();
        cache.evict(("other", other)).unwrap();
        cache.evict_by_tag(&format!("other:{other}")).unwrap();
        cache.evict_by_scope(&format!("tenant:{other}").parse().unwrap()).unwrap();
    }
}

#[test]
fn hazard_20_evictions_of_other_things_during_a_load_leave_it_stored_and_shared() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let cache = Cache::new();
    let mine = cache.scoped("tenant:mine".parse().unwrap());
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            mine.get_or_compute("key", Ttl::Never, || {
                CALLS.fetch_add(1, Ordering::SeqCst);
                barrier.wait();
                busy(&cache);
                barrier.wait();
                1_u8
            })
        });
        barrier.wait();
        let waiter = scope.spawn(|| {
            mine.get_or_compute("key", Ttl::Never, || {
                CALLS.fetch_add(1, Ordering::SeqCst);
                2_u8
            })
        });
        barrier.wait();
        assert_eq!(waiter.join().unwrap().unwrap(), 1);
    });
    assert_eq!(mine.get::<u8>("key").unwrap(), Some(1), "the load was not stored");
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}

#[test]
fn hazard_22_a_set_is_there_whatever_else_is_evicted() {
    let cache = Cache::new();
    let stop = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while stop.load(Ordering::SeqCst) == 0 {
                busy(&cache);
            }
        });
        for n in 0..50_000_u32 {
            cache.set("mine", &n, Ttl::Never).unwrap();
            assert_eq!(cache.get::<u32>("mine").unwrap(), Some(n));
        }
        stop.store(1, Ordering::SeqCst);
    });
}

#[derive(Debug)]
struct Uncopyable;

impl Clone for Uncopyable {
    fn clone(&self) -> Self {
        panic!("this error cannot be copied after all")
    }
}

#[test]
fn hazard_19_an_outcome_that_panics_when_it_is_copied_lets_those_who_wait_go() {
    static CALLS: Counter = Counter::new();

    #[cached(cache = cache, skip(cache, other))]
    fn fails(cache: &Cache, other: &OnceLock<Watched>) -> Result<u32, Uncopyable> {
        if CALLS.next() == 0 {
            // It has looked and found nothing, and sleeps until this call ends.
            let waits = || cache.stats().misses == 2 && other.get().is_some_and(Watched::sleeps);
            until("the other waits", waits);
            assert_eq!(CALLS.get(), 1);
        }
        Err(Uncopyable)
    }

    in_time(|| {
        let (cache, other) = (Cache::new(), OnceLock::new());
        thread::scope(|scope| {
            let leader = scope.spawn(|| fails(&cache, &other).is_err());
            until("the leader leads", || CALLS.get() == 1);
            let waiter = scope.spawn(|| {
                other.set(Watched::this()).unwrap();
                fails(&cache, &other).is_err()
            });
            assert!(leader.join().unwrap(), "what the body computed is returned");
            assert!(waiter.join().unwrap());
        });
        assert_eq!(CALLS.get(), 2, "who has waited computes for itself");
    });
}

#[test]
fn hazard_16_a_weigher_that_panics_costs_no_result() {
    let memory = Memory::builder().max_weight(100).weigher(|_, _| panic!("what is this?")).build();
    let cache = Cache::builder().backend(memory).build().unwrap();
    assert_eq!(cache.get_or_compute("key", Ttl::Never, || 7_u8).unwrap(), 7);
    assert_eq!(cache.get::<u8>("key").unwrap(), None);
}

thread_local! {
    static NUMBER: Cell<u32> = const { Cell::new(0) };
    /// Whose code panics.
    static PANICS: Cell<&str> = const { Cell::new("") };
}

fn may_panic(who: &str) {
    assert_ne!(PANICS.get(), who, "as it is to");
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Fragile(u32);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        may_panic("clone");
        Self(self.0)
    }
}

fn is_wanted(_: &Fragile) -> bool {
    may_panic("cache_if");
    true
}

fn a_minute(_: &Fragile) -> Duration {
    may_panic("ttl_with");
    Duration::from_secs(60)
}

#[cached(cache = cache, skip(cache), cache_if = is_wanted, ttl_with = a_minute)]
fn fragile(cache: &Cache) -> Fragile {
    Fragile(NUMBER.get())
}

/// A cache in memory and one over a backend, each with those whose code is asked as it stores.
fn with_those_who_are_asked() -> [(Cache, &'static [&'static str]); 2] {
    let weigher = |_: &[u8], _: &dyn std::any::Any| {
        may_panic("weigher");
        1
    };
    let memory = Memory::builder().max_weight(100).weigher(weigher).build();
    [
        (Cache::builder().backend(memory).build().unwrap(), &["cache_if", "ttl_with", "clone", "weigher"]),
        (Cache::builder().backend(SharedMemory::new()).build().unwrap(), &["cache_if", "ttl_with", "clone"]),
    ]
}

#[test]
fn hazard_16_code_that_panics_as_a_refreshed_value_is_stored_leaves_no_old_one() {
    for (cache, asked) in with_those_who_are_asked() {
        for who in asked {
            NUMBER.set(1);
            fragile_entry(&cache).evict().unwrap();
            assert_eq!((fragile(&cache), fragile(&cache)), (Fragile(1), Fragile(1)));
            NUMBER.set(2);
            PANICS.set(who);
            let refreshed = fragile_entry(&cache).refresh();
            PANICS.set("");
            assert_eq!(refreshed, Fragile(2), "{who}: what the body computed is returned");
            assert_eq!(fragile_entry(&cache).peek().unwrap(), None, "{who}: the old value is still there");
            NUMBER.set(3);
            assert_eq!(fragile(&cache), Fragile(3), "{who}");
        }
    }
}

#[test]
fn hazard_16_code_that_panics_as_a_value_is_set_leaves_no_old_one() {
    for (cache, asked) in with_those_who_are_asked() {
        for who in asked {
            NUMBER.set(1);
            fragile_entry(&cache).evict().unwrap();
            assert_eq!(fragile(&cache), Fragile(1));
            PANICS.set(who);
            let set = catch_unwind(AssertUnwindSafe(|| fragile_entry(&cache).set(Fragile(2))));
            PANICS.set("");
            set.expect_err("the caller is told");
            assert_eq!(fragile_entry(&cache).peek().unwrap(), None, "{who}: the old value is still there");
        }
    }
}

#[test]
fn hazard_17_a_small_lru_is_exact_whichever_threads_use_it_in_turn() {
    let cache = Cache::builder().rule(Lru::new(2)).build().unwrap();
    let on_a_thread = |work: &(dyn Fn() + Sync)| {
        thread::scope(|scope| scope.spawn(work).join().unwrap());
    };
    on_a_thread(&|| {
        cache.set("a", &1_u8, Ttl::Never).unwrap();
        cache.set("b", &2_u8, Ttl::Never).unwrap();
    });
    for key in ["a", "b", "a"] {
        on_a_thread(&|| assert!(cache.get::<u8>(key).unwrap().is_some()));
    }
    cache.set("c", &3_u8, Ttl::Never).unwrap();
    assert_eq!((cache.get::<u8>("a").unwrap(), cache.get::<u8>("b").unwrap()), (Some(1), None));
}

thread_local! {
    static ROW: Cell<Option<u32>> = const { Cell::new(Some(1)) };
    static FAILS: Cell<bool> = const { Cell::new(false) };
}

#[cached]
fn row(id: u32) -> Result<Option<u32>, &'static str> {
    if FAILS.get() { Err("down") } else { Ok(ROW.get().map(|row| row + id)) }
}

#[test]
fn hazard_22_a_refresh_that_finds_nothing_leaves_nothing_old_and_one_that_fails_leaves_it() {
    assert_eq!(row(1), Ok(Some(2)));
    FAILS.set(true);
    assert_eq!(row_entry(1).refresh(), Err("down"));
    assert_eq!(row(1), Ok(Some(2)), "an error has found out nothing");
    FAILS.set(false);
    ROW.set(None);
    assert_eq!(row_entry(1).refresh(), Ok(None));
    assert_eq!(row(1), Ok(None), "the row is gone");
}

#[test]
fn hazard_18_shortening_a_lifetime_again_and_again_leaves_nothing_behind() {
    use cacheado::rules::{Effect, EntryMeta, Rule};
    struct Shorter(AtomicU64);
    impl Rule for Shorter {
        fn on_get(&self, _: &cacheado::Key, _: &EntryMeta) -> Effect {
            let less = self.0.fetch_add(1, Ordering::SeqCst);
            Effect::SetTtl(Duration::from_nanos(1_000_000_000_000 - less).into())
        }
    }
    let clock = ManualClock::new();
    let cache = Cache::builder().rule(Shorter(AtomicU64::new(0))).clock(clock.clone()).build().unwrap();
    cache.set("key", &1_u8, Duration::from_secs(5_000)).unwrap();
    for _ in 0..100_000 {
        assert!(cache.get::<u8>("key").unwrap().is_some());
    }
    assert!(cache.remaining("key").unwrap().unwrap() < Duration::from_secs(1_000));
    clock.advance(Duration::from_secs(1_000));
    assert_eq!(cache.get::<u8>("key").unwrap(), None);
    assert_eq!(cache.stats().expirations, 1);
}

#[test]
fn hazard_19_a_waker_that_panics_leaves_nobody_else_asleep() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("wake panics");
        }
    }
    #[derive(Default)]
    struct Woken(AtomicUsize);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (cache, gate, woken) = (Cache::new(), Notify::new(), Arc::new(Woken::default()));
    let call = || {
        Box::pin(cache.get_or_compute_async("key", Ttl::Never, async || {
            gate.notified().await;
            1_u8
        }))
    };
    let wakers = [Waker::noop().clone(), Arc::new(Panics).into(), Arc::clone(&woken).into()];
    let mut calls = [call(), call(), call()];
    for (call, waker) in calls.iter_mut().zip(&wakers) {
        assert!(call.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    gate.notify_one();
    for call in &mut calls {
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(1))));
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    }
}
