//! Storage for cacheado: the contract of a backend, the memory store, Redis, MongoDB, and the clock that
//! expiries in memory are read from.
//!
//! This crate knows bytes, entries and time. It has no scope trees, no rules and no macros: what the
//! engine calls a scope or a tag arrives here as an opaque [`memory::Label`].

pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod contract;
mod emulated;
mod error;
mod flaky;
pub mod io;
pub mod memory;
#[cfg(feature = "mongodb")]
pub mod mongodb;
#[cfg(feature = "redis")]
pub mod redis;
mod sync;

pub use clock::{Clock, ManualClock};
pub use contract::{Backend, BackendStats, Capabilities, Entry};
pub use emulated::Emulated;
pub use error::{Error, ErrorKind, Result};
pub use flaky::{Fault, FlakyBackend, Operation};
pub use memory::Memory;
#[cfg(feature = "mongodb")]
pub use mongodb::MongoDb;
