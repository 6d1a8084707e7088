//! A verb that may have to ask the backend. It is written once; a sync caller blocks on it, an async one
//! waits for it.

use std::sync::Arc;

use super::{Remote, Reply, Request};
use crate::Result;

type Then<'o, T> = Box<dyn FnOnce(cacheado_backends::Result<Reply>) -> Result<T> + Send + 'o>;

/// A verb under way.
#[must_use = "it does nothing until it is waited for"]
pub(crate) enum Operation<'o, T> {
    /// It needed nobody.
    Ready(Result<T>),
    /// It asks the backend, and then makes something of the reply.
    Asks(Asks<'o, T>),
}

pub(crate) struct Asks<'o, T> {
    remote: Arc<Remote>,
    request: Request,
    /// How many chores had been left when it began, if rules have been asked since.
    begun: Option<u64>,
    then: Then<'o, T>,
}

impl<'o, T> Operation<'o, T> {
    pub(crate) fn ready(value: T) -> Self {
        Self::Ready(Ok(value))
    }

    pub(crate) fn asks(
        remote: &Arc<Remote>,
        request: Request,
        then: impl FnOnce(cacheado_backends::Result<Reply>) -> Result<T> + Send + 'o,
    ) -> Self {
        Self::Asks(Asks { remote: Arc::clone(remote), request, begun: None, then: Box::new(then) })
    }

    /// The same, which has asked rules since so many chores had been [postponed](Remote::postponed): what they want is done
    /// when it is.
    pub(crate) fn since(mut self, postponed: u64) -> Self {
        if let Self::Asks(asks) = &mut self {
            asks.begun = Some(postponed);
        }
        self
    }

    /// The same, with something made of its result.
    pub(crate) fn map<U>(self, made: impl FnOnce(T) -> U + Send + 'o) -> Operation<'o, U>
    where
        T: 'o,
    {
        match self {
            Self::Ready(result) => Operation::Ready(result.map(made)),
            Self::Asks(Asks { remote, request, begun, then }) => Operation::Asks(Asks {
                remote,
                request,
                begun,
                then: Box::new(|reply| then(reply).map(made)),
            }),
        }
    }

    /// Blocks this thread until it is done.
    pub(crate) fn block(self) -> Result<T> {
        match self {
            Self::Ready(result) => result,
            Self::Asks(Asks { remote, request, begun, then }) => {
                let reply = remote.ask_blocking(request);
                let before = begun.unwrap_or_else(|| remote.postponed());
                let result = then(reply);
                // What it was made of may have woken rules.
                remote.settle_blocking_since(before);
                result
            }
        }
    }

    /// Waits until it is done.
    pub(crate) async fn wait(self) -> Result<T> {
        match self {
            Self::Ready(result) => result,
            Self::Asks(Asks { remote, request, begun, then }) => {
                let reply = remote.ask(request).await;
                let before = begun.unwrap_or_else(|| remote.postponed());
                let result = then(reply);
                remote.settle_since(before).await;
                result
            }
        }
    }
}
