//! Single flight (hazards 19, 20 and 23): one computes, the others wait; leaders that panic, fail, or are
//! dropped leave nobody behind.

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;

use cacheado::{Cache, Ttl, cached};
use cacheado_tests::Counter;
use cacheado_tests::wait::{Watched, in_time, on_one_thread, on_threads, others_wait, until};
use tokio::sync::Notify;
use tokio::task::{JoinSet, yield_now};

/// What a test's bodies do, and what they have done.
#[derive(Default)]
struct Stage {
    cache: Cache,
    runs: Counter,
    inside: Counter,
    most_inside: Counter,
    gate: Notify,
    open: AtomicBool,
}

impl Stage {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
        self.gate.notify_waiters();
    }

    async fn through_the_gate(&self) {
        loop {
            let opened = self.gate.notified();
            if self.open.load(Ordering::SeqCst) {
                return;
            }
            opened.await;
        }
    }

    fn misses(&self) -> u64 {
        self.cache.stats().misses
    }
}

/// An error that nobody can copy.
#[derive(Debug, PartialEq)]
struct Unique(usize);

#[derive(Debug, Clone, PartialEq)]
struct Copied(usize);

#[cached(cache = stage.cache, skip(stage))]
async fn value(stage: &Stage, key: u32) -> usize {
    let run = stage.runs.next();
    stage.through_the_gate().await;
    run + key as usize
}

#[cached(cache = stage.cache, skip(stage), cache_if = never)]
async fn not_stored(stage: &Stage) -> usize {
    let run = stage.runs.next();
    stage.through_the_gate().await;
    run
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "`cache_if` asks for a reference")]
fn never(_: &usize) -> bool {
    false
}

#[cached(cache = stage.cache, skip(stage))]
async fn fails_uniquely(stage: &Stage) -> Result<usize, Unique> {
    let run = stage.runs.next();
    stage.inside.next();
    stage.most_inside.raise(stage.inside.get());
    if run == 0 {
        stage.through_the_gate().await;
    } else {
        others_wait().await;
    }
    stage.inside.leave();
    Err(Unique(run))
}

#[cached(cache = stage.cache, skip(stage))]
async fn fails_alike(stage: &Stage) -> Result<usize, Copied> {
    let run = stage.runs.next();
    stage.through_the_gate().await;
    Err(Copied(run))
}

#[cached(cache = stage.cache, skip(stage))]
async fn finds_nothing(stage: &Stage) -> Option<usize> {
    stage.runs.next();
    stage.through_the_gate().await;
    None
}

#[cached(cache = stage.cache, skip(stage))]
async fn panics_first(stage: &Stage) -> usize {
    let run = stage.runs.next();
    stage.through_the_gate().await;
    assert!(run > 0, "the first body panics");
    run
}

#[cached(cache = stage.cache, skip(stage), single_flight = false)]
async fn each_for_itself(stage: &Stage) -> usize {
    let run = stage.runs.next();
    stage.through_the_gate().await;
    run
}

/// `n` tasks that make the same call, all waiting when the gate is opened.
macro_rules! crowd {
    ($stage:ident, $n:expr, $call:expr) => {{
        let mut tasks = JoinSet::new();
        for _ in 0..$n {
            let $stage = Arc::clone(&$stage);
            tasks.spawn(async move { $call.await });
        }
        others_wait().await;
        $stage.open();
        let mut results = Vec::new();
        while let Some(result) = tasks.join_next().await {
            results.push(result);
        }
        results
    }};
}

#[test]
fn hazard_20_a_thousand_tasks_compute_once() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let results = crowd!(stage, 1_000, value(&stage, 7));
        assert!(results.into_iter().all(|result| result.unwrap() == 7));
        assert_eq!(stage.runs.get(), 1);
        let stats = stage.cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.coalesced), (0, 1_000, 999));
    });
}

#[test]
fn hazard_20_a_thousand_tasks_on_several_threads_compute_once() {
    on_threads(4, || async {
        let stage = Stage::new();
        let mut tasks = JoinSet::new();
        for _ in 0..1_000 {
            let stage = Arc::clone(&stage);
            tasks.spawn(async move { value(&stage, 7).await });
        }
        until("the leader is in the body", || stage.runs.get() == 1);
        stage.open();
        assert!(tasks.join_all().await.into_iter().all(|value| value == 7));
        assert_eq!(stage.runs.get(), 1);
        let stats = stage.cache.stats();
        assert_eq!(stats.hits + stats.misses, 1_000);
    });
}

