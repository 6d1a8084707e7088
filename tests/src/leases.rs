//! What must hold where nodes compute an entry one at a time, over any backend that has leases. Each scenario is
//! given a way to open another node over the same storage.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use cacheado::prelude::*;
use cacheado::{Cache, CacheBuilder};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::Counter;
use crate::wait::until;

/// Opens another node.
pub type Open<'a> = &'a dyn Fn() -> CacheBuilder;

/// A lease whose end no scenario sees.
const LONG: Duration = Duration::from_secs(60);
/// A lease whose end a scenario waits for.
const SHORT: Duration = Duration::from_millis(300);
/// What has to happen long before a lease of [`LONG`] ends.
const SOON: Duration = Duration::from_secs(20);

/// What the bodies of all nodes do.
pub struct Script {
    /// How often one has begun.
    pub bodies: Counter,
    /// How many run at a time, at most.
    running: Counter,
    most: Counter,
    /// As many may end.
    gate: Semaphore,
    is_open: AtomicBool,
}

impl Script {
    fn enter(&self) -> usize {
        self.most.raise(self.running.next() + 1);
        self.bodies.next()
    }

    async fn leave(&self) {
        self.gate.acquire().await.expect("it is never closed").forget();
        self.running.leave();
    }

    /// Lets so many bodies end.
    pub fn let_end(&self, bodies: usize) {
        self.gate.add_permits(bodies);
    }
}

/// A node: a cache of its own over what all share.
#[derive(Clone)]
pub struct Node {
    /// Its cache.
    pub cache: Cache,
    /// What its bodies do, and those of all others.
    pub script: Arc<Script>,
}

/// As many nodes, whose leases last so long.
pub fn nodes<const N: usize>(open: Open<'_>, lease: Duration) -> [Node; N] {
    let script = Arc::new(Script {
        bodies: Counter::new(),
        running: Counter::new(),
        most: Counter::new(),
        gate: Semaphore::new(0),
        is_open: AtomicBool::new(false),
    });
    std::array::from_fn(|_| {
        let cache = open().lease(lease).build().expect("nothing is wrong with it");
        Node { cache, script: Arc::clone(&script) }
    })
}

impl Node {
    /// Whether a call has found nothing, and so computes or waits.
    pub fn has_missed(&self) -> bool {
        self.cache.stats().misses > 0
    }
}

/// Returns which run of a body it was.
#[cached(cache = node.cache, skip(node), ttl = 60, single_flight = "distributed")]
pub async fn held(node: &Node, key: usize) -> usize {
    let run = node.script.enter();
    tokio::task::yield_now().await;
    node.script.leave().await;
    run + key * 1_000
}

/// The same on a thread; it ends once the script is open.
#[cached(cache = node.cache, skip(node), ttl = 60, single_flight = "distributed")]
fn held_sync(node: &Node) -> usize {
    let run = node.script.enter();
    until("the body may end", || node.script.is_open.load(Ordering::SeqCst));
    run
}

/// The first `failures` runs fail.
#[cached(cache = node.cache, skip(node, failures), ttl = 60, single_flight = "distributed")]
async fn fallible(node: &Node, failures: usize) -> Result<usize, String> {
    let run = node.script.enter();
    node.script.leave().await;
    if run < failures { Err(format!("failure {run}")) } else { Ok(run) }
}

/// The first run panics.
#[cached(cache = node.cache, skip(node), ttl = 60, single_flight = "distributed")]
async fn panicking(node: &Node) -> usize {
    let run = node.script.enter();
    node.script.leave().await;
    assert!(run > 0, "the first run panics, as it is meant to");
    run
}

/// The first run calls the function again.
#[cached(cache = node.cache, skip(node), ttl = 60, single_flight = "distributed")]
async fn recursive(node: &Node) -> usize {
    match node.script.enter() {
        0 => Box::pin(recursive(node)).await + 10,
        run => run,
    }
}

