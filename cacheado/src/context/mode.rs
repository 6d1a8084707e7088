//! How the calls inside are to be served: from the cache, past it, or anew.

use std::future::Future;

use super::layer::{self, Layer};

/// How calls are to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// From the cache, if it has the value.
    #[default]
    Usual,
    /// By the body; nothing is read or stored.
    Bypass,
    /// By the body, which overwrites what is stored.
    Refresh,
}

impl Mode {
    /// That of a call on this thread.
    pub(crate) fn now() -> Self {
        if layer::is_any() { layer::mode() } else { Self::Usual }
    }
}

/// Runs `f` past the cache: every annotated function that it calls, directly or not, runs its body; nothing is
/// read from a cache and nothing stored. Each such call is counted as `bypassed`.
///
/// It concerns annotated functions, `<fn>_entry(…).get()` and [`Cache::get_or_compute`](crate::Cache::get_or_compute)
/// on this thread. What says by its name what it does (`get`, `set`, `peek`, `evict`, and `refresh` of an entry) does
/// it here, too. Of a [`bypass`] and a [`refresh`] inside each other, the inner one counts.
///
/// Calls do not wait for each other in here: there is no single flight.
///
/// A future that `f` returns runs outside of it: `bypass(|| fetch()).await` of an `async fn fetch` is a call as any
/// other, without a warning. Use [`bypass_async`].
///
/// # Examples
///
/// ```
/// use cacheado::{bypass, cached};
///
/// #[cached(ttl = 300)]
/// fn area(w: u64, h: u64) -> u64 {
///     w * h
/// }
///
/// assert_eq!(bypass(|| area(3, 4)), 12);
/// assert_eq!(area_entry(3, 4).peek()?, None);
/// assert_eq!(area_cache().stats().bypassed, 1);
/// # Ok::<(), cacheado::Error>(())
/// ```
pub fn bypass<R>(f: impl FnOnce() -> R) -> R {
    Layer::Mode(Mode::Bypass).run(f)
}

/// [`bypass`] for a future, wherever it is polled. What it spawns is not concerned.
///
/// # Examples
///
/// ```
/// # async fn example() {
/// use cacheado::{bypass_async, cached};
///
/// #[cached(ttl = 300)]
/// async fn area(w: u64, h: u64) -> u64 {
///     w * h
/// }
///
/// assert_eq!(bypass_async(area(3, 4)).await, 12);
/// # }
/// ```
pub async fn bypass_async<F: Future>(future: F) -> F::Output {
    Layer::Mode(Mode::Bypass).run_async(future).await
}

/// Runs `f` for fresh values: every annotated function that it calls, **directly or not**, runs its body and
/// overwrites what is stored, as a browser's reload with `Cache-Control: no-cache` goes through every cache on the
/// way.
///
/// That a body inside is given fresh values too is the point: a page refreshed from parts that are old would be old.
/// It has its price: a function that is called three times in here computes three times, and a recursive one
/// computes every step. To refresh one call alone, write `<fn>_entry(…).refresh()`.
///
/// What it concerns, and what it does not, is the same as with [`bypass`]. A call in here waits for nobody's
/// computation, which may have begun before. Each is counted as a miss.
///
/// A future that `f` returns runs outside of it: `refresh(|| fetch()).await` of an `async fn fetch` is a call as any
/// other, without a warning. Use [`refresh_async`].
///
/// # Examples
///
/// ```
/// use cacheado::{cached, refresh};
///
/// #[cached(ttl = 300)]
/// fn area(w: u64, h: u64) -> u64 {
///     w * h
/// }
///
/// area_entry(3, 4).set(13)?;
/// assert_eq!(area(3, 4), 13);
/// assert_eq!(refresh(|| area(3, 4)), 12);
/// assert_eq!(area(3, 4), 12);
/// # Ok::<(), cacheado::Error>(())
/// ```
pub fn refresh<R>(f: impl FnOnce() -> R) -> R {
    Layer::Mode(Mode::Refresh).run(f)
}

/// [`refresh`] for a future, wherever it is polled. What it spawns is not concerned.
///
/// # Examples
///
/// ```
/// # async fn example() {
/// use cacheado::{cached, refresh_async};
///
/// #[cached(ttl = 300)]
/// async fn area(w: u64, h: u64) -> u64 {
///     w * h
/// }
///
/// assert_eq!(refresh_async(area(3, 4)).await, 12);
/// # }
/// ```
pub async fn refresh_async<F: Future>(future: F) -> F::Output {
    Layer::Mode(Mode::Refresh).run_async(future).await
}
