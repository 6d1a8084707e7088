//! Bodies that can go on without their caller: what renews a value that is served meanwhile, and what outlives
//! a `timeout`.
//!
//! They own their arguments. What else surrounds a caller (its cache, the span of its log) goes with them.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::time::Duration;

use cacheado_backends::io;
use tracing::{Instrument, Span};

use super::call::Call;
use super::computation::Computation;
use super::drive::{Due, Start};
use super::far::Rescue;
use super::finish::Done;
use super::leading::Led;
use super::pool;
use crate::context::{self, Layer, Mode, Outcome, Served, Tier};
use crate::error::{Error, ErrorKind};
use crate::function::{Kind, Worth};

type Panic = Box<dyn Any + Send>;

/// What a call has around it besides its arguments: cache, scope, and the span of its log.
struct Surroundings {
    layers: [Layer; 2],
    span: Span,
}

impl Surroundings {
    fn here() -> Self {
        Self { layers: Layer::carried(), span: Span::current() }
    }

    fn run<R>(self, f: impl FnOnce() -> R) -> R {
        let Self { layers: [mut cache, mut scope], span } = self;
        span.in_scope(|| cache.run(|| scope.run(f)))
    }

    async fn run_async<F: Future>(self, future: F) -> F::Output {
        let Self { layers: [mut cache, mut scope], span } = self;
        cache.run_async(scope.run_async(future.instrument(span))).await
    }

    /// The same for a body that its caller waits for: how the caller wants calls to be served holds for it too, and
    /// what waits for the caller waits for it.
    fn run_for_caller<F: Future>(self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let (mut mode, led) = (Layer::Mode(Mode::now()), Led::here());
        async move {
            let mut body = pin!(mode.run_async(self.run_async(future)));
            poll_fn(|context| {
                let _leading = led.leading();
                body.as_mut().poll(context)
            })
            .await
        }
    }
}

impl<K: Kind> Computation<K> {
    /// A computation that nobody waits for has ended in a panic.
    fn panicked(&self) {
        if let Some(function) = &self.call.function {
            self.call.note_failure(function);
            tracing::error!(
                function = &*function.shared.identity.name,
                "a body panicked while it computed a value anew; the old one is served until its time is over"
            );
        }
    }

