//! The way between a node and the server: every operation is two messages, and each can be late or lost.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use cacheado::backends::{Error, ErrorKind, Result};

use super::executor::{Owner, World};
use super::history::{ComputationId, InvalidationId};
use super::simulation::Simulation;
use crate::lock;

/// One process's connection.
#[derive(Clone)]
pub struct Link {
    pub(super) sim: Arc<Simulation>,
    pub(super) node: usize,
    pub(super) start: u32,
}

/// What becomes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is done, and its answer comes.
    Answered,
    /// It never reaches the server.
    LostOnTheWay,
    /// It is done, and its answer is lost.
    AnswerLost,
    /// The caller is told of an outage; the request is still on its way, and is done much later.
    DoneLate,
    /// A defect, for the tests of the oracle: neither an answer nor an error ever comes.
    Forgotten,
}

/// For whom an operation is done, as the server sees it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cause {
    pub(super) invalidation: Option<InvalidationId>,
    pub(super) computation: Option<ComputationId>,
}

/// An answer on its way.
struct Letter<T> {
    answer: Option<Result<T>>,
    waker: Option<Waker>,
    is_wanted: bool,
}

impl Link {
    pub(super) fn world(&self) -> &Arc<World> {
        &self.sim.world
    }

    /// Sends an operation to the server, which takes effect at a moment of its own, and waits for the answer.
    pub(super) async fn send<T: Send + 'static>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(Cause) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let cause = self.cause();
        let fate = self.draw(operation);
        if fate == Fate::Forgotten {
            return std::future::pending().await;
        }
        let letter = Arc::new(Mutex::new(Letter { answer: None, waker: None, is_wanted: true }));
        let _wanted = Wanted(Arc::clone(&letter));
        let (world, sent, sim) = (Arc::clone(self.world()), Arc::clone(&letter), Arc::clone(&self.sim));
        let node = self.node;
        self.world().spawn(Owner::World, async move {
            world.hop().await;
            let outage = || Err(Error::new(ErrorKind::Unavailable, operation, "lost on the way"));
            let answer = match fate {
                Fate::LostOnTheWay => outage(),
                Fate::DoneLate => {
                    deliver(&sent, outage());
                    world.sleep(40).await;
                    world.hop().await;
                    sim.log(|| format!("{operation} of node {node} is done late"));
                    let _ = effect(cause);
                    return;
                }
                // Whoever has given up may have done so before the request was sent, or after.
                _ if !is_wanted(&sent) && world.chance(50) => return,
                Fate::AnswerLost => effect(cause).and_then(|_| outage()),
                Fate::Answered | Fate::Forgotten => effect(cause),
            };
            sim.log(|| format!("{operation} of node {node}: {}", said(&answer)));
            world.hop().await;
            deliver(&sent, answer);
        });
        poll_fn(|context| {
            let mut letter = lock(&letter);
            let Some(answer) = letter.answer.take() else {
                letter.waker = Some(context.waker().clone());
                return Poll::Pending;
            };
            if answer.is_err() {
                self.sim.history.outage(self.world().current().map_or(0, |(task, _)| task));
            }
            Poll::Ready(answer)
        })
        .await
    }

    fn cause(&self) -> Cause {
        let task = self.world().current().map(|(task, _)| task);
        task.map_or_else(Cause::default, |task| self.sim.history.cause(task))
    }

    fn draw(&self, operation: &str) -> Fate {
        if self.sim.is_mutant(super::Mutant::Hangs) && operation == "fill" && self.world().chance(5) {
            return Fate::Forgotten;
        }
        if self.sim.is_calm() {
            return Fate::Answered;
        }
        if self.sim.is_cut(self.node) {
            return if self.world().chance(30) { Fate::AnswerLost } else { Fate::LostOnTheWay };
        }
        match self.world().below(100) {
            0..3 => Fate::LostOnTheWay,
            3..6 => Fate::AnswerLost,
            6..8 => Fate::DoneLate,
            _ => Fate::Answered,
        }
    }
}

fn said<T>(answer: &Result<T>) -> &'static str {
    if answer.is_ok() { "answered" } else { "lost" }
}

fn is_wanted<T>(letter: &Mutex<Letter<T>>) -> bool {
    lock(letter).is_wanted
}

fn deliver<T>(letter: &Mutex<Letter<T>>, answer: Result<T>) {
    let waker = {
        let mut letter = lock(letter);
        letter.answer = Some(answer);
        letter.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Somebody waits for the answer, as long as this lives.
struct Wanted<T>(Arc<Mutex<Letter<T>>>);

impl<T> Drop for Wanted<T> {
    fn drop(&mut self) {
        lock(&self.0).is_wanted = false;
    }
}
