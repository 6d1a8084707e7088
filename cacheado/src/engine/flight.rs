//! One computation under way, and those who wait for its outcome.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use super::aging::Age;
use super::moment::Until;
use super::sync::{Condvar, Mutex, MutexGuard};
use cacheado_backends::memory::{KeyBox, Ticket};
use hashbrown::HashTable;

/// How a computation ended, for those who waited.
pub(crate) enum Landed<V> {
    /// With a value that can be stored, whether or not it was.
    Value(Arc<V>),
    /// With a value that somebody else had computed before, which the backend had.
    Found(Arc<V>),
    /// With a value that had been computed before, of this age: instead of one that was to be computed.
    Old(Arc<V>, Age),
    /// With an outcome that is not stored, but can be handed on.
    Shared(Arc<dyn Any + Send + Sync>),
    /// With an outcome that cannot be handed on: each who waited computes for itself, all at once, so
    /// that a failing body is not called by one after another.
    Alone,
    /// Without an outcome (the body panicked, or its future was dropped), or with one for which nobody
    /// had waited when it came: look again, and elect another leader if it is not there.
    Gone,
}

impl<V> Clone for Landed<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Value(value) => Self::Value(Arc::clone(value)),
            Self::Found(value) => Self::Found(Arc::clone(value)),
            Self::Old(value, age) => Self::Old(Arc::clone(value), *age),
            Self::Shared(shared) => Self::Shared(Arc::clone(shared)),
            Self::Alone => Self::Alone,
            Self::Gone => Self::Gone,
        }
    }
}

/// Who leads a flight. A thread cannot wait for a task: the task might need that very thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leader {
    Thread,
    Task,
}

/// One computation under way.
pub(crate) struct Flight<V> {
    number: u64,
    /// Taken before the computation began.
    pub(crate) ticket: Ticket,
    /// Which calls its outcome is for. Set before it lands.
    pub(super) until: Until,
    /// Whether it waits for a thread to run it.
    is_queued: AtomicBool,
    state: Mutex<State<V>>,
    landed: Condvar,
    /// Whether neither its leader nor what its body calls will wait for a place in a scope.
    is_settled: AtomicBool,
}

struct State<V> {
    outcome: Option<Landed<V>>,
    waiting: usize,
    tasks: Vec<Option<Waker>>,
}

