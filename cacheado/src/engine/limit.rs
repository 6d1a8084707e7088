//! A bound on the bodies that run at the same time in one scope, so that a tenant whose entries all miss cannot take
//! every thread, or the whole database, from the others.
//!
//! Who finds the scope full waits in a queue, first come first served. Nobody waits for ever:
//!
//! - What is called inside a bounded body is part of it, and takes no place of its own. Where it goes on without that
//!   body, the places are its.
//! - Inside a bounded body, a call joins another's flight only if that flight's leader has its places, or is inside a
//!   bounded body itself. Any other might come to wait for the very place that this body has.
//! - A place in a wider scope is taken after that in a narrower one, by all in the same order.
//! - A thread does not wait for tasks, which might need that very thread: it counts other threads only.
//! - A task counts the threads that came before it, not those that come later, which would hold it up for ever.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use cacheado_backends::io;
use parking_lot::{Condvar, Mutex};

use super::flight::Leader;
use crate::scope::Scope;

thread_local! {
    /// The places of the bounded bodies that this thread is in, one inside the other.
    static INSIDE: RefCell<Vec<Places>> = const { RefCell::new(Vec::new()) };
}

/// The places of a body and of what it calls, which may go on without it. They are given back with the last of these.
pub(super) type Places = Arc<Vec<Place>>;

/// The places of the body that this thread is in, if it has taken any.
pub(super) fn inside() -> Option<Places> {
    // There is no list while the thread ends: then it is in no body.
    INSIDE.try_with(|inside| inside.borrow().last().cloned()).ok()?
}

/// Whether this thread is in the body of a call that has taken a place.
pub(super) fn is_inside() -> bool {
    INSIDE.try_with(|inside| !inside.borrow().is_empty()).unwrap_or(false)
}

/// While it lives, this thread is in a bounded body.
pub(super) struct Inside;

impl Inside {
    pub(super) fn enter(places: &Places) -> Self {
        let _ = INSIDE.try_with(|inside| inside.borrow_mut().push(Arc::clone(places)));
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let places = INSIDE.try_with(|inside| inside.borrow_mut().pop());
        // Giving them back wakes others.
        drop(places);
    }
}

/// The bounds of a cache.
pub(crate) struct Limiter {
    levels: Vec<(Arc<str>, usize)>,
    /// Those scopes in which a body runs.
    scopes: Mutex<HashMap<Scope, Queues>>,
}

/// Who runs and who waits in one scope.
#[derive(Default)]
struct Queues {
    threads: Queue,
    tasks: Queue,
    /// How many have come.
    came: u64,
}

#[derive(Default)]
struct Queue {
    /// The numbers of those that run.
    running: Vec<u64>,
    waiting: VecDeque<Arc<Turn>>,
}

impl Queue {
    /// Lets the first in the queue go while there is room beside those of `others` that came before it; who is to be
    /// woken for it goes to `woken`.
    fn go_on(&mut self, most: usize, others: &[u64], woken: &mut Vec<Arc<Turn>>) {
        while let Some(first) = self.waiting.front() {
            let earlier = others.iter().filter(|number| **number < first.number).count();
            if self.running.len() + earlier >= most {
                return;
            }
            let Some(turn) = self.waiting.pop_front() else { return };
            self.running.push(turn.number);
            woken.push(turn);
        }
    }
}

impl Queues {
    fn of(&mut self, leader: Leader) -> &mut Queue {
        match leader {
            Leader::Thread => &mut self.threads,
            Leader::Task => &mut self.tasks,
        }
    }

    fn go_on(&mut self, most: usize) -> Vec<Arc<Turn>> {
        let mut woken = Vec::new();
        self.threads.go_on(most, &[], &mut woken);
        self.tasks.go_on(most, &self.threads.running, &mut woken);
        woken
    }

    fn is_idle(&self) -> bool {
        [&self.threads, &self.tasks].iter().all(|queue| queue.running.is_empty() && queue.waiting.is_empty())
    }
}

/// What one caller waits for.
#[derive(Default)]
struct Turn {
    /// Of two in a scope, the one that came first has the lower one.
    number: u64,
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    has_come: bool,
    waker: Option<Waker>,
}

