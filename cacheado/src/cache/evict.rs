//! Eviction of more than one entry.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cacheado_backends::memory::{Cause, Label};

use super::{Cache, Inner, Scoped};
use crate::engine::{scope_label, tag_label};
use crate::error::{Error, ErrorKind, Result};
use crate::function::AnyFunction;
use crate::key::Key;
use crate::remote::{Notice, Operation, Reply, Request, function_group, scope_group, tag_group};
use crate::scope::Scope;
use crate::stats::count;

impl Inner {
    fn evict_by_scope(self: &Arc<Self>, scope: &Scope) -> Operation<'static, u64> {
        let verb = "evict_by_scope";
        let Some(group) = scope_group(scope) else { return self.evict_everything(verb, Cause::Scope) };
        let label = scope_label(scope);
        let notice = Notice::Label(label.clone()).to_bytes();
        self.evict_here_and_there(verb, Request::EvictGroup { group, notice }, move |cache| {
            (cache.evict_label(&label, Cause::Scope), None)
        })
    }

    fn evict_by_tag(self: &Arc<Self>, tag: &str) -> Operation<'static, u64> {
        let label = tag_label(tag);
        let notice = Notice::Label(label.clone()).to_bytes();
        let request = Request::EvictGroup { group: tag_group(tag), notice };
        self.evict_here_and_there("evict_by_tag", request, move |cache| {
            (cache.evict_label(&label, Cause::Tag), None)
        })
    }

    /// Evicts all entries of the functions with this bare name; `evict_here` does so in this process, and returns one
    /// of the functions, which is said to have lost what the backend had.
    pub(crate) fn evict_function(
        self: &Arc<Self>,
        name: &str,
        version: u32,
        evict_here: impl FnOnce() -> (u64, Option<Arc<dyn AnyFunction>>) + Send + 'static,
    ) -> Operation<'static, u64> {
        let group = function_group(name, version);
        let notice = Notice::Function(name.to_owned(), version).to_bytes();
        self.evict_here_and_there("evict_all", Request::EvictGroup { group, notice }, move |_| evict_here())
    }

    fn evict_everything(self: &Arc<Self>, verb: &'static str, cause: Cause) -> Operation<'static, u64> {
        let request = Request::Clear { notice: Notice::All.to_bytes() };
        self.evict_here_and_there(verb, request, move |cache| {
            if let Some(remote) = &cache.remote {
                remote.near.clear(cause);
                if let Some(ledger) = &remote.ledger {
                    ledger.clear(cause);
                }
            }
            (cache.store.clear(cause), None)
        })
    }

    /// Evicts the entry of a whole key. Whether there was a live one.
    fn evict_one(self: &Arc<Self>, key: &Key) -> Operation<'static, bool> {
        let Some(remote) = &self.remote else { return Operation::ready(self.evict_one_here(key)) };
        let notice = Notice::Key(key.clone()).to_bytes();
        let request = Request::Evict { place: self.place_of(key), notice };
        let (cache, key) = (Arc::clone(self), key.clone());
        Operation::asks(remote, request, move |answer| {
            let here = cache.evict_one_here(&key);
            let there = answer.and_then(Reply::was).map_err(Error::of("evict_key"))?;
            if there {
                cache.count_remote_eviction(&key);
            }
            Ok(there | here)
        })
    }

    fn evict_one_here(&self, key: &Key) -> bool {
        let functions = self.functions_of(key);
        let evict =
            |(function, bytes): &(Arc<dyn AnyFunction>, Vec<u8>)| function.evict(bytes, Cause::Evicted);
        functions.iter().map(evict).fold(false, |any, evicted| any | evicted)
    }

    /// An entry of this key has been evicted from the backend.
    fn count_remote_eviction(&self, key: &Key) {
        let functions = self.functions_of(key);
        match (functions.iter().find(|(function, _)| function.remote().is_some()), &self.remote) {
            (Some((function, _)), _) => function.shared().tally.evicted(),
            (None, Some(remote)) => count(&remote.evictions),
            (None, None) => {}
        }
    }

    /// The backend has done what a rule wanted evicted: what has read the old entry meanwhile is fenced off.
    pub(crate) fn evicted_for_rule(&self, key: &Key, was_there: bool) {
        self.drop_copies(key);
        if was_there {
            self.count_remote_eviction(key);
        }
    }

    /// Evicts in the backend first: a refill of a copy that has read what is evicted is then fenced off here. What
    /// went there is counted for the function that `here` returns, if it knows whose it was.
    fn evict_here_and_there(
        self: &Arc<Self>,
        verb: &'static str,
        request: Request,
        here: impl FnOnce(&Self) -> (u64, Option<Arc<dyn AnyFunction>>) + Send + 'static,
    ) -> Operation<'static, u64> {
        let Some(remote) = &self.remote else { return Operation::ready(here(self).0) };
        let cache = Arc::clone(self);
        Operation::asks(remote, request, move |answer| {
            let (here, function) = here(&cache);
            let there = answer.and_then(Reply::count).map_err(Error::of(verb))?;
            match (function, &cache.remote) {
                (Some(function), _) => function.shared().tally.evicted_many(there),
                (None, Some(remote)) => drop(remote.evictions.fetch_add(there, Ordering::Relaxed)),
                (None, None) => {}
            }
            Ok(there + here)
        })
    }

    /// Evicts what carries a label from this process. How many live entries are gone for good.
    fn evict_label(&self, label: &Label, cause: Cause) -> u64 {
        if let Some(remote) = &self.remote {
            remote.near.evict_label(label, cause);
            if let Some(ledger) = &remote.ledger {
                ledger.evict_label(label, cause);
            }
        }
        self.store.evict_label(label, cause)
    }

    fn restart(&self) {
        self.pipeline.restart();
        if let Some(remote) = &self.remote {
            remote.evictions.store(0, Ordering::Relaxed);
        }
        for function in self.registry.all() {
            function.shared().tally.restart();
        }
        // What comes of this is counted already.
        self.pipeline.on_clear();
    }
}

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
    /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend): then what was to go may still
    /// be there.
    pub fn evict_by_scope(&self, scope: &Scope) -> Result<u64> {
        self.inner().evict_by_scope(scope).block()
    }

    /// [`evict_by_scope`](Self::evict_by_scope), for async code.
    ///
    /// # Errors
    ///
    /// Those of `evict_by_scope`.
    pub async fn evict_by_scope_async(&self, scope: &Scope) -> Result<u64> {
        self.inner().evict_by_scope(scope).wait().await
    }

    /// Evicts the entries that carry a tag. How many live ones went. Costs what carries the tag.
    ///
    /// # Errors
    ///
    /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend): then what was to go may still
    /// be there.
    pub fn evict_by_tag(&self, tag: &str) -> Result<u64> {
        self.inner().evict_by_tag(tag).block()
    }

    /// [`evict_by_tag`](Self::evict_by_tag), for async code.
    ///
    /// # Errors
    ///
    /// Those of `evict_by_tag`.
    pub async fn evict_by_tag_async(&self, tag: &str) -> Result<u64> {
        self.inner().evict_by_tag(tag).wait().await
    }

    /// Evicts the entry of a whole key, such as [`Entry::key`](crate::Entry::key) gives, whichever
    /// function's it is; whether there was a live one.
    ///
    /// # Errors
    ///
    /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend): then what was to go may still
    /// be there.
    pub fn evict_key(&self, key: &Key) -> Result<bool> {
        self.inner().evict_one(key).block()
    }

    /// [`evict_key`](Self::evict_key), for async code.
    ///
    /// # Errors
    ///
    /// Those of `evict_key`.
    pub async fn evict_key_async(&self, key: &Key) -> Result<bool> {
        self.inner().evict_one(key).wait().await
    }

    /// Evicts everything, and starts statistics again.
    ///
    /// # Errors
    ///
    /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend): then what was to go may still
    /// be there.
    pub fn clear(&self) -> Result<()> {
        self.inner().evict_everything("clear", Cause::Cleared).block()?;
        self.inner().restart();
        Ok(())
    }

    /// [`clear`](Self::clear), for async code.
    ///
    /// # Errors
    ///
    /// Those of `clear`.
    pub async fn clear_async(&self) -> Result<()> {
        self.inner().evict_everything("clear", Cause::Cleared).wait().await?;
        self.inner().restart();
        Ok(())
    }
}

