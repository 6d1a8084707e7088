//! What a cache does when its backend fails: slower, and right. Servers that are killed are in `servers`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::time::{Duration, Instant};

use cacheado::backends::{ErrorKind as Failure, Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::testing::{Fault, FlakyBackend, ManualClock, Operation};
use cacheado::{Error, ErrorKind, with_cache, with_cache_async};
use cacheado_tests::Counter;
use cacheado_tests::wait::{on_one_thread, poll_times};

#[cached(ttl = 60)]
fn double(n: u32) -> u32 {
    n * 2
}

#[cached(ttl = 60, skip(bodies))]
fn counted(bodies: &Counter, n: u32) -> u32 {
    bodies.next();
    n * 2
}

#[cached(ttl = 60)]
async fn triple(n: u32) -> u32 {
    n * 3
}

type Flaky = FlakyBackend<SharedMemory>;

fn flaky() -> Flaky {
    FlakyBackend::new(SharedMemory::new())
}

/// A cache whose breaker opens late, so that each operation meets the fault.
fn patient(backend: &Flaky) -> Cache {
    Cache::builder().backend(backend.clone()).breaker(u32::MAX, Duration::from_secs(60)).build().unwrap()
}

#[test]
fn hazard_26_an_outage_at_any_step_is_a_slower_function() {
    let three_calls = |backend: &Flaky, step: u64| {
        let cache = patient(backend);
        for _ in 0..3 {
            assert_eq!(with_cache(&cache, || double(21)), 42, "step {step}");
        }
        // Statistics ask the backend as well.
        (backend.operations(), cache.stats())
    };
    let (steps, healthy) = three_calls(&flaky(), 0);
    assert_eq!((healthy.hits, healthy.backend_errors), (2, 0));
    assert!(steps >= 4, "a miss reads and writes, a hit reads: {steps}");
    // Step by step: every operation of a miss, and of two hits, fails once.
    for step in 0..steps {
        for fault in [Fault::fail(Failure::Unavailable), Fault::lose(Failure::Timeout)] {
            let backend = flaky();
            backend.inject(fault.after(step).times(1));
            let (_, stats) = three_calls(&backend, step);
            assert_eq!(stats.backend_errors, 1, "step {step}: {stats}");
            assert_eq!(stats.hits + stats.misses, 3, "step {step}: {stats}");
            assert!(stats.hits >= 1, "step {step}: it works again: {stats}");
        }
    }
}

#[test]
fn hazard_26_a_failed_write_loses_no_result() {
    let (backend, bodies) = (flaky(), Counter::new());
    let cache = patient(&backend);
    backend.inject(Fault::fail(Failure::Unavailable).on(Operation::Put));
    assert_eq!(with_cache(&cache, || counted(&bodies, 1)), 2);
    assert_eq!(cache.stats().backend_errors, 1);
    backend.heal();
    assert_eq!(with_cache(&cache, || counted(&bodies, 1)), 2);
    assert_eq!(with_cache(&cache, || counted(&bodies, 1)), 2);
    assert_eq!(bodies.get(), 2);
}

#[test]
fn hazard_26_a_server_that_all_callers_give_up_on_is_left_in_peace() {
    on_one_thread(|| async {
        let (backend, clock) = (flaky(), ManualClock::new());
        let cache = Cache::builder().backend(backend.clone()).clock(clock.clone());
        let cache = cache.breaker(3, Duration::from_secs(3_600)).build().unwrap();
        backend.inject(Fault::hang());
        for n in 0..3 {
            let mut call = Box::pin(with_cache_async(&cache, triple(n)));
            assert!(poll_times(&mut call, 2).is_pending());
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(poll_times(with_cache_async(&cache, triple(3)), 2), Poll::Ready(9));
        assert_eq!(backend.operations(), 3, "the breaker is open");
    });
}

#[test]
fn hazard_26_a_dead_server_is_left_in_peace() {
    let backend = flaky();
    let cache =
        Cache::builder().backend(backend.clone()).breaker(3, Duration::from_secs(3_600)).build().unwrap();
    backend.inject(Fault::fail(Failure::Unavailable));
    for n in 0..200 {
        assert_eq!(with_cache(&cache, || double(n)), n * 2);
    }
    assert_eq!(backend.operations(), 3, "the breaker is open");
    let stats = cache.stats();
    assert_eq!((stats.misses, stats.backend_errors), (200, 200), "{stats}");
    // An eviction is tried all the same: its caller has to know.
    assert_eq!(cache.evict("k").unwrap_err().kind(), ErrorKind::Backend);
    assert!(backend.operations() > 3);
    backend.heal();
    assert!(!cache.evict("k").unwrap());
    assert_eq!(with_cache(&cache, || double(1)), 2);
    assert_eq!(with_cache(&cache, || double(1)), 2);
    assert_eq!(cache.stats().hits, 1, "what answered has closed the breaker");
}

#[test]
fn one_refusal_is_no_outage() {
    let backend = flaky();
    let cache =
        Cache::builder().backend(backend.clone()).breaker(1, Duration::from_secs(3_600)).build().unwrap();
    backend.inject(Fault::fail(Failure::Refused).times(5));
    for _ in 0..5 {
        with_cache(&cache, || double(1));
    }
    assert_eq!(backend.operations(), 5, "each was tried");
}

#[derive(Debug)]
enum Failed {
    Cache(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Cache(error)
    }
}

#[test]
fn a_function_may_want_to_know() {
    #[cached(ttl = 60, on_backend_error = "error", skip(bodies))]
    fn strict(bodies: &Counter, n: u32) -> Result<u32, Failed> {
        bodies.next();
        Ok(n)
    }
    let (backend, bodies) = (flaky(), Counter::new());
    let cache = patient(&backend);
    backend.inject(Fault::fail(Failure::Unavailable));
    let Failed::Cache(error) = with_cache(&cache, || strict(&bodies, 1)).unwrap_err();
    assert_eq!((error.kind(), bodies.get()), (ErrorKind::Backend, 0));
    backend.heal();
    with_cache(&cache, || strict(&bodies, 0)).unwrap();
    // What a healthy body has computed is returned, whatever becomes of the write.
    backend.inject(Fault::fail(Failure::Unavailable).on(Operation::Put));
    assert_eq!(with_cache(&cache, || strict(&bodies, 1)).unwrap(), 1);
}

#[test]
fn a_verb_says_what_went_wrong() {
    let backend = flaky();
    let cache = patient(&backend);
    backend.inject(Fault::fail(Failure::Unavailable));
    let kinds = [
        cache.get::<u8>("k").map(drop).unwrap_err(),
        cache.get_many::<u8>(["k"]).map(drop).unwrap_err(),
        cache.set("k", &1_u8, Ttl::Never).unwrap_err(),
        cache.evict("k").map(drop).unwrap_err(),
        cache.evict_by_tag("t").map(drop).unwrap_err(),
        cache.clear().unwrap_err(),
        with_cache(&cache, || double_entry(1).peek()).map(drop).unwrap_err(),
        with_cache(&cache, || double_cache().evict_all()).map(drop).unwrap_err(),
    ];
    for error in kinds {
        assert_eq!(error.kind(), ErrorKind::Backend, "{error}");
        // The text has the cause, which is there as well; sources go on behind it (`errors`).
        let cause = error.cause().downcast_ref::<cacheado::backends::Error>().unwrap();
        assert_eq!(cause.kind(), Failure::Unavailable);
        assert!(error.to_string().ends_with("a fault that was injected"), "{error}");
    }
    assert_eq!(cache.get_or_compute("k", Ttl::Never, || 1_u8).unwrap(), 1, "an outage is a miss");
}

#[test]
fn copies_carry_over_an_outage() {
    let (backend, bodies) = (flaky(), Counter::new());
    let cache = Cache::builder().backend(backend.clone()).near(Memory::new()).build().unwrap();
    with_cache(&cache, || counted(&bodies, 1));
    backend.inject(Fault::fail(Failure::Unavailable));
    for _ in 0..10 {
        with_cache(&cache, || (counted(&bodies, 1), counted(&bodies, 2)));
    }
    assert_eq!(bodies.get(), 2, "one of them during the outage");
}

#[test]
fn a_call_that_hangs_ends_and_harms_nobody_else() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let backend = flaky();
    let cache = patient(&backend);
    backend.inject(Fault::hang());
    runtime.block_on(async {
        let cache = cache.clone();
        let waits = tokio::spawn(async move { with_cache_async(&cache, triple(5)).await });
        while backend.hanging() == 0 {
            tokio::task::yield_now().await;
        }
        // The workers go on.
        for _ in 0..100 {
            tokio::spawn(async { tokio::task::yield_now().await }).await.unwrap();
        }
        backend.heal();
        assert_eq!(waits.await.unwrap(), 15);
    });
}

/// Runs a function in every place that a sync function can be called from. A deadlock would time out.
#[test]
fn hazard_24_a_sync_function_works_in_every_context() {
    let backend = flaky();
    let (cache, bodies) = (patient(&backend), Arc::new(Counter::new()));
    let call = |n: u32| {
        let (cache, bodies) = (cache.clone(), Arc::clone(&bodies));
        let twice = move || (counted(&bodies, n), counted(&bodies, n));
        move || assert_eq!(with_cache(&cache, twice), (2 * n, 2 * n))
    };
    let multi = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let single = || tokio::runtime::Builder::new_current_thread().build().unwrap();

    call(1)(); // no runtime
    let worker = call(2);
    multi().block_on(async { tokio::spawn(async move { worker() }).await.unwrap() });
    let main = call(3);
    multi().block_on(async move { main() });
    let blocking = call(4);
    multi().block_on(async { tokio::task::spawn_blocking(blocking).await.unwrap() });
    let current = call(5);
    single().block_on(async move { current() });
    let blocking = call(6);
    single().block_on(async { tokio::task::spawn_blocking(blocking).await.unwrap() });
    let local = call(7);
    multi().block_on(tokio::task::LocalSet::new().run_until(async move {
        tokio::task::spawn_local(async move { local() }).await.unwrap();
    }));
    assert_eq!(bodies.get(), 7);
    assert_eq!(cache.stats().hits, 7);
}

#[test]
fn hazard_24_a_sync_call_stalls_no_worker_for_others() {
    // One worker: while it waits for the backend, another thread runs its tasks.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let backend = flaky();
    let cache = patient(&backend);
    backend.inject(Fault::hang());
    let (said, heard) = channel();
    runtime.block_on(async {
        let cache = cache.clone();
        let waits = tokio::spawn(async move { with_cache(&cache, || double(8)) });
        while backend.hanging() == 0 {
            tokio::task::yield_now().await;
        }
        tokio::spawn(async move { said.send(()).unwrap() }).await.unwrap();
        heard.recv().unwrap();
        backend.heal();
        assert_eq!(waits.await.unwrap(), 16);
    });
}

#[test]
fn async_verbs_work_on_any_executor() {
    // No tokio: a hand-made executor that parks the thread.
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let cache = patient(&flaky());
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(async {
        cache.set_async("k", &1_u8, Ttl::Never).await.unwrap();
        let compute = || async { 2_u8 };
        cache.get_or_compute_async("k", Ttl::Never, compute).await.unwrap()
    });
    let value = loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => break value,
            std::task::Poll::Pending => std::thread::park(),
        }
    };
    assert_eq!(value, 1);
}

