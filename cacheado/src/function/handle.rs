//! What `<fn>_cache()` returns: the function's own part of a cache.

use std::fmt;
use std::sync::Arc;

use cacheado_backends::contract::Group;

use super::site::Site;
use super::{AnyFunction, without_arguments};
use crate::Result;
use crate::cache::{Cache, count_there, told};
use crate::remote::{Operation, Remote, function_group};
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
    /// The number of the site.
    site: u32,
    version: u32,
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
    pub(crate) fn new(site: &Site, cache: Cache, path: &str) -> Self {
        let path = without_arguments(path);
        let (number, version) = (site.enrol(), site.version_number());
        Self { cache, site: number, version, name: site.identity(&path).into(), path: path.into() }
    }

    /// Evicts all entries of the function. How many live ones went. After it has returned, nothing is
    /// served whose computation began before.
    ///
    /// # Errors
    ///
    /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend): then entries may still be there.
    pub fn evict_all(&self) -> Result<u64> {
        self.eviction().block()
    }

    /// What the function has counted in this cache since it was last cleared. Over a remote backend the thread waits for
    /// `total_keys`, as in [`Cache::stats`].
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (mut stats, remote) = self.stats_here();
        if let Some(remote) = remote {
            stats.total_keys += told(count_there(&remote, Some(self.group()), "stats").block());
        }
        stats
    }

    /// [`stats`](Self::stats), for async code: the backend is asked without blocking.
    pub async fn stats_async(&self) -> Stats {
        let (mut stats, remote) = self.stats_here();
        if let Some(remote) = remote {
            stats.total_keys += told(count_there(&remote, Some(self.group()), "stats").wait().await);
        }
        stats
    }

    /// All of it but what the backend keeps, and the backend, if it may keep something.
    fn stats_here(&self) -> (Stats, Option<Arc<Remote>>) {
        let inner = self.cache.inner();
        inner.store.sweep(usize::MAX);
        let mut stats = Stats::default();
        let instances = self.instances();
        for function in &instances {
            stats += &function.stats();
        }
        // Not called yet in this process, it may have entries of others'.
        let unknown = inner.remote.as_ref().filter(|_| instances.is_empty());
        let remote = instances.iter().find_map(|function| function.remote()).or(unknown);
        if let Some(remote) = remote {
            stats.storage_type = remote.name();
        } else if instances.is_empty() {
            stats.storage_type = inner.storage();
        }
        let remote = remote.map(Arc::clone);
        (stats, remote)
    }

    fn group(&self) -> Group {
        function_group(&self.name, self.version)
    }

    /// The name that keys carry: `name = …`, or crate, module, type and function, without generic arguments.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn eviction(&self) -> Operation<'static, u64> {
        let instances = self.instances();
        let here = move |instances: Vec<Arc<dyn AnyFunction>>| {
            instances.iter().map(|function| function.evict_all()).sum()
        };
        if !instances.is_empty() && instances.iter().all(|function| function.remote().is_none()) {
            return Operation::ready(here(instances));
        }
        let (version, function) = (self.version, self.clone());
        // The instances that there are once the backend has answered: one may be called for the first time
        // meanwhile, and keep a copy.
        let here = move || {
            let instances = function.instances();
            let remote = instances.iter().find(|instance| instance.remote().is_some()).cloned();
            (here(instances), remote)
        };
        self.cache.inner().evict_function(&self.name, version, here)
    }

    fn instances(&self) -> Vec<Arc<dyn AnyFunction>> {
        self.cache.inner().registry.of_site(self.site, &self.path)
    }
}

impl AsyncFunctionCache {
    pub(crate) fn new(site: &Site, cache: Cache, path: &str) -> Self {
        Self(FunctionCache::new(site, cache, path))
    }

    /// Evicts all entries of the function. See [`FunctionCache::evict_all`].
    ///
    /// # Errors
    ///
    /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend): then entries may still be there.
    pub async fn evict_all(&self) -> Result<u64> {
        self.0.eviction().wait().await
    }

    /// What the function has counted in this cache since it was last cleared. See [`FunctionCache::stats`].
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// [`stats`](Self::stats) without blocking. See [`FunctionCache::stats_async`].
    pub async fn stats_async(&self) -> Stats {
        self.0.stats_async().await
    }

    /// The name that keys carry: `name = …`, or crate, module, type and function, without generic arguments.
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
