//! What a cache is made of.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::Limits;
use cacheado_backends::{Clock, Memory};

use super::{Cache, Inner, Registry};
use crate::Result;
use crate::error::{Error, ErrorKind};
use crate::function::SiteTable;
use crate::rules::{Pipeline, Rule};

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
    clock: Clock,
    limits: Limits,
    pipeline: Pipeline,
    default_ttl: Option<Duration>,
}

impl CacheBuilder {
    /// Where entries are kept. Left out: in memory, without bounds.
    pub fn backend(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// Adds a rule after those that there are. Of two `Lru` or two `MaxItems` the tighter holds.
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

    /// The clock that expiries are read from, such as a
    /// [`ManualClock`](crate::testing::ManualClock) in a test. Left out: the system's.
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Opens the cache.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] if `default_ttl` is zero: nothing would ever be stored.
    pub fn build(self) -> Result<Cache> {
        if self.default_ttl == Some(Duration::ZERO) {
            let problem = "`default_ttl` is zero, so nothing would be stored; leave it out for no expiry, or \
                           use `Cache::disabled()`";
            return Err(Error::new(ErrorKind::Configuration, "build", problem));
        }
        Ok(self.open(false))
    }

    pub(super) fn open(self, disabled: bool) -> Cache {
        let inner = Inner {
            store: self.memory.open(self.limits, self.clock),
            pipeline: self.pipeline,
            functions: SiteTable::default(),
            registry: Registry::default(),
            default_ttl: self.default_ttl,
            disabled,
        };
        Cache { inner: Arc::new(inner) }
    }
}

impl std::fmt::Debug for CacheBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("memory", &self.memory)
            .field("limits", &self.limits)
            .field("default_ttl", &self.default_ttl)
            .finish_non_exhaustive()
    }
}
