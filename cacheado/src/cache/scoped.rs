//! A cache inside a scope.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use super::registry::programmatic_label;
use super::{Cache, Inner};
use crate::function::Function;
use crate::scope::Scope;

/// The verbs of a [`Cache`] inside a scope: the same key is another entry in another scope, and goes when
/// the scope, or one above it, is evicted.
///
/// Statistics are not kept by scope: [`Cache::stats_by_scope_level`] has those of all scopes of a level. Tags belong to
/// cached functions, wherever they store, and are evicted on the [`cache`](Self::cache).
///
/// # Examples
///
/// ```
/// use cacheado::{Cache, Scope, ScopeTree, Ttl};
///
/// let tree = ScopeTree::builder().level("tenant", "tenant_id").build()?;
/// let (a, b) = (tree.resolve("tenant", [("tenant_id", "a")])?, tree.resolve("tenant", [("tenant_id", "b")])?);
/// let cache = Cache::new();
/// cache.scoped(a.clone()).set("plan", &"free".to_string(), Ttl::Never)?;
/// assert_eq!(cache.scoped(b).get::<String>("plan")?, None);
/// assert_eq!(cache.get::<String>("plan")?, None);
/// assert_eq!(cache.evict_by_scope(&a)?, 1);
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Clone)]
pub struct Scoped {
    pub(super) keyspace: Keyspace,
    cache: Cache,
}

/// The programmatic keys of one scope.
#[derive(Clone)]
pub(super) struct Keyspace {
    pub(super) scope: Scope,
    pub(super) label: Box<[u8]>,
    /// `None` where the cache is disabled.
    pub(super) function: Option<Arc<Function>>,
}

impl Keyspace {
    pub(super) fn new(cache: &Arc<Inner>, scope: Scope) -> Self {
        let function = (!cache.disabled).then(|| cache.registry.programmatic(cache, scope.level()));
        Self { label: programmatic_label(&scope), scope, function }
    }
}

impl Cache {
    /// This cache inside a scope.
    ///
    /// Levels are few, as their names stand in the program. Of more than a thousand, the later ones stand together in
    /// [`Cache::stats_by_scope_level`], as `(others)`. Of more than 65,535 functions and levels, a cache keeps no values
    /// of the later ones.
    #[must_use]
    pub fn scoped(&self, scope: Scope) -> Scoped {
        Scoped { keyspace: Keyspace::new(self.inner(), scope), cache: self.clone() }
    }
}

impl Scoped {
    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.keyspace.scope
    }

    /// The cache that it is a part of.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }
}

// As a `Cache`.
impl UnwindSafe for Scoped {}
impl RefUnwindSafe for Scoped {}

impl std::fmt::Debug for Scoped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scoped").field("scope", &self.keyspace.scope).finish_non_exhaustive()
    }
}
