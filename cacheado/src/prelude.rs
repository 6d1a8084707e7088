//! What most code needs: `use cacheado::prelude::*;`.

pub use crate::cache::Cache;
pub use crate::key::KeyPart;
pub use crate::scope::{Scope, ScopeTree};
pub use crate::ttl::Ttl;
pub use cacheado_macros::{KeyPart, cached, scopes};
