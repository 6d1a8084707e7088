//! Single flight under every schedule: one computation, nobody left waiting, panics and errors let go.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cacheado::{Cache, Ttl};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;

use crate::explore;

#[test]
fn one_of_three_computes_and_all_get_its_value() {
    explore(|| {
        let cache = Cache::new();
        let calls = Arc::new(AtomicUsize::new(0));
        // Opened before the threads start: what is opened later is opened under a lock that is not modelled.
        assert_eq!(cache.get::<usize>("warm-up").unwrap(), None);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (cache, calls) = (cache.clone(), Arc::clone(&calls));
                thread::spawn(move || {
                    let compute = || {
                        thread::yield_now();
                        calls.fetch_add(1, Ordering::SeqCst)
                    };
                    cache.get_or_compute("key", Ttl::Never, compute).unwrap()
                })
            })
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 0);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        let stats = cache.stats();
        assert_eq!(stats.hits + stats.misses, 4, "the warm-up and three lookups");
    });
}

#[test]
fn hazard_19_a_panicking_leader_lets_the_others_elect_another() {
    explore(|| {
        let cache = Cache::new();
        let calls = Arc::new(AtomicUsize::new(0));
        assert_eq!(cache.get::<usize>("warm-up").unwrap(), None);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (cache, calls) = (cache.clone(), Arc::clone(&calls));
                thread::spawn(move || {
                    let compute = || {
                        let call = calls.fetch_add(1, Ordering::SeqCst);
                        thread::yield_now();
                        assert!(call > 0, "the first body fails");
                        call
                    };
                    let outcome =
                        AssertUnwindSafe(|| cache.get_or_compute("key", Ttl::Never, compute).unwrap());
                    catch_unwind(outcome).ok()
                })
            })
            .collect();
        let outcomes: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_none()).count(), 1, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Some(1)).count(), 2, "{outcomes:?}");
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn hazard_23_a_body_that_calls_its_own_key_does_not_wait_for_itself() {
    explore(|| {
        let cache = Cache::new();
        assert_eq!(cache.get::<usize>("warm-up").unwrap(), None);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let cache = cache.clone();
                thread::spawn(move || {
                    let inner = cache.clone();
                    let compute = move || inner.get_or_compute("key", Ttl::Never, || 1).unwrap() + 1;
                    cache.get_or_compute("key", Ttl::Never, compute).unwrap()
                })
            })
            .collect();
        for thread in threads {
            assert!([1, 2].contains(&thread.join().unwrap()));
        }
    });
}
