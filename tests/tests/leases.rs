//! `single_flight = "distributed"` over a backend in memory, whose caches stand for processes. Over servers: see
//! `servers`.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cacheado::Key;
use cacheado::backends::SharedMemory;
use cacheado::prelude::*;
use cacheado::rules::{Effect, EntryMeta, Rule};
use cacheado::testing::{FlakyBackend, ManualClock};
use cacheado_tests::Counter;
use cacheado_tests::gate::{Gated, Point};
use cacheado_tests::leases::{self, held, nodes};
use cacheado_tests::stage::{Outcome, Stage};
use cacheado_tests::wait::{in_time, on_one_thread, until, without_a_runtime};

macro_rules! over_memory {
    ($($scenario:ident),+ $(,)?) => {$(
        #[test]
        fn $scenario() {
            let memory = SharedMemory::new();
            leases::$scenario(&|| Cache::builder().backend(memory.clone()));
        }
    )+};
}

over_memory!(
    nodes_together_compute_once,
    threads_of_nodes_together_compute_once,
    hazard_25_a_cancelled_holder_gives_its_lease_up,
    hazard_25_a_panicking_holder_gives_its_lease_up,
    hazard_25_an_error_gives_the_lease_up,
    hazard_25_a_lease_has_an_end,
    a_refresh_waits_for_nobody,
    hazard_21_nobody_waits_for_what_an_eviction_came_before,
    hazard_19_a_call_dropped_anywhere_leaves_no_lease,
    hazard_25_a_dropped_waiter_leaves_the_lease_alone,
    hazard_23_recursion_ends,
);

#[test]
fn a_backend_without_leases_makes_it_a_flight_of_each_process() {
    let memory = SharedMemory::new();
    let open = || Cache::builder().backend(FlakyBackend::new(memory.clone()));
    let [a, b] = nodes(&open, Duration::from_secs(60));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (first, second) = (held(&a, 0), held(&b, 0));
        let both = async { tokio::join!(first, held(&a, 0), second, held(&b, 0)) };
        a.script.let_end(2);
        let (one, same, other, again) = both.await;
        assert_eq!((one, other), (same, again));
        assert_eq!(a.script.bodies.get(), 2, "once on each node");
    });
}

#[test]
fn nodes_together_compute_an_expired_entry_once() {
    let clock = ManualClock::new();
    let memory = SharedMemory::with_clock(clock.clone());
    let nodes = nodes::<4>(&|| Cache::builder().backend(memory.clone()), Duration::from_secs(60));
    let script = &nodes[0].script;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for round in 0..3 {
        let calls: Vec<_> = nodes
            .iter()
            .map(|node| {
                let node = node.clone();
                runtime.spawn(async move { held(&node, 0).await })
            })
            .collect();
        until("every node has found nothing", || nodes.iter().all(|node| node.cache.stats().misses > round));
        script.let_end(1);
        for call in calls {
            assert_eq!(runtime.block_on(call).unwrap() as u64, round);
        }
        clock.advance(Duration::from_secs(61));
    }
    assert_eq!(script.bodies.get(), 3);
}

#[test]
fn a_rule_that_refuses_what_is_there_has_it_computed_in_turn() {
    struct Refuse(Arc<Counter>);
    impl Rule for Refuse {
        fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
            self.0.next();
            Effect::Reject
        }
    }
    let (memory, asked) = (SharedMemory::new(), Arc::new(Counter::new()));
    let open = || Cache::builder().backend(memory.clone()).rule(Refuse(Arc::clone(&asked)));
    let [node, other] = nodes(&open, Duration::from_secs(60));
    node.script.let_end(4);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for run in 0..4 {
            let node = if run % 2 == 0 { &node } else { &other };
            assert_eq!(held(node, 0).await, run, "no lease is left behind, and nothing refused is served");
            assert_eq!(asked.get(), run, "once about each entry");
        }
    });
}

#[test]
fn a_lease_of_no_time_is_refused() {
    let error = Cache::builder().lease(Duration::ZERO).build().unwrap_err();
    assert!(error.to_string().contains("`lease` is zero"), "{error}");
}

#[test]
fn a_cache_in_memory_needs_no_lease() {
    let [node] = nodes(&Cache::builder, Duration::from_secs(60));
    node.script.let_end(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(async { (held(&node, 0).await, held(&node, 0).await) }), (0, 0));
}

