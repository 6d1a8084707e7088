//! [`KeyPart`](super::KeyPart) for the types of the standard library.
//!
//! What is left out is left out on purpose: `&mut T` and interior mutability (the key could change under the
//! call), `Instant` and `TypeId` (meaningless in another process).

mod collections;
mod enums;
mod network;
mod numbers;
mod pointers;
mod ranges;
mod strings;
mod time;
mod tuples;
#[cfg(feature = "uuid")]
mod uuid;