/// Calls itself for the other key, once another node does so the other way round.
#[cached(cache = node.cache, key(key), ttl = 60, single_flight = "distributed")]
async fn crossed(node: &Node, key: u8, other: u8, is_outer: bool) -> u8 {
    node.script.enter();
    if is_outer {
        while node.script.bodies.get() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(Box::pin(crossed(node, other, key, false)).await, other);
    }
    key
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn call(runtime: &Runtime, node: &Node, key: usize) -> JoinHandle<usize> {
    let node = node.clone();
    runtime.spawn(async move { held(&node, key).await })
}

fn soon<T>(runtime: &Runtime, what: &str, future: impl Future<Output = T>) -> T {
    let ended = runtime.block_on(async { tokio::time::timeout(SOON, future).await });
    ended.unwrap_or_else(|_| panic!("not within {SOON:?}, as a lease was left behind: {what}"))
}

fn join<T>(runtime: &Runtime, what: &str, task: JoinHandle<T>) -> T {
    soon(runtime, what, task).expect("the task ends")
}

/// Polls a future so often, and drops it when it would be polled once more; its output, if it came to that.
async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Of a stampede on four nodes one call runs the body.
pub fn nodes_together_compute_once(open: Open<'_>) {
    let (nodes, runtime) = (nodes::<4>(open, LONG), runtime());
    let script = &nodes[0].script;
    for key in 0..3 {
        let calls: Vec<_> =
            nodes.iter().flat_map(|node| (0..16).map(|_| call(&runtime, node, key))).collect();
        until("every node has found nothing", || {
            nodes.iter().all(|node| node.cache.stats().misses > key as u64)
        });
        script.let_end(1);
        for call in calls {
            assert_eq!(join(&runtime, "a stampede", call), key + key * 1_000);
        }
    }
    assert_eq!(script.bodies.get(), 3, "once for each key");
    for node in &nodes {
        let stats = node.cache.stats();
        assert_eq!((stats.hits + stats.misses, stats.backend_errors), (48, 0), "{stats}");
    }
}

/// The same on threads.
pub fn threads_of_nodes_together_compute_once(open: Open<'_>) {
    let nodes = nodes::<4>(open, LONG);
    let script = &nodes[0].script;
    let barrier = Barrier::new(4 * 8);
    thread::scope(|threads| {
        for node in nodes.iter().cycle().take(4 * 8) {
            threads.spawn(|| {
                barrier.wait();
                assert_eq!(held_sync(node), 0);
            });
        }
        until("every node has found nothing", || nodes.iter().all(Node::has_missed));
        script.is_open.store(true, Ordering::SeqCst);
    });
    assert_eq!(script.bodies.get(), 1);
}

/// A holder whose future is dropped while its body runs gives the lease up.
pub fn hazard_25_a_cancelled_holder_gives_its_lease_up(open: Open<'_>) {
    let ([a, b], runtime) = (nodes(open, LONG), runtime());
    let holder = call(&runtime, &a, 0);
    until("the body has begun", || a.script.bodies.get() == 1);
    let waiter = call(&runtime, &b, 0);
    until("the other waits", || b.has_missed());
    assert_eq!(a.script.bodies.get(), 1, "it does not compute");
    holder.abort();
    a.script.let_end(1);
    assert_eq!(join(&runtime, "the other takes over", waiter), 1);
}

/// So does one whose body panics.
pub fn hazard_25_a_panicking_holder_gives_its_lease_up(open: Open<'_>) {
    let ([a, b], runtime) = (nodes(open, LONG), runtime());
    let call = |node: &Node| {
        let node = node.clone();
        runtime.spawn(async move { panicking(&node).await })
    };
    let holder = call(&a);
    until("the body has begun", || a.script.bodies.get() == 1);
    let waiter = call(&b);
    until("the other waits", || b.has_missed());
    assert_eq!(a.script.bodies.get(), 1, "it does not compute");
    a.script.let_end(2);
    assert!(soon(&runtime, "a panic", holder).expect_err("it panics").is_panic());
    assert_eq!(join(&runtime, "the other takes over", waiter), 1);
}

/// So does one whose outcome is not stored; the others take their turns, and each returns what its own body did.
pub fn hazard_25_an_error_gives_the_lease_up(open: Open<'_>) {
    let (nodes, runtime) = (nodes::<4>(open, LONG), runtime());
    let script = &nodes[0].script;
    let call = |node: &Node| {
        let node = node.clone();
        runtime.spawn(async move { fallible(&node, 3).await })
    };
    let holder = call(&nodes[0]);
    until("the body has begun", || script.bodies.get() == 1);
    let waiters: Vec<_> = nodes[1..].iter().map(call).collect();
    until("the others wait", || nodes.iter().all(Node::has_missed));
    script.let_end(4);
    let mut outcomes = vec![join(&runtime, "an error", holder)];
    outcomes.extend(waiters.into_iter().map(|waiter| join(&runtime, "the next takes over", waiter)));
    outcomes.sort();
    let failures = (0..3).map(|run| Err(format!("failure {run}")));
    assert_eq!(outcomes, [Ok(3)].into_iter().chain(failures).collect::<Vec<_>>());
    assert_eq!(script.most.get(), 1, "one at a time");
}

/// A holder that does not come back holds up nobody for longer than its lease; its late outcome does no harm.
pub fn hazard_25_a_lease_has_an_end(open: Open<'_>) {
    let ([a, b], runtime) = (nodes(open, SHORT), runtime());
    let begun = Instant::now();
    let holder = call(&runtime, &a, 0);
    until("the body has begun", || a.script.bodies.get() == 1);
    let waiter = call(&runtime, &b, 0);
    until("the other computes, too", || a.script.bodies.get() == 2);
    assert!(begun.elapsed() >= SHORT, "not before the lease is over");
    a.script.let_end(2);
    let outcomes = [join(&runtime, "the holder", holder), join(&runtime, "the other", waiter)];
    assert!(outcomes == [0, 1], "{outcomes:?}");
    let stored = join(&runtime, "a hit", call(&runtime, &b, 0));
    assert!(stored <= 1 && a.script.bodies.get() == 2, "either is stored");
}

/// A refresh waits for nobody, and what it stores is what those who wait are given.
pub fn a_refresh_waits_for_nobody(open: Open<'_>) {
    let ([a, b, c], runtime) = (nodes(open, LONG), runtime());
    let holder = call(&runtime, &a, 0);
    until("the body has begun", || a.script.bodies.get() == 1);
    let waiter = call(&runtime, &b, 0);
    until("another waits", || b.has_missed());
    let refreshing = c.clone();
    let refresh = runtime.spawn(async move { held_entry(&refreshing, 0).refresh().await });
    until("the refresh computes", || a.script.bodies.get() == 2);
    a.script.let_end(1);
    // Whichever body ends first has a value for the one that waits.
    let value = join(&runtime, "the waiter", waiter);
    assert_eq!((value <= 1, a.script.bodies.get()), (true, 2));
    a.script.let_end(1);
    assert_eq!([join(&runtime, "the holder", holder), join(&runtime, "the refresh", refresh)], [0, 1]);
    assert_eq!(b.cache.stats().coalesced, 1);
}

/// Who calls after an eviction neither waits for a computation from before it, nor is served with its outcome.
pub fn hazard_21_nobody_waits_for_what_an_eviction_came_before(open: Open<'_>) {
    let ([a, b, c], runtime) = (nodes(open, LONG), runtime());
    let script = &a.script;
    let old = call(&runtime, &a, 0);
    until("the body has begun", || script.bodies.get() == 1);
    let waiter = call(&runtime, &b, 0);
    until("another waits", || b.has_missed());
    let evict = async { held_entry(&c, 0).evict().await.expect("the backend is there") };
    assert!(!soon(&runtime, "an eviction", evict));
    let late = call(&runtime, &c, 0);
    until("one of the two computes", || script.bodies.get() == 2);
    until("the other has found nothing", || c.has_missed());
    assert!(!old.is_finished(), "while the old body runs");
    script.let_end(3);
    assert_eq!(join(&runtime, "the old one", old), 0, "its caller called before the eviction");
    assert_ne!(join(&runtime, "the late one", late), 0, "an outcome from before the eviction was served");
    assert_ne!(join(&runtime, "the waiter", waiter), 0, "a fenced outcome was handed on");
    assert_ne!(join(&runtime, "a hit", call(&runtime, &b, 0)), 0, "a fenced outcome was stored");
}

/// A call that is dropped at any of its awaits leaves no lease behind, and no flight.
pub fn hazard_19_a_call_dropped_anywhere_leaves_no_lease(open: Open<'_>) {
    let ([a, b], runtime) = (nodes(open, LONG), runtime());
    a.script.let_end(10_000);
    let mut ended = 0;
    for polls in 0..200 {
        let dropped = soon(&runtime, "a call", dropped_after(polls, held(&a, polls)));
        ended += usize::from(dropped.is_some());
        soon(&runtime, &format!("another node, after {polls} polls"), held(&b, polls));
        soon(&runtime, &format!("the same node, after {polls} polls"), held(&a, polls));
        if ended > 3 {
            return;
        }
    }
    panic!("a call takes more than 200 polls");
}

/// One that waits, and is dropped, ends nothing of the one it has waited for.
pub fn hazard_25_a_dropped_waiter_leaves_the_lease_alone(open: Open<'_>) {
    let ([a, b, c], runtime) = (nodes(open, LONG), runtime());
    let holder = call(&runtime, &a, 0);
    until("the body has begun", || a.script.bodies.get() == 1);
    for polls in 0..8 {
        assert_eq!(soon(&runtime, "a waiter", dropped_after(polls, held(&b, 0))), None);
    }
    let waiter = call(&runtime, &c, 0);
    until("another waits", || c.has_missed());
    a.script.let_end(1);
    assert_eq!([join(&runtime, "the holder", holder), join(&runtime, "the waiter", waiter)], [0, 0]);
    assert_eq!(a.script.bodies.get(), 1);
}

/// A body that calls its own function does not wait for its own lease; two that wait for each other do so until
/// their leases end.
pub fn hazard_23_recursion_ends(open: Open<'_>) {
    let runtime = runtime();
    let [node] = nodes(open, LONG);
    assert_eq!(soon(&runtime, "a body that calls itself", recursive(&node)), 11);
    let [a, b] = nodes(open, SHORT);
    let other = b.clone();
    let other = runtime.spawn(async move { crossed(&other, 2, 1, true).await });
    assert_eq!(soon(&runtime, "two that wait for each other", crossed(&a, 1, 2, true)), 1);
    assert_eq!(join(&runtime, "two that wait for each other", other), 2);
}

/// How often a node asks, while a stampede on it waits for another's lease to end, by what `asked` counts.
pub fn waiters_do_not_spin(open: Open<'_>, asked: &dyn Fn() -> u64) {
    let lease = Duration::from_secs(4);
    let ([a, b], runtime) = (nodes(open, lease), runtime());
    let holder = call(&runtime, &a, 0);
    until("the body has begun", || a.script.bodies.get() == 1);
    let before = asked();
    let waiters: Vec<_> = (0..64).map(|_| call(&runtime, &b, 0)).collect();
    until("the lease is over", || a.script.bodies.get() == 2);
    let times = asked() - before;
    assert!((3..=200).contains(&times), "asked {times} times in {lease:?}");
    a.script.let_end(2);
    join(&runtime, "the holder", holder);
    for waiter in waiters {
        assert_eq!(join(&runtime, "a waiter", waiter), 1);
    }
}
