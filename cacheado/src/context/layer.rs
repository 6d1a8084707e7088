//! The surroundings of a thread, and the layers that change them.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::{Mode, Served};
use crate::cache::Cache;
use crate::hot::HOT;
use crate::scope::Scope;

thread_local! {
    static SURROUNDINGS: RefCell<Surroundings> = const { RefCell::new(Surroundings::none()) };
}

struct Surroundings {
    cache: Option<Cache>,
    scope: Option<Scope>,
    mode: Mode,
    /// How the last call was served, where somebody wants to know.
    served: Option<Served>,
}

impl Surroundings {
    const fn none() -> Self {
        Self { cache: None, scope: None, mode: Mode::Usual, served: None }
    }
}

/// One part of the surroundings: what it is to be while the layer is off, what it was while it is on.
pub(crate) enum Layer {
    Cache(Option<Cache>),
    Scope(Option<Scope>),
    Mode(Mode),
    Served(Option<Served>),
}

impl Layer {
    /// What goes with a body that is run elsewhere: cache and scope.
    pub(crate) fn carried() -> [Self; 2] {
        [Self::Cache(cache()), Self::Scope(scope())]
    }

    /// Runs `f` with the layer on.
    pub(crate) fn run<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let _on = On::put(self);
        f()
    }

    /// Runs `future` with the layer on, wherever it is polled, and then dropped.
    pub(crate) async fn run_async<F: Future>(&mut self, future: F) -> F::Output {
        within(self, future).await
    }

    /// Whether it would change nothing, which spares the calls of other threads the look at their surroundings.
    pub(super) fn is_needless(&self) -> bool {
        matches!(self, Self::Cache(None)) && !(is_any() && cache().is_some())
    }

    fn concerns_every_call(&self) -> bool {
        !matches!(self, Self::Scope(_))
    }

    /// Exchanges what the thread has with what the layer has. Nothing is dropped, so no code of the user's runs.
    fn swap(&mut self) {
        // Fails while the thread ends, when no call asks for its surroundings any more.
        let _ = SURROUNDINGS.try_with(|surroundings| {
            let surroundings = &mut *surroundings.borrow_mut();
            match self {
                Self::Cache(cache) => mem::swap(cache, &mut surroundings.cache),
                Self::Scope(scope) => mem::swap(scope, &mut surroundings.scope),
                Self::Mode(mode) => mem::swap(mode, &mut surroundings.mode),
                Self::Served(served) => mem::swap(served, &mut surroundings.served),
            }
        });
    }
}

impl Around for Layer {
    fn around<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.run(f)
    }
}

/// What can be put around some code.
pub(super) trait Around {
    fn around<R>(&mut self, f: impl FnOnce() -> R) -> R;
}

/// Runs `future` with this around it, wherever it is polled, and where it is dropped once it has been: what its variables
/// call then.
pub(super) async fn within<F: Future>(around: &mut impl Around, future: F) -> F::Output {
    let mut within = Within { around, future: pin!(Some(future)) };
    poll_fn(|context| within.poll(context)).await
}

struct Within<'a, 'f, A: Around, F> {
    around: &'a mut A,
    future: Pin<&'f mut Option<F>>,
}

impl<A: Around, F: Future> Within<'_, '_, A, F> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<F::Output> {
        // It is there until this is dropped.
        let Some(future) = self.future.as_mut().as_pin_mut() else { return Poll::Pending };
        self.around.around(|| future.poll(context))
    }
}

impl<A: Around, F> Drop for Within<'_, '_, A, F> {
    fn drop(&mut self) {
        self.around.around(|| self.future.set(None));
    }
}

/// While it lives, the layer is on. A panic takes it off as well.
pub(super) struct On<'l>(&'l mut Layer);

impl<'l> On<'l> {
    pub(super) fn put(layer: &'l mut Layer) -> Self {
        if layer.concerns_every_call() {
            HOT.layers.fetch_add(1, Ordering::Relaxed);
        }
        layer.swap();
        Self(layer)
    }
}

impl Drop for On<'_> {
    fn drop(&mut self) {
        self.0.swap();
        if self.0.concerns_every_call() {
            HOT.layers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Whether there may be a layer on this thread that concerns every call: one load, for the hit path. A thread
/// sees the layers of its own in any case.
#[inline]
pub(crate) fn is_any() -> bool {
    HOT.layers.load(Ordering::Relaxed) > 0
}

fn look<T>(at: impl FnOnce(&mut Surroundings) -> Option<T>) -> Option<T> {
    SURROUNDINGS.try_with(|surroundings| at(&mut surroundings.borrow_mut())).ok().flatten()
}

/// Whether the surroundings say how calls are to be served, or want to know how they were.
pub(crate) fn is_asked() -> bool {
    look(|surroundings| (surroundings.mode != Mode::Usual || surroundings.served.is_some()).then_some(()))
        .is_some()
}

/// The cache in the place of the global one.
#[cold]
#[inline(never)]
pub(crate) fn cache() -> Option<Cache> {
    look(|surroundings| surroundings.cache.clone())
}

/// The scope that surrounds the call.
pub(super) fn scope() -> Option<Scope> {
    look(|surroundings| surroundings.scope.clone())
}

/// How calls are to be served.
pub(super) fn mode() -> Mode {
    look(|surroundings| Some(surroundings.mode)).unwrap_or_default()
}

/// Whether somebody wants to know how the calls of this thread are served.
pub(super) fn is_observed() -> bool {
    look(|surroundings| surroundings.served.map(drop)).is_some()
}

/// Writes down how a call was served.
pub(super) fn write_down(served: Served) {
    let _ = look(|surroundings| surroundings.served.replace(served));
}
