//! Connections, one for each runtime.
//!
//! A connection is driven by a task. That task runs on the caller's own runtime, so that an operation does not
//! change threads, and a runtime that ends takes only its own connection along. Callers without a runtime, or
//! whose runtime has no I/O or no timers, share the one of the I/O thread.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use parking_lot::RwLock;
use redis::cluster_routing::Route;
use redis::{Cmd, RedisError, RedisResult, ServerErrorKind, Value};
use thread_local::ThreadLocal;
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;

use super::blocking::Pool;
use super::error;
use super::home::{Failed, Home, io_runtime};
use super::link::{Link, Live, Request};
use super::reads;
use super::scripts::{Name, Script};
use super::settings::{Settings, silent};

/// Whether a request may be sent a second time if the connection breaks before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Doing it twice is doing it once.
    Harmless,
    /// It counts, tells others, or might overwrite what another has stored meanwhile.
    Never,
}

/// The homes of the runtimes. There are few, so that a list is the quickest way to one.
type Homes = RwLock<Vec<Resident>>;

/// A runtime, and where its connection lives.
struct Resident {
    runtime: Id,
    home: Arc<Home>,
    /// Ends the task that watches over the runtime.
    _leaving: oneshot::Sender<()>,
}

/// All connections of a handle.
pub(super) struct Connections {
    pub(super) settings: Arc<Settings>,
    homes: Arc<Homes>,
    /// Those of threads that wait.
    pub(super) pool: Pool,
    /// What earlier requests of a thread have left for its later ones. To count references anew for each
    /// request would have the cores wait for each other.
    left: ThreadLocal<RefCell<Vec<Lease>>>,
}

/// How much a thread keeps for its later requests.
const KEPT: usize = 64;

/// A connection, for the time of a request.
struct Lease {
    /// The runtime that it is asked for on, if there is one.
    caller: Option<Id>,
    home: Arc<Home>,
    live: Live,
}

