//! What a cache is made of.

use std::sync::Arc;
use std::time::Duration;

use std::any::Any;

use cacheado_backends::contract::{BoxFuture, FILL_WINDOW, Tier};
use cacheado_backends::memory::{Limits, Shares};
use cacheado_backends::{Backend, Clock, Memory};

use super::{Cache, Inner, Registry};
use crate::Result;
use crate::engine::limit::Limiter;
use crate::error::{Error, ErrorKind};
use crate::function::SiteTable;
use crate::remote::{Background, Remote, Settings};
use crate::rules::{Pipeline, Rule};
use crate::scope::{GLOBAL, Scope, ScopeTree};

/// Says what a [`Cache`] is made of.
///
/// # Examples
///
/// ```
/// use cacheado::Cache;
/// use cacheado::backends::Memory;
/// use cacheado::rules::{Lru, TtlRule};
/// use std::time::Duration;
///
/// let cache = Cache::builder()
///     .backend(Memory::new())
///     .rule(Lru::new(1_000))
///     .rule(TtlRule::new())
///     .default_ttl(Duration::from_secs(60))
///     .build()?;
/// # let _ = cache;
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct CacheBuilder {
    memory: Memory,
    tier: Option<Arc<dyn Tier>>,
    settings: Settings,
    clock: Clock,
    limits: Limits,
    pipeline: Pipeline,
    default_ttl: Option<Duration>,
    computations: Vec<(Arc<str>, usize)>,
    trees: Vec<ScopeTree>,
}

impl CacheBuilder {
    /// Where entries are kept: a [`Memory`], or a remote backend, which several processes can share. Left out:
    /// in memory, without bounds.
    ///
    /// Values without serde, and those of `local` functions, stay in this process all the same.
    pub fn backend(mut self, backend: impl Backend) -> Self {
        let any: &dyn Any = &backend;
        if let Some(memory) = any.downcast_ref::<Memory>() {
            (self.memory, self.tier) = (memory.clone(), None);
        } else {
            self.tier = Some(Arc::new(backend).tier());
        }
        self
    }

    /// Keeps copies of remote values in this process, within the bounds of `memory`: a hit on one costs what a
    /// hit in memory does.
    ///
    /// Other nodes' evictions reach the copies over the backend's bus, at once. A notice that is lost with a
    /// connection costs at most [`near_ttl`](Self::near_ttl).
    pub fn near(mut self, memory: Memory) -> Self {
        self.settings.near = Some(memory);
        self
    }

    /// The longest life of a copy, and so the bound on how stale one can be where the backend has no bus, or
    /// cannot be reached. Left out: 30 seconds. A copy never outlives its entry.
    pub fn near_ttl(mut self, ttl: Duration) -> Self {
        self.settings.near_ttl = ttl;
        self
    }

    /// After `outages` failures in a row to reach the backend, calls go on without it for `pause`; then one of
    /// them tries again. Left out: three, and a second; at least one failure. What a caller has given up after a
    /// quarter of a second without an answer is a failure, too: one, however many operations it gives up at a time, and
    /// none where the server has answered another meanwhile. Times are read from the cache's [`clock`](Self::clock).
    pub fn breaker(mut self, outages: u32, pause: Duration) -> Self {
        self.settings.breaker = (outages, pause);
        self
    }

    /// The most bytes that a value may have as it is stored remotely: a larger one is not stored, and not
    /// read. Left out: 16 MiB; at least one byte.
    pub fn max_value_size(mut self, bytes: usize) -> Self {
        self.settings.max_value_size = bytes;
        self
    }

    /// How long a function with `single_flight = "distributed"` may take before another process computes, too:
    /// the bound on how long one that has died holds up the others. No call waits for others longer than twice
    /// as long. Left out: ten seconds; at most ten minutes. A backend without leases needs none.
    pub fn lease(mut self, time: Duration) -> Self {
        self.settings.lease = time;
        self
    }

