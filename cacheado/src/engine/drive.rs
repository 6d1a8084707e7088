//! The two drivers: how the body is run, and how others and the backend are waited for. Everything else is the
//! plan's.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;

use cacheado_backends::io;

use super::call::Call;
use super::computation::Computation;
use super::far::{Answer, Asked, Write};
use super::flight::{Flight, Landed, Leader};
use super::limit::Admitted;
use super::plan::{Next, Wait};
use super::turn::Rest;
use crate::context::{self, Outcome, Served};
use crate::function::{Body, Held, Value};

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
pub(super) fn run(call: Call, body: &mut dyn Body) -> Option<Value> {
    match begin(call) {
        Start::Serve(value, _) => Some(value),
        Start::Compute(computation) => computation.compute(body),
    }
}

/// What a call comes to before its body is run, on this thread.
pub(super) fn begin(call: Call) -> Start {
    Due::Plan(call).start_blocking()
}

/// What a call comes to before its body is run, as a part of a task.
pub(super) fn start(due: Due) -> Soon<Start> {
    match due.next(Leader::Task) {
        Next::Serve(value) => Soon::Now(Start::Serve(value, None)),
        Next::Renew(value, renewal) => Soon::Now(Start::Serve(value, renewal)),
        Next::Compute(computation) => Soon::Now(Start::Compute(computation)),
        Next::Wait(wait) => Soon::Later(Box::pin(async move { wait.over().await.start().await })),
    }
}

/// Waits for what the body needs before it runs as a part of a task.
pub(super) fn admit(computation: &Computation) -> Soon<Admitted> {
    match computation.own_admission().at_once() {
        Ok(admitted) => Soon::Now(admitted),
        Err(admission) => Soon::Later(Box::pin(admission.over())),
    }
}

/// Has the backend store what the body has returned, as a part of a task.
pub(super) fn write(write: Write) -> Waits<Value> {
    Box::pin(async move {
        let (remote, request, written) = write.split();
        let answer = remote.ask(request).await;
        written.answered(&answer)
    })
}

/// Says that the call was served by its body.
pub(super) fn served_anew(outcome: Outcome) {
    context::served(|| Served::anew(outcome));
}

/// What a call goes on from.
pub(super) enum Due {
    Plan(Call),
    Renew(Box<Computation>),
    Landed(Call, Arc<Flight<Held>>, Landed<Held>),
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

    /// The same, as a part of a task.
    async fn start(mut self) -> Start {
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
pub(super) enum Start {
    /// It returns this, and this computation, if there is one, is for the background.
    Serve(Value, Option<Box<Computation>>),
    /// It runs the body.
    Compute(Box<Computation>),
}

impl Wait {
    fn block(self) -> Due {
        match self {
            Self::Flight(flight, call) => {
                let landed = io::blocking(|| flight.wait());
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

    async fn over(self) -> Due {
        match self {
            Self::Flight(flight, call) => {
                let landed = Arc::clone(&flight).landing().await;
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
