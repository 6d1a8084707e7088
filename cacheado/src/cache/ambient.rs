//! The global cache, and the one that `with_cache` puts in its place.

use std::future::Future;
use std::sync::OnceLock;

use super::{AsCache, Cache};
use crate::Result;
use crate::context::{self, Layer};
use crate::error::{Error, ErrorKind};

static GLOBAL: OnceLock<Cache> = OnceLock::new();
static DEFAULT: OnceLock<Cache> = OnceLock::new();

/// The cache of the annotated functions that name none: the one of [`set_global`], or a `Cache::new()`. It is the same
/// inside [`with_cache`], which has another in its place for what is called there.
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
/// Functions with `cache = …` are not concerned. A future that `f` returns runs outside of it:
/// `with_cache(&cache, || fetch()).await` of an `async fn fetch` uses the global cache, without a warning. Use
/// [`with_cache_async`].
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
    Layer::Cache(Some(cache.clone())).run(f)
}

/// Runs `future` with `cache` in the place of the global one, wherever it is polled.
///
/// What it returns does not borrow `cache`, so that a task can be spawned with it:
/// `tokio::spawn(with_cache_async(&cache, work()))`.
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
pub fn with_cache_async<F: Future>(cache: &Cache, future: F) -> impl Future<Output = F::Output> + use<F> {
    let mut layer = Layer::Cache(Some(cache.clone()));
    async move { layer.run_async(future).await }
}

/// The cache of a call, and whether something may surround the call that concerns it.
pub trait CallCache: AsCache {
    /// Whether the call is to look at its surroundings: how it is to be served, and who wants to know how it was.
    fn is_surrounded(&self) -> bool;
}

/// The cache of a call that names none.
#[derive(Debug)]
pub enum Ambient {
    /// The global one; nothing surrounds a call in this process.
    Global(&'static Cache),
    /// That of the surroundings if they have one, else the global one.
    Surrounding(Option<Cache>),
}

impl AsCache for Ambient {
    #[inline]
    fn as_cache(&self) -> &Cache {
        match self {
            Self::Global(cache) => cache,
            Self::Surrounding(cache) => cache.as_ref().unwrap_or_else(|| global()),
        }
    }
}

impl CallCache for Ambient {
    #[inline]
    fn is_surrounded(&self) -> bool {
        matches!(self, Self::Surrounding(_))
    }
}

impl CallCache for &Cache {
    #[inline]
    fn is_surrounded(&self) -> bool {
        context::is_any()
    }
}

/// The cache of a call that names none.
#[inline]
#[must_use]
pub fn ambient() -> Ambient {
    if context::is_any() { Ambient::Surrounding(context::cache()) } else { Ambient::Global(global()) }
}

/// The cache of a call that names one.
#[inline]
pub fn explicit<C: AsCache + ?Sized>(cache: &C) -> &Cache {
    cache.as_cache()
}
