//! How a body is run: on this thread, or as a part of a task, where an older value may stand in for its failure.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;

use super::computation::Computation;
use super::drive::{Soon, admit, served_anew, write};
use super::far::Rescue;
use crate::context::{self, Served};
use crate::function::{Body, Kind, Of, Outcome, Value, Wishes, Worth};

pub(super) type Panic = Box<dyn Any + Send>;

impl Computation {
    /// Runs the body on this thread and stores what comes of it. `None`: it is what the call returns.
    pub(super) fn compute(mut self, body: &mut dyn Body) -> Option<Value> {
        let admitted = self.own_admission().block();
        self.runs(&admitted);
        drop(admitted);
        self.begins();
        let computation = &self;
        let run = move || {
            // Once, so that the outcome is as long-lived as the body.
            let body = body;
            let (_leading, _inside) = (computation.leading(), computation.inside());
            body.run()
        };
        if !self.is_guarded() {
            let outcome = run();
            return self.finish_blocking(outcome);
        }
        let outcome = catch_unwind(AssertUnwindSafe(run));
        let computation = if outcome.as_ref().map_or(true, |outcome| outcome.worth() == Worth::Failure) {
            let rescued = match self.rescue() {
                Rescue::Value(value) => Ok(value),
                Rescue::Ask(remote, request, rescued) => rescued.answered(remote.ask_blocking(request)),
                Rescue::Nothing(computation) => Err(computation),
            };
            match rescued {
                Ok((value, how)) => {
                    context::served(|| how);
                    return Some(value);
                }
                Err(computation) => computation,
            }
        } else {
            self
        };
        match outcome {
            Ok(outcome) => computation.finish_blocking(outcome),
            Err(panic) => {
                drop(computation);
                resume_unwind(panic)
            }
        }
    }

    pub(super) fn finish_blocking(self, outcome: &dyn Outcome) -> Option<Value> {
        let served = self.outcome();
        let write = self.finish(outcome);
        let value = write.map(|write| {
            let (remote, request, written) = write.split();
            let value = written.answered(&remote.ask_blocking(request));
            // It may have left an eviction.
            remote.settle_blocking();
            value
        });
        served_anew(served);
        value
    }

    /// A computation that nobody waits for has ended in a panic.
    pub(super) fn panicked(&self) {
        if let Some(function) = &self.call.function {
            self.note_failure(function);
            tracing::error!(
                target: "cacheado",
                function = &*function.shared.identity.name,
                "a body panicked while it computed a value anew; the old one is served until its time is over"
            );
        }
    }
}

/// Runs the body as a part of this task and stores what comes of it. Where the body fails, what an older
/// value can be served instead of; a panic is the caller's to go on with.
pub(super) async fn compute_guarded<K: Kind>(
    mut computation: Computation,
    wishes: Wishes<K>,
    body: impl Future<Output = K::Return>,
) -> Result<(K::Return, Served), Panic> {
    let served = Served::anew(computation.outcome());
    let outcome = {
        let admitted = admit(&computation).over().await;
        computation.runs(&admitted);
        drop(admitted);
        computation.begins();
        let mut body = pin!(body);
        poll_fn(|context| {
            let (_leading, _inside) = (computation.leading(), computation.inside());
            match catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(context))) {
                Ok(poll) => poll.map(Ok),
                Err(panic) => Err(panic).into(),
            }
        })
        .await
    };
    let has_failed = outcome.as_ref().map_or(true, |outcome| wishes.kind.worth(outcome) == Worth::Failure);
    if computation.is_guarded() && has_failed {
        match rescued(computation).over().await {
            Ok((mut value, served)) => return Ok((wishes.returned(&mut value), served)),
            Err(failed) => computation = failed,
        }
    }
    let storing = match outcome {
        Ok(outcome) => match computation.finish(&Of(wishes, &outcome)) {
            None => return Ok((outcome, served)),
            Some(storing) => write(storing),
        },
        Err(panic) => {
            if computation.renewing.is_some() {
                computation.panicked();
            }
            return Err(panic);
        }
    };
    Ok((wishes.returned(&mut storing.await), served))
}

/// What is served instead of what the body has failed with, if there is something.
pub(super) fn rescued(computation: Computation) -> Soon<Result<(Value, Served), Computation>> {
    match computation.rescue() {
        Rescue::Value(value) => Soon::Now(Ok(value)),
        Rescue::Ask(remote, request, rescued) => {
            Soon::Later(Box::pin(async move { rescued.answered(remote.ask(request).await) }))
        }
        Rescue::Nothing(computation) => Soon::Now(Err(computation)),
    }
}

/// What the call returns, having said how it was served.
pub(super) fn returned<R>(outcome: Result<(R, Served), Panic>) -> R {
    let (value, served) = outcome.unwrap_or_else(|panic| resume_unwind(panic));
    context::served(|| served);
    value
}
