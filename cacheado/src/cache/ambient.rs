//! The global cache, and the one that `with_cache` puts in its place.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{AsCache, Cache};
use crate::Result;
use crate::error::{Error, ErrorKind};

static GLOBAL: OnceLock<Cache> = OnceLock::new();
static DEFAULT: OnceLock<Cache> = OnceLock::new();

/// How many `with_cache` are under way in the process: while there is none, a hit looks no further.
static SUBSTITUTES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SUBSTITUTE: RefCell<Option<Cache>> = const { RefCell::new(None) };
}

/// The cache of the annotated functions that name none: the one of [`set_global`], or a `Cache::new()`.
#[inline]
#[must_use]
pub fn global() -> &'static Cache {
    match GLOBAL.get() {
        Some(cache) => cache,
        None => DEFAULT.get_or_init(Cache::new),
    }
}

/// Makes `cache` the global one, once, at the start of the program.
///
/// What was cached before, in the default cache, is not found any more.
///
/// # Errors
///
/// [`ErrorKind::AlreadySet`] if it has been called before.
pub fn set_global(cache: Cache) -> Result<()> {
    GLOBAL
        .set(cache)
        .map_err(|_| Error::new(ErrorKind::AlreadySet, "set_global", "the global cache is set already"))
}

/// Runs `f` with `cache` in the place of the global one, on this thread. For tests and tenants.
///
/// Functions with `cache = …` are not concerned.
///
/// # Examples
///
/// ```
/// use cacheado::{Cache, cached, with_cache};
///
/// #[cached]
/// fn double(n: u32) -> u32 {
///     n * 2
/// }
///
/// let cache = Cache::new();
/// assert_eq!(with_cache(&cache, || double(21)), 42);
/// assert_eq!(cache.stats().total_keys, 1);
/// ```
pub fn with_cache<R>(cache: &Cache, f: impl FnOnce() -> R) -> R {
    let _substituted = Substituted::by(cache);
    f()
}

/// Runs `future` with `cache` in the place of the global one, wherever it is polled.
///
/// # Examples
///
/// ```
/// # async fn example() {
/// use cacheado::{Cache, cached, with_cache_async};
///
/// #[cached]
/// async fn double(n: u32) -> u32 {
///     n * 2
/// }
///
/// let cache = Cache::new();
/// assert_eq!(with_cache_async(&cache, double(21)).await, 42);
/// assert_eq!(cache.stats().total_keys, 1);
/// # }
/// ```
pub async fn with_cache_async<F: Future>(cache: &Cache, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _substituted = Substituted::by(cache);
        future.as_mut().poll(context)
    })
    .await
}

/// While it lives, this thread has a substitute for the global cache.
struct Substituted {
    before: Option<Cache>,
}

impl Substituted {
    fn by(cache: &Cache) -> Self {
        SUBSTITUTES.fetch_add(1, Ordering::Relaxed);
        Self { before: SUBSTITUTE.replace(Some(cache.clone())) }
    }
}

impl Drop for Substituted {
    fn drop(&mut self) {
        let substitute = SUBSTITUTE.replace(self.before.take());
        SUBSTITUTES.fetch_sub(1, Ordering::Relaxed);
        drop(substitute);
    }
}

/// What `with_cache` has put in the place of the global cache on this thread.
pub(crate) fn substitute() -> Option<Cache> {
    SUBSTITUTE.with_borrow(Clone::clone)
}

/// The cache of a call that names none.
#[derive(Debug)]
pub enum Ambient {
    /// The global one.
    Global(&'static Cache),
    /// A substitute.
    Substitute(Cache),
}

impl AsCache for Ambient {
    #[inline]
    fn as_cache(&self) -> &Cache {
        match self {
            Self::Global(cache) => cache,
            Self::Substitute(cache) => cache,
        }
    }
}

/// The cache of a call that names none.
#[inline]
#[must_use]
pub fn ambient() -> Ambient {
    if SUBSTITUTES.load(Ordering::Relaxed) > 0
        && let Some(cache) = SUBSTITUTE.with_borrow(Clone::clone)
    {
        return Ambient::Substitute(cache);
    }
    Ambient::Global(global())
}

/// The cache of a call that names one.
#[inline]
pub fn explicit<C: AsCache + ?Sized>(cache: &C) -> &Cache {
    cache.as_cache()
}