    /// Runs what the cache does by itself by `spawn`, such as `tokio::spawn` within a runtime: listening to other
    /// nodes' evictions, giving up announcements of fills, what rules have left to be done. Left out: by a
    /// thread for I/O, which is started on its first use. A task that is dropped is not done; entries then
    /// stay correct, and copies last as long as they do without a bus, until a later call listens again.
    ///
    /// A test that passes an executor of its own decides when each of these steps is taken. Sync verbs wait for
    /// the thread for I/O all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado::Cache;
    /// use cacheado::backends::{Memory, SharedMemory};
    ///
    /// let runtime = tokio::runtime::Runtime::new()?;
    /// let handle = runtime.handle().clone();
    /// let cache = Cache::builder()
    ///     .backend(SharedMemory::new())
    ///     .near(Memory::new())
    ///     .background(move |task| drop(handle.spawn(task)))
    ///     .build()?;
    /// runtime.block_on(cache.set_async("answer", &42, cacheado::Ttl::Never))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn background(mut self, spawn: impl Fn(BoxFuture<'static, ()>) + Send + Sync + 'static) -> Self {
        self.settings.background = Background::by(spawn);
        self
    }

    /// Adds a rule after those that there are. Of two `Lru`, two `Adaptive` or two `MaxItems` the tighter holds.
    pub fn rule(mut self, rule: impl Rule) -> Self {
        self.pipeline.add(rule, &mut self.limits);
        self
    }

    /// How long entries live whose function has no `ttl`, and those stored with
    /// [`Ttl::Default`](crate::Ttl::Default). Left out: for ever.
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.default_ttl = Some(ttl);
        self
    }

    /// At most `n` bodies at the same time in each scope of this level, with what is below it: others wait for their
    /// turn, first come first served, threads by blocking and tasks without. Other scopes go on, and so do hits.
    /// Left out: as many as there are callers.
    ///
    /// `level` is the name of a level, such as `"organization"`; another call adds another level, and for the same
    /// one the last counts. Calls outside of such a scope have no bound by it. A level in which nothing is ever called
    /// bounds nothing: [`scopes`](Self::scopes) says which levels there are, so that one that is misspelt is an error.
    ///
    /// What is called inside a bounded body on the same thread or task is part of it, and neither waits nor counts:
    /// a body may call cached functions, itself among them. A body that **spawns** such a call and waits for it can
    /// wait for its own place. Threads do not wait for tasks, so that of each there can be `n`. A caller that is
    /// cancelled leaves the queue. `<fn>_entry(…).bypass()` has no bound.
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado::Cache;
    /// use cacheado::backends::Memory;
    ///
    /// let cache = Cache::builder()
    ///     .backend(Memory::builder().max_items_per_scope("organization", 10_000).build())
    ///     .max_computations_per_scope("organization", 8)
    ///     .build()?;
    /// # let _ = cache;
    /// # Ok::<(), cacheado::Error>(())
    /// ```
    pub fn max_computations_per_scope(mut self, level: impl Into<Arc<str>>, n: usize) -> Self {
        let level = level.into();
        self.computations.retain(|(other, _)| *other != level);
        self.computations.push((level, n));
        self
    }

    /// The levels that there are, such as those of `scopes::tree()`: a bound on scopes of another level, which would bound
    /// nothing, is then an error. Another call adds the levels of another tree. It changes nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado::prelude::*;
    ///
    /// cacheado::scopes! {
    ///     mod scopes {
    ///         organization(org_id) { user(user_id) }
    ///     }
    /// }
    ///
    /// let builder = || Cache::builder().scopes(scopes::tree());
    /// assert!(builder().max_computations_per_scope("organization", 8).build().is_ok());
    /// assert!(builder().max_computations_per_scope("organisation", 8).build().is_err());
    /// ```
    pub fn scopes(mut self, tree: &ScopeTree) -> Self {
        self.trees.push(tree.clone());
        self
    }

    /// The clock that expiries and pauses are read from, such as a
    /// [`ManualClock`](crate::testing::ManualClock) in a test. Left out: the system's.
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Opens the cache.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if `default_ttl`, `near_ttl` or `max_value_size` is zero, so that nothing would ever
    /// be stored, if `lease`, `max_computations_per_scope` or the failures of `breaker` are, if `lease` is longer than
    /// ten minutes, if there is a near cache with nothing that it would be near to, and if a bound is one of scopes of a
    /// level that there is not, which is one that no [tree](Self::scopes) has, where any is given, and always the root.
    pub fn build(self) -> Result<Cache> {
        let problem = self.problem().map(str::to_owned).or_else(|| self.unknown_level());
        match problem {
            Some(problem) => Err(Error::new(ErrorKind::Configuration, "build", problem)),
            None => Ok(self.open(false)),
        }
    }

    /// The first bound on a level that there is not.
    fn unknown_level(&self) -> Option<String> {
        fn items(memory: &Memory) -> impl Iterator<Item = (&str, &'static str)> {
            memory.limits().shares.kinds().iter().map(|(level, _)| (&**level, "max_items_per_scope"))
        }
        let computations =
            self.computations.iter().map(|(level, _)| (&**level, "max_computations_per_scope"));
        let near = self.settings.near.iter().flat_map(items);
        let mut bounds = items(&self.memory).chain(near).chain(computations);
        let is_known = |level: &str| {
            let is_in = |tree: &ScopeTree| tree.contains(level);
            level != GLOBAL && (self.trees.is_empty() || self.trees.iter().any(is_in))
        };
        let (level, bound) = bounds.find(|(level, _)| !is_known(level))?;
        if level == GLOBAL {
            return Some(format!(
                "`{bound}` names `{GLOBAL}`, the root of all scopes, which has no bound of its own: name a level below \
                 it, or bound the whole cache"
            ));
        }
        let levels: Vec<_> =
            self.trees.iter().flat_map(ScopeTree::levels).map(|level| format!("`{level}`")).collect();
        Some(format!(
            "`{bound}` names the level `{level}`, which is in none of the cache's `scopes`, so it would bound nothing; \
             the levels are {}",
            levels.join(", ")
        ))
    }

    /// What does not go together, or has no meaning.
    fn problem(&self) -> Option<&'static str> {
        let settings = &self.settings;
        let problems = [
            (
                self.default_ttl == Some(Duration::ZERO),
                "`default_ttl` is zero, so nothing would be stored; leave it out for no expiry, or use \
                 `Cache::disabled()`",
            ),
            (
                settings.near.is_some() && self.tier.is_none(),
                "`near` keeps copies of remote values, and the backend is this process's memory; leave it out, or \
                 name a remote `backend`",
            ),
            (
                self.computations.iter().any(|(_, most)| *most == 0),
                "`max_computations_per_scope` is zero, so every call would wait for ever; leave it out, or use at \
                 least 1",
            ),
            (
                settings.near_ttl.is_zero(),
                "`near_ttl` is zero, so no copy would be kept; leave `near` out instead",
            ),
            (
                settings.breaker.0 == 0,
                "`breaker` would open after no failure at all, so the backend would never be asked; use at least 1",
            ),
            (
                settings.max_value_size == 0,
                "`max_value_size` is zero, so nothing would be stored remotely; leave it out for 16 MiB, or name no \
                 remote `backend`",
            ),
            (
                settings.lease.is_zero(),
                "`lease` is zero, so that nobody would wait for anybody; use `single_flight = true` for functions \
                 whose processes need not",
            ),
            (
                settings.lease > FILL_WINDOW,
                "`lease` is longer than ten minutes, after which the backend takes no fill of a computation any more; \
                 use at most ten minutes",
            ),
        ];
        problems.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, problem)| problem)
    }

    pub(super) fn open(self, disabled: bool) -> Cache {
        let remote = self.tier.filter(|_| !disabled).map(|tier| {
            let is_ruled = !self.pipeline.is_empty();
            Remote::open(tier, self.settings, &self.limits, is_ruled, &self.clock)
        });
        let limits = Limits { shares: shares(&self.memory), ..self.limits };
        let inner = Inner {
            store: self.memory.open(limits, self.clock),
            remote,
            pipeline: self.pipeline,
            functions: SiteTable::default(),
            registry: Registry::default(),
            default_ttl: self.default_ttl,
            limiter: Limiter::new(self.computations),
            disabled,
        };
        Cache { inner: Arc::new(inner) }
    }
}

