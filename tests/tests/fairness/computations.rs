//! Bounds of computations: one tenant does not starve the others.

use cacheado::prelude::*;
use cacheado::{ErrorKind, bypass};
use cacheado_tests::Counter;
use cacheado_tests::wait::{Watched, in_time, on_one_thread, on_threads, others_wait, poll_times, until};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake, Waker};
use std::thread;
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::{of_org, scopes};

/// Bodies that count how many of them run at the same time.
pub(super) struct Stage {
    pub(super) cache: Cache,
    pub(super) inside: Counter,
    pub(super) most: Counter,
    pub(super) runs: Counter,
    gate: Notify,
    is_open: AtomicBool,
}

impl Stage {
    pub(super) fn new(most: usize) -> Self {
        let cache = Cache::builder().max_computations_per_scope("organization", most).build();
        Self {
            cache: cache.expect("nothing is wrong with it"),
            inside: Counter::new(),
            most: Counter::new(),
            runs: Counter::new(),
            gate: Notify::new(),
            is_open: AtomicBool::new(false),
        }
    }

    pub(super) fn leaked(most: usize) -> &'static Self {
        Box::leak(Box::new(Self::new(most)))
    }

    pub(super) fn enter(&self) {
        self.runs.next();
        self.most.raise(self.inside.next() + 1);
    }

    pub(super) fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
        self.gate.notify_waiters();
    }

    pub(super) fn wait_for_the_gate(&self) {
        until("the gate is open", || self.is_open.load(Ordering::SeqCst));
    }

    pub(super) async fn through_the_gate(&self) {
        loop {
            let opened = self.gate.notified();
            if self.is_open.load(Ordering::SeqCst) {
                return;
            }
            opened.await;
        }
    }
}

#[cached(cache = stage.cache, skip(stage), scope = "organization")]
pub(super) fn slow(stage: &Stage, org_id: &str, n: usize) -> usize {
    let _ = org_id;
    stage.enter();
    stage.wait_for_the_gate();
    stage.inside.leave();
    n
}

#[cached(cache = stage.cache, skip(stage), scope = "organization")]
pub(super) fn quick(stage: &Stage, org_id: &str, n: usize) -> usize {
    let _ = (stage, org_id);
    n
}

#[cached(cache = stage.cache, skip(stage), scope = "organization")]
pub(super) async fn slow_task(stage: &Stage, org_id: &str, n: usize) -> usize {
    let _ = org_id;
    stage.enter();
    stage.through_the_gate().await;
    stage.inside.leave();
    n
}

#[test]
fn a_bound_of_zero_is_refused() {
    let built = Cache::builder().max_computations_per_scope("organization", 0).build();
    assert_eq!(built.unwrap_err().kind(), ErrorKind::Configuration);
}

#[test]
fn threads_of_a_tenant_wait_and_another_tenant_goes_on() {
    in_time(|| {
        let stage = Stage::new(2);
        thread::scope(|threads| {
            let stage = &stage;
            let watched: Vec<_> = (0..6)
                .map(|n| {
                    let (told, who) = std::sync::mpsc::channel();
                    threads.spawn(move || {
                        told.send(Watched::this()).unwrap();
                        assert_eq!(slow(stage, "acme", n), n);
                    });
                    who.recv().unwrap()
                })
                .collect();
            // Two run, which spins; four sleep in the queue.
            until("the others wait", || {
                stage.runs.get() == 2 && watched.iter().filter(|thread| thread.sleeps()).count() == 4
            });
            assert_eq!(quick(stage, "globex", 1), 1);
            assert_eq!(of_org(&stage.cache, "globex", 2), 2);
            stage.open();
        });
        assert_eq!((stage.runs.get(), stage.most.get()), (6, 2));
        assert_eq!(stage.cache.stats().misses, 8);
    });
}

