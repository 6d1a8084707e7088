//! A thread for I/O, for callers that have none: sync functions, and tasks of other executors.
//!
//! It is started on its first use and lasts as long as the process.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;
use std::thread::{self, ThreadId};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, RuntimeFlavor};

use crate::contract::BoxFuture;
use crate::error::{Error, ErrorKind, Result};

/// The longest limit on an operation of a server: no clock has room for the end of a much longer one.
#[cfg(any(feature = "redis", feature = "mongodb"))]
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// The runtime of the I/O thread, once that has been started.
static IO: OnceLock<Handle> = OnceLock::new();

/// The I/O thread, once it runs. Others enter its runtime, to poll what needs one.
static THREAD: OnceLock<ThreadId> = OnceLock::new();

/// The runtime that this thread is in, unless it is that of the I/O thread, which is not for code of the user's.
#[must_use]
pub fn ambient() -> Option<Handle> {
    Handle::try_current().ok().filter(|current| IO.get().is_none_or(|io| io.id() != current.id()))
}

/// The runtime of the I/O thread.
///
/// # Errors
///
/// If the system does not let the thread start. Whoever asks next tries again.
pub fn handle() -> Result<&'static Handle> {
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(io) = IO.get() {
        return Ok(io);
    }
    let _starting = STARTING.lock();
    match IO.get() {
        Some(io) => Ok(io),
        None => start()
            .map(|io| IO.get_or_init(|| io))
            .map_err(|error| Error::new(ErrorKind::Other, "start the I/O thread", error.to_string())),
    }
}

/// The runtime is made on its thread: where that does not start, there is none to be dropped in a caller's runtime,
/// which must not block.
fn start() -> std::io::Result<Handle> {
    let (started, handle) = sync_channel(1);
    thread::Builder::new().name("cacheado-io".to_owned()).spawn(move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = started.send(Err(error));
                return;
            }
        };
        let _ = THREAD.set(thread::current().id());
        let _ = started.send(Ok(runtime.handle().clone()));
        runtime.block_on(std::future::pending::<()>());
    })?;
    // It ends without an answer only if it panics.
    handle.recv().unwrap_or_else(|_| Err(std::io::Error::other("it ended as it started")))
}

/// Runs a future on the I/O thread while this thread waits for it, in whatever context: outside of any
/// runtime, in a blocking task, and on a worker of a tokio runtime (of several workers, another takes over
/// the tasks of this one).
///
/// # Errors
///
/// If there is no I/O thread, if this is the I/O thread, which cannot wait for itself, and if the future
/// panics.
pub fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Result<T> {
    let (sender, answer) = sync_channel(1);
    let io = handle()?;
    if THREAD.get() == Some(&thread::current().id()) {
        let problem = "a sync operation was called on the I/O thread, where only async ones can be";
        return Err(Error::new(ErrorKind::Other, "block on I/O", problem));
    }
    // Of one type for the runtime, which compiles some twenty functions for each type of task.
    let task: BoxFuture<'static, ()> = Box::pin(async move {
        // Whoever waits does so as long as the sender lives.
        let _ = sender.send(future.await);
    });
    io.spawn(task);
    let received = blocking(move || answer.recv());
    received.map_err(|_| Error::new(ErrorKind::Other, "block on I/O", "the operation panicked"))
}

/// Runs what blocks this thread. A worker of a runtime that has several lets another take over its tasks. On a
/// runtime of one thread, and in a `LocalSet`, its other tasks wait.
pub fn blocking<T>(block: impl FnOnce() -> T) -> T {
    thread_local! {
        /// Whether the thread has been refused, as it is in a `LocalSet`. Tokio has no way to ask, and
        /// answers with a panic.
        static REFUSED: Cell<bool> = const { Cell::new(false) };
    }
    let workers =
        Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if !workers || REFUSED.get() {
        return block();
    }
    let mut waiting = Some(block);
    let mut done = None;
    let handed_over = catch_unwind(AssertUnwindSafe(|| {
        tokio::task::block_in_place(|| done = waiting.take().map(|block| block()));
    }));
    match (handed_over, done, waiting) {
        (Ok(()), Some(done), _) => done,
        (Err(panic), _, None) => resume_unwind(panic),
        (_, _, Some(block)) => {
            REFUSED.set(true);
            block()
        }
        #[expect(clippy::unreachable, reason = "what was taken has either ended or panicked")]
        (Ok(()), None, None) => unreachable!("the closure was taken and has not ended"),
    }
}

/// Bounds a future in time, on any executor: the timer is the I/O thread's. So is the context in which the
/// future is polled, where there is no other, so that clients made of tokio's parts work everywhere.
///
/// # Errors
///
/// [`ErrorKind::Timeout`], and what the future returns.
pub async fn timeout<T>(
    limit: Duration,
    operation: &'static str,
    future: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    let io = handle()?;
    let mut timed = {
        let _entered = io.enter();
        pin!(tokio::time::timeout(limit, future))
    };
    let answer = poll_fn(|cx| {
        let _entered = Handle::try_current().is_err().then(|| io.enter());
        timed.as_mut().poll(cx)
    });
    answer.await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Timeout, operation, format!("no answer within {limit:?}")))
    })
}

/// Waits so long, on any executor: the timer is the I/O thread's. Without that thread it waits not at all.
pub async fn sleep(time: Duration) {
    let Ok(io) = handle() else { return };
    let sleep = {
        let _entered = io.enter();
        tokio::time::sleep(time)
    };
    sleep.await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake};
    use std::thread::{Thread, current, park};

    use super::*;

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    /// The smallest executor there is.
    fn without_a_runtime<T>(future: impl Future<Output = T>) -> T {
        let (mut future, waker) = (pin!(future), Arc::new(Unpark(current())).into());
        loop {
            if let Poll::Ready(ready) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return ready;
            }
            park();
        }
    }

    #[test]
    fn hazard_24_a_client_that_needs_a_runtime_works_where_there_is_none() {
        let short = Duration::from_millis(1);
        let client = async move {
            // Panics outside of a runtime.
            tokio::time::sleep(short).await;
            Ok(42)
        };
        assert_eq!(without_a_runtime(timeout(Duration::from_secs(60), "test", client)).ok(), Some(42));
        let never = std::future::pending::<Result<()>>();
        let error = without_a_runtime(timeout(short, "test", never)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        without_a_runtime(sleep(short));
    }

    #[test]
    fn hazard_24_a_sync_operation_works_in_what_is_polled_in_the_context_of_the_io_thread() {
        let bounded = timeout(Duration::from_secs(60), "test", async { block_on(async { 42 }) });
        assert_eq!(without_a_runtime(bounded).ok(), Some(42));
        let on_the_thread = block_on(async { block_on(async {}) }).unwrap();
        assert_eq!(on_the_thread.unwrap_err().kind(), ErrorKind::Other, "it cannot wait for itself");
    }
}
