//! Bodies that can go on without their caller: what renews a value that is served meanwhile, and what outlives
//! a `timeout`.
//!
//! They own their arguments. What else surrounds a caller (its cache, the span of its log) goes with them.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::io;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tracing::{Instrument, Span};

use super::body::{compute_guarded, rescued, returned};
use super::call::Call;
use super::computation::Computation;
use super::drive::{Due, Start, Waits, begin, served_anew, start};
use super::leading::Led;
use super::miss::{self, Here, Miss};
use super::pool;
use crate::context::{self, Layer, Mode, Outcome as How, Served, Tier};
use crate::error::{Error, ErrorKind};
use crate::function::{Body, Kind, Value, Wishes, Worth, no_value};

/// What a call has around it besides its arguments: cache, scope, and the span of its log.
struct Carried {
    layers: [Layer; 2],
    span: Span,
}

impl Carried {
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

/// How a call ends whose body may go on without it, or go away.
enum Ended<R> {
    Returned(R),
    /// It has taken this long.
    Late(Duration),
    /// The runtime that its body ran in was shut down.
    Gone,
}

/// Has a task of the runtime do the work, or this one where the runtime was shut down before it began. Where that comes
/// later, the work is not done.
async fn on_runtime(runtime: &Handle, work: Pin<Box<dyn Future<Output = ()> + Send>>) {
    let left = Arc::new(Mutex::new(Some(work)));
    let taken = Arc::clone(&left);
    let task = runtime.spawn(async move {
        let work = taken.lock().take();
        if let Some(work) = work {
            work.await;
        }
    });
    let Err(error) = task.await else { return };
    if let Ok(panic) = error.try_into_panic() {
        resume_unwind(panic);
    }
    // Else it was dropped with the runtime.
    let work = left.lock().take();
    if let Some(work) = work {
        work.await;
    }
}

/// How a body is run that fails or goes on while its caller is served with an older value.
impl<K: Kind> Miss<K> {
    /// [`run`](Self::run), with a body that can go on without this thread.
    ///
    /// # Panics
    ///
    /// If the body does, while this thread waits for it.
    #[inline(never)]
    pub fn run_detached(self, body: impl FnOnce() -> K::Return + Send + 'static) -> K::Return
    where
        K: 'static,
    {
        let Self { call, wishes } = self;
        match begin(call) {
            Start::Serve(mut value, None) => wishes.returned(&mut value),
            Start::Serve(mut value, Some(renewal)) => {
                let run = move |with: &mut dyn FnMut(&mut dyn Body)| with(&mut Here::new(wishes, body));
                renew(renewal, Box::new(run));
                wishes.returned(&mut value)
            }
            Start::Compute(computation) => {
                let mut here = Here::new(wishes, body);
                let mut value = computation.compute(&mut here);
                miss::returned(&wishes, &mut value, &mut here.outcome)
            }
        }
    }

    /// [`run_async`](Self::run_async), where an older value is served if the body fails.
    ///
    /// # Panics
    ///
    /// If the body does, and there is no older value.
    pub fn run_async_guarded<F>(self, body: F) -> Pin<Box<impl Future<Output = K::Return> + use<K, F>>>
    where
        F: Future<Output = K::Return>,
    {
        let Self { call, wishes } = self;
        Box::pin(async move {
            match start(Due::Plan(call)).over().await {
                Start::Serve(mut value, _) => wishes.returned(&mut value),
                Start::Compute(computation) => returned(compute_guarded(computation, wishes, body).await),
            }
        })
    }

    /// The same, with a body that can go on without this task.
    ///
    /// # Panics
    ///
    /// If the body does, while this task waits for it.
    pub fn run_async_detached<F>(self, body: F) -> Pin<Box<impl Future<Output = K::Return> + use<K, F>>>
    where
        K: 'static,
        K::Return: Send + 'static,
        F: Future<Output = K::Return> + Send + 'static,
    {
        Box::pin(self.drive_detached(body))
    }

    async fn drive_detached<F>(mut self, body: F) -> K::Return
    where
        K: 'static,
        K::Return: Send + 'static,
        F: Future<Output = K::Return> + Send + 'static,
    {
        let (wishes, limit, at_hand) = (self.wishes, self.call.policy.timeout, Mutex::new(None));
        let late = limit.map(|_| self.call.twin());
        let ended = match limit {
            Some(limit) if io::handle().is_ok() => {
                let call = async { Ok(self.drive_unbounded(body, &at_hand).await) };
                io::timeout(limit, "call", call).await.unwrap_or(Ended::Late(limit))
            }
            _ => self.drive_unbounded(body, &at_hand).await,
        };
        let problem = match ended {
            Ended::Returned(value) => return value,
            Ended::Late(limit) => format!("no result within {limit:?}"),
            Ended::Gone => "its body went with the runtime that it ran in".to_owned(),
        };
        match (late, at_hand.into_inner()) {
            (Some(late), Some(mut value)) => {
                late.renewal_took_too_long();
                wishes.returned(&mut value)
            }
            (Some(late), None) => wishes.returned(&mut late.took_too_long(problem).await),
            // Only bodies with a timeout are waited for like that.
            (None, _) => no_value(),
        }
    }

    /// What is served should this be given up is put `at_hand`.
    async fn drive_unbounded<F>(self, body: F, at_hand: &Mutex<Option<Value>>) -> Ended<K::Return>
    where
        K: 'static,
        K::Return: Send + 'static,
        F: Future<Output = K::Return> + Send + 'static,
    {
        let Self { call, wishes } = self;
        let is_timed = call.policy.timeout.is_some();
        // A timer for who has no runtime is the I/O thread's, which runs no bodies.
        let runtime = io::ambient();
        let value = match (start(Due::Plan(call)).over().await, runtime) {
            (Start::Serve(mut value, None), _) => wishes.returned(&mut value),
            (Start::Serve(mut value, Some(renewal)), Some(runtime)) => {
                renew_on(&runtime, renewal, wishes, body);
                wishes.returned(&mut value)
            }
            // Without a runtime to leave it to, this task does it, and returns what comes of it.
            (Start::Serve(value, Some(renewal)), None) => {
                *at_hand.lock() = Some(value);
                renew_first(renewal, wishes, body, at_hand).await
            }
            (Start::Compute(computation), Some(runtime)) if is_timed => {
                return compute_on(&runtime, computation, wishes, body).await;
            }
            (Start::Compute(computation), _) => returned(compute_guarded(computation, wishes, body).await),
        };
        Ended::Returned(value)
    }
}

/// Has a task of the runtime compute a value anew while the old one is served.
fn renew_on<K, F>(runtime: &Handle, mut renewal: Computation, wishes: Wishes<K>, body: F)
where
    K: Kind + 'static,
    K::Return: Send + 'static,
    F: Future<Output = K::Return> + Send + 'static,
{
    renewal.set_apart();
    renewal.queue();
    let renewed = async move {
        renewal.take_off();
        if let Start::Compute(computation) = start(Due::Renew(renewal)).over().await {
            // What it panics with has been logged.
            let _ = compute_guarded(computation, wishes, body).await;
        }
    };
    runtime.spawn(Carried::here().run_async(renewed));
}

/// Computes the value anew before the call returns: what comes of it, or the old value, which is `at_hand`.
async fn renew_first<K, F>(
    renewal: Computation,
    wishes: Wishes<K>,
    body: F,
    at_hand: &Mutex<Option<Value>>,
) -> K::Return
where
    K: Kind,
    F: Future<Output = K::Return>,
{
    let renewing = async move {
        match start(Due::Renew(renewal)).over().await {
            Start::Serve(mut renewed, _) => {
                Some((wishes.returned(&mut renewed), Served::from(How::Hit, Tier::Remote, None)))
            }
            Start::Compute(computation) => compute_guarded(computation, wishes, body).await.ok(),
        }
    };
    // Who observes the call has been told of the old value, and is only told of one in its place.
    let renewed = Layer::Served(None).run_async(renewing).await;
    let old = at_hand.lock().take();
    match (renewed, old) {
        (Some(renewed), _) if wishes.kind.worth(&renewed.0) != Worth::Failure => returned(Ok(renewed)),
        (_, Some(mut value)) => wishes.returned(&mut value),
        (_, None) => no_value(),
    }
}

/// Has a task of the runtime run the body, which goes on there should this one be given up.
async fn compute_on<K, F>(
    runtime: &Handle,
    computation: Computation,
    wishes: Wishes<K>,
    body: F,
) -> Ended<K::Return>
where
    K: Kind + 'static,
    K::Return: Send + 'static,
    F: Future<Output = K::Return> + Send + 'static,
{
    let computing = Carried::here().run_for_caller(compute_guarded(computation, wishes, body));
    let outcome = Arc::new(Mutex::new(None));
    let place = Arc::clone(&outcome);
    let work = async move {
        let outcome = computing.await;
        *place.lock() = Some(outcome);
    };
    on_runtime(runtime, Box::pin(work)).await;
    let outcome = outcome.lock().take();
    match outcome {
        Some(outcome) => Ended::Returned(returned(outcome)),
        None => Ended::Gone,
    }
}

impl Call {
    /// Its caller has waited long enough for what would have taken the place of the value that it is given now.
    fn renewal_took_too_long(&self) {
        if let Some(function) = &self.function {
            self.note_failure(function);
        }
    }

