//! Storage for cacheado: the memory store, and the clock that every expiry is read from.
//!
//! This crate knows bytes, entries and time. It has no scope trees, no rules and no macros: what the
//! engine calls a scope or a tag arrives here as an opaque [`memory::Label`].

pub mod clock;
pub mod memory;
mod sync;

pub use clock::{Clock, ManualClock};
pub use memory::Memory;
