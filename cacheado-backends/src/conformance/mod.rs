//! The suite that every backend has to pass.
//!
//! One call of the macro [`conformance!`](crate::conformance!) makes one `#[test]` of each check. Its argument
//! is an async function, or a closure, that opens the backend in a namespace that is empty and that nobody else
//! uses; it is called at least once for each test, and the tests run at the same time. Where there is a server,
//! [`Subject::with_neighbour`] gives them another namespace of it, which has to be left alone.
//!
//! ```
//! use cacheado_backends::conformance::Subject;
//! use cacheado_backends::memory::SharedMemory;
//!
//! async fn fresh() -> Subject {
//!     let memory = SharedMemory::new();
//!     Subject::new(memory.clone()).with_peer(memory)
//! }
//!
//! mod conformance {
//!     cacheado_backends::conformance!(super::fresh);
//! }
//! # fn main() {}
//! ```
//!
//! What a backend cannot have is said, and its tests are then shown as ignored, with the reason:
//!
//! ```
//! # use cacheado_backends::{Emulated, conformance::Subject, memory::SharedMemory};
//! # async fn fresh() -> Subject { Subject::new(SharedMemory::new()).emulated() }
//! mod conformance {
//!     // No other node can open it, and it tells nobody of evictions.
//!     cacheado_backends::conformance!(super::fresh, without(bus, second_node));
//! }
//! # fn main() {}
//! ```
//!
//! | option | the tests that it leaves out |
//! |---|---|
//! | `without(bus)` | those of notices; the backend must then announce no bus |
//! | `without(second_node)` | those of two nodes over one storage |
//! | `without(bus, second_node)` | both |
//!
//! The checks are of two kinds. Those of the small contract call [`Backend`](crate::Backend); those of groups,
//! fences, leases and notices call the [`Tier`](crate::contract::Tier) that it brings, which is
//! [`Emulated`](crate::Emulated) unless it has one of its own. Each is a function of this module, too, for who
//! wants to call it from elsewhere. They need no runtime around them, wait for what has to happen rather than
//! for time to pass, and take a few seconds together.
//!
//! # Panics
//!
//! Every check panics if the backend does not keep the contract, and says what the contract is.
//!
//! | folder | subject |
//! |---|---|
//! | `backend` | values, lifetimes, batches, keys, isolation, concurrency, limits |
//! | `tier` | entries, groups, fences, leases, load, the bus |
//! | `subject` | [`Subject`], what a check works with |
//! | `tools` | the runtime of the checks, and their patience |

#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a check fails by panicking, as the module says"
)]

mod backend;
mod names;
mod subject;
#[cfg(test)]
mod tests;
mod tier;
mod tools;

pub use backend::*;
pub use subject::{Node, Subject};
pub use tier::*;
