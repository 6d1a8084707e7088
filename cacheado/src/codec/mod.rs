//! From a value to bytes and back, for what leaves the process: MessagePack with named fields, in an
//! [`Envelope`].
//!
//! | file | subject |
//! |---|---|
//! | `limits` | how large and how deep a value may be; why one cannot be written or read |
//! | `write` | around `rmp-serde`'s serializer: counts depth, and lets nothing pass that would not come back as it was |
//! | `read` | a deserializer, compiled once as far as it can be |
//! | `wide` | numbers of 128 bits |
//! | `buffer` | where the bytes are written to |
//! | `envelope` | what stands before the payload, and who may open it |
//! | `fingerprint` | a type, in 16 bytes |
//!
//! What the named fields make possible: a struct may gain a field that has a `#[serde(default)]`, lose one, and
//! change their order, and old entries are still read. What they do not: a changed meaning. For that there
//! is `version = …`.
//!
//! What cannot come back is refused when it is written, not read as something else: `Some(())` and `Some(None)`
//! have no bytes of their own in MessagePack, and would be `None`.

mod buffer;
mod envelope;
mod fingerprint;
mod limits;
mod read;
#[cfg(test)]
mod tests;
mod wide;
mod write;

pub(crate) use buffer::Buffer;
pub(crate) use envelope::{Envelope, Header};
pub(crate) use fingerprint::Fingerprint;
pub(crate) use limits::{CodecError, Limits};

use std::any::type_name;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use crate::function::Held;
use read::{Reader, Refused};
use write::Writer;

/// How values of one type become bytes, and bytes such values.
///
/// Made where the compiler knows that the type is serde, and carried to where nobody does.
pub(crate) struct Codec<V> {
    encode: Encode<V>,
    decode: Decode<V>,
    type_name: &'static str,
}

/// Makes a codec, for what a hit has no use of.
pub(crate) type MakeCodec = fn() -> Codec<Held>;

/// Writes a value, as the serde of its type does; whether that went well. `None` if the value is of another type.
type Encode<V> = fn(&V, &mut Writer<'_>) -> Option<bool>;

/// Reads a value, as the serde of its type does.
type Decode<V> = fn(&mut Reader<'_>) -> Result<V, Refused>;

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
    #[cfg(any(test, fuzzing))]
    pub(crate) fn serde() -> Self {
        Self {
            encode: |value, writer| Some(writer.part(value).is_ok()),
            decode: |reader| V::deserialize(reader),
            type_name: type_name::<V>(),
        }
    }
}

impl Codec<Held> {
    /// That of values behind pointers, which are a `T` each.
    pub(crate) fn dynamic<T: Serialize + Deserialize<'static> + Send + Sync + 'static>() -> Self {
        Self { encode: encode_as::<T>, decode: decode_as::<T>, type_name: type_name::<T>() }
    }
}

#[expect(clippy::manual_map, reason = "it is compiled for each type, and each `map` is a call of its own")]
fn encode_as<T: Serialize + 'static>(value: &Held, writer: &mut Writer<'_>) -> Option<bool> {
    match value.get::<T>() {
        Some(value) => Some(writer.part(value).is_ok()),
        None => None,
    }
}

fn decode_as<T: Deserialize<'static> + Send + Sync + 'static>(
    reader: &mut Reader<'_>,
) -> Result<Held, Refused> {
    match T::deserialize(reader) {
        Ok(value) => Ok(Held::new(value)),
        Err(Refused) => Err(Refused),
    }
}

impl<V> Codec<V> {
    /// Whether the type shows a reference, such as `Option<&'static str>`: such a value cannot be made from
    /// bytes that come and go.
    pub(crate) fn borrows(self) -> bool {
        self.type_name.contains('&')
    }

    /// What tells the type from others.
    pub(crate) fn fingerprint(self) -> Fingerprint {
        Fingerprint::of(self.type_name)
    }

    /// Writes the value after what is in `out`, or nothing.
    pub(crate) fn encode(self, value: &V, out: &mut Vec<u8>, limits: Limits) -> Result<(), CodecError> {
        let before = out.len();
        let written = contained(|| write::write(value, self.encode, out, limits));
        if written.is_err() {
            out.truncate(before);
        }
        written
    }

    /// The value that `bytes` are, all of them.
    pub(crate) fn decode(self, bytes: &[u8], limits: Limits) -> Result<V, CodecError> {
        if bytes.len() > limits.size {
            return Err(CodecError::TooLarge);
        }
        contained(|| read::read(bytes, self.decode, limits))
    }
}

/// A `Serialize`, `Deserialize` or `Drop` of the user's may panic.
fn contained<T>(run: impl FnOnce() -> Result<T, CodecError>) -> Result<T, CodecError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(CodecError::Panicked))
}
