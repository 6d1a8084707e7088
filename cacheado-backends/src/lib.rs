//! Storage for cacheado: the contract of a backend, the memory store, Redis, MongoDB, and the clock that
//! expiries in memory are read from.
//!
//! This crate knows bytes, entries and time. It has no scope trees, no rules and no macros: what the
//! engine calls a scope or a tag arrives here as an opaque [`memory::Label`].
//!
//! What `cacheado` re-exports as `cacheado::backends` and `cacheado::testing` is for everybody, and so is
//! the suite in `conformance`: it changes as semantic versions say. The rest is public for the engine alone, which is
//! another crate: the store in [`memory`] with its regions, tickets and labels, [`io`], and what moves or reads a
//! [`Clock`] besides its constructors. That may change in any release, and `cacheado` asks for exactly the version that
//! it was made with.

#![cfg_attr(docsrs, feature(doc_cfg))]

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
