//! One computation under way, and those who wait for its outcome.
//!
//! A flight is what the ticket of its fill carries, so that it is opened, joined and ended where the ticket is
//! registered: under one lock, and in one allocation.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use super::aging::Age;
use super::moment::Until;
use super::sync::{Condvar, Mutex};
use crate::function::Held;
use cacheado_backends::memory::{KeyBox, Ticket};

/// How a computation ended, for those who waited.
#[derive(Clone)]
pub(crate) enum Landed {
    /// With a value that can be stored, whether or not it was.
    Value(Held),
    /// With a value that somebody else had computed before, which the backend had.
    Found(Held),
    /// With a value that had been computed before, of this age: instead of one that was to be computed.
    Old(Held, Age),
    /// With an outcome that is not stored, but can be handed on.
    Shared(Held),
    /// With an outcome that cannot be handed on: each who waited computes for itself, all at once, so
    /// that a failing body is not called by one after another.
    Alone,
    /// Without an outcome (the body panicked, or its future was dropped), or with one for which nobody
    /// had waited when it came: look again, and elect another leader if it is not there.
    Gone,
}

/// Who leads a flight. A thread cannot wait for a task: the task might need that very thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leader {
    Thread,
    Task,
}

/// A flight and its ticket, which was taken before the computation began.
pub(crate) type Boarded = Ticket<Flight>;

/// One computation under way.
pub(crate) struct Flight {
    key: KeyBox,
    leader: Leader,
    /// Whether its leader is served with what is there, so that others need not wait.
    is_renewal: bool,
    /// Whether nobody joins it any more.
    is_closed: AtomicBool,
    /// Which calls its outcome is for. Set before it lands.
    pub(super) until: Until,
    /// Whether it waits for a thread, or its task, to run it.
    is_queued: AtomicBool,
    state: Mutex<State>,
    landed: Condvar,
    /// Whether neither its leader nor what its body calls will wait for a place in a scope.
    is_settled: AtomicBool,
    /// Whether its body has failed, or taken too long for somebody.
    has_failed: AtomicBool,
}

struct State {
    outcome: Option<Landed>,
    waiting: usize,
    tasks: Vec<Option<Waker>>,
    /// Places among them that have been given up.
    vacant: Vec<usize>,
}

impl Flight {
    pub(crate) fn new(key: KeyBox, leader: Leader, is_renewal: bool) -> Self {
        let state = State { outcome: None, waiting: 0, tasks: Vec::new(), vacant: Vec::new() };
        Self {
            key,
            leader,
            is_renewal,
            is_closed: AtomicBool::new(false),
            until: Until::default(),
            is_queued: AtomicBool::new(false),
            state: Mutex::new(state),
            landed: Condvar::new(),
            is_settled: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        }
    }

    /// Whether it can be joined by a call for `key` of this kind: nobody has landed it.
    pub(crate) fn can_be_joined(&self, key: &KeyBox, leader: Leader, is_renewal: bool) -> bool {
        let can_wait = self.leader == leader || leader == Leader::Task;
        can_wait && self.is_renewal == is_renewal && self.is_open() && self.key == *key
    }

    pub(crate) fn is_led_by(&self, leader: Leader) -> bool {
        self.leader == leader
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Acquire)
    }

    /// Nobody joins it from now on.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    /// Its computation has to wait for a thread, or for a runtime to run its task: nobody joins it before it begins, as
    /// the one who does may be what the thread is busy with, and a runtime may be driven by nobody.
    pub(crate) fn queue(&self) {
        self.is_queued.store(true, Ordering::Release);
    }

    pub(crate) fn begin(&self) {
        self.is_queued.store(false, Ordering::Release);
    }

    pub(crate) fn has_begun(&self) -> bool {
        !self.is_queued.load(Ordering::Acquire)
    }

    /// From now on neither the leader nor what its body calls waits for a place in a scope.
    pub(crate) fn settles(&self) {
        self.is_settled.store(true, Ordering::Release);
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    /// Its body has failed, or has taken too long for one of those who wait. Whether that is new.
    pub(crate) fn fails(&self) -> bool {
        !self.has_failed.swap(true, Ordering::Relaxed)
    }

    /// Ends the flight, with what `outcome` makes if anybody waits.
    pub(crate) fn land(&self, outcome: impl FnOnce() -> Landed) {
        let waiting = self.state.lock().waiting > 0;
        // Copying the value runs code of the user's: not under the lock, and whatever it does, those who
        // wait are let go.
        let copied = if waiting { catch_unwind(AssertUnwindSafe(outcome)) } else { Ok(Landed::Gone) };
        self.settle(copied.unwrap_or_else(|_| {
            tracing::error!(
                target: "cacheado",
                "a value panicked while it was copied for those who wait for it"
            );
            Landed::Alone
        }));
    }

    fn settle(&self, outcome: Landed) {
        let tasks = {
            let mut state = self.state.lock();
            state.outcome.get_or_insert(outcome);
            std::mem::take(&mut state.tasks)
        };
        self.landed.notify_all();
        for waker in tasks.into_iter().flatten() {
            // It is somebody else's code, and the others are to be woken all the same.
            if catch_unwind(AssertUnwindSafe(|| waker.wake())).is_err() {
                tracing::error!(target: "cacheado", "a waker panicked");
            }
        }
    }

    /// Blocks the thread until the flight has ended.
    pub(crate) fn wait(&self) -> Landed {
        let mut state = self.state.lock();
        state.waiting += 1;
        #[cfg(not(shuttle))]
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            self.landed.wait(&mut state);
        }
        #[cfg(shuttle)]
        {
            let mut state = Some(state);
            loop {
                if let Some(outcome) = state.as_ref().and_then(|state| state.outcome.clone()) {
                    return outcome;
                }
                self.landed.wait(&mut state);
            }
        }
    }

    fn joined(&self) {
        self.state.lock().waiting += 1;
    }
}

/// Waits for a flight without blocking. Dropping it gives the place up.
pub(crate) struct Landing {
    flight: Boarded,
    place: Option<usize>,
}

impl Landing {
    /// Resolves when the flight has ended.
    pub(crate) fn of(flight: Boarded) -> Self {
        if let Some(flight) = flight.carried() {
            flight.joined();
        }
        Self { flight, place: None }
    }

    pub(crate) fn flight(&self) -> &Boarded {
        &self.flight
    }
}

/// Blocks the thread until the flight has ended.
pub(crate) fn wait_for(flight: &Boarded) -> Landed {
    flight.carried().map_or(Landed::Gone, Flight::wait)
}

impl Future for Landing {
    type Output = Landed;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Landed> {
        let this = self.get_mut();
        let Some(flight) = this.flight.carried() else { return Poll::Ready(Landed::Gone) };
        // Somebody else's code, too.
        let waker = context.waker().clone();
        let mut state = flight.state.lock();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        let place = *this.place.get_or_insert_with(|| state.vacant.pop().unwrap_or(state.tasks.len()));
        if place == state.tasks.len() {
            state.tasks.push(None);
        }
        let before = state.tasks[place].replace(waker);
        // A waker's `drop` is somebody else's code.
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let Some(flight) = self.flight.carried() else { return };
        let mut state = flight.state.lock();
        state.waiting -= 1;
        // After the landing the places are gone.
        let waker = self.place.and_then(|place| state.tasks.get_mut(place)?.take());
        if state.outcome.is_none() {
            state.vacant.extend(self.place);
        }
        drop(state);
        drop(waker);
    }
}