/// Two processes with one backend. What the second asks of it can be held up.
fn two_processes() -> (ManualClock, Gated<SharedMemory>, [Stage; 2]) {
    let clock = ManualClock::new();
    let memory = SharedMemory::with_clock(clock.clone());
    let gated = Gated::new(memory.clone());
    let one = Cache::builder().backend(memory).clock(clock.clone()).build().unwrap();
    let two = Cache::builder().backend(gated.clone()).clock(clock.clone()).build().unwrap();
    (clock, gated, [Stage::new(&one), Stage::new(&two)])
}

#[test]
fn what_another_process_has_renewed_before_the_lease_is_not_renewed_again() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30, single_flight = "distributed")]
    fn in_turn(stage: &Stage) -> Outcome {
        stage.body()
    }
    in_time(|| {
        let (clock, gated, [one, two]) = two_processes();
        assert_eq!(in_turn(&one), Ok(0));
        clock.advance(Duration::from_secs(60));
        // Its renewal sees the old value, and then another process has the new one.
        let (mut read, mut look) = (gated.hold(Point::Get), gated.hold(Point::Get));
        thread::scope(|threads| {
            let stale = threads.spawn(|| in_turn(&two));
            without_a_runtime(read.is_reached());
            read.release();
            assert_eq!(stale.join().unwrap(), Ok(0));
        });
        without_a_runtime(look.is_reached());
        until("the other renews it", || in_turn(&one) == Ok(1));
        look.release();
        until("its renewal ends", || format!("{:?}", two.cache()).contains("under_way: 0"));
        assert_eq!((one.runs(), two.runs()), (2, 0));
        assert_eq!(in_turn(&two), Ok(1));
    });
}

/// Sees an entry that it cannot use, and has the lease when another process has stored one that it can.
#[test]
fn what_another_process_has_computed_before_the_lease_is_not_computed_again() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = 30, single_flight = "distributed")]
    fn in_turn(stage: &Stage) -> Outcome {
        stage.body()
    }
    in_time(|| {
        let (clock, gated, [one, two]) = two_processes();
        assert_eq!(in_turn(&one), Ok(0));
        clock.advance(Duration::from_secs(60));
        let mut read = gated.hold(Point::Get);
        thread::scope(|threads| {
            let late = threads.spawn(|| in_turn(&two));
            without_a_runtime(read.is_reached());
            assert_eq!(in_turn(&one), Ok(1));
            read.release();
            assert_eq!(late.join().unwrap(), Ok(1));
        });
        assert_eq!((one.runs(), two.runs()), (2, 0));
        let stats = two.stats();
        assert_eq!((stats.hits, stats.misses), (1, 0), "{stats}");

        // It has given its lease back, without having stored anything.
        clock.advance(Duration::from_secs(60));
        assert_eq!(in_turn(&one), Ok(2));
    });
}

/// What has not changed until it has the lease is as useless as before.
#[test]
fn what_cannot_be_used_is_computed_in_turn() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = 30, single_flight = "distributed")]
    async fn in_turn(stage: &Stage) -> Outcome {
        stage.body_async().await
    }
    on_one_thread(|| async {
        let clock = ManualClock::new();
        let memory = SharedMemory::with_clock(clock.clone());
        let stage = Stage::new(&Cache::builder().backend(memory).clock(clock.clone()).build().unwrap());
        for run in 0..3 {
            assert_eq!(in_turn(&stage).await, Ok(run));
            clock.advance(Duration::from_secs(60));
        }
        stage.fail(true);
        assert_eq!(in_turn(&stage).await, Ok(2), "it is served where the body fails");
        let stats = stage.stats();
        assert_eq!((stats.hits, stats.misses, stats.stale_hits), (0, 4, 1), "{stats}");
    });
}

#[test]
fn what_a_waiting_thread_has_announced_is_given_up_by_the_caches_executor() {
    for is_leased in [false, true] {
        let spawned = Arc::new(Counter::new());
        let count = Arc::clone(&spawned);
        let spawn = move |_| {
            count.next();
        };
        let cache = Cache::builder().backend(SharedMemory::new()).background(spawn).build().unwrap();
        let call = || {
            if is_leased {
                leased(&cache);
            } else {
                cache.get_or_compute("key", Ttl::Never, || -> u8 { panic!("no value") }).unwrap();
            }
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).unwrap_err();
        assert_eq!(spawned.get(), 1, "leased: {is_leased}");
    }
}

#[cached(cache = cache, skip(cache), single_flight = "distributed", remote)]
fn leased(cache: &Cache) -> u8 {
    panic!("no value")
}
