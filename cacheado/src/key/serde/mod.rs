//! [`Serde`]: any `Serialize` value as part of a key.
//!
//! Serde's data model is written with the alphabet of the keys. Names of structs are left out; a struct is a
//! `structure` of `(field name, value)` pairs in the order of declaration, an enum's value is a `variant`, a
//! map is sorted by its encoded keys, everything else is what the same value of the standard library would be.

mod compound;
mod serializer;

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};

use ::serde::Serialize;

use super::replay::replay;
use super::{KeyBytes, KeyPart, KeySink};
use serializer::{Encoder, Failure};

/// Makes any `Serialize` value part of a key: `key = cacheado::key::Serde(&filter)`.
///
/// Field names are in the key: renaming or adding a field makes new keys. Maps are sorted, so a
/// `HashMap` inside is fine. A `HashSet` or `BinaryHeap` reaches serde as a plain sequence, in no certain order: it costs
/// hits, never a wrong one; sort it, or use a `BTreeSet`.
///
/// A value that fails to serialize equals nothing, itself included: each attempt encodes as the variant
/// `serde-error` with the message and 16 random bytes. Such a call bypasses the cache: nothing is looked up or stored.
///
/// What [`KeyPart`] says of `encode` holds for the `Serialize`: it must not use the cache that it makes a key of.
///
/// ```
/// use cacheado::key::{Serde, encode};
///
/// #[derive(serde::Serialize)]
/// struct Filter { text: &'static str, limit: Option<u32> }
///
/// let one = encode(&Serde(Filter { text: "a", limit: None }));
/// let two = encode(&Serde(Filter { text: "a", limit: Some(0) }));
/// assert_ne!(one, two);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Serde<T>(pub T);

impl<T: Serialize> KeyPart for Serde<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        let mut bytes = KeyBytes::new();
        match self.0.serialize(Encoder(&mut bytes)) {
            Ok(()) => {
                let replayed = replay(bytes.as_bytes(), sink);
                debug_assert!(replayed.is_some(), "what the encoder wrote can be read");
            }
            Err(failure) => write_failure(&failure, sink),
        }
    }
}

thread_local! {
    /// How many values have failed on this thread. Nobody resets it: keys are encoded while others are.
    static FAILURES: Cell<u64> = const { Cell::new(0) };
}

/// How many values have failed to serialize on this thread: a key that is encoded while it grows equals none.
pub(crate) fn failures() -> u64 {
    FAILURES.get()
}

/// Serde has no sets, so no value that serializes can look like this. The random bytes keep two values that
/// fail with one message apart: the message alone would give one of them the other's result.
fn write_failure<S: KeySink + ?Sized>(failure: &Failure, sink: &mut S) {
    FAILURES.set(FAILURES.get() + 1);
    let mut nonce = [0; 16];
    for half in nonce.chunks_exact_mut(8) {
        half.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
    }
    sink.variant("serde-error", 1);
    sink.set(2);
    sink.text(&failure.0);
    sink.bytes(&nonce);
}
