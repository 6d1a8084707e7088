//! Memoization with hierarchical scopes: put [`#[cached]`](macro@cached) on a sync or async function, and its
//! results are cached for each tenant, computed once however many callers ask at the same time, and evicted by
//! key, function, tag or scope.
//!
//! ```
//! use cacheado::prelude::*;
//!
//! cacheado::scopes! {
//!     pub mod scopes {
//!         organization(org_id) { user(user_id) }
//!     }
//! }
//!
//! #[cached(ttl = "5m", scope = "user")]
//! fn greeting(org_id: &str, user_id: &str) -> String {
//!     format!("Hello {user_id} of {org_id}")
//! }
//!
//! # fn main() -> cacheado::Result<()> {
//! greeting("acme", "ada"); // computed
//! greeting("acme", "ada"); // from the cache
//! greeting("globex", "ada"); // another tenant: computed
//! assert_eq!(greeting_cache().stats().hits, 1);
//!
//! // All of the organization and what is below it, of every function; other tenants keep theirs.
//! assert_eq!(cacheado::global().evict_by_scope(&scopes::organization("acme"))?, 1);
//! assert!(greeting_entry("globex", "ada").peek()?.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! | you want to | see |
//! |---|---|
//! | cache a function | [`#[cached]`](macro@cached), with every argument |
//! | read, replace or evict one entry of a function | [`Entry`], which `<fn>_entry(…)` returns, and [`AsyncEntry`] |
//! | evict or count all entries of a function | [`FunctionCache`], which `<fn>_cache()` returns |
//! | keep tenants apart, and evict one | [`scopes!`], [`Scope`], [`ScopeTree`] for trees known only at run time |
//! | use a type as an argument | [`KeyPart`](derive@KeyPart), by derive; [`key`] for all about keys |
//! | carry the tenant around calls | [`in_scope`], [`in_scope_async`], with `scope = ambient` |
//! | go past the cache, refresh, or see how a call was served | [`bypass`], [`refresh`], [`observe`] and their async twins |
//! | serve old values while new ones are computed, or where that fails; bound how long callers wait | `stale`, `stale_if_error`, `early`, `timeout` of [`#[cached]`](macro@cached) |
//! | cache a function of many elements, each for itself | [`#[cached(batch(ids))]`](macro@cached) |
//! | cache without a function | [`Cache`], and [`Scoped`] inside a scope |
//! | share a cache between processes | [`backends`], [`CacheBuilder::backend`], [`CacheBuilder::near`] |
//! | keep one tenant from driving out or starving the others | [`MemoryBuilder::max_items_per_scope`](backends::MemoryBuilder::max_items_per_scope), [`CacheBuilder::max_computations_per_scope`] |
//! | bound a cache | [`rules`]: `Lru`, `Adaptive`, `MaxItems`, `TtlRule` and your own; [`CacheBuilder`] |
//! | know how it is doing | [`Stats`], by [function](Cache::stats_by_function) and by [scope level](Cache::stats_by_scope_level) |
//! | test code that caches | [`testing`], [`with_cache`], [`Cache::disabled`] |
//!
//! # What is there
//!
//! Entries are kept in memory, in this process, or in a remote backend that processes share: Redis, MongoDB, or
//! one of your own, with or without a near cache in front of it; see [`backends`].
//! Operations that may do I/O return a [`Result`]; in memory none of them fails.
//!
//! # The guide
//!
//! What takes more than a page of reference is in the guide, beside the code:
//!
//! | of | pages |
//! |---|---|
//! | functions | [attribute], [scopes], [ambient scope], [per call], [batch], [single flight] |
//! | values by their age | [stale], [stale if error], [early], [timeout] |
//! | bounds | [rules][rules of the guide], [fairness] |
//! | servers | [backends][backends of the guide], [near cache], [redis], [mongodb], [custom backend] |
//! | tests | [testing][testing of the guide] |
//! | production | [operating], [coming from another cache] |
//!
//! [attribute]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/attribute.md
//! [scopes]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/scopes.md
//! [ambient scope]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/ambient_scope.md
//! [per call]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/per_call.md
//! [batch]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/batch.md
//! [single flight]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/single_flight.md
//! [stale]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/stale.md
//! [stale if error]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/stale_if_error.md
//! [early]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/early.md
//! [timeout]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/timeout.md
//! [rules of the guide]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/rules.md
//! [fairness]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/fairness.md
//! [backends of the guide]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/backends.md
//! [near cache]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/near_cache.md
//! [redis]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/redis.md
//! [mongodb]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/mongodb.md
//! [custom backend]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/custom_backend.md
//! [testing of the guide]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/testing.md
//! [operating]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/operating.md
//! [coming from another cache]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/migrating.md
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | adds |
//! |---|---|
//! | `redis` | [`backends`]`::Redis` |
//! | `mongodb`, `mongodb-srv` | [`backends`]`::MongoDb`; and `mongodb+srv://` addresses, which need DNS |
//! | `uuid` | [`KeyPart`] and [`ScopeValue`] for `uuid::Uuid` |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod cache;
mod chance;
mod codec;
mod context;
mod engine;
mod error;
mod function;
mod hot;
pub mod key;
pub mod prelude;
mod remote;
pub mod rules;
pub mod scope;
mod stats;
pub mod testing;
mod ttl;

