//! Statistics of a cache, whole and in parts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cacheado_backends::contract::Group;

use super::{Cache, Inner};
use crate::engine::scope_label;
use crate::error::{Error, Result};
use crate::function::AnyFunction;
use crate::remote::{Operation, Remote, Reply, Request, scope_group};
use crate::scope::Scope;
use crate::stats::Stats;

/// The name under which keys of the caller's own stand in [`Cache::stats_by_function`].
const PROGRAMMATIC: &str = "(keys)";

/// How many live entries the backend has, in a group or altogether.
pub(crate) fn count_there(
    remote: &Arc<Remote>,
    group: Option<Group>,
    verb: &'static str,
) -> Operation<'static, u64> {
    Operation::asks(remote, Request::Count { group }, move |answer| {
        answer.and_then(Reply::count).map_err(Error::of(verb))
    })
}

/// What statistics say of that: zero if the backend does not tell.
pub(crate) fn told(counted: Result<u64>) -> u64 {
    counted.unwrap_or_else(|error| {
        tracing::debug!(target: "cacheado", %error, "the backend does not say how many entries it has");
        0
    })
}

impl Inner {
    fn count_by_scope(self: &Arc<Self>, scope: &Scope) -> Operation<'static, u64> {
        let group = scope_group(scope);
        let here = if group.is_some() {
            self.store.count_label(&scope_label(scope))
        } else {
            self.store.sweep(usize::MAX);
            self.store.len() as u64
        };
        match &self.remote {
            None => Operation::ready(here),
            Some(remote) => count_there(remote, group, "count_by_scope").map(move |there| there + here),
        }
    }
}

impl Cache {
    /// What the cache has counted since it was made or last cleared. Entries whose time is over are removed
    /// first, so that they are not counted.
    ///
    /// Over a remote backend the other figures are this process's own; `total_keys` is the backend's, which is
    /// asked while this thread waits, and zero if it cannot be reached.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats_here();
        if let Some(remote) = &self.inner().remote {
            stats.total_keys += told(count_there(remote, None, "stats").block());
        }
        stats
    }

    /// [`stats`](Self::stats), for async code: the backend is asked without blocking, as for the metrics of a server.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn example() {
    /// let cache = cacheado::Cache::new();
    /// assert_eq!(cache.stats_async().await, cache.stats());
    /// # }
    /// ```
    pub async fn stats_async(&self) -> Stats {
        let mut stats = self.stats_here();
        if let Some(remote) = &self.inner().remote {
            stats.total_keys += told(count_there(remote, None, "stats").wait().await);
        }
        stats
    }

    /// All of it but what the backend keeps.
    fn stats_here(&self) -> Stats {
        let inner = self.inner();
        let mut stats = Stats { storage_type: inner.storage(), ..Stats::default() };
        for part in self.by(|_| ()).into_values() {
            stats += &part;
        }
        stats.storage_type = inner.storage();
        if let Some(remote) = &inner.remote {
            stats.evictions += remote.evictions.load(Ordering::Relaxed);
        }
        stats.rule_panics = self.inner().pipeline.panics().load(Ordering::Relaxed);
        stats
    }

    /// How many live entries there are in a scope and all below it, of every function and every key of your own: what
    /// [`evict_by_scope`](Self::evict_by_scope) would evict now. Costs what the scope holds.
    ///
    /// In memory, these are the entries of this process. Over a remote backend they are the backend's, which processes
    /// share, and those that this one keeps to itself (`local`); copies in a near cache are not counted again. Entries
    /// that are past their time and kept for `stale` or `stale_if_error` count, as in `total_keys`.
    ///
    /// # Errors
    ///
    /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend).
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado::{Cache, Scope, Ttl};
    ///
    /// let cache = Cache::new();
    /// let [acme, ada] = ["organization:acme", "organization:acme/user:ada"].map(|text| text.parse::<Scope>());
    /// let (acme, ada) = (acme?, ada?);
    /// cache.scoped(ada).set("theme", &"dark".to_owned(), Ttl::Never)?;
    /// assert_eq!(cache.count_by_scope(&acme)?, 1);
    /// assert_eq!(cache.evict_by_scope(&acme)?, 1);
    /// assert_eq!(cache.count_by_scope(&acme)?, 0);
    /// # Ok::<(), cacheado::Error>(())
    /// ```
    pub fn count_by_scope(&self, scope: &Scope) -> Result<u64> {
        self.inner().count_by_scope(scope).block()
    }

    /// [`count_by_scope`](Self::count_by_scope), for async code.
    ///
    /// # Errors
    ///
    /// Those of `count_by_scope`.
    pub async fn count_by_scope_async(&self, scope: &Scope) -> Result<u64> {
        self.inner().count_by_scope(scope).wait().await
    }

    /// The same as [`stats`](Self::stats) for each function, by the name that its keys carry; keys of your own under `"(keys)"`. Remote
    /// entries are not counted in `total_keys`, and what evictions by scope or tag, and
    /// [`clear`](Self::clear), have removed of them not in `evictions`: the backend does not say whose they were.
    #[must_use]
    pub fn stats_by_function(&self) -> BTreeMap<String, Stats> {
        self.by(|function| {
            let identity = &function.shared().identity;
            if identity.is_programmatic() { PROGRAMMATIC.to_owned() } else { identity.name.to_string() }
        })
    }

    /// The same for each level of scope, `"global"` among them. What is not counted there is not here.
    #[must_use]
    pub fn stats_by_scope_level(&self) -> BTreeMap<String, Stats> {
        self.by(|function| function.shared().level.to_string())
    }

    fn by<N: Ord>(&self, name: impl Fn(&dyn AnyFunction) -> N) -> BTreeMap<N, Stats> {
        self.inner().store.sweep(usize::MAX);
        let mut parts = BTreeMap::<N, Stats>::new();
        for function in self.inner().registry.all() {
            *parts.entry(name(&*function)).or_default() += &function.stats();
        }
        parts
    }
}
