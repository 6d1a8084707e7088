//! Eviction of more than one entry.

#![expect(clippy::unused_async, reason = "memory does no I/O; a remote backend will")]

use cacheado_backends::memory::Cause;

use super::{Cache, Scoped};
use crate::Result;
use crate::engine::{scope_label, tag_label};
use crate::key::Key;
use crate::scope::Scope;

impl Cache {
    /// Evicts the entries of a scope and of all below it, of every function and every key of your own. How
    /// many live ones went.
    ///
    /// Costs what the scope holds, whatever else there is. After it has returned, nothing is served whose
    /// computation began before: a body that is running now has its result returned, and not stored.
    /// The global scope holds everything.
    ///
    /// # Errors
    ///
    /// In memory, none.
    pub fn evict_by_scope(&self, scope: &Scope) -> Result<u64> {
        let store = &self.inner().store;
        Ok(match scope.depth() {
            0 => store.clear(Cause::Scope),
            _ => store.evict_label(&scope_label(scope), Cause::Scope),
        })
    }

    /// [`evict_by_scope`](Self::evict_by_scope), for async code.
    ///
    /// # Errors
    ///
    /// Those of `evict_by_scope`.
    pub async fn evict_by_scope_async(&self, scope: &Scope) -> Result<u64> {
        self.evict_by_scope(scope)
    }

    /// Evicts the entries that carry a tag. How many live ones went. Costs what carries the tag.
    ///
    /// # Errors
    ///
    /// In memory, none.
    pub fn evict_by_tag(&self, tag: &str) -> Result<u64> {
        Ok(self.inner().store.evict_label(&tag_label(tag), Cause::Tag))
    }

    /// [`evict_by_tag`](Self::evict_by_tag), for async code.
    ///
    /// # Errors
    ///
    /// Those of `evict_by_tag`.
    pub async fn evict_by_tag_async(&self, tag: &str) -> Result<u64> {
        self.evict_by_tag(tag)
    }

    /// Evicts the entry of a whole key, such as [`Entry::key`](crate::Entry::key) gives, whichever
    /// function's it is; whether there was a live one.
    ///
    /// # Errors
    ///
    /// In memory, none.
    pub fn evict_key(&self, key: &Key) -> Result<bool> {
        Ok(self.inner().evict_key(key, Cause::Evicted))
    }

    /// Evicts everything, and starts statistics again.
    ///
    /// # Errors
    ///
    /// In memory, none.
    pub fn clear(&self) -> Result<()> {
        let inner = self.inner();
        inner.store.clear(Cause::Cleared);
        inner.pipeline.on_clear();
        inner.pipeline.restart();
        for function in inner.registry.all() {
            function.shared().tally.restart();
        }
        Ok(())
    }

    /// [`clear`](Self::clear), for async code.
    ///
    /// # Errors
    ///
    /// Those of `clear`.
    pub async fn clear_async(&self) -> Result<()> {
        self.clear()
    }
}

impl Scoped {
    /// Evicts the entries of this scope and of all below it. How many live ones went.
    ///
    /// # Errors
    ///
    /// In memory, none.
    pub fn evict_all(&self) -> Result<u64> {
        self.cache().evict_by_scope(self.scope())
    }

    /// [`evict_all`](Self::evict_all), for async code.
    ///
    /// # Errors
    ///
    /// Those of `evict_all`.
    pub async fn evict_all_async(&self) -> Result<u64> {
        self.evict_all()
    }
}