#[test]
fn hazard_20_threads_behind_a_barrier_compute_once() {
    in_time(|| {
        let (cache, runs, barrier) = (Cache::new(), Counter::new(), Barrier::new(64));
        for round in 0..20_u32 {
            thread::scope(|scope| {
                for _ in 0..64 {
                    scope.spawn(|| {
                        barrier.wait();
                        let got = cache.get_or_compute(round, Ttl::Never, || {
                            runs.next();
                            thread::yield_now();
                            round * 2
                        });
                        assert_eq!(got.unwrap(), round * 2);
                    });
                }
            });
            assert_eq!(runs.take(), 1, "round {round}");
        }
        let stats = cache.stats();
        assert_eq!(stats.hits + stats.misses, 64 * 20);
    });
}

#[test]
fn hazard_20_what_is_not_stored_is_still_handed_to_those_who_wait() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let results = crowd!(stage, 100, not_stored(&stage));
        assert!(results.into_iter().all(|result| result.unwrap() == 0));
        assert_eq!(stage.runs.get(), 1);
        assert_eq!(stage.cache.stats().total_keys, 0);
        assert_eq!(not_stored(&stage).await, 1, "the next one computes");

        let stage = Stage::new();
        let results = crowd!(stage, 100, finds_nothing(&stage));
        assert!(results.into_iter().all(|result| result.unwrap().is_none()));
        assert_eq!(stage.runs.get(), 1);
        assert_eq!((stage.cache.stats().total_keys, stage.cache.stats().coalesced), (0, 99));
    });
}

#[test]
fn hazard_20_what_is_not_stored_is_handed_to_threads_that_wait() {
    in_time(|| {
        let (cache, runs) = (Cache::new(), Counter::new());
        let sleepers = std::sync::Mutex::new(Vec::new());
        let open = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let me = Watched::this();
                    sleepers.lock().unwrap().push(me.clone());
                    // A time to live of zero stores nothing.
                    let got = cache.get_or_compute("key", std::time::Duration::ZERO, || {
                        sleepers.lock().unwrap().push(me.clone());
                        until("the gate opens", || open.load(Ordering::SeqCst));
                        runs.next()
                    });
                    assert_eq!(got.unwrap(), 0);
                });
            }
            // Once each, and the leader twice: it does not sleep.
            until("all wait", || {
                let sleepers = sleepers.lock().unwrap();
                let asleep = sleepers.iter().filter(|thread| thread.sleeps()).count();
                sleepers.len() == 17 && cache.stats().misses == 16 && asleep >= 15
            });
            open.store(true, Ordering::SeqCst);
        });
        assert_eq!((runs.get(), cache.stats().total_keys), (1, 0));
    });
}

#[test]
fn hazard_19_an_error_that_cannot_be_copied_sends_all_to_the_body_at_once() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let results = crowd!(stage, 50, fails_uniquely(&stage));
        let mut errors: Vec<_> = results.into_iter().map(|result| result.unwrap().unwrap_err().0).collect();
        errors.sort_unstable();
        assert_eq!(errors, (0..50).collect::<Vec<_>>(), "each has its own error");
        assert_eq!(stage.most_inside.get(), 49, "those who waited are in the body together");
    });
}

#[test]
fn hazard_19_an_error_that_can_be_copied_is_shared() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let results = crowd!(stage, 50, fails_alike(&stage));
        assert!(results.into_iter().all(|result| result.unwrap() == Err(Copied(0))));
        assert_eq!((stage.runs.get(), stage.cache.stats().total_keys), (1, 0));
        assert_eq!(fails_alike(&stage).await, Err(Copied(1)), "it is not stored");
    });
}

#[cached(cache = stage.cache, skip(stage))]
async fn fails_as_the_cache_does(stage: &Stage) -> cacheado::Result<usize> {
    stage.runs.next();
    stage.through_the_gate().await;
    Err("no scope".parse::<cacheado::Scope>().unwrap_err().into())
}

#[test]
fn hazard_19_an_error_of_the_cache_itself_is_shared() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let results = crowd!(stage, 50, fails_as_the_cache_does(&stage));
        let is_shared = |error: cacheado::Error| error.kind() == cacheado::ErrorKind::Scope;
        assert!(results.into_iter().all(|result| result.unwrap().is_err_and(is_shared)));
        assert_eq!((stage.runs.get(), stage.cache.stats().total_keys), (1, 0));
    });
}

#[test]
fn hazard_19_a_leader_that_panics_is_followed_by_another() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let results = crowd!(stage, 50, panics_first(&stage));
        let (fine, panicked): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(panicked.len(), 1, "only the leader panics");
        assert!(fine.into_iter().all(|result| result.unwrap() == 1));
        assert_eq!(stage.runs.get(), 2);
    });
}

