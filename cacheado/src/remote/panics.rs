//! A backend that panics, which is an error of the operation and not of the call that has asked for it. It is no answer:
//! nobody knows what has been done, nor whether the server is there.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use cacheado_backends::{Error, ErrorKind, Result};

/// The same operation, a panic of which is an error.
pub(super) async fn contained<T>(operation: impl Future<Output = Result<T>>) -> Result<T> {
    let mut operation = pin!(operation);
    let polled = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| operation.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    });
    polled.await
}

/// The same while this thread waits.
pub(super) fn contained_blocking<T>(operation: impl FnOnce() -> Option<Result<T>>) -> Option<Result<T>> {
    catch_unwind(AssertUnwindSafe(operation)).unwrap_or_else(|_| Some(Err(panicked())))
}

/// Something of a backend that is no operation; `None`, where it panics.
pub(super) fn tried<T>(ask: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(ask)).ok()
}

/// Whether it stands for a panic.
pub(super) fn is_panic(error: &Error) -> bool {
    error.cause().downcast_ref::<Panicked>().is_some()
}

fn panicked() -> Error {
    Error::new(ErrorKind::Other, "ask the backend", Panicked)
}

#[derive(Debug)]
struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it panicked")
    }
}

impl StdError for Panicked {}