impl<V> Flight<V> {
    fn new(ticket: Ticket) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let state = State { outcome: None, waiting: 0, tasks: Vec::new() };
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            ticket,
            until: Until::default(),
            is_queued: AtomicBool::new(false),
            state: Mutex::new(state),
            landed: Condvar::new(),
            is_settled: AtomicBool::new(false),
        }
    }

    /// Its computation has to wait for a thread: nobody joins it before it begins, as the one who does may be
    /// what the thread is busy with.
    pub(crate) fn queue(&self) {
        self.is_queued.store(true, Ordering::Release);
    }

    pub(crate) fn begin(&self) {
        self.is_queued.store(false, Ordering::Release);
    }

    pub(crate) fn has_begun(&self) -> bool {
        !self.is_queued.load(Ordering::Acquire)
    }

    /// What this flight is called among those that a thread leads. No other ever has the same.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// From now on neither the leader nor what its body calls waits for a place in a scope.
    pub(crate) fn settles(&self) {
        self.is_settled.store(true, Ordering::Release);
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    /// Ends the flight, with what `outcome` makes if anybody waits.
    fn land(&self, outcome: impl FnOnce() -> Landed<V>) {
        let waiting = self.state.lock().waiting > 0;
        // Copying the value runs code of the user's: not under the lock, and whatever it does, those who
        // wait are let go.
        let copied = if waiting { catch_unwind(AssertUnwindSafe(outcome)) } else { Ok(Landed::Gone) };
        self.settle(copied.unwrap_or_else(|_| {
            tracing::error!("a value panicked while it was copied for those who wait for it");
            Landed::Alone
        }));
    }

    fn settle(&self, outcome: Landed<V>) {
        let tasks = {
            let mut state = self.state.lock();
            state.outcome.get_or_insert(outcome);
            std::mem::take(&mut state.tasks)
        };
        self.landed.notify_all();
        for waker in tasks.into_iter().flatten() {
            waker.wake();
        }
    }

    /// Blocks the thread until the flight has ended.
    pub(crate) fn wait(&self) -> Landed<V> {
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

    /// Resolves when the flight has ended.
    pub(crate) fn landing(self: Arc<Self>) -> Landing<V> {
        self.state.lock().waiting += 1;
        Landing { flight: self, place: None }
    }
}

/// Waits for a flight without blocking. Dropping it gives the place up.
pub(crate) struct Landing<V> {
    flight: Arc<Flight<V>>,
    place: Option<usize>,
}

impl<V> Landing<V> {
    pub(crate) fn flight(&self) -> &Arc<Flight<V>> {
        &self.flight
    }
}

impl<V> Future for Landing<V> {
    type Output = Landed<V>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Landed<V>> {
        let this = self.get_mut();
        let mut state = this.flight.state.lock();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        let waker = context.waker().clone();
        let place = *this.place.get_or_insert(state.tasks.len());
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

impl<V> Drop for Landing<V> {
    fn drop(&mut self) {
        let mut state = self.flight.state.lock();
        state.waiting -= 1;
        // After the landing the places are gone.
        let waker = self.place.and_then(|place| state.tasks.get_mut(place)?.take());
        drop(state);
        drop(waker);
    }
}

/// The computations of one function that are under way, in shards by the hash of their keys.
pub(crate) struct Flights<V> {
    shards: [Mutex<Shard<V>>; 8],
}

struct Shard<V> {
    by_thread: HashTable<UnderWay<V>>,
    by_task: HashTable<UnderWay<V>>,
}

/// A flight, and what it is found by: a hash under a seed of this process, and the key.
struct UnderWay<V> {
    hash: u64,
    key: KeyBox,
    flight: Arc<Flight<V>>,
}

impl<V> Shard<V> {
    fn of(&mut self, leader: Leader) -> &mut HashTable<UnderWay<V>> {
        match leader {
            Leader::Thread => &mut self.by_thread,
            Leader::Task => &mut self.by_task,
        }
    }
}

impl<V> Default for Flights<V> {
    fn default() -> Self {
        let shard = || Mutex::new(Shard { by_thread: HashTable::new(), by_task: HashTable::new() });
        Self { shards: std::array::from_fn(|_| shard()) }
    }
}

/// What becomes of a caller who wants a value computed.
pub(crate) enum Boarding<V> {
    /// It computes, and owes the others its outcome.
    Lead(Arc<Flight<V>>),
    /// Somebody does.
    Wait(Arc<Flight<V>>),
}

impl<V> Flights<V> {
    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard<V>> {
        self.shards[(hash >> 61) as usize].lock()
    }

    /// How many there are, short of those that an eviction has left to who is on them.
    pub(crate) fn len(&self) -> usize {
        let len = |shard: &Mutex<Shard<V>>| {
            let shard = shard.lock();
            shard.by_thread.len() + shard.by_task.len()
        };
        self.shards.iter().map(len).sum()
    }

    /// Joins the flight of `key`, or opens one. A flight that began before an eviction (`is_current` says
    /// no) is left to those who are on it.
    pub(crate) fn board(
        &self,
        hash: u64,
        key: &KeyBox,
        leader: Leader,
        ticket: Ticket,
        is_current: impl Fn(&Ticket) -> bool,
    ) -> Boarding<V> {
        let mut shard = self.shard(hash);
        let is_it = |other: &UnderWay<V>| other.key == *key && is_current(&other.flight.ticket);
        if leader == Leader::Task
            && let Some(under_way) = shard.by_thread.find(hash, is_it)
        {
            return Boarding::Wait(Arc::clone(&under_way.flight));
        }
        let flights = shard.of(leader);
        if let Some(under_way) = flights.find(hash, is_it) {
            return Boarding::Wait(Arc::clone(&under_way.flight));
        }
        let flight = Arc::new(Flight::new(ticket));
        let under_way = UnderWay { hash, key: key.clone(), flight: Arc::clone(&flight) };
        match flights.find_entry(hash, |other| other.key == *key) {
            // It began before an eviction.
            Ok(mut outdated) => *outdated.get_mut() = under_way,
            Err(absent) => {
                absent.into_table().insert_unique(hash, under_way, |other| other.hash);
            }
        }
        Boarding::Lead(flight)
    }

    /// The flight of `key` that is under way, unless it began before an eviction.
    pub(crate) fn find(
        &self,
        hash: u64,
        key: &KeyBox,
        leader: Leader,
        is_current: impl Fn(&Ticket) -> bool,
    ) -> Option<Arc<Flight<V>>> {
        let mut shard = self.shard(hash);
        let is_it = |other: &UnderWay<V>| other.key == *key && is_current(&other.flight.ticket);
        shard.of(leader).find(hash, is_it).map(|under_way| Arc::clone(&under_way.flight))
    }

    /// Ends a flight: the next caller opens a new one, then those who wait learn of the outcome. What is
    /// to be stored has been stored before.
    pub(crate) fn land(
        &self,
        hash: u64,
        leader: Leader,
        flight: &Arc<Flight<V>>,
        outcome: impl FnOnce() -> Landed<V>,
    ) {
        {
            let mut shard = self.shard(hash);
            let own = |other: &UnderWay<V>| Arc::ptr_eq(&other.flight, flight);
            if let Ok(present) = shard.of(leader).find_entry(hash, own) {
                present.remove();
            }
        }
        flight.land(outcome);
    }
}
