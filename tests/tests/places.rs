//! Where a function can be called from.

use std::cell::RefCell;
use std::sync::Mutex;
use std::thread;

use cacheado::Key;
use cacheado::backends::SharedMemory;
use cacheado::prelude::*;
use cacheado::rules::{Effect, EntryMeta, Rule};
use cacheado_tests::Counter;
use cacheado_tests::wait::{Watched, in_time, until};

#[test]
fn hazard_24_sync_functions_wait_for_a_thread_anywhere() {
    static LEADERS: Counter = Counter::new();
    static WAITER: Mutex<Option<Watched>> = Mutex::new(None);

    #[cached(cache = cache, skip(cache))]
    fn square(cache: &Cache, n: u64) -> u64 {
        LEADERS.next();
        let sleeps = || WAITER.lock().unwrap().as_ref().is_some_and(Watched::sleeps);
        until("another waits", || cache.stats().misses == 2 * n && sleeps());
        n * n
    }

    in_time(|| {
        let cache = Cache::new();
        let waits = |n: usize| {
            let cache = cache.clone();
            move || {
                let (to_lead, n_th) = (cache.clone(), n as u64);
                let leader = thread::spawn(move || square(&to_lead, n_th));
                until("the other leads", || LEADERS.get() == n);
                *WAITER.lock().unwrap() = Some(Watched::this());
                assert_eq!(square(&cache, n_th), n_th * n_th);
                *WAITER.lock().unwrap() = None;
                assert_eq!(leader.join().unwrap(), n_th * n_th);
            }
        };
        let several = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let one = tokio::runtime::Builder::new_current_thread().build().unwrap();
        waits(1)();
        one.block_on(async { waits(2)() });
        one.block_on(one.spawn_blocking(waits(3))).unwrap();
        several.block_on(async { waits(4)() });
        let worker = waits(5);
        several.block_on(several.spawn(async move { worker() })).unwrap();
        several.block_on(tokio::task::LocalSet::new().run_until(async { waits(6)() }));
        assert_eq!((cache.stats().coalesced, LEADERS.get()), (6, 6));
    });
}

/// Does its work when it is dropped.
struct AtEnd(Option<Box<dyn FnOnce()>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
}

/// Runs `before` on a thread, and `work` as the last of its thread-local values are dropped.
fn as_a_thread_ends(before: impl FnOnce() + Send + 'static, work: impl FnOnce() + Send + 'static) {
    thread_local! {
        static LAST: RefCell<AtEnd> = const { RefCell::new(AtEnd(None)) };
    }
    let thread = thread::spawn(|| {
        // What comes first is dropped last.
        LAST.with_borrow_mut(|last| last.0 = Some(Box::new(work)));
        before();
    });
    thread.join().unwrap();
}

#[cached(cache = cache, skip(cache))]
fn halves(cache: &Cache, n: u32) -> u32 {
    if n < 2 { n } else { halves(cache, n / 2) + 1 }
}

#[test]
fn hazard_16_a_drop_at_the_end_of_a_thread_can_call() {
    let backends: [fn() -> Cache; 2] =
        [Cache::new, || Cache::builder().backend(SharedMemory::new()).build().unwrap()];
    for cache in backends.map(|backend| backend()) {
        let call = |n| {
            let cache = cache.clone();
            move || assert_eq!(halves(&cache, n), 1 + n.ilog2())
        };
        as_a_thread_ends(call(1), call(1));
        assert_eq!((cache.stats().hits, cache.stats().misses), (1, 1), "a hit");
        as_a_thread_ends(call(1), call(4));
        assert_eq!((cache.stats().hits, cache.stats().misses), (3, 3), "two misses and a hit in them");
        as_a_thread_ends(|| {}, call(8));
        assert_eq!((cache.stats().hits, cache.stats().misses), (4, 4), "the first use of the thread");
    }
}

#[test]
fn hazard_16_a_drop_at_the_end_of_a_thread_can_ask_for_what_rules_evict() {
    struct Once;
    impl Rule for Once {
        fn on_get(&self, key: &Key, _: &EntryMeta) -> Effect {
            Effect::Evict(vec![key.clone()])
        }
    }
    let cache = Cache::builder().rule(Once).build().unwrap();
    let scoped = cache.scoped("tenant:acme".parse().unwrap());
    let fill_and_read = move || {
        scoped.set("key", &1_u8, Ttl::Never).unwrap();
        assert_eq!(scoped.get::<u8>("key").unwrap(), Some(1));
        assert_eq!(scoped.get::<u8>("key").unwrap(), None);
    };
    as_a_thread_ends(fill_and_read.clone(), fill_and_read);
}

#[test]
fn hazard_23_a_body_that_calls_itself_as_its_thread_ends_does_not_wait_for_itself() {
    static CALLS: Counter = Counter::new();

    #[cached(cache = cache, skip(cache))]
    fn itself(cache: &Cache, n: u32) -> u32 {
        if CALLS.next() == 0 { itself(cache, n) + 1 } else { n }
    }
    in_time(|| {
        let cache = Cache::new();
        let end = cache.clone();
        as_a_thread_ends(move || drop(cache.get::<u32>("any")), move || assert_eq!(itself(&end, 1), 2));
        assert_eq!(CALLS.get(), 2);
    });
}
