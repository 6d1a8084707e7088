//! The scope that surrounds a call.

use std::future::Future;

use super::layer::{self, Layer};
use crate::key::{KeyPart, KeySink};
use crate::scope::Scope;

/// Runs `f` inside `scope`: functions with `scope = ambient` that it calls, directly or not, are cached there.
///
/// It holds for this thread, until `f` returns or panics; an `in_scope` inside it has precedence while it lasts.
/// A thread that `f` starts begins without a scope, so that its ambient functions compute without caching: give
/// it [`current_scope`].
///
/// A future that `f` returns runs outside of it, without a warning: `in_scope(scope, || fetch()).await` of an
/// `async fn fetch` with `scope = ambient` is not cached, or in the scope around it. Use [`in_scope_async`].
///
/// # Examples
///
/// ```
/// use cacheado::prelude::*;
/// use cacheado::in_scope;
///
/// cacheado::scopes! {
///     pub mod scopes {
///         organization(org_id)
///     }
/// }
///
/// #[cached(ttl = 300, scope = ambient)]
/// fn price(article: u32) -> u32 {
///     article * 3
/// }
///
/// let acme = scopes::organization("acme");
/// in_scope(acme.clone(), || price(7)); // computed
/// in_scope(acme.clone(), || price(7)); // from the cache
/// in_scope(scopes::organization("globex"), || price(7)); // another tenant: computed
/// price(7); // no tenant: computed, and not stored
///
/// assert_eq!((price_cache().stats().hits, price_cache().stats().bypassed), (1, 1));
/// assert_eq!(cacheado::global().evict_by_scope(&acme)?, 1);
/// # Ok::<(), cacheado::Error>(())
/// ```
pub fn in_scope<R>(scope: Scope, f: impl FnOnce() -> R) -> R {
    Layer::Scope(Some(scope)).run(f)
}

/// Runs `future` inside `scope`, wherever it is polled: the scope moves from thread to thread with the task, and
/// is not there while another task runs. See [`in_scope`].
///
/// A task that `future` spawns begins without a scope: wrap it too, with [`current_scope`].
///
/// # Examples
///
/// ```
/// # async fn example() {
/// use cacheado::prelude::*;
/// use cacheado::in_scope_async;
///
/// cacheado::scopes! {
///     pub mod scopes {
///         organization(org_id)
///     }
/// }
///
/// #[cached(ttl = 300, scope = ambient)]
/// async fn price(article: u32) -> u32 {
///     article * 3
/// }
///
/// let acme = scopes::organization("acme");
/// assert_eq!(in_scope_async(acme, async { price(7).await + price(8).await }).await, 45);
/// # }
/// ```
pub async fn in_scope_async<F: Future>(scope: Scope, future: F) -> F::Output {
    Layer::Scope(Some(scope)).run_async(future).await
}

/// The scope that surrounds the call, if [`in_scope`] or [`in_scope_async`] has given one: to hand it on to a
/// thread or a task.
///
/// # Examples
///
/// ```
/// use cacheado::{Scope, current_scope, in_scope};
///
/// assert_eq!(current_scope(), None);
/// let acme: Scope = "organization:acme".parse()?;
/// in_scope(acme.clone(), || assert_eq!(current_scope(), Some(acme)));
/// # Ok::<(), cacheado::scope::ScopeError>(())
/// ```
#[must_use]
pub fn current_scope() -> Option<Scope> {
    layer::scope()
}

/// What `scope = ambient` adds to a key: the scope that surrounds the call, or that there is none.
#[derive(Debug)]
pub struct AmbientScope(Option<Scope>);

impl AmbientScope {
    /// That of this call.
    #[must_use]
    pub fn now() -> Self {
        Self(layer::scope())
    }

    /// The scope.
    #[must_use]
    pub fn scope(self) -> Option<Scope> {
        self.0
    }
}

impl KeyPart for AmbientScope {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        let Some(scope) = &self.0 else { return sink.none() };
        sink.some();
        sink.sequence(scope.depth());
        for (level, value) in scope.levels() {
            sink.tuple(2);
            sink.text(level);
            sink.text(value);
        }
    }
}