impl Connections {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
            homes: Arc::default(),
            pool: Pool::default(),
            left: ThreadLocal::new(),
        }
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

    /// Reads a key.
    pub(super) async fn read(&self, name: Name<'_>, route: Route) -> RedisResult<Value> {
        // Large futures, which a read on a wire shall not have to carry, are boxed.
        if let Some(lease) = self.take(current())? {
            let Link::Wire(wire) = &lease.live.link else {
                let sent = async {
                    let request = Request::One(reads::get(name));
                    self.send_on(lease, &request, route, Again::Harmless).await
                };
                return Box::pin(sent).await;
            };
            let outcome = wire.read(name).await;
            if !lease.live.is_open() {
                // Or it would be there until somebody asks again: a server that has fallen silent never closes it.
                lease.home.discard(&lease.live);
            }
            self.leave(lease);
            match outcome {
                Err(broken) if broken.is_connection_dropped() => {}
                outcome => return outcome,
            }
        }
        let sent = async { self.send(&Request::One(reads::get(name)), route, Again::Harmless).await };
        Box::pin(sent).await
    }

    /// Sends a request on the connection of this runtime, which is made if need be. An error that the server
    /// answers with is a value here.
    pub(super) async fn send(&self, request: &Request, route: Route, again: Again) -> RedisResult<Value> {
        let caller = current();
        match self.take(caller)? {
            Some(lease) => self.send_on(lease, request, route, again).await,
            None => Box::pin(self.send_anew(caller, request, route)).await,
        }
    }

    /// Sends a request on a connection, and on a new one if that turns out to be closed.
    async fn send_on(
        &self,
        mut lease: Lease,
        request: &Request,
        route: Route,
        again: Again,
    ) -> RedisResult<Value> {
        let caller = lease.caller;
        let outcome = self.exchange(&mut lease, request, route).await;
        self.leave(lease);
        match outcome {
            Err(broken) if again == Again::Harmless && broken.is_connection_dropped() => {
                Box::pin(self.send_anew(caller, request, route)).await
            }
            outcome => outcome,
        }
    }

    async fn send_anew(&self, caller: Option<Id>, request: &Request, route: Route) -> RedisResult<Value> {
        let (runtime, shared) = (Handle::try_current(), io_runtime()?);
        let mut home = self.home_of(runtime.as_ref().unwrap_or(shared));
        drop(runtime);
        let mut outcome = home.connect(&self.settings).await;
        if matches!(outcome, Err(Failed::NoDriver)) {
            tracing::warn!(
                target: "cacheado",
                "this runtime has no I/O or no timers; Redis is spoken to on the I/O thread"
            );
            let shared = self.home_of(shared);
            self.share(&home, &shared);
            outcome = shared.connect(&self.settings).await;
            home = shared;
        }
        let mut lease = Lease { caller, home, live: outcome.map_err(RedisError::from)? };
        let outcome = self.exchange(&mut lease, request, route).await;
        self.leave(lease);
        outcome
    }

    /// A connection of this runtime, if there is one.
    fn take(&self, caller: Option<Id>) -> RedisResult<Option<Lease>> {
        let mut left = self.left.get_or_default().borrow_mut();
        while let Some(lease) = left.pop() {
            if lease.caller == caller && lease.live.is_open() {
                return Ok(Some(lease));
            }
        }
        drop(left);
        let id = caller.map_or_else(|| io_runtime().map(Handle::id), Ok)?;
        let home = find(&self.homes.read(), id);
        Ok(home.and_then(|home| home.live().map(|live| Lease { caller, home, live })))
    }

    fn leave(&self, lease: Lease) {
        let mut left = self.left.get_or_default().borrow_mut();
        if lease.live.is_open() && left.len() < KEPT {
            left.push(lease);
        }
    }

    /// Sends a request on a connection, which is given up if it turns out to be of no more use.
    async fn exchange(&self, lease: &mut Lease, request: &Request, route: Route) -> RedisResult<Value> {
        let Lease { caller, home, live } = lease;
        let (limit, is_cluster) = (self.settings.timeout, self.settings.cluster.is_some());
        let outcome = match &live.link {
            // It has the same limit, and a timer for all.
            Link::Wire(wire) => Some(wire.send(request).await),
            _ => home.timeout(*caller, limit, live.link.send(request, route)).await,
        };
        let outcome = outcome.map(|answer| answer.map(error::unwrapped));
        match &outcome {
            // Whoever else waits on it goes on; it may be that nothing will ever be answered.
            None if !is_cluster => home.discard(live),
            Some(Err(error)) if error.is_unrecoverable_error() || !live.is_open() => home.discard(live),
            // Once a primary, now a replica: the address may lead to another by now.
            Some(Ok(Value::ServerError(error)))
                if !is_cluster && error.kind() == Some(ServerErrorKind::ReadOnly) =>
            {
                self.discard_all();
            }
            _ => {}
        }
        outcome.unwrap_or_else(|| Err(silent(limit)))
    }

    /// Uses none of the connections any more that there are: what leads to a replica would still be answered when it
    /// only reads, with what has been evicted elsewhere.
    fn discard_all(&self) {
        for resident in self.homes.read().iter() {
            if let Some(live) = resident.home.live() {
                resident.home.discard(&live);
            }
        }
        self.pool.discard_all();
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
        let home = Arc::new(Home::new(runtime.clone()));
        homes.push(Resident { runtime: id, home: Arc::clone(&home), _leaving: leaving });
        drop(homes);
        // This task ends with the runtime, or with the list.
        let departure = Departure { homes: Arc::downgrade(&self.homes), id };
        runtime.spawn(async move {
            let _departure = departure;
            let _ = left.await;
        });
        home
    }

    /// Lets a runtime live in the home of another from now on.
    fn share(&self, home: &Arc<Home>, shared: &Arc<Home>) {
        for resident in self.homes.write().iter_mut() {
            if Arc::ptr_eq(&resident.home, home) {
                resident.home = Arc::clone(shared);
            }
        }
    }
}

/// The runtime of the caller, if there is one.
fn current() -> Option<Id> {
    Handle::try_current().ok().map(|runtime| runtime.id())
}

fn find(homes: &[Resident], id: Id) -> Option<Arc<Home>> {
    homes.iter().find(|resident| resident.runtime == id).map(|resident| Arc::clone(&resident.home))
}

/// Takes a runtime off the list when it is dropped.
struct Departure {
    homes: Weak<Homes>,
    id: Id,
}

impl Drop for Departure {
    fn drop(&mut self) {
        if let Some(homes) = self.homes.upgrade() {
            let mut residents = homes.write();
            let position = residents.iter().position(|resident| resident.runtime == self.id);
            let left = position.map(|position| residents.swap_remove(position));
            // What ends with a home shall not find the list locked.
            drop(residents);
            drop(left);
        }
    }
}