#[test]
fn tasks_of_a_tenant_wait_and_another_tenant_goes_on() {
    let stage = Stage::leaked(2);
    on_one_thread(move || async move {
        let tasks: Vec<_> =
            (0..6).map(|n| tokio::spawn(async move { slow_task(stage, "acme", n).await })).collect();
        others_wait().await;
        assert_eq!(stage.runs.get(), 2);
        // The gate is closed, and for another tenant there is room.
        let other = tokio::spawn(slow_task(stage, "globex", 1));
        others_wait().await;
        assert_eq!(stage.runs.get(), 3);
        stage.open();
        for task in tasks {
            task.await.unwrap();
        }
        other.await.unwrap();
        assert_eq!((stage.runs.get(), stage.most.get()), (7, 3));
    });
}

#[test]
fn who_came_first_goes_first() {
    let stage = Stage::leaked(1);
    let order = on_one_thread(move || async move {
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for n in 0..5 {
            let order = Arc::clone(&order);
            tasks.push(tokio::spawn(async move {
                slow_task(stage, "acme", n).await;
                order.lock().unwrap().push(n);
            }));
            others_wait().await;
        }
        stage.open();
        for task in tasks {
            task.await.unwrap();
        }
        order.lock().unwrap().clone()
    });
    assert_eq!(order, [0, 1, 2, 3, 4]);
}

#[test]
fn hazard_19_who_is_cancelled_leaves_the_queue_and_the_place() {
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        let first = tokio::spawn(slow_task(stage, "acme", 1));
        others_wait().await;
        // In the queue, and dropped there.
        assert!(poll_times(slow_task(stage, "acme", 2), 3).is_pending());
        let third = tokio::spawn(slow_task(stage, "acme", 3));
        others_wait().await;
        assert_eq!(stage.runs.get(), 1);
        // Dropped in its body.
        first.abort();
        others_wait().await;
        assert_eq!(stage.runs.get(), 2);
        stage.open();
        assert_eq!(third.await.unwrap(), 3);
        // What it was to compute is another's now, and there is room for it.
        assert_eq!(slow_task(stage, "acme", 2).await, 2);
    });
}

/// Whether somebody has been woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What a body holds: notes, as it is dropped, whether one of these has been woken before.
struct Held {
    others: Vec<Arc<Woken>>,
    too_late: Arc<AtomicBool>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let is_too_late = self.others.iter().any(|other| other.0.load(Ordering::SeqCst));
        self.too_late.store(is_too_late, Ordering::SeqCst);
    }
}

#[cached(cache = stage.cache, skip(stage, held), scope = "organization")]
async fn holding_task(stage: &Stage, org_id: &str, n: usize, held: Held) -> usize {
    let _ = org_id;
    stage.through_the_gate().await;
    drop(held);
    n
}

#[test]
fn hazard_19_what_a_cancelled_body_holds_is_gone_before_others_come_in_its_place() {
    let stage = Stage::leaked(1);
    let [queued, joined] = [(); 2].map(|()| Arc::new(Woken::default()));
    let too_late = Arc::new(AtomicBool::new(false));
    let held = |others| Held { others, too_late: Arc::clone(&too_late) };
    let mut first =
        Box::pin(holding_task(stage, "acme", 1, held(vec![Arc::clone(&queued), Arc::clone(&joined)])));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    // One waits for its place, another for its outcome.
    let mut second = Box::pin(holding_task(stage, "acme", 2, held(Vec::new())));
    assert!(second.as_mut().poll(&mut Context::from_waker(&Arc::clone(&queued).into())).is_pending());
    let mut third = Box::pin(holding_task(stage, "acme", 1, held(Vec::new())));
    assert!(third.as_mut().poll(&mut Context::from_waker(&Arc::clone(&joined).into())).is_pending());
    assert!(!queued.0.load(Ordering::SeqCst) && !joined.0.load(Ordering::SeqCst));
    drop(first);
    assert!(!too_late.load(Ordering::SeqCst), "they were woken while the body was still there");
    assert!(queued.0.load(Ordering::SeqCst) && joined.0.load(Ordering::SeqCst), "they go on");
}

