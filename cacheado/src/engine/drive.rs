//! The two drivers: how the body is run, and how others and the backend are waited for. Everything else is the
//! plan's.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use cacheado_backends::io;

use super::call::Call;
use super::computation::Computation;
use super::far::{Answer, Asked, Write};
use super::flight::{Boarded, Landed, Landing, Leader, wait_for};
use super::leading::Leading;
use super::limit::{Admitted, Inside};
use super::plan::{Next, Wait};
use super::turn::Rest;
use crate::context::{self, Outcome, Served};
use crate::function::{self, Body, Value, no_value};

/// A future of the engine's own. Only what has to wait makes one, so that it can afford the box; and it is compiled
/// here, not where it is awaited.
pub(super) type Waits<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Something that is there at once, or is waited for.
pub(super) enum Soon<T> {
    Now(T),
    Later(Waits<T>),
}

impl<T> Soon<T> {
    pub(super) async fn over(self) -> T {
        match self {
            Self::Now(value) => value,
            Self::Later(waits) => waits.await,
        }
    }
}

/// Runs the call on this thread. `None`: it returns what the body has returned.
pub(super) fn run(call: Box<Call>, body: &mut dyn Body) -> Option<Value> {
    match begin(call) {
        Start::Serve(value, _) => Some(value),
        Start::Compute(computation) => computation.compute(body),
    }
}

/// What a call comes to before its body is run, on this thread.
pub(super) fn begin(call: Box<Call>) -> Start {
    Due::Plan(call).start_blocking()
}

/// What a call comes to before its body is run, as a part of a task.
pub(super) fn start(due: Due) -> Soon<Start> {
    match due.next(Leader::Task) {
        Next::Serve(value) => Soon::Now(Start::Serve(value, None)),
        Next::Renew(value, renewal) => Soon::Now(Start::Serve(value, renewal)),
        Next::Compute(computation) => Soon::Now(Start::Compute(computation)),
        Next::Wait(wait) => Soon::Later(Box::pin(wait.start())),
    }
}

/// Waits for what the body needs before it runs as a part of a task.
pub(super) fn admit(computation: &Computation) -> Soon<Admitted> {
    match computation.own_admission().at_once() {
        Ok(admitted) => Soon::Now(admitted),
        Err(admission) => Soon::Later(Box::pin(admission.over())),
    }
}

/// A call as a part of a task, around its body: what is polled of it that depends on no type.
pub(super) enum Task {
    /// It has not been polled.
    Begins(Option<Box<Call>>),
    /// It waits for others, or for the backend.
    Waits(Waits<Ready>),
    /// Its body runs.
    Runs(Computation),
    /// The backend stores what the body has returned.
    Stores(Waits<Value>),
    /// It returns this; nothing, once it has.
    Returns(Option<Value>),
}

/// What a call comes to before its body is polled.
pub(super) enum Ready {
    /// It returns this.
    Serve(Value),
    /// It runs the body.
    Body(Computation),
}

impl Task {
    /// What the call returns, to be taken out; `None` where its body is to be polled.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<&mut Value>> {
        loop {
            *self = match self {
                Self::Begins(call) => match call.take().map(ready) {
                    Some(Soon::Now(ready)) => ready.into(),
                    Some(Soon::Later(waits)) => Self::Waits(waits),
                    None => Self::Returns(None),
                },
                Self::Waits(waits) => std::task::ready!(waits.as_mut().poll(context)).into(),
                Self::Runs(_) => return Poll::Ready(None),
                Self::Stores(stores) => Self::Returns(Some(std::task::ready!(stores.as_mut().poll(context)))),
                Self::Returns(_) => break,
            }
        }
        match self {
            Self::Returns(Some(value)) => Poll::Ready(Some(value)),
            // As of every future: whoever polls it again has a bug.
            _ => no_value(),
        }
    }

    /// To be held while the body is polled.
    pub(super) fn enter(&self) -> Option<(Option<Leading>, Option<Inside>)> {
        let Self::Runs(computation) = self else { return None };
        Some((computation.leading(), computation.inside()))
    }

    /// The body has returned this. Whether the call returns it, too: the backend may have to store it first.
    pub(super) fn returned(&mut self, outcome: &dyn function::Outcome) -> bool {
        let Self::Runs(computation) = std::mem::replace(self, Self::Returns(None)) else { return true };
        let served = computation.outcome();
        let Some(storing) = computation.finish(outcome) else {
            served_anew(served);
            return true;
        };
        *self = Self::Stores(Box::pin(async move {
            let value = write(storing).await;
            served_anew(served);
            value
        }));
        false
    }
}