/// Where entries are kept: given to [`CacheBuilder::backend`], and memory if nothing is.
///
/// | | keeps entries |
/// |---|---|
/// | [`Memory`](backends::Memory) | in this process, as they are; the default |
/// | `Redis` | on a Redis server or cluster, with the feature `redis` |
/// | `MongoDb` | in a MongoDB collection, with the feature `mongodb` |
/// | [`SharedMemory`](backends::SharedMemory) | in this process, as a server would: for tests of several nodes |
/// | a [`Backend`](backends::Backend) of your own | wherever you say |
///
/// Over all but `Memory`, values leave the cache as bytes: those whose type has serde. A failure of the backend is a
/// miss. What that costs, and how each server is operated, is in [the guide].
///
/// [the guide]: https://github.com/cacheado/cacheado/blob/HEAD/docs/guide/backends.md
///
/// # Examples
///
/// Two caches over one storage, as two processes are over one server:
///
/// ```
/// use cacheado::backends::SharedMemory;
/// use cacheado::{Cache, Ttl};
///
/// let server = SharedMemory::new();
/// let one = Cache::builder().backend(server.clone()).build()?;
/// let two = Cache::builder().backend(server).build()?;
/// one.set("theme", &"dark".to_owned(), Ttl::Never)?;
/// assert_eq!(two.get::<String>("theme")?.as_deref(), Some("dark"));
/// # Ok::<(), cacheado::Error>(())
/// ```
pub mod backends {
    pub use cacheado_backends::memory::{MemoryBuilder, SharedMemory};
    pub use cacheado_backends::{
        Backend, BackendStats, Capabilities, Clock, Emulated, Entry, Error, ErrorKind, Memory, Result,
        contract,
    };

    #[cfg(feature = "mongodb")]
    pub use cacheado_backends::mongodb::{self, MongoDb};
    #[cfg(feature = "redis")]
    pub use cacheado_backends::redis::{self, Redis};
}

pub use cache::{
    AsCache, Cache, CacheBuilder, Scoped, Value, global, set_global, with_cache, with_cache_async,
};
pub use cacheado_macros::{KeyPart, cached, scopes};
pub use context::{
    Outcome, Served, Tier, bypass, bypass_async, current_scope, in_scope, in_scope_async, observe,
    observe_async, refresh, refresh_async,
};
pub use error::{Error, ErrorKind, Result};
pub use function::{AsyncEntry, AsyncFunctionCache, Entry, FunctionCache};
pub use key::{Key, KeyPart};
pub use scope::{Scope, ScopeTree, ScopeValue};
pub use stats::Stats;
pub use ttl::Ttl;