#[test]
fn hazard_19_the_queue_goes_on_wherever_a_caller_is_dropped() {
    for polls in 0..5 {
        let stage = Stage::leaked(1);
        on_one_thread(move || async move {
            let holder = tokio::spawn(slow_task(stage, "acme", 1));
            others_wait().await;
            let mut dropped = Box::pin(slow_task(stage, "acme", 2));
            for _ in 0..polls {
                let once =
                    std::future::poll_fn(|context| std::task::Poll::Ready(dropped.as_mut().poll(context)));
                let _ = once.await;
            }
            let waiter = tokio::spawn(slow_task(stage, "acme", 2));
            others_wait().await;
            stage.open();
            holder.await.unwrap();
            drop(dropped);
            assert_eq!(waiter.await.unwrap(), 2);
        });
    }
}

#[test]
fn hazard_23_a_body_that_calls_its_tenants_functions_does_not_wait_for_itself() {
    #[cached(cache = stage.cache, skip(stage), scope = "organization")]
    fn sum(stage: &Stage, org_id: &str, n: usize) -> usize {
        if n == 0 { 0 } else { n + sum(stage, org_id, n - 1) + quick(stage, "another", n) }
    }
    #[cached(cache = stage.cache, skip(stage), scope = "organization")]
    async fn sum_later(stage: &Stage, org_id: &str, n: usize) -> usize {
        yield_now().await;
        if n == 0 { 0 } else { n + Box::pin(sum_later(stage, org_id, n - 1)).await }
    }
    assert_eq!(in_time(|| sum(&Stage::new(1), "acme", 10)), 110);
    assert_eq!(on_one_thread(|| async { sum_later(&Stage::new(1), "acme", 10).await }), 55);
}

#[test]
fn hazard_23_a_body_does_not_join_a_flight_that_waits_for_its_place() {
    #[cached(cache = stage.cache, skip(stage), scope = "organization")]
    async fn outer(stage: &Stage, org_id: &str) -> usize {
        stage.enter();
        stage.through_the_gate().await;
        // Led by a task that waits for the place of this body.
        slow_task(stage, org_id, 5).await
    }
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        let holder = tokio::spawn(outer(stage, "acme"));
        others_wait().await;
        let queued = tokio::spawn(slow_task(stage, "acme", 5));
        others_wait().await;
        stage.open();
        assert_eq!(holder.await.unwrap(), 5);
        assert_eq!(queued.await.unwrap(), 5);
    });
}

#[test]
fn hazard_23_nor_one_whose_body_will_wait_for_it() {
    // Global, so without a bound; but what it calls is the tenant's.
    #[cached(cache = stage.cache, skip(stage))]
    async fn global(stage: &Stage) -> usize {
        others_wait().await;
        quick_task(stage, "acme").await
    }
    #[cached(cache = stage.cache, skip(stage), scope = "organization")]
    async fn quick_task(stage: &Stage, org_id: &str) -> usize {
        let _ = (stage, org_id);
        7
    }
    #[cached(cache = stage.cache, skip(stage), scope = "organization")]
    async fn holding(stage: &Stage, org_id: &str) -> usize {
        let _ = org_id;
        stage.through_the_gate().await;
        global(stage).await
    }
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        let holder = tokio::spawn(holding(stage, "acme"));
        others_wait().await;
        let unbounded = tokio::spawn(global(stage));
        yield_now().await;
        stage.open();
        assert_eq!((holder.await.unwrap(), unbounded.await.unwrap()), (7, 7));
    });
}

