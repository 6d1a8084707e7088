//! What `<fn>_cache()` returns: the function's own part of a cache.

#![expect(clippy::unused_async, reason = "memory does no I/O; a remote backend will")]

use std::fmt;
use std::sync::Arc;

use super::site::Site;
use super::{AnyFunction, without_arguments};
use crate::Result;
use crate::cache::Cache;
use crate::stats::Stats;

/// A sync function's own part of a cache: all its entries, of all instances if it is generic.
///
/// # Examples
///
/// ```
/// use cacheado::prelude::*;
///
/// #[cached(ttl = 300)]
/// fn area(w: u64, h: u64) -> u64 {
///     w * h
/// }
///
/// area(3, 4);
/// area(3, 4);
/// assert_eq!(area_cache().stats().hits, 1);
/// assert_eq!(area_cache().evict_all()?, 1);
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a handle does nothing by itself"]
pub struct FunctionCache {
    cache: Cache,
    site: &'static Site,
    name: Arc<str>,
    /// The function's path, without generic arguments: one macro can write functions of several types in
    /// one place.
    path: Arc<str>,
}

/// An async function's own part of a cache. See [`FunctionCache`].
#[derive(Clone, Debug)]
#[must_use = "a handle does nothing by itself"]
pub struct AsyncFunctionCache(FunctionCache);

impl FunctionCache {
    pub(crate) fn new(site: &'static Site, cache: Cache, path: &str) -> Self {
        Self { cache, site, name: site.display_name().into(), path: without_arguments(path).into() }
    }

    /// Evicts all entries of the function. How many live ones went. After it has returned, nothing is
    /// served whose computation began before.
    ///
    /// # Errors
    ///
    /// In memory, none.
    pub fn evict_all(&self) -> Result<u64> {
        Ok(self.instances().iter().map(|function| function.evict_all()).sum())
    }

    /// What the function has counted in this cache since it was last cleared.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.cache.inner().store.sweep(usize::MAX);
        let mut stats = Stats { storage_type: crate::cache::IN_MEMORY, ..Stats::default() };
        for function in self.instances() {
            stats += &function.stats();
        }
        stats
    }

    /// `name = …`, or crate, module and function.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn instances(&self) -> Vec<Arc<dyn AnyFunction>> {
        self.cache.inner().registry.of_site(self.site.enrol(), &self.path)
    }
}

impl AsyncFunctionCache {
    pub(crate) fn new(site: &'static Site, cache: Cache, path: &str) -> Self {
        Self(FunctionCache::new(site, cache, path))
    }

    /// Evicts all entries of the function. See [`FunctionCache::evict_all`].
    ///
    /// # Errors
    ///
    /// In memory, none.
    pub async fn evict_all(&self) -> Result<u64> {
        self.0.evict_all()
    }

    /// What the function has counted in this cache since it was last cleared.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// `name = …`, or crate, module and function.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }
}

impl fmt::Debug for FunctionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionCache").field("name", &self.name).finish_non_exhaustive()
    }
}