    /// What a caller is given who has waited long enough, or for whom nothing comes any more: an older value if one may
    /// be served, else an error. A body that is there goes on.
    fn took_too_long(mut self: Box<Self>, problem: String) -> Waits<Value> {
        self.count_miss();
        let key = self.whole_key();
        let late = Computation::late(self);
        let outcome = if late.is_cached() { How::Miss } else { How::Bypassed };
        Box::pin(async move {
            if late.is_guarded()
                && let Ok((value, how)) = rescued(late).over().await
            {
                context::served(|| how);
                return value;
            }
            served_anew(outcome);
            let problem = match key.function() {
                // A cache that is disabled does not know whom it is called for.
                "" => problem,
                name => format!("`{name}`: {problem}"),
            };
            Value::TookTooLong(Some(Error::new(ErrorKind::Timeout, "call", problem)))
        })
    }
}

/// What makes a body on the thread that runs it.
type Away = Box<dyn FnOnce(&mut dyn FnMut(&mut dyn Body)) + Send>;

/// Has a body run on another thread, while its caller goes on. It takes no place in its scope: the pool is its
/// bound, and one tenant's queue would hold up the renewals of the others.
fn renew(mut renewal: Computation, body: Away) {
    let carried = Carried::here();
    renewal.set_apart();
    renewal.queue();
    pool::submit(move || {
        renewal.take_off();
        carried.run(|| {
            let Start::Compute(computation) = Due::Renew(renewal).start_blocking() else { return };
            let mut computation = Some(computation);
            body(&mut |body| {
                if let Some(computation) = computation.take() {
                    computation.renew(body);
                }
            });
        });
    });
}

impl Computation {
    fn renew(mut self, body: &mut dyn Body) {
        self.begins();
        let computation = &self;
        let run = move || {
            let body = body;
            let _leading = computation.leading();
            body.run()
        };
        let outcome = catch_unwind(AssertUnwindSafe(run));
        match outcome {
            Ok(outcome) => drop(self.finish_blocking(outcome)),
            Err(_) => self.panicked(),
        }
    }
}
