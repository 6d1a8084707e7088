//! Waiting for what other threads and tasks do, without sleeping.

use std::future::Future;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// After this long a test is taken for hung.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `test` on a thread of its own, and fails if it hangs.
pub fn in_time<R: Send + 'static>(test: impl FnOnce() -> R + Send + 'static) -> R {
    within(PATIENCE, test)
}

fn within<R: Send + 'static>(limit: Duration, test: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = test();
        let _ = done.send(());
        result
    });
    let hung = ended.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
    assert!(!hung, "hung: not done after {limit:?}");
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Yields until `it` is so.
pub fn until(what: &str, mut it: impl FnMut() -> bool) {
    let start = Instant::now();
    while !it() {
        assert!(start.elapsed() < PATIENCE, "hung: {what}");
        thread::yield_now();
    }
}

/// Runs a future on a runtime of one thread, in time.
pub fn on_one_thread<F: Future>(test: impl FnOnce() -> F + Send + 'static) -> F::Output
where
    F::Output: Send + 'static,
{
    in_time(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(test())
    })
}

/// Runs a future on a runtime of `threads`, in time.
pub fn on_threads<F: Future>(threads: usize, test: impl FnOnce() -> F + Send + 'static) -> F::Output
where
    F::Output: Send + 'static,
{
    on_threads_within(PATIENCE, threads, test)
}

/// The same for a test that takes long: it may take so much.
pub fn on_threads_within<F: Future>(
    limit: Duration,
    threads: usize,
    test: impl FnOnce() -> F + Send + 'static,
) -> F::Output
where
    F::Output: Send + 'static,
{
    within(limit, move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
        runtime.expect("a runtime").block_on(test())
    })
}

/// Lets every other task of a runtime of one thread run until it waits for something.
pub async fn others_wait() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Polls a future `times` times at most, with a waker that does nothing.
pub fn poll_times<F: Future>(future: F, times: usize) -> Poll<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Poll::Ready(output);
        }
    }
    Poll::Pending
}

/// The smallest executor there is.
pub fn without_a_runtime<F: Future>(future: F) -> F::Output {
    let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        thread::yield_now();
    }
}

/// A thread, to see from outside whether it sleeps. Linux only; elsewhere it is taken to.
#[derive(Debug, Clone)]
pub struct Watched(PathBuf);

impl Watched {
    /// The thread that this is called on.
    pub fn this() -> Self {
        let task = std::fs::read_link("/proc/thread-self").unwrap_or_default();
        Self(PathBuf::from("/proc").join(task).join("stat"))
    }

    /// Whether it is blocked on a lock or a condition.
    pub fn sleeps(&self) -> bool {
        let Ok(stat) = std::fs::read_to_string(&self.0) else { return !cfg!(target_os = "linux") };
        // The name in parentheses may hold anything; the state follows it.
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S'))
    }
}
