//! What checks are made with: a runtime, patience, and places.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{Thread, current, park};
use std::time::{Duration, Instant};

use super::Subject;
use crate::contract::{Claim, Entry, Filled, Group, New, Place, Tier, Wanted};
use crate::error::Result;

/// How long a check waits for what has to happen soon.
pub(super) const SOON: Duration = Duration::from_secs(if cfg!(test) { 3 } else { 10 });

/// How long a check takes at most: less than a test runner would wait, which could not say why.
const LIMIT: Duration = Duration::from_secs(170);

/// A lifetime that no check sees the end of.
pub(super) const LONG: Duration = Duration::from_secs(3_600);

/// Runs a check on a fresh subject.
pub(super) fn check(fresh: impl AsyncFn() -> Subject, body: impl AsyncFnOnce(&Subject)) {
    run(async {
        let mut subject = fresh().await;
        if subject.is_skipped() {
            return;
        }
        body(&subject).await;
        subject.end().await;
    });
}

/// Runs a check on two namespaces.
pub(super) fn check_two(fresh: impl AsyncFn() -> Subject, body: impl AsyncFnOnce(&Subject, &Subject)) {
    run(async {
        let mut one = fresh().await;
        let mut other = match one.take_neighbour() {
            Some(neighbour) => neighbour,
            None => fresh().await,
        };
        if one.is_skipped() || other.is_skipped() {
            return;
        }
        body(&one, &other).await;
        one.end().await;
        other.end().await;
    });
}

fn run(check: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("the check has no runtime: {error}"));
    let ended = runtime.block_on(async { tokio::time::timeout(LIMIT, check).await });
    assert!(ended.is_ok(), "an operation does not end: each has to, with an error if need be");
    // What a check has left undone must not hold it up.
    runtime.shutdown_background();
}

/// What an operation returns that has to succeed.
#[track_caller]
pub(super) fn ok<T>(what: &str, result: Result<T>) -> T {
    result
        .unwrap_or_else(|error| panic!("{what}: failed where it has to succeed: {:?}: {error}", error.kind()))
}

/// Waits until something is so, and fails if it does not become so soon.
pub(super) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// Polls a future so often, and then drops it: its output, if it came to that.
pub(super) async fn drop_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let once = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx)));
        if let Poll::Ready(output) = once.await {
            return Some(output);
        }
        // Gives what the future waits for a chance to come.
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    None
}

/// Runs a future on an executor that is none of tokio's, on a thread of its own.
pub(super) async fn elsewhere<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let thread = std::thread::spawn(move || {
        let (mut future, waker) = (pin!(future), Arc::new(Unpark(current())).into());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            park();
        }
    });
    let joined = tokio::task::spawn_blocking(|| thread.join()).await;
    match joined {
        Ok(Ok(output)) => output,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => panic!("the thread is lost: {error}"),
    }
}

/// Waits for a task, and fails as it did.
pub(super) async fn join<T>(task: tokio::task::JoinHandle<T>) -> T {
    match task.await {
        Ok(output) => output,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => panic!("a task was cancelled: {error}"),
    }
}

/// Bytes without a pattern, the same each time.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// All entries of a check lie on one part of a cluster, as those of one tenant would.
const ROUTE: &str = "conformance";

/// A group whose entries may lie anywhere, as those of a function or a tag do.
pub(super) fn group(name: &str) -> Group {
    Group { name: name.into(), route: None }
}

/// A group whose entries lie together, as those of a scope do.
pub(super) fn scope(name: &str) -> Group {
    Group { name: name.into(), route: Some(ROUTE.into()) }
}

pub(super) fn place(key: &str, groups: &[&Group]) -> Place {
    let groups = groups.iter().copied().cloned().collect();
    Place { key: key.to_owned(), route: ROUTE.into(), groups }
}

pub(super) fn new(value: &[u8]) -> New<'_> {
    New { value, ttl: Some(LONG) }
}

/// The operations of a tier that have to succeed, with values as text.
pub(super) trait Must {
    async fn read(&self, at: &Place) -> Option<String>;
    async fn claim(&self, at: &Place) -> Claim;
    async fn fill_in(&self, at: &Place, value: &str, claim: &Claim) -> Filled;
    /// Announces and fills.
    async fn load(&self, at: &Place, value: &str);
}

impl Must for dyn Tier {
    async fn read(&self, at: &Place) -> Option<String> {
        ok("get", self.get(at, Wanted::Value).await).as_ref().map(text)
    }

    async fn claim(&self, at: &Place) -> Claim {
        ok("begin", self.begin(at).await)
    }

    async fn fill_in(&self, at: &Place, value: &str, claim: &Claim) -> Filled {
        ok("fill", self.fill(at, new(value.as_bytes()), claim).await)
    }

    async fn load(&self, at: &Place, value: &str) {
        let claim = self.claim(at).await;
        let filled = self.fill_in(at, value, &claim).await;
        assert_eq!(filled, Filled::Stored, "a fill is stored if nothing was evicted since it was announced");
    }
}

pub(super) fn text(entry: &Entry) -> String {
    String::from_utf8_lossy(&entry.value).into_owned()
}