impl Scoped {
    /// Evicts the entries of this scope and of all below it. How many live ones went.
    ///
    /// # Errors
    ///
    /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend): then what was to go may still
    /// be there.
    pub fn evict_all(&self) -> Result<u64> {
        self.cache().evict_by_scope(self.scope())
    }

    /// [`evict_all`](Self::evict_all), for async code.
    ///
    /// # Errors
    ///
    /// Those of `evict_all`.
    pub async fn evict_all_async(&self) -> Result<u64> {
        self.cache().evict_by_scope_async(self.scope()).await
    }

    /// The same as [`evict_all`](Self::evict_all), not counted: everything in this scope goes. Statistics, which are
    /// those of the whole cache, go on.
    ///
    /// # Errors
    ///
    /// Those of `evict_all`.
    pub fn clear(&self) -> Result<()> {
        self.evict_all().map(drop)
    }

    /// [`clear`](Self::clear), for async code.
    ///
    /// # Errors
    ///
    /// Those of `clear`.
    pub async fn clear_async(&self) -> Result<()> {
        self.evict_all_async().await.map(drop)
    }

    /// Evicts the entries of this scope, or of one below it. How many live ones went.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Scope`](crate::ErrorKind::Scope) for a scope that is not within this one; else those of
    /// [`evict_all`](Self::evict_all).
    pub fn evict_by_scope(&self, scope: &Scope) -> Result<u64> {
        self.cache().evict_by_scope(self.within(scope)?)
    }

    /// [`evict_by_scope`](Self::evict_by_scope), for async code.
    ///
    /// # Errors
    ///
    /// Those of `evict_by_scope`.
    pub async fn evict_by_scope_async(&self, scope: &Scope) -> Result<u64> {
        self.cache().evict_by_scope_async(self.within(scope)?).await
    }

    fn within<'s>(&self, scope: &'s Scope) -> Result<&'s Scope> {
        if self.scope().contains(scope) {
            return Ok(scope);
        }
        let problem = format!("`{scope}` is not within `{}`", self.scope());
        Err(Error::new(ErrorKind::Scope, "evict_by_scope", problem))
    }
}
