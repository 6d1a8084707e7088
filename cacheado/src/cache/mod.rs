//! [`Cache`]: the handle that everything goes through.
//!
//! | file | subject |
//! |---|---|
//! | `builder` | what a cache is made of |
//! | `registry` | the functions of a cache, for what concerns all of them |
//! | `ambient` | the global cache, and the one that `with_cache` puts in its place |
//! | `verbs` | get, set, compute, evict: sync and async |
//! | `scoped` | the same inside a scope |
//! | `evict` | eviction of scopes, tags, everything |
//! | `report` | statistics |

mod ambient;
mod builder;
mod evict;
mod registry;
mod report;
mod scoped;
mod verbs;

use std::fmt;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::Store;

use crate::engine::limit::Limiter;
use crate::function::{Function, SiteTable};
use crate::remote::Remote;
use crate::rules::Pipeline;

pub use ambient::{CallCache, ambient, explicit, global, set_global, with_cache, with_cache_async};
pub use builder::CacheBuilder;
pub(crate) use builder::shares;
pub(crate) use registry::{Named, Registry};
pub(crate) use report::{count_there, told};
pub use scoped::Scoped;
pub use verbs::Value;

pub(crate) const IN_MEMORY: &str = "in_memory";

/// A cache: a cheap handle, to clone and to share between threads.
///
/// Annotated functions find theirs by `cache = …`, by [`with_cache`], or take the [`global`] one. The verbs
/// here are for keys of your own. A key is any [`KeyPart`](crate::KeyPart); a value's type belongs to it: a
/// lookup with another type is a miss.
///
/// Of a key, only what it says counts, and not its type: `7_u8` and `7_i64` are one key, and so are the newtypes
/// `UserId(7)` and `OrgId(7)`. What it is the key of belongs into it, as in `("user", 7)`.
///
/// # Examples
///
/// ```
/// use cacheado::Cache;
/// use std::time::Duration;
///
/// let cache = Cache::new();
/// cache.set(("user", 7), &"Ada".to_string(), Duration::from_secs(60))?;
/// assert_eq!(cache.get::<String>(("user", 7))?.as_deref(), Some("Ada"));
/// assert!(cache.evict(("user", 7))?);
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    /// The memory of what stays in this process: everything, without a remote backend.
    pub(crate) store: Arc<Store>,
    pub(crate) remote: Option<Arc<Remote>>,
    pub(crate) pipeline: Pipeline,
    pub(crate) functions: SiteTable<Function>,
    pub(crate) registry: Registry,
    pub(crate) default_ttl: Option<Duration>,
    pub(crate) limiter: Option<Arc<Limiter>>,
    pub(crate) disabled: bool,
}

impl Cache {
    /// A cache in memory, without bounds or rules.
    #[must_use]
    pub fn new() -> Self {
        CacheBuilder::default().open(false)
    }

    /// A cache that never stores: every call computes, every lookup finds nothing. Neither is counted: its statistics
    /// stay at zero, `bypassed` among them.
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado::{Cache, Ttl};
    ///
    /// let cache = Cache::disabled();
    /// cache.set("answer", &42, Ttl::Never)?;
    /// assert_eq!(cache.get::<i32>("answer")?, None);
    /// # Ok::<(), cacheado::Error>(())
    /// ```
    #[must_use]
    pub fn disabled() -> Self {
        CacheBuilder::default().open(true)
    }

    /// Says what the cache is made of.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    #[inline]
    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }
}

impl Inner {
    /// Whether `MaxItems` lets no new entry in, where `store` keeps that bound.
    pub(crate) fn is_full(store: &Store) -> bool {
        let Some(most) = store.limits().max_items else { return false };
        if store.len() >= most {
            store.sweep(usize::MAX);
        }
        store.len() >= most
    }

    /// What the entries are kept in, as statistics say.
    pub(crate) fn storage(&self) -> &'static str {
        self.remote.as_ref().map_or(IN_MEMORY, |remote| remote.name())
    }
}

// A panic in a body or a rule leaves nothing half done: whoever led lets go, and no lock is poisoned.
impl UnwindSafe for Cache {}
impl RefUnwindSafe for Cache {}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let under_way: usize = self.inner.registry.all().iter().map(|it| it.under_way()).sum();
        f.debug_struct("Cache")
            .field("storage", &self.inner.storage())
            .field("entries", &self.inner.store.len())
            .field("under_way", &under_way)
            .field("disabled", &self.inner.disabled)
            .finish_non_exhaustive()
    }
}

/// What `cache = …` can name: a [`Cache`], or anything that derefs to one.
#[diagnostic::on_unimplemented(
    message = "`cache = …` must name a `Cache`, or what derefs to one",
    label = "this is a `{Self}`"
)]
pub trait AsCache {
    /// The cache.
    fn as_cache(&self) -> &Cache;
}

impl AsCache for Cache {
    #[inline]
    fn as_cache(&self) -> &Cache {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T> AsCache for T
where
    T: Deref,
    T::Target: AsCache,
{
    #[inline]
    fn as_cache(&self) -> &Cache {
        (**self).as_cache()
    }
}