impl From<Ready> for Task {
    fn from(ready: Ready) -> Self {
        match ready {
            Ready::Serve(value) => Self::Returns(Some(value)),
            Ready::Body(computation) => Self::Runs(computation),
        }
    }
}

fn ready(call: Box<Call>) -> Soon<Ready> {
    let computation = match Due::Plan(call).next(Leader::Task) {
        Next::Serve(value) | Next::Renew(value, _) => return Soon::Now(Ready::Serve(value)),
        Next::Compute(computation) => computation,
        // One future for all that it waits for, as each is a box.
        Next::Wait(wait) => {
            return Soon::Later(Box::pin(async move {
                match wait.start().await {
                    Start::Serve(value, _) => Ready::Serve(value),
                    Start::Compute(computation) => {
                        let admitted = admit(&computation).over().await;
                        Ready::body(computation, &admitted)
                    }
                }
            }));
        }
    };
    match admit(&computation) {
        Soon::Now(admitted) => Soon::Now(Ready::body(computation, &admitted)),
        Soon::Later(waits) => Soon::Later(Box::pin(async move { Ready::body(computation, &waits.await) })),
    }
}

impl Ready {
    fn body(mut computation: Computation, admitted: &Admitted) -> Self {
        computation.runs(admitted);
        Self::Body(computation)
    }
}

/// Has the backend store what the body has returned, as a part of a task.
pub(super) fn write(write: Write) -> Waits<Value> {
    Box::pin(async move {
        let (remote, request, written) = write.split();
        let answer = remote.ask(request).await;
        let value = written.answered(&answer);
        // It may have left an eviction.
        remote.settle().await;
        value
    })
}

/// Says that the call was served by its body.
pub(super) fn served_anew(outcome: Outcome) {
    context::served(|| Served::anew(outcome));
}

/// What a call goes on from.
pub(super) enum Due {
    Plan(Box<Call>),
    Renew(Computation),
    Landed(Box<Call>, Boarded, Landed),
    Answered(Asked, Answer),
    Rested(Rest),
}

impl Due {
    pub(super) fn next(self, leader: Leader) -> Next {
        match self {
            Self::Plan(call) => call.plan(leader),
            Self::Renew(computation) => computation.start(),
            Self::Landed(call, flight, landed) => call.landed(&flight, landed, leader),
            Self::Answered(asked, answer) => asked.answered(answer, leader),
            Self::Rested(rest) => rest.over(),
        }
    }

    /// Waits on this thread for what there is to wait for before the body.
    pub(super) fn start_blocking(mut self) -> Start {
        loop {
            match self.next(Leader::Thread) {
                Next::Serve(value) => return Start::Serve(value, None),
                Next::Renew(value, renewal) => return Start::Serve(value, renewal),
                Next::Compute(computation) => return Start::Compute(computation),
                Next::Wait(wait) => self = wait.block(),
            }
        }
    }
}

/// What a call comes to before its body is run, if it is.
pub(super) enum Start {
    /// It returns this, and this computation, if there is one, is for the background.
    Serve(Value, Option<Computation>),
    /// It runs the body.
    Compute(Computation),
}

impl Wait {
    fn block(self) -> Due {
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

    /// Waits as a part of a task, for this and for what there is to wait for after it, before the body.
    async fn start(mut self) -> Start {
        loop {
            let due = match self {
                Self::Flight(flight, call) => {
                    let landed = Landing::of(flight.clone()).await;
                    Due::Landed(call, flight, landed)
                }
                Self::Backend(ask) => {
                    let (remote, request, asked) = ask.split();
                    Due::Answered(asked, remote.ask(request).await)
                }
                Self::Turn(rest) => {
                    // A hit shall not have to carry it.
                    Box::pin(io::sleep(rest.pause)).await;
                    Due::Rested(rest)
                }
            };
            self = match due.next(Leader::Task) {
                Next::Serve(value) => return Start::Serve(value, None),
                Next::Renew(value, renewal) => return Start::Serve(value, renewal),
                Next::Compute(computation) => return Start::Compute(computation),
                Next::Wait(wait) => wait,
            };
        }
    }
}