#[test]
fn a_body_that_cannot_be_reached_is_not_waited_for_long() {
    let backend = flaky();
    let cache = Cache::builder().backend(backend.clone()).build().unwrap();
    backend.inject(Fault::fail(Failure::Unavailable));
    let begun = Instant::now();
    for n in 0..200 {
        with_cache(&cache, || double(n));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn hazard_32_a_copy_that_the_backend_has_not_confirmed_is_as_old_as_its_computation() {
    let seconds = Duration::from_secs;
    // The backend is away from the start, or when the value is to be stored.
    for fault in
        [Fault::fail(Failure::Unavailable), Fault::fail(Failure::Unavailable).on(Operation::Put).after(1)]
    {
        let (backend, clock) = (flaky(), ManualClock::new());
        let near = Cache::builder().backend(backend.clone()).near(Memory::new()).near_ttl(seconds(10));
        let cache = near.breaker(u32::MAX, seconds(60)).clock(clock.clone()).build().unwrap();
        backend.inject(fault);
        let runs = AtomicU32::new(0);
        let call = || {
            let compute = || {
                clock.advance(seconds(6));
                runs.fetch_add(1, Ordering::SeqCst)
            };
            cache.get_or_compute("key", seconds(60), compute).unwrap()
        };
        assert_eq!((call(), call()), (0, 0), "a copy carries over the outage");
        clock.advance(seconds(3));
        assert_eq!(call(), 0);
        // Ten seconds after the body began, in which another node may have evicted it.
        clock.advance(seconds(1));
        assert_eq!(call(), 1);
    }
}
