//! A thread for I/O, for callers that have none: sync functions, and tasks of other executors.
//!
//! It is started on its first use and lasts as long as the process.

use std::future::Future;
use std::sync::LazyLock;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, RuntimeFlavor};

use crate::error::{Error, ErrorKind, Result};

/// The runtime of the I/O thread, if the system let it start.
static IO: LazyLock<std::io::Result<Handle>> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("cacheado-io".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
});

/// The runtime of the I/O thread.
///
/// # Errors
///
/// If the system does not let the thread start.
pub fn handle() -> Result<&'static Handle> {
    IO.as_ref().map_err(|error| Error::new(ErrorKind::Other, "start the I/O thread", error.to_string()))
}

/// Runs a future on the I/O thread while this thread waits for it, in whatever context: outside of any
/// runtime, in a blocking task, and on a worker of a tokio runtime (of several workers, another takes over
/// the tasks of this one).
///
/// # Errors
///
/// If there is no I/O thread, or the future panics.
pub fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Result<T> {
    let (sender, answer) = sync_channel(1);
    handle()?.spawn(async move {
        // Whoever waits does so as long as the sender lives.
        let _ = sender.send(future.await);
    });
    let received = blocking(move || answer.recv());
    received.map_err(|_| Error::new(ErrorKind::Other, "block on I/O", "the operation panicked"))
}

/// Runs what blocks this thread. A worker of a runtime that has several lets another take over its tasks.
pub fn blocking<T>(block: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(block),
        _ => block(),
    }
}

/// Bounds a future in time, on any executor: the timer is the I/O thread's.
///
/// # Errors
///
/// [`ErrorKind::Timeout`], and what the future returns.
pub async fn timeout<T>(
    limit: Duration,
    operation: &'static str,
    future: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    let timed = {
        let _entered = handle()?.enter();
        tokio::time::timeout(limit, future)
    };
    timed.await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Timeout, operation, format!("no answer within {limit:?}")))
    })
}
