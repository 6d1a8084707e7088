//! What surrounds a call: a cache in the place of the global one, a scope, how calls are to be served, and who
//! wants to know how they were.
//!
//! | file | subject |
//! |---|---|
//! | `layer` | the one mechanism: a thread has surroundings, and a layer changes one part of them for a while |
//! | `scope` | `in_scope`, and what `scope = ambient` finds |
//! | `mode` | `bypass` and `refresh` |
//! | `origin` | what an entry has from its surroundings, for its body |
//! | `observe` | `observe`: how the last call inside was served |
//!
//! The surroundings are those of a thread. A task has them while it is polled, wherever that is: a layer around
//! a future is put on before each poll and taken off after it. What a task spawns begins without any.

mod layer;
mod mode;
mod observe;
mod origin;
mod scope;

pub(crate) use layer::{Layer, cache, is_any, is_asked};
pub(crate) use mode::Mode;
pub use mode::{bypass, bypass_async, refresh, refresh_async};
pub(crate) use observe::served;
pub use observe::{Outcome, Served, Tier, observe, observe_async};
pub(crate) use origin::Origin;
pub use scope::{AmbientScope, current_scope, in_scope, in_scope_async};
