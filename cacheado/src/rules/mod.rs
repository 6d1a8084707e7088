//! Rules: what may be stored, for how long, and what has to go.
//!
//! Rules run in the order in which they were given to the builder. [`Lru`], [`Adaptive`], [`MaxItems`] and [`TtlRule`]
//! are folded into the memory store: [`MaxItems`] and [`TtlRule`] cost a hit nothing, [`Adaptive`] and [`Lru`] a
//! plain store or two, or two locked operations for [`Lru`] up to 1,024 entries. A [`Rule`] of your own is asked
//! about each hit and each store, which makes a hit slower (its [`Key`] is built).
//!
//! ```
//! use cacheado::rules::{Effect, EntryMeta, Lru, Rule};
//! use cacheado::{Cache, Key, Ttl};
//! use std::time::Duration;
//!
//! /// Nothing lives longer than a minute.
//! struct AtMostAMinute;
//!
//! impl Rule for AtMostAMinute {
//!     fn on_set(&self, _: &Key, entry: &EntryMeta) -> Effect {
//!         match entry.ttl() {
//!             Some(ttl) if ttl <= Duration::from_secs(60) => Effect::Continue,
//!             _ => Effect::SetTtl(Duration::from_secs(60).into()),
//!         }
//!     }
//! }
//!
//! let cache = Cache::builder().rule(AtMostAMinute).rule(Lru::new(1_000)).build()?;
//! cache.set("answer", &42_u8, Ttl::Never)?;
//! assert!(cache.remaining("answer")?.unwrap() <= Duration::from_secs(60));
//! # Ok::<(), cacheado::Error>(())
//! ```

mod builtin;
mod pipeline;

use std::time::Duration;

use crate::key::Key;
use crate::scope::Scope;
use crate::ttl::Ttl;

pub use builtin::{Adaptive, Lru, MaxItems, TtlRule};
pub use cacheado_backends::memory::Cause;
pub(crate) use pipeline::Pipeline;

/// A rule of your own.
///
/// Each method is called outside of any lock, on the thread that the operation runs on, by several threads
/// at once. A method that panics counts as `Continue`; the panic is logged and counted in
/// [`Stats::rule_panics`](crate::Stats::rule_panics).
pub trait Rule: Send + Sync + 'static {
    /// A live entry was found. `Reject` makes the lookup a miss; `SetTtl` gives the entry a new lifetime,
    /// counted from now.
    ///
    /// If a value of another type than the entry's is asked for, as [`Cache::get`](crate::Cache::get) can, the lookup
    /// is a miss of which rules are not told.
    fn on_get(&self, key: &Key, entry: &EntryMeta) -> Effect {
        let _ = (key, entry);
        Effect::Continue
    }

    /// A value is about to be stored. `Reject` keeps it from being stored; `SetTtl` changes its lifetime.
    fn on_set(&self, key: &Key, entry: &EntryMeta) -> Effect {
        let _ = (key, entry);
        Effect::Continue
    }

    /// An entry has left, for whatever cause. Only `Evict` has an effect here. An entry that is overwritten
    /// has not left.
    fn on_evict(&self, key: &Key, cause: Cause) -> Effect {
        let _ = (key, cause);
        Effect::Continue
    }

    /// The cache has been cleared.
    fn on_clear(&self) {}
}

/// What a rule wants to happen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Effect {
    /// What would have happened without it.
    #[default]
    Continue,
    /// The value is not stored; the lookup is a miss. Later rules are not asked.
    Reject,
    /// These entries are evicted, and the operation goes on.
    Evict(Vec<Key>),
    /// The entry's lifetime, from now.
    SetTtl(Ttl),
}

/// What a rule is told of an entry besides its key.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EntryMeta {
    scope: Scope,
    ttl: Option<Duration>,
}

impl EntryMeta {
    pub(crate) fn new(scope: Scope, ttl: Option<Duration>) -> Self {
        Self { scope, ttl }
    }

    /// The scope that it lies in.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How long it lives from now; `None`: for ever. What rules before this one have set counts, so that of two rules
    /// that shorten, the shorter holds in either order.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }
}