impl Turn {
    fn comes(&self) {
        let waker = {
            let mut state = self.state.lock();
            state.has_come = true;
            state.waker.take()
        };
        self.came.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Limiter {
    /// `None` without a bound.
    pub(crate) fn new(levels: Vec<(Arc<str>, usize)>) -> Option<Arc<Self>> {
        (!levels.is_empty()).then(|| Arc::new(Self { levels, scopes: Mutex::default() }))
    }

    /// The bounds that a body in `scope` is subject to, the narrowest first.
    pub(super) fn bounds(&self, scope: &Scope) -> Vec<(Scope, usize)> {
        let levels: Vec<_> = scope.levels().map(|(level, _)| level).collect();
        let upwards = scope.ancestors().zip(levels.into_iter().rev());
        let bounded = upwards.filter_map(|(scope, level)| {
            let (_, most) = self.levels.iter().find(|(bounded, _)| **bounded == *level)?;
            Some((scope, *most))
        });
        bounded.collect()
    }

    fn queue(self: &Arc<Self>, scope: Scope, most: usize, leader: Leader) -> Place {
        let (turn, woken) = {
            let mut scopes = self.scopes.lock();
            let queues = scopes.entry(scope.clone()).or_default();
            queues.came += 1;
            let turn = Arc::new(Turn { number: queues.came, ..Turn::default() });
            queues.of(leader).waiting.push_back(Arc::clone(&turn));
            (turn, queues.go_on(most))
        };
        for turn in woken {
            turn.comes();
        }
        Place { limiter: Arc::clone(self), scope, most, leader, turn }
    }
}

/// A place in a scope, or in the queue for one. Dropping it leaves either.
pub(super) struct Place {
    limiter: Arc<Limiter>,
    scope: Scope,
    most: usize,
    leader: Leader,
    turn: Arc<Turn>,
}

impl Place {
    fn block(&self) {
        if self.turn.state.lock().has_come {
            return;
        }
        io::blocking(|| {
            let mut state = self.turn.state.lock();
            while !state.has_come {
                self.turn.came.wait(&mut state);
            }
        });
    }

    async fn over(&self) {
        poll_fn(|context| {
            let waker = context.waker().clone();
            let mut state = self.turn.state.lock();
            if state.has_come {
                return Poll::Ready(());
            }
            let before = state.waker.replace(waker);
            // A waker's `drop` is somebody else's code.
            drop(state);
            drop(before);
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let woken = {
            let mut scopes = self.limiter.scopes.lock();
            let Some(queues) = scopes.get_mut(&self.scope) else { return };
            let queue = queues.of(self.leader);
            match queue.waiting.iter().position(|turn| Arc::ptr_eq(turn, &self.turn)) {
                Some(at) => drop(queue.waiting.remove(at)),
                None => queue.running.retain(|number| *number != self.turn.number),
            }
            let woken = queues.go_on(self.most);
            if queues.is_idle() {
                scopes.remove(&self.scope);
            }
            woken
        };
        for turn in woken {
            turn.comes();
        }
    }
}

/// What a body needs before it runs.
pub(super) struct Admission {
    /// The places of the bounded body that it is called inside.
    within: Option<Places>,
    limiter: Option<Arc<Limiter>>,
    bounds: Vec<(Scope, usize)>,
}

/// The places of a body that runs: its own, or those of the body that has called it. Dropping the last of those that
/// have them gives them to those who wait.
pub(super) struct Admitted(Option<Places>);

impl Admission {
    /// For bodies in these scopes, of calls that are led together. Called inside a bounded body, wherever they run
    /// then, they are a part of it.
    pub(super) fn to<'s>(
        limiter: Option<&Arc<Limiter>>,
        within: Option<Places>,
        scopes: impl Iterator<Item = &'s Scope>,
    ) -> Self {
        let Some(limiter) = limiter.filter(|_| within.is_none()) else {
            return Self { within, limiter: None, bounds: Vec::new() };
        };
        let mut bounds: Vec<_> = scopes.flat_map(|scope| limiter.bounds(scope)).collect();
        bounds.sort_unstable_by(|(a, _), (b, _)| b.depth().cmp(&a.depth()).then_with(|| a.cmp(b)));
        bounds.dedup();
        Self { within, limiter: Some(Arc::clone(limiter)), bounds }
    }

    /// The places, where there are no bounds.
    pub(super) fn at_once(self) -> Result<Admitted, Self> {
        if self.limiter.is_none() { Ok(Admitted(self.within)) } else { Err(self) }
    }

    /// Blocks this thread until there is a place in each scope.
    pub(super) fn block(self) -> Admitted {
        let Some(limiter) = &self.limiter else { return Admitted(self.within) };
        let mut places = Vec::with_capacity(self.bounds.len());
        for (scope, most) in self.bounds {
            let place = limiter.queue(scope, most, Leader::Thread);
            place.block();
            places.push(place);
        }
        Admitted::with(places)
    }

    /// Waits until there is a place in each scope. Dropping the future leaves the queue.
    pub(super) async fn over(self) -> Admitted {
        let Some(limiter) = &self.limiter else { return Admitted(self.within) };
        let mut places = Vec::with_capacity(self.bounds.len());
        for (scope, most) in self.bounds {
            let place = limiter.queue(scope, most, Leader::Task);
            place.over().await;
            places.push(place);
        }
        Admitted::with(places)
    }
}

impl Admitted {
    fn with(places: Vec<Place>) -> Self {
        Self((!places.is_empty()).then(|| Arc::new(places)))
    }

    /// Whether nothing that the body calls will wait for a place.
    pub(super) fn is_settled(&self) -> bool {
        self.0.is_some()
    }

    /// The places.
    pub(super) fn places(&self) -> Option<Places> {
        self.0.clone()
    }

    /// Marks this thread as in the body, while the guard lives.
    pub(super) fn inside(&self) -> Option<Inside> {
        self.0.as_ref().map(Inside::enter)
    }
}
