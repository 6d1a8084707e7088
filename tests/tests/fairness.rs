//! Tenants side by side: none drives out another's entries, and none takes all the computing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::{ErrorKind, Tier, bypass, observe};
use cacheado_tests::Counter;
use cacheado_tests::wait::{Watched, in_time, on_one_thread, on_threads, others_wait, poll_times, until};
use tokio::sync::Notify;
use tokio::task::yield_now;

cacheado::scopes! {
    mod scopes {
        organization(org_id) { user(user_id) }
    }
}

fn bounded(most: usize) -> Cache {
    Cache::builder()
        .backend(Memory::builder().max_items_per_scope("organization", most).build())
        .build()
        .expect("nothing is wrong with it")
}

#[cached(cache = cache, skip(cache), scope = "organization")]
fn of_org(cache: &Cache, org_id: &str, n: u32) -> u32 {
    let _ = (cache, org_id);
    n
}

#[cached(cache = cache, skip(cache), scope = "user")]
fn of_user(cache: &Cache, org_id: &str, user_id: u32) -> u32 {
    let _ = (cache, org_id);
    user_id
}

#[cached(cache = cache, skip(cache), tags("organization"))]
fn of_all(cache: &Cache, n: u32) -> u32 {
    let _ = cache;
    n
}

#[test]
fn a_tenant_that_floods_drives_out_only_its_own() {
    let cache = bounded(10);
    for n in 0..5 {
        of_org(&cache, "acme", n);
        of_user(&cache, "acme", n);
        of_all(&cache, n);
    }
    for n in 0..1_000 {
        of_org(&cache, "globex", n);
        of_all(&cache, 100 + n);
    }
    for n in 0..5 {
        assert!(of_org_entry(&cache, "acme", n).peek().unwrap().is_some());
        assert!(of_user_entry(&cache, "acme", n).peek().unwrap().is_some());
        assert!(of_all_entry(&cache, n).peek().unwrap().is_some(), "global entries have no bound");
    }
    let stats = cache.stats();
    assert_eq!((stats.total_keys, stats.evictions), (10 + 10 + 1_005, 990));
}

#[test]
fn the_least_recently_used_of_the_tenant_leaves_first() {
    let cache = bounded(3);
    let has = |n| of_org_entry(&cache, "acme", n).peek().unwrap().is_some();
    for n in [1, 2, 3] {
        of_org(&cache, "acme", n);
    }
    // A hit, and an overwrite: neither makes the tenant hold more.
    of_org(&cache, "acme", 1);
    of_org_entry(&cache, "acme", 2).refresh();
    of_org(&cache, "acme", 4);
    assert_eq!([1, 2, 3, 4].map(has), [true, true, false, true]);
    // Below the level counts as well.
    of_user(&cache, "acme", 7);
    assert_eq!([1, 2, 3, 4].map(has), [false, true, false, true]);
}

#[test]
fn levels_have_bounds_of_their_own() {
    let memory = Memory::builder()
        .max_items_per_scope("organization", 9)
        .max_items_per_scope("organization", 4)
        .max_items_per_scope("user", 2)
        .build();
    let cache = Cache::builder().backend(memory).build().unwrap();
    let set = |org: &str, user: &str, key: u32| {
        cache.scoped(scopes::user(org, user)).set(key, &key, Ttl::Never).unwrap();
    };
    let count = |scope: Scope| cache.evict_by_scope(&scope).unwrap();
    for key in 0..5 {
        set("acme", "ada", key);
        set("acme", "bob", key);
        set("acme", "eve", key);
        set("globex", "ada", key);
    }
    assert_eq!(count(scopes::user("acme", "eve")), 2);
    assert_eq!(count(scopes::organization("acme")), 2);
    assert_eq!(count(scopes::organization("globex")), 2);
    assert_eq!(cache.stats().total_keys, 0);
}

