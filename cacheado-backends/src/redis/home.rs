//! Where the connection of one runtime lives.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use redis::{RedisError, RedisResult};
use tokio::runtime::{Handle, Id};
use tokio::sync::watch;

use super::link::Live;
use super::settings::{Settings, silent};
use crate::io;

/// Why there is no connection.
#[derive(Debug, Clone)]
pub(super) enum Failed {
    /// The server is not there, or refuses.
    Refused(RedisError),
    /// The runtime cannot do I/O, or has no timers.
    NoDriver,
    /// The runtime is ending.
    Ending,
}

impl From<Failed> for RedisError {
    fn from(failed: Failed) -> Self {
        let (kind, text) = match failed {
            Failed::Refused(error) => return error,
            Failed::NoDriver => (std::io::ErrorKind::Unsupported, "the runtime has no I/O or no timers"),
            Failed::Ending => (std::io::ErrorKind::ConnectionAborted, "the runtime is ending"),
        };
        std::io::Error::new(kind, text).into()
    }
}

type Outcome = Result<Live, Failed>;

/// The runtime of the I/O thread.
pub(super) fn io_runtime() -> RedisResult<&'static Handle> {
    io::handle().map_err(|error| std::io::Error::other(error).into())
}

/// A runtime, and its connection.
pub(super) struct Home {
    runtime: Handle,
    id: Id,
    live: RwLock<Option<Live>>,
    /// The attempt to connect that is under way: whoever needs a connection waits for the same.
    attempt: Mutex<Option<watch::Receiver<Option<Outcome>>>>,
}

impl Home {
    pub(super) fn new(runtime: Handle) -> Self {
        let id = runtime.id();
        Self { runtime, id, live: RwLock::default(), attempt: Mutex::default() }
    }

    /// The connection, if there is one.
    pub(super) fn live(&self) -> Option<Live> {
        self.live.read().as_ref().filter(|live| live.is_open()).cloned()
    }

    /// Uses this connection no more. Whoever waits for an answer on it still does.
    pub(super) fn discard(&self, useless: &Live) {
        useless.open.store(false, Ordering::Release);
        self.live.write().take_if(|live| !live.is_open());
    }

    /// Bounds a future in time, by the timers of this runtime, which the caller need not be on; `None` if it
    /// took longer.
    pub(super) async fn timeout<T>(
        &self,
        caller: Option<Id>,
        limit: Duration,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let timed = if caller == Some(self.id) {
            tokio::time::timeout(limit, future)
        } else {
            let _entered = self.runtime.enter();
            tokio::time::timeout(limit, future)
        };
        timed.await.ok()
    }

    /// Connects; those who call it at the same time share one attempt. It goes on if the caller does not, and
    /// if it takes longer than the caller can wait.
    pub(super) async fn connect(self: &Arc<Self>, settings: &Arc<Settings>) -> Outcome {
        let mut attempt = {
            let mut attempt = self.attempt.lock();
            if let Some(live) = self.live() {
                return Ok(live);
            }
            attempt.get_or_insert_with(|| self.start(settings)).clone()
        };
        let limit = settings.connect_timeout * 2;
        let waiting = {
            // This runtime may turn out to have no timers.
            let _entered = io_runtime().map_err(Failed::Refused)?.enter();
            tokio::time::timeout(limit, attempt.wait_for(Option::is_some))
        };
        let Ok(outcome) = waiting.await else { return Err(Failed::Refused(silent(limit))) };
        outcome.ok().and_then(|outcome| outcome.clone()).unwrap_or(Err(Failed::Ending))
    }

    fn start(self: &Arc<Self>, settings: &Arc<Settings>) -> watch::Receiver<Option<Outcome>> {
        let (sender, receiver) = watch::channel(None);
        let settings = Arc::clone(settings);
        // There is no way to ask a runtime whether it has I/O and timers: without them, this task panics.
        let connecting = self.runtime.spawn(async move { settings.connect().await });
        let home = Arc::clone(self);
        self.runtime.spawn(async move {
            let outcome = match connecting.await {
                Ok(connected) => connected.map_err(Failed::Refused),
                Err(ended) if ended.is_panic() => Err(Failed::NoDriver),
                Err(_) => Err(Failed::Ending),
            };
            let mut attempt = home.attempt.lock();
            *home.live.write() = outcome.as_ref().ok().cloned();
            *attempt = None;
            drop(attempt);
            sender.send_replace(Some(outcome));
        });
        receiver
    }
}