    /// Runs the body on this thread and stores what comes of it.
    pub(super) fn compute(mut self: Box<Self>, body: impl FnOnce() -> K::Return) -> K::Return {
        let admitted = self.own_admission().block();
        self.runs(&admitted);
        self.begins();
        let run = || {
            // Its places are given back when the body ends.
            let admitted = admitted;
            let (_leading, _inside) = (self.leading(), admitted.inside());
            body()
        };
        if !self.is_guarded() {
            let outcome = run();
            return self.finish_blocking(outcome);
        }
        let outcome = catch_unwind(AssertUnwindSafe(run));
        let computation = if self.has_failed(&outcome) {
            let rescued = match self.rescue() {
                Rescue::Value(value) => Ok(value),
                Rescue::Ask(remote, request, rescued) => rescued.answered(remote.ask_blocking(request)),
                Rescue::Nothing(computation) => Err(computation),
            };
            match rescued {
                Ok(rescued) => return returned(Ok(rescued)),
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

    fn finish_blocking(self: Box<Self>, outcome: K::Return) -> K::Return {
        let served = self.outcome();
        let outcome = match self.finish(outcome) {
            Done::Return(outcome) => outcome,
            Done::Write(write) => {
                let (remote, request, written) = write.split();
                written.answered(&remote.ask_blocking(request))
            }
        };
        context::served(|| Served::anew(served));
        outcome
    }

    fn has_failed(&self, outcome: &Result<K::Return, Panic>) -> bool {
        outcome.as_ref().map_or(true, |outcome| self.is_failure(outcome))
    }

    /// Runs the body as a part of this task and stores what comes of it. Where the body fails, what an older
    /// value can be served instead of; a panic is the caller's to go on with.
    async fn compute_guarded(
        mut self: Box<Self>,
        body: impl Future<Output = K::Return>,
    ) -> Result<(K::Return, Served), Panic> {
        let served = Served::anew(self.outcome());
        let outcome = {
            let admitted = self.own_admission().over().await;
            self.runs(&admitted);
            self.begins();
            let mut body = pin!(body);
            poll_fn(|context| {
                let (_leading, _inside) = (self.leading(), admitted.inside());
                match catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(context))) {
                    Ok(poll) => poll.map(Ok),
                    Err(panic) => Err(panic).into(),
                }
            })
            .await
        };
        let computation = if self.is_guarded() && self.has_failed(&outcome) {
            let rescued = match self.rescue() {
                Rescue::Value(value) => Ok(value),
                Rescue::Ask(remote, request, rescued) => rescued.answered(remote.ask(request).await),
                Rescue::Nothing(computation) => Err(computation),
            };
            match rescued {
                Ok(rescued) => return Ok(rescued),
                Err(computation) => computation,
            }
        } else {
            self
        };
        let write = match outcome {
            Ok(outcome) => match computation.finish(outcome) {
                Done::Return(outcome) => return Ok((outcome, served)),
                Done::Write(write) => write,
            },
            Err(panic) => {
                if computation.renewing.is_some() {
                    computation.panicked();
                }
                return Err(panic);
            }
        };
        let (remote, request, written) = write.split();
        let answer = remote.ask(request).await;
        Ok((written.answered(&answer), served))
    }
}

/// What the call returns, having said how it was served.
fn returned<R>(outcome: Result<(R, Served), Panic>) -> R {
    let (value, served) = outcome.unwrap_or_else(|panic| resume_unwind(panic));
    context::served(|| served);
    value
}

impl<K: Kind> Call<K> {
    /// [`run`](Self::run), with a body that can go on without this thread.
    ///
    /// # Panics
    ///
    /// If the body does, while this thread waits for it.
    #[inline(never)]
    pub fn run_detached(self: Box<Self>, body: impl FnOnce() -> K::Return + Send + 'static) -> K::Return
    where
        K: 'static,
    {
        match Due::Plan(self).start_blocking() {
            Start::Serve(value, None) => value,
            Start::Serve(value, Some(renewal)) => {
                renew(renewal, body);
                value
            }
            Start::Compute(computation) => computation.compute(body),
        }
    }

    /// [`run_async`](Self::run_async), where an older value is served if the body fails.
    ///
    /// # Panics
    ///
    /// If the body does, and there is no older value.
    pub fn run_async_guarded<F>(
        self: Box<Self>,
        body: F,
    ) -> Pin<Box<impl Future<Output = K::Return> + use<K, F>>>
    where
        F: Future<Output = K::Return>,
    {
        Box::pin(async move {
            match Due::Plan(self).start().await {
                Start::Serve(value, _) => value,
                Start::Compute(computation) => returned(computation.compute_guarded(body).await),
            }
        })
    }

    /// The same, with a body that can go on without this task.
    ///
    /// # Panics
    ///
    /// If the body does, while this task waits for it.
    pub fn run_async_detached<F>(
        self: Box<Self>,
        body: F,
    ) -> Pin<Box<impl Future<Output = K::Return> + use<K, F>>>
    where
        K: 'static,
        K::Return: Send + 'static,
        F: Future<Output = K::Return> + Send + 'static,
    {
        Box::pin(self.drive_detached(body))
    }

    async fn drive_detached<F>(mut self: Box<Self>, body: F) -> K::Return
    where
        K: 'static,
        K::Return: Send + 'static,
        F: Future<Output = K::Return> + Send + 'static,
    {
        match self.policy.timeout {
            Some(limit) if io::handle().is_ok() => {
                let late = self.twin();
                let waited = io::timeout(limit, "call", async { Ok(self.drive_unbounded(body).await) }).await;
                match waited {
                    Ok(value) => value,
                    Err(_) => late.took_too_long(limit).await,
                }
            }
            _ => self.drive_unbounded(body).await,
        }
    }

    async fn drive_unbounded<F>(self: Box<Self>, body: F) -> K::Return
    where
        K: 'static,
        K::Return: Send + 'static,
        F: Future<Output = K::Return> + Send + 'static,
    {
        let is_timed = self.policy.timeout.is_some();
        // A timer for who has no runtime is the I/O thread's, which runs no bodies.
        let runtime = io::ambient();
        match (Due::Plan(self).start().await, runtime) {
            (Start::Serve(value, None), _) => value,
            (Start::Serve(value, Some(mut renewal)), Some(runtime)) => {
                renewal.set_apart();
                let renewed = async move {
                    if let Start::Compute(computation) = Due::Renew(renewal).start().await {
                        // What it panics with has been logged.
                        let _ = computation.compute_guarded(body).await;
                    }
                };
                runtime.spawn(Surroundings::here().run_async(renewed));
                value
            }
            // Without a runtime to leave it to, this task does it, and returns what comes of it.
            (Start::Serve(value, Some(renewal)), None) => {
                let kind = renewal.call.kind;
                let renewing = async move {
                    match Due::Renew(renewal).start().await {
                        Start::Serve(renewed, _) => {
                            Some((renewed, Served::from(Outcome::Hit, Tier::Remote, None)))
                        }
                        Start::Compute(computation) => computation.compute_guarded(body).await.ok(),
                    }
                };
                // Who observes the call has been told of the old value, and is only told of one in its place.
                match Layer::Served(None).run_async(renewing).await {
                    Some(renewed) if kind.worth(&renewed.0) != Worth::Failure => returned(Ok(renewed)),
                    _ => value,
                }
            }
            (Start::Compute(computation), Some(runtime)) if is_timed => {
                let computing = Surroundings::here().run_for_caller(computation.compute_guarded(body));
                match runtime.spawn(computing).await {
                    Ok(outcome) => returned(outcome),
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => resume_unwind(panic),
                        // The runtime is being shut down, and this task with it.
                        Err(_) => std::future::pending().await,
                    },
                }
            }
            (Start::Compute(computation), _) => returned(computation.compute_guarded(body).await),
        }
    }
}

impl<K: Kind> Call<K> {
    /// What a caller is given who has waited long enough: an older value if one may be served, else an error.
    /// The body goes on.
    async fn took_too_long(mut self: Box<Self>, limit: Duration) -> K::Return {
        self.count_miss();
        let on_timeout = self.on_timeout;
        let late = Box::new(Computation::late(self));
        if late.is_guarded() {
            let rescued = match late.rescue() {
                Rescue::Value(value) => Some(value),
                Rescue::Ask(remote, request, rescued) => rescued.answered(remote.ask(request).await).ok(),
                Rescue::Nothing(_) => None,
            };
            if let Some(rescued) = rescued {
                return returned(Ok(rescued));
            }
        }
        context::served(|| Served::anew(Outcome::Miss));
        let error = Error::new(ErrorKind::Timeout, "call", format!("no result within {limit:?}"));
        match on_timeout {
            Some(returned) => returned(error),
            #[expect(clippy::unreachable, reason = "the macro writes one without the other for no function")]
            None => unreachable!("a function with a `timeout` says what it returns then"),
        }
    }
}

/// Has a body run on another thread, while its caller goes on. It takes no place in its scope: the pool is its
/// bound, and one tenant's queue would hold up the renewals of the others.
fn renew<K: Kind + 'static>(renewal: Box<Computation<K>>, body: impl FnOnce() -> K::Return + Send + 'static) {
    let surroundings = Surroundings::here();
    renewal.queue();
    pool::submit(move || {
        renewal.take_off();
        surroundings.run(|| {
            let Start::Compute(mut computation) = Due::Renew(renewal).start_blocking() else { return };
            computation.begins();
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let _leading = computation.leading();
                body()
            }));
            match outcome {
                Ok(outcome) => drop(computation.finish_blocking(outcome)),
                Err(_) => computation.panicked(),
            }
        });
    });
}
