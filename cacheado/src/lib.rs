//! Memoization with hierarchical scopes.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod cache;
mod engine;
mod error;
mod function;
pub mod key;
pub mod prelude;
pub mod rules;
pub mod scope;
mod stats;
pub mod testing;
mod ttl;

/// Where entries are kept.
pub mod backends {
    pub use cacheado_backends::memory::MemoryBuilder;
    pub use cacheado_backends::{Clock, Memory};
}

pub use cache::{
    AsCache, Cache, CacheBuilder, Scoped, Value, global, set_global, with_cache, with_cache_async,
};
pub use cacheado_macros::{KeyPart, cached, scopes};
pub use error::{Error, ErrorKind, Result};
pub use function::{AsyncEntry, AsyncFunctionCache, Entry, FunctionCache};
pub use key::{Key, KeyPart};
pub use scope::{Scope, ScopeTree, ScopeValue};
pub use stats::Stats;
pub use ttl::Ttl;
