//! A value that is made once.

use std::future::Future;

use tokio::sync::watch;

use super::error::Failure;
use crate::error::ErrorKind;
use crate::sync::Mutex;

/// A value that is made once, by a task that no caller can cancel: an operation that gives up does not throw
/// away the connection that is being made. An attempt that failed is repeated by whoever asks next.
pub(super) struct Once<T> {
    state: Mutex<State<T>>,
}

type Outcome<T> = Result<T, Failure>;

enum State<T> {
    Empty,
    /// What has come of the latest attempt, once it has ended.
    Making(watch::Receiver<Option<Outcome<T>>>),
    Made(T),
}

impl<T: Clone + Send + Sync + 'static> Once<T> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::Empty) }
    }

    /// The value; made, if there is none, by what `make` returns. To be called within a tokio runtime.
    pub(super) async fn get<F>(&self, make: impl FnOnce() -> F) -> Outcome<T>
    where
        F: Future<Output = Outcome<T>> + Send + 'static,
    {
        let mut attempt = match self.join(make) {
            Joined::Made(value) => return Ok(value),
            Joined::Making(attempt) => attempt,
        };
        let outcome = attempt.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        let outcome = outcome.unwrap_or_else(|| Err(Failure::said(ErrorKind::Other, "the set-up panicked")));
        if let Ok(value) = &outcome {
            *self.state.lock() = State::Made(value.clone());
        }
        outcome
    }

    /// The value, or the attempt that is under way; begins one, if there is none.
    fn join<F>(&self, make: impl FnOnce() -> F) -> Joined<T>
    where
        F: Future<Output = Outcome<T>> + Send + 'static,
    {
        let mut state = self.state.lock();
        match &*state {
            State::Made(value) => return Joined::Made(value.clone()),
            // One without a sender, and without an outcome, has panicked.
            State::Making(attempt) if attempt.borrow().is_none() && attempt.has_changed().is_ok() => {
                return Joined::Making(attempt.clone());
            }
            State::Making(_) | State::Empty => {}
        }
        let (sender, attempt) = watch::channel(None);
        let making = make();
        tokio::spawn(async move { sender.send_replace(Some(making.await)) });
        *state = State::Making(attempt.clone());
        Joined::Making(attempt)
    }

    /// Lets the next who asks make it anew.
    pub(super) fn forget(&self) {
        *self.state.lock() = State::Empty;
    }
}

enum Joined<T> {
    Made(T),
    Making(watch::Receiver<Option<Outcome<T>>>),
}