/// Tells the bounds of `memory` on scopes by the labels of its entries.
pub(crate) fn shares(memory: &Memory) -> Shares {
    let levels = memory.limits().shares.kinds().to_vec();
    Shares::default().told_by(Arc::new(move |label| {
        let scope = Scope::of_labels(std::slice::from_ref(label));
        let bound = levels.iter().find(|(level, _)| **level == *scope.level());
        // A tag has no scope, which is not the global one's bound.
        bound.filter(|_| scope.depth() > 0).map(|(_, most)| *most)
    }))
}

impl std::fmt::Debug for CacheBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("memory", &self.memory)
            .field("remote", &self.tier.as_ref().map(|tier| tier.name()))
            .field("near", &self.settings.near)
            .field("limits", &self.limits)
            .field("default_ttl", &self.default_ttl)
            .field("computations", &self.computations)
            .field("trees", &self.trees)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cacheado_backends::memory::SharedMemory;

    #[test]
    fn what_has_no_meaning_is_refused() {
        let new = Cache::builder;
        let wrong = [
            ("`default_ttl` is zero", new().default_ttl(Duration::ZERO)),
            ("`near_ttl` is zero", new().near_ttl(Duration::ZERO)),
            ("`lease` is zero", new().lease(Duration::ZERO)),
            ("`lease` is longer than ten minutes", new().lease(FILL_WINDOW + Duration::from_secs(1))),
            ("`breaker` would open after no failure", new().breaker(0, Duration::from_secs(1))),
            ("`max_value_size` is zero", new().max_value_size(0)),
            ("`near` keeps copies of remote values", new().near(Memory::new())),
        ];
        for (problem, builder) in wrong {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{problem}");
            assert!(error.to_string().contains(problem), "{error} lacks {problem}");
        }
    }

    #[test]
    fn the_least_and_the_most_are_taken() {
        let builder = Cache::builder().backend(SharedMemory::new());
        let built = builder.breaker(1, Duration::ZERO).max_value_size(1).lease(FILL_WINDOW).build();
        assert!(built.is_ok());
    }
}