#[test]
fn hazard_23_a_timed_body_is_a_part_of_the_one_that_calls_it() {
    // Its body runs as a task of its own, so that it can go on without its caller.
    #[cached(cache = stage.cache, skip(stage), scope = "organization", timeout = "60s")]
    async fn timed(stage: Arc<Stage>, org_id: String) -> Result<usize, cacheado::Error> {
        yield_now().await;
        Ok(quick(&stage, &org_id, 1))
    }
    #[cached(cache = stage.cache, skip(stage), scope = "organization")]
    async fn holding(stage: Arc<Stage>, org_id: &str) -> Result<usize, cacheado::Error> {
        timed(Arc::clone(&stage), org_id.to_owned()).await
    }
    let value = on_threads(2, || async { holding(Arc::new(Stage::new(1)), "acme").await });
    assert_eq!(value.unwrap(), 1);
}

#[test]
fn single_flight_is_kept_in_the_queue() {
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        let holder = tokio::spawn(slow_task(stage, "acme", 0));
        others_wait().await;
        let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(slow_task(stage, "acme", 1))).collect();
        others_wait().await;
        stage.open();
        holder.await.unwrap();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 1);
        }
        assert_eq!((stage.runs.get(), stage.most.get()), (2, 1));
    });
}

#[test]
fn hits_do_not_wait_and_a_bypass_does() {
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        assert_eq!(quick(stage, "acme", 1), 1);
        let holder = tokio::spawn(slow_task(stage, "acme", 0));
        others_wait().await;
        assert_eq!(quick(stage, "acme", 1), 1);
        let past = tokio::spawn(cacheado::bypass_async(slow_task(stage, "acme", 0)));
        others_wait().await;
        assert_eq!(stage.runs.get(), 1);
        stage.open();
        holder.await.unwrap();
        past.await.unwrap();
        assert_eq!(stage.most.get(), 1);
        assert_eq!(bypass(|| quick(stage, "acme", 1)), 1);
    });
}

#[test]
fn hazard_24_a_thread_does_not_wait_for_a_task_that_needs_it() {
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        let holder = tokio::spawn(slow_task(stage, "acme", 0));
        others_wait().await;
        // On the very thread that the task runs on.
        assert_eq!(quick(stage, "acme", 1), 1);
        stage.open();
        holder.await.unwrap();
    });
}

#[test]
fn a_panic_gives_the_place_back() {
    #[cached(cache = stage.cache, skip(stage), scope = "organization")]
    fn panics(stage: &Stage, org_id: &str) -> usize {
        panic!("on purpose: {org_id} {}", stage.runs.next())
    }
    in_time(|| {
        let stage = Stage::new(1);
        for _ in 0..3 {
            let call = std::panic::AssertUnwindSafe(|| panics(&stage, "acme"));
            assert!(std::panic::catch_unwind(call).is_err());
        }
        assert_eq!(quick(&stage, "acme", 1), 1);
    });
}

#[test]
fn many_threads_and_tenants_keep_the_bound() {
    #[cached(cache = stage.cache, skip(stage, inside), scope = "organization", single_flight = false)]
    fn counted(stage: &Stage, inside: &Counter, org_id: &str, n: u32) -> u32 {
        let _ = org_id;
        stage.most.raise(inside.next() + 1);
        thread::yield_now();
        inside.leave();
        n
    }
    in_time(|| {
        let (stage, inside, begin) = (Stage::new(2), [Counter::new(), Counter::new()], Barrier::new(8));
        thread::scope(|threads| {
            for seed in 0..8_u32 {
                let (stage, inside, begin) = (&stage, &inside, &begin);
                threads.spawn(move || {
                    begin.wait();
                    let tenant = seed as usize % 2;
                    for n in 0..200 {
                        counted(stage, &inside[tenant], ["acme", "globex"][tenant], n * 8 + seed);
                    }
                });
            }
        });
        assert!(stage.most.get() <= 2, "{}", stage.most.get());
    });
}

#[test]
fn tasks_on_several_threads_keep_the_bound() {
    let stage = Stage::leaked(2);
    stage.open();
    on_threads(4, move || async move {
        let tasks: Vec<_> = (0..200).map(|n| tokio::spawn(slow_task(stage, "acme", n))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert!(stage.most.get() <= 2, "{}", stage.most.get());
    assert_eq!(stage.runs.get(), 200);
}