#[test]
fn what_has_left_counts_no_more() {
    let clock = cacheado::testing::ManualClock::new();
    let memory = Memory::builder().max_items_per_scope("organization", 3).build();
    let cache = Cache::builder().backend(memory).clock(clock.clone()).build().unwrap();
    let acme = cache.scoped(scopes::organization("acme"));
    let set = |key: u32, seconds| acme.set(key, &key, Duration::from_secs(seconds)).unwrap();
    for round in 0..50 {
        set(1, 60);
        set(2, 1);
        set(3, 1);
        match round % 3 {
            0 => drop(acme.evict(2).unwrap()),
            1 => drop(cache.evict_by_scope(&scopes::organization("acme")).unwrap()),
            _ => cache.clear().unwrap(),
        }
    }
    // One stays, two expire: there is room for two, and the oldest, which lives, is not driven out.
    set(1, 60);
    set(2, 1);
    set(3, 1);
    clock.advance(Duration::from_secs(2));
    set(4, 60);
    set(5, 60);
    let live = [1, 2, 3, 4, 5].map(|key| acme.get::<u32>(key).unwrap().is_some());
    assert_eq!(live, [true, false, false, true, true]);
}

#[test]
fn the_bound_holds_under_load() {
    let cache = bounded(16);
    thread::scope(|threads| {
        for seed in 0..4_u32 {
            let cache = &cache;
            threads.spawn(move || {
                for n in 0..2_000 {
                    of_org(cache, if seed % 2 == 0 { "acme" } else { "globex" }, (n * 7 + seed) % 300);
                }
            });
        }
    });
    assert_eq!(cache.stats().total_keys, 32);
    assert_eq!(cache.evict_by_scope(&scopes::organization("acme")).unwrap(), 16);
}

#[test]
fn copies_in_a_near_cache_are_bounded_too() {
    let near = Memory::builder().max_items_per_scope("organization", 2).build();
    let cache = Cache::builder().backend(SharedMemory::new()).near(near).build().unwrap();
    let tier = |n| observe(|| of_org(&cache, "acme", n)).1.tier;
    until("copies are kept", || tier(100) == Tier::Near);
    for n in 0..50 {
        of_org(&cache, "acme", n);
    }
    assert_eq!([49, 48].map(tier), [Tier::Near, Tier::Near]);
    assert_eq!([100, 0].map(tier), [Tier::Remote, Tier::Remote]);
    // The entries in the backend have no bound by it.
    assert_eq!(cache.stats().total_keys, 51);
}

/// Bodies that count how many of them run at the same time.
struct Stage {
    cache: Cache,
    inside: Counter,
    most: Counter,
    runs: Counter,
    gate: Notify,
    is_open: AtomicBool,
}

impl Stage {
    fn new(most: usize) -> Self {
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

    fn leaked(most: usize) -> &'static Self {
        Box::leak(Box::new(Self::new(most)))
    }

    fn enter(&self) {
        self.runs.next();
        self.most.raise(self.inside.next() + 1);
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
        self.gate.notify_waiters();
    }

    fn wait_for_the_gate(&self) {
        until("the gate is open", || self.is_open.load(Ordering::SeqCst));
    }

    async fn through_the_gate(&self) {
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
fn slow(stage: &Stage, org_id: &str, n: usize) -> usize {
    let _ = org_id;
    stage.enter();
    stage.wait_for_the_gate();
    stage.inside.leave();
    n
}

#[cached(cache = stage.cache, skip(stage), scope = "organization")]
fn quick(stage: &Stage, org_id: &str, n: usize) -> usize {
    let _ = (stage, org_id);
    n
}

#[cached(cache = stage.cache, skip(stage), scope = "organization")]
async fn slow_task(stage: &Stage, org_id: &str, n: usize) -> usize {
    let _ = org_id;
    stage.enter();
    stage.through_the_gate().await;
    stage.inside.leave();
    n
}

#[cached(cache = stage.cache, skip(stage), scope = "organization", batch(ids))]
async fn slow_batch(stage: &Stage, org_id: &str, ids: &[usize]) -> Vec<usize> {
    let _ = org_id;
    stage.enter();
    stage.through_the_gate().await;
    stage.inside.leave();
    ids.to_vec()
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
fn a_batch_takes_one_place() {
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        let first = tokio::spawn(slow_batch(stage, "acme", &[1, 2, 3]));
        others_wait().await;
        let second = tokio::spawn(slow_batch(stage, "acme", &[3, 4]));
        others_wait().await;
        assert_eq!(stage.runs.get(), 1);
        stage.open();
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (vec![1, 2, 3], vec![3, 4]));
        assert_eq!((stage.runs.get(), stage.most.get()), (2, 1));
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
