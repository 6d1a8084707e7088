//! What stands behind one annotated function: its site in the program, its state in a cache, and the
//! handles that its siblings return.
//!
//! | file | subject |
//! |---|---|
//! | `site` | the `static` that generated code holds: name, version, policy |
//! | `instance` | which instance of a generic function a call is in |
//! | `policy` | what the attribute's arguments say |
//! | `kind`, `probe` | what a return type stores: `Ok`, `Some`, or the whole value |
//! | `batched` | what a batch function returns |
//! | `table` | from a site to the function's state in a cache, on the hit path |
//! | `state` | that state: its region of memory, its flights, its counters |
//! | `held` | values without their type, as the engine has them |
//! | `entry`, `handle` | what `<fn>_entry` and `<fn>_cache` return |

mod batched;
mod entry;
mod handle;
pub(crate) mod held;
mod instance;
pub(crate) mod kind;
mod policy;
pub(crate) mod probe;
mod site;
mod state;
mod table;

pub use batched::{BatchOf, Batched, Parts};
pub use entry::{AsyncEntry, Detached, Entry, Guarded};
pub use handle::{AsyncFunctionCache, FunctionCache};
pub(crate) use held::{Body, Held, Of, Outcome, Typed, Value, Wishes, no_value};
pub use instance::Instance;
pub(crate) use instance::{InstanceId, Names, Stateless};
pub(crate) use kind::{Behind, FallibleShared, Kind, Own, Shape, Worth};
pub(crate) use policy::Policy;
pub use policy::{Keep, SingleFlight};
pub use site::Site;
pub(crate) use site::{literal, without_arguments};
pub(crate) use state::{AnyFunction, Function, Identity, Making, Shared};
pub(crate) use table::SiteTable;