#[test]
fn hazard_19_a_thread_that_panics_is_followed_by_another() {
    in_time(|| {
        let (cache, runs, barrier) = (Cache::new(), Counter::new(), Barrier::new(16));
        let panics = Counter::new();
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    barrier.wait();
                    let call = || {
                        cache.get_or_compute("key", Ttl::Never, || {
                            let run = runs.next();
                            assert!(run > 2, "the first three panic");
                            run
                        })
                    };
                    match catch_unwind(AssertUnwindSafe(call)) {
                        Ok(value) => assert_eq!(value.unwrap(), 3),
                        Err(_) => {
                            panics.next();
                        }
                    }
                });
            }
        });
        assert_eq!((panics.get(), runs.get()), (3, 4));
        assert_eq!(cache.get::<usize>("key").unwrap(), Some(3));
    });
}

#[test]
fn hazard_19_a_leader_dropped_at_any_await_is_followed_by_another() {
    const AWAITS: usize = 12;

    #[cached(cache = stage.cache, skip(stage))]
    async fn slow(stage: &Stage) -> usize {
        let run = stage.runs.next();
        for _ in 0..AWAITS {
            yield_now().await;
        }
        run
    }

    for drop_after in 0..=AWAITS {
        on_one_thread(move || async move {
            let stage = Stage::new();
            let mut leader = Box::pin(slow(&stage));
            let mut polls = 0;
            poll_fn(|context| {
                while polls < drop_after {
                    polls += 1;
                    assert!(leader.as_mut().poll(context).is_pending());
                }
                Poll::Ready(())
            })
            .await;
            let mut waiters = JoinSet::new();
            for _ in 0..10 {
                let stage = Arc::clone(&stage);
                waiters.spawn(async move { slow(&stage).await });
            }
            if drop_after > 0 {
                // They wait for the leader, which nobody polls.
                others_wait().await;
                assert_eq!((stage.runs.get(), waiters.len()), (1, 10));
            }
            drop(leader);
            let expected = usize::from(drop_after > 0);
            assert!(waiters.join_all().await.into_iter().all(|value| value == expected), "{drop_after}");
            assert_eq!(stage.runs.get(), expected + 1, "one of them, and only one, has computed");
        });
    }
}

#[test]
fn hazard_19_a_waiter_dropped_at_any_time_disturbs_nobody() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let leader = tokio::spawn({
            let stage = Arc::clone(&stage);
            async move { value(&stage, 1).await }
        });
        others_wait().await;
        for polls in 0..4 {
            let mut waiter = Box::pin(value(&stage, 1));
            for _ in 0..polls {
                assert!(waiter.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
        }
        let last = tokio::spawn({
            let stage = Arc::clone(&stage);
            async move { value(&stage, 1).await }
        });
        others_wait().await;
        stage.open();
        assert_eq!((leader.await.unwrap(), last.await.unwrap(), stage.runs.get()), (1, 1, 1));
    });
}

#[test]
fn hazard_19_a_task_that_is_aborted_with_its_runtime_leaves_no_flight() {
    in_time(|| {
        let cache = Cache::new();
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let compute = || cache.get_or_compute_async("key", Ttl::Never, || async { 2_u8 });
        let (first, inner) = (runtime(), cache.clone());
        first.spawn(async move {
            inner.get_or_compute_async("key", Ttl::Never, pending::<u8>).await.unwrap();
        });
        first.block_on(others_wait());
        let mut joined = Box::pin(compute());
        assert!(joined.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(first);
        // Tasks wait for a task's flight: for ever, if it were still there.
        let (late, joined) = runtime().block_on(async { tokio::join!(compute(), joined) });
        assert_eq!((late.unwrap(), joined.unwrap()), (2, 2));
    });
}

#[test]
fn single_flight_can_be_turned_off() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let results = crowd!(stage, 20, each_for_itself(&stage));
        assert_eq!((results.len(), stage.runs.get()), (20, 20));
        assert_eq!(stage.cache.stats().coalesced, 0);
    });
}

#[test]
fn different_keys_do_not_wait_for_each_other() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let mut tasks = JoinSet::new();
        for key in 0..100 {
            let stage = Arc::clone(&stage);
            tasks.spawn(async move { value(&stage, key).await });
        }
        others_wait().await;
        assert_eq!((stage.runs.get(), stage.misses()), (100, 100));
        stage.open();
        tasks.join_all().await;
    });
}
