//! Connections, one for each runtime.
//!
//! A connection is driven by a task. That task runs on the caller's own runtime, so that an operation does not
//! change threads, and a runtime that ends takes only its own connection along. Callers without a runtime, or
//! whose runtime has no I/O or no timers, share the one of the I/O thread.

use std::sync::{Arc, Weak};

use parking_lot::RwLock;
use redis::cluster_routing::Route;
use redis::{Cmd, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;

use super::error;
use super::home::{Failed, Home};
use super::link::{Live, Request};
use super::scripts::Script;
use super::settings::{Settings, silent};
use crate::io;

/// Whether a request may be sent a second time if the connection breaks before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Doing it twice is doing it once.
    Harmless,
    /// It counts, tells others, or might overwrite what another has stored meanwhile.
    Never,
}

/// The homes of the runtimes. There are few, so that a list is the quickest way to one.
type Homes = RwLock<Vec<(Id, Arc<Home>)>>;

/// All connections of a handle.
pub(super) struct Connections {
    pub(super) settings: Arc<Settings>,
    homes: Arc<Homes>,
}

impl Connections {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), homes: Arc::default() }
    }

    /// Runs a script; the server is sent its text if it does not know it.
    pub(super) async fn run(
        &self,
        script: &Script,
        command: Cmd,
        route: Route,
        again: Again,
    ) -> RedisResult<Value> {
        let request = Request::One(command);
        match self.send(&request, route, again).await.and_then(Value::extract_error) {
            Err(unknown) if error::is_unknown_script(&unknown) => {
                let Request::One(command) = &request else { return Err(unknown) };
                let request = Request::One(script.in_full(command));
                Box::pin(self.send(&request, route, again)).await.and_then(Value::extract_error)
            }
            outcome => outcome,
        }
    }

    /// Sends a request on the connection of this runtime, which is made if need be. An error that the server
    /// answers with is a value here.
    pub(super) async fn send(&self, request: &Request, route: Route, again: Again) -> RedisResult<Value> {
        let home = self.home()?;
        if let Some(live) = home.live() {
            match self.exchange(&home, live, request, route).await {
                Err(broken) if again == Again::Harmless && broken.is_connection_dropped() => {}
                outcome => return outcome,
            }
        }
        Box::pin(self.send_anew(home, request, route)).await
    }

    async fn send_anew(&self, home: Arc<Home>, request: &Request, route: Route) -> RedisResult<Value> {
        let (home, outcome) = match home.connect(&self.settings).await {
            Err(Failed::NoDriver) => {
                tracing::warn!("this runtime has no I/O or no timers; Redis is spoken to on the I/O thread");
                let shared = self.home_of(io_runtime()?);
                self.share(&home, &shared);
                let outcome = shared.connect(&self.settings).await;
                (shared, outcome)
            }
            outcome => (home, outcome),
        };
        let live = outcome.map_err(RedisError::from)?;
        self.exchange(&home, live, request, route).await
    }

    async fn exchange(
        &self,
        home: &Home,
        mut live: Live,
        request: &Request,
        route: Route,
    ) -> RedisResult<Value> {
        let limit = self.settings.timeout;
        let outcome = home.timeout(limit, live.link.send(request, route)).await;
        let useless = match &outcome {
            // Whoever else waits on it goes on; it may be that nothing will ever be answered.
            None => self.settings.cluster.is_none(),
            Some(Err(error)) => error.is_unrecoverable_error(),
            // Once a primary, now a replica: the address may lead to another by now.
            Some(Ok(Value::ServerError(error))) => {
                self.settings.cluster.is_none() && error.kind() == Some(ServerErrorKind::ReadOnly)
            }
            Some(Ok(_)) => false,
        };
        if useless {
            home.discard(&live);
        }
        outcome.unwrap_or_else(|| Err(silent(limit)))
    }

    /// The home of this runtime.
    fn home(&self) -> RedisResult<Arc<Home>> {
        match Handle::try_current() {
            Ok(runtime) => Ok(self.home_of(&runtime)),
            Err(_) => io_runtime().map(|runtime| self.home_of(runtime)),
        }
    }

    fn home_of(&self, runtime: &Handle) -> Arc<Home> {
        let id = runtime.id();
        let home = find(&self.homes.read(), id);
        home.unwrap_or_else(|| self.move_in(runtime, id))
    }

    fn move_in(&self, runtime: &Handle, id: Id) -> Arc<Home> {
        let mut homes = self.homes.write();
        if let Some(home) = find(&homes, id) {
            return home;
        }
        let (leaving, left) = oneshot::channel();
        let home = Arc::new(Home::new(runtime.clone(), leaving));
        homes.push((id, Arc::clone(&home)));
        drop(homes);
        // This task ends with the runtime, or with the home.
        let departure = Departure { homes: Arc::downgrade(&self.homes), id };
        runtime.spawn(async move {
            let _departure = departure;
            let _ = left.await;
        });
        home
    }

    /// Lets a runtime live in the home of another from now on.
    fn share(&self, home: &Arc<Home>, shared: &Arc<Home>) {
        for (_, resident) in self.homes.write().iter_mut() {
            if Arc::ptr_eq(resident, home) {
                *resident = Arc::clone(shared);
            }
        }
    }
}

fn find(homes: &[(Id, Arc<Home>)], id: Id) -> Option<Arc<Home>> {
    homes.iter().find(|(resident, _)| *resident == id).map(|(_, home)| Arc::clone(home))
}

fn io_runtime() -> RedisResult<&'static Handle> {
    io::handle().map_err(|error| std::io::Error::other(error).into())
}

/// Removes a runtime's home when it is dropped.
struct Departure {
    homes: Weak<Homes>,
    id: Id,
}

impl Drop for Departure {
    fn drop(&mut self) {
        if let Some(homes) = self.homes.upgrade() {
            let mut residents = homes.write();
            let position = residents.iter().position(|(resident, _)| *resident == self.id);
            let left = position.map(|position| residents.swap_remove(position));
            // What ends with the home shall not find the list locked.
            drop(residents);
            drop(left);
        }
    }
}
