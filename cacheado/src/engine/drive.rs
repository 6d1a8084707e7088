//! The two drivers: how the body is run, and how others and the backend are waited for. Everything else is the
//! plan's.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::thread;

use cacheado_backends::io;

use super::call::Call;
use super::computation::Computation;
use super::far::{Answer, Asked};
use super::finish::Done;
use super::flight::{Boarded, Landed, Landing, Leader, wait_for};
use super::plan::{Next, Wait};
use super::turn::Rest;
use crate::context::{self, Served};
use crate::function::Kind;

impl<K: Kind> Call<K> {
    /// Runs the call on this thread, which blocks while it waits for another's computation or the backend.
    ///
    /// # Panics
    ///
    /// If the body does.
    #[inline(never)]
    pub fn run(self: Box<Self>, body: impl FnOnce() -> K::Return) -> K::Return {
        match Due::Plan(self).start_blocking() {
            Start::Serve(value, _) => value,
            Start::Compute(computation) => computation.compute(body),
        }
    }

    /// Runs the call as a task. Dropping the future lets those who wait elect another leader.
    ///
    /// The future is boxed: only a miss has one, and a caller's own future stays as small as its arguments.
    /// What the function returns is held across no `await`, as it need not be `Send`.
    ///
    /// # Panics
    ///
    /// If the body does.
    pub fn run_async<F>(self: Box<Self>, body: F) -> Pin<Box<impl Future<Output = K::Return> + use<K, F>>>
    where
        F: Future<Output = K::Return>,
    {
        Box::pin(self.drive(body))
    }

    async fn drive(self: Box<Self>, body: impl Future<Output = K::Return>) -> K::Return {
        let computation = match Due::Plan(self).start().await {
            Start::Serve(value, _) => return value,
            Start::Compute(computation) => computation,
        };
        let served = computation.outcome();
        let write = {
            let outcome = {
                let admitted = computation.own_admission().over().await;
                computation.runs(&admitted);
                let mut body = pin!(body);
                poll_fn(|context| {
                    let (_leading, _inside) = (computation.leading(), admitted.inside());
                    body.as_mut().poll(context)
                })
                .await
            };
            match computation.finish(outcome) {
                Done::Return(outcome) => {
                    context::served(|| Served::anew(served));
                    return outcome;
                }
                Done::Write(write) => write,
            }
        };
        let (remote, request, written) = write.split();
        let answer = remote.ask(request).await;
        context::served(|| Served::anew(served));
        written.answered(&answer)
    }
}

/// What a call goes on from.
pub(super) enum Due<K: Kind> {
    Plan(Box<Call<K>>),
    Renew(Box<Computation<K>>),
    Landed(Box<Call<K>>, Boarded<K::Stored>, Landed<K::Stored>),
    Answered(Asked<K>, Answer),
    Rested(Rest<K>),
}

impl<K: Kind> Due<K> {
    pub(super) fn next(self, leader: Leader) -> Next<K> {
        match self {
            Self::Plan(call) => call.plan(leader),
            Self::Renew(computation) => computation.start(),
            Self::Landed(call, flight, landed) => call.landed(&flight, landed, leader),
            Self::Answered(asked, answer) => asked.answered(answer, leader),
            Self::Rested(rest) => rest.over(),
        }
    }

    /// Waits on this thread for what there is to wait for before the body.
    pub(super) fn start_blocking(mut self) -> Start<K> {
        loop {
            match self.next(Leader::Thread) {
                Next::Serve(value) => return Start::Serve(value, None),
                Next::Renew(value, renewal) => return Start::Serve(value, renewal),
                Next::Compute(computation) => return Start::Compute(computation),
                Next::Wait(wait) => self = wait.block(),
            }
        }
    }

    /// The same, as a part of a task.
    pub(super) async fn start(mut self) -> Start<K> {
        loop {
            let wait = match self.next(Leader::Task) {
                Next::Serve(value) => return Start::Serve(value, None),
                Next::Renew(value, renewal) => return Start::Serve(value, renewal),
                Next::Compute(computation) => return Start::Compute(computation),
                Next::Wait(wait) => wait,
            };
            self = wait.over().await;
        }
    }
}

/// What a call comes to before its body is run, if it is.
pub(super) enum Start<K: Kind> {
    /// It returns this, and this computation, if there is one, is for the background.
    Serve(K::Return, Option<Box<Computation<K>>>),
    /// It runs the body.
    Compute(Box<Computation<K>>),
}

impl<K: Kind> Wait<K> {
    fn block(self) -> Due<K> {
        match self {
            Self::Flight(flight, call) => {
                let landed = io::blocking(|| wait_for(&flight));
                Due::Landed(call, flight, landed)
            }
            Self::Backend(ask) => {
                let (remote, request, asked) = ask.split();
                Due::Answered(asked, remote.ask_blocking(request))
            }
            Self::Turn(rest) => {
                io::blocking(|| thread::sleep(rest.pause));
                Due::Rested(rest)
            }
        }
    }

    async fn over(self) -> Due<K> {
        match self {
            Self::Flight(flight, call) => {
                let landed = Landing::of(flight.clone()).await;
                Due::Landed(call, flight, landed)
            }
            Self::Backend(ask) => {
                let (remote, request, asked) = ask.split();
                Due::Answered(asked, remote.ask(request).await)
            }
            Self::Turn(rest) => {
                io::sleep(rest.pause).await;
                Due::Rested(rest)
            }
        }
    }
}
