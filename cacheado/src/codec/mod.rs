//! From a value to bytes and back, for what leaves the process.

#![expect(dead_code, reason = "the remote half of the engine is to call it")]

use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::function::Dynamic;

/// How values of one type become bytes, and bytes such values: MessagePack with named fields.
///
/// Made where the compiler knows that the type is serde, and carried to where nobody does.
pub(crate) struct Codec<V> {
    encode: fn(&V, &mut Vec<u8>, Limits) -> Result<(), CodecError>,
    decode: fn(&[u8], Limits) -> Result<V, CodecError>,
    type_name: &'static str,
}

impl<V> Clone for Codec<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Codec<V> {}

impl<V> fmt::Debug for Codec<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codec({})", self.type_name)
    }
}

impl<V: Serialize + Deserialize<'static>> Codec<V> {
    /// That of a type with serde.
    ///
    /// `Deserialize<'static>`, and not for every lifetime: only the latter would say that a value borrows
    /// nothing of its bytes, but in generated code, which has to ask about types that may not have it, it is
    /// an error for a type such as `&'static str`. See [`borrows`](Self::borrows).
    pub(crate) fn serde() -> Self {
        Self { encode: encode::<V>, decode: decode::<V>, type_name: type_name::<V>() }
    }
}

impl Codec<Dynamic> {
    /// That of a programmatic key's values, as they are a `T` each.
    pub(crate) fn dynamic<T: Serialize + Deserialize<'static> + Any + Send + Sync>() -> Self {
        Self {
            encode: |value, out, limits| {
                let value: &(dyn Any + Send + Sync) = &**value;
                encode(value.downcast_ref::<T>().ok_or(CodecError::OtherType)?, out, limits)
            },
            decode: |bytes, limits| Ok(Arc::new(decode::<T>(bytes, limits)?)),
            type_name: type_name::<T>(),
        }
    }
}

impl<V> Codec<V> {
    /// Whether the type shows a reference, such as `Option<&'static str>`: such a value cannot be made from
    /// bytes that come and go.
    pub(crate) fn borrows(self) -> bool {
        self.type_name.contains('&')
    }

    /// Writes the value after what is in `out`; nothing, if it fails.
    pub(crate) fn encode(self, value: &V, out: &mut Vec<u8>, limits: Limits) -> Result<(), CodecError> {
        (self.encode)(value, out, limits)
    }

    /// The value that `bytes` are, all of them.
    pub(crate) fn decode(self, bytes: &[u8], limits: Limits) -> Result<V, CodecError> {
        (self.decode)(bytes, limits)
    }
}

/// How large and how deep a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The bytes of a value.
    pub(crate) size: usize,
    /// How many values may lie in each other.
    pub(crate) depth: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self { size: 16 << 20, depth: 128 }
    }
}

/// Why a value has no bytes, or bytes are no value. Shows no part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum CodecError {
    /// Its own `Serialize` or `Deserialize` refuses it.
    Refused,
    /// It is of another type than the codec.
    OtherType,
}

fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>, _: Limits) -> Result<(), CodecError> {
    rmp_serde::encode::write_named(out, value).map_err(|_| CodecError::Refused)
}

fn decode<T: Deserialize<'static>>(bytes: &[u8], _: Limits) -> Result<T, CodecError> {
    // A reader that lends nothing.
    T::deserialize(&mut rmp_serde::Deserializer::new(bytes)).map_err(|_| CodecError::Refused)
}
