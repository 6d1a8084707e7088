//! Cache keys: what may be part of one, and the bytes that it becomes.
//!
//! | module | subject |
//! |---|---|
//! | `sink` | the alphabet of key bytes and [`KeySink`], which a part writes itself to |
//! | `encode` | [`KeyBytes`], the sink that collects, and [`encode()`] |
//! | `replay` | the way back: tokens out of encoded bytes, and the same calls again |
//! | `parts` | [`KeyPart`] for the types of the standard library |
//! | `serde` | [`Serde`]: any `Serialize` value as a part |
//! | `canonical` | [`Key`]: scope, function, version and arguments as one byte string |
//! | `render` | encoded bytes as text for people |
//!
//! The encoding is typed and self-delimiting: no encoded value is a proper prefix of another, so parts
//! written one after the other stay apart (`("a", "b")` and `("ab", "")` differ, and so do `None` and
//! `""`). It is the same on every machine, in every process and in every release with this [`FORMAT`].

mod canonical;
mod encode;
mod parts;
mod render;
mod replay;
pub(crate) mod serde;
mod sink;

#[cfg(test)]
mod tests;

pub use canonical::Key;
pub(crate) use canonical::{split_levels, write_args, write_title};
pub use encode::{KeyBytes, encode};
pub use serde::Serde;
pub use sink::KeySink;

pub(crate) use replay::{Token, replay, split_value};
pub(crate) use sink::{float32_bits, float64_bits, tag};

/// The version of the key format: the first byte of every [`Key`].
///
/// ```
/// assert_eq!(cacheado::key::FORMAT, 1);
/// ```
pub const FORMAT: u8 = 1;

/// A value that can be part of a cache key.
///
/// `#[derive(KeyPart)]` writes this for a type of your own; the standard library's types have it. By hand:
/// write exactly one value, and let equal values write the same. `encode` is also called to compare with a
/// stored key, while a part of the store is locked for reading: it must not use the cache that it makes a key of, nor
/// call a function that is cached there, which could wait for itself. Another cache it may use.
///
/// ```
/// use cacheado::key::{KeyPart, KeySink, encode};
///
/// struct Celsius(i32);
///
/// impl KeyPart for Celsius {
///     fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
///         sink.structure(1);
///         self.0.encode(sink);
///     }
/// }
///
/// assert_ne!(encode(&Celsius(20)), encode(&Celsius(21)));
/// ```
///
/// A `&mut` reference is no part: what it points at may change while the call runs.
///
/// ```compile_fail
/// fn part<T: cacheado::key::KeyPart>(_: T) {}
/// part(&mut 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a cache key",
    label = "has no `KeyPart`",
    note = "on a type of your own: `#[derive(cacheado::KeyPart)]`",
    note = "as an argument of a cached function: name those that make the key with `key(..)`, or leave this one out with `skip(..)`",
    note = "as a field of a type that derives `KeyPart`: leave it out with `#[key(skip)]`",
    note = "anywhere, if it is `Serialize`: wrap it, as in `key = cacheado::key::Serde(&value)` or `cache.get(cacheado::key::Serde(&value))`"
)]
pub trait KeyPart {
    /// Writes the value: one complete value, the same calls each time.
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S);

    /// Writes a slice of such values. Only bytes have a form of their own.
    #[doc(hidden)]
    fn encode_slice<S: KeySink + ?Sized>(slice: &[Self], sink: &mut S)
    where
        Self: Sized,
    {
        sink.sequence(slice.len());
        for part in slice {
            part.encode(sink);
        }
    }
}
