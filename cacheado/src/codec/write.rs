//! Writing: `rmp-serde`'s serializer, watched.
//!
//! Every part of a value passes through [`Watched`], which counts how deep it lies and whether it is nothing:
//! in MessagePack a `Some` is its content, so that one which holds `()` or `None` would come back as `None`.

use std::cell::Cell;
use std::fmt::Display;
use std::io;

use rmp_serde::config::{DefaultConfig, StructMapConfig};
use rmp_serde::encode::Error;
use rmp_serde::{MSGPACK_EXT_STRUCT_NAME, Serializer as Bare};
use serde::Serialize;
use serde::ser::{self, Error as _, Serializer};

use super::Encode;
use super::limits::{Budget, CodecError, Limits};
use super::wide::{NEGATIVE, Octets, POSITIVE};

/// Writes the value after what is in `out`.
pub(super) fn write<V>(
    value: &V,
    encode: Encode<V>,
    out: &mut Vec<u8>,
    limits: Limits,
) -> Result<(), CodecError> {
    let watch = Watch { budget: Budget::new(limits), nil: Cell::new(false) };
    let out = Bounded { out, left: limits.size, watch: &watch };
    let mut writer = Writer { serializer: Bare::new(out).with_struct_map(), watch: &watch };
    match encode(value, &mut writer) {
        Some(is_ok) => watch.budget.failure(is_ok).map_or(Ok(()), Err),
        None => Err(CodecError::OtherType),
    }
}

/// Writes one value.
pub(super) struct Writer<'a> {
    serializer: Bare<Bounded<'a>, StructMapConfig<DefaultConfig>>,
    watch: &'a Watch,
}

impl Writer<'_> {
    /// Writes the value.
    #[inline]
    pub(super) fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        Part { value, watch: self.watch }.serialize(&mut self.serializer)
    }

    /// Writes these bytes.
    #[cfg(test)]
    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(self.serializer.get_mut(), bytes)
    }
}

struct Watch {
    budget: Budget,
    /// Whether what was written last is nothing: `()` or `None`.
    nil: Cell<bool>,
}

/// Bytes, up to a limit.
struct Bounded<'a> {
    out: &'a mut Vec<u8>,
    left: usize,
    watch: &'a Watch,
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            return Err(io::Error::other(self.watch.budget.stop(CodecError::TooLarge)));
        };
        self.left = left;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A part of the value.
struct Part<'a, T: ?Sized> {
    value: &'a T,
    watch: &'a Watch,
}

impl<T: Serialize + ?Sized> Serialize for Part<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        let watched = Watched { inner, watch: self.watch };
        match self.watch.budget.deeper() {
            Ok(_level) => self.value.serialize(watched),
            Err(error) => Err(S::Error::custom(error)),
        }
    }
}

/// A serializer.
struct Watched<'a, S> {
    inner: S,
    watch: &'a Watch,
}

/// One for the parts of a compound. With a wrong number of them, what follows would be read as a part, or a part as what
/// follows.
struct Parts<'a, S> {
    inner: S,
    watch: &'a Watch,
    /// How many are still to come, if that has been said.
    left: Option<usize>,
}

impl<S: Serializer> Watched<'_, S> {
    fn wide(self, kind: i8, bytes: [u8; 16]) -> Result<S::Ok, S::Error> {
        self.watch.nil.set(false);
        self.inner.serialize_newtype_struct(MSGPACK_EXT_STRUCT_NAME, &(kind, Octets(bytes)))
    }
}

macro_rules! scalars {
    ($($method:ident($($argument:ident: $type:ty),*) nil: $nil:literal;)*) => {$(
        #[inline]
        fn $method(self, $($argument: $type),*) -> Result<S::Ok, S::Error> {
            self.watch.nil.set($nil);
            self.inner.$method($($argument),*)
        }
    )*};
}

macro_rules! begin {
    ($($method:ident($($argument:ident: $type:ty),*) -> $compound:ident of $left:expr;)*) => {$(
        #[inline]
        fn $method(self, $($argument: $type),*) -> Result<Self::$compound, S::Error> {
            Ok(Parts { inner: self.inner.$method($($argument),*)?, watch: self.watch, left: $left })
        }
    )*};
}

impl<'a, S: Serializer> Serializer for Watched<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<'a, S::SerializeSeq>;
    type SerializeTuple = Parts<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Parts<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<'a, S::SerializeTupleVariant>;
    type SerializeMap = Parts<'a, S::SerializeMap>;
    type SerializeStruct = Parts<'a, S::SerializeStruct>;
    type SerializeStructVariant = Parts<'a, S::SerializeStructVariant>;

    scalars! {
        serialize_bool(value: bool) nil: false;
        serialize_i8(value: i8) nil: false;
        serialize_i16(value: i16) nil: false;
        serialize_i32(value: i32) nil: false;
        serialize_i64(value: i64) nil: false;
        serialize_u8(value: u8) nil: false;
        serialize_u16(value: u16) nil: false;
        serialize_u32(value: u32) nil: false;
        serialize_u64(value: u64) nil: false;
        serialize_f32(value: f32) nil: false;
        serialize_f64(value: f64) nil: false;
        serialize_char(value: char) nil: false;
        serialize_str(value: &str) nil: false;
        serialize_bytes(value: &[u8]) nil: false;
        serialize_none() nil: true;
        serialize_unit() nil: true;
        serialize_unit_struct(name: &'static str) nil: false;
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str) nil: false;
    }

    begin! {
        serialize_seq(len: Option<usize>) -> SerializeSeq of len;
        serialize_tuple(len: usize) -> SerializeTuple of Some(len);
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct of Some(len);
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeTupleVariant of Some(len);
        // A key and a value each.
        serialize_map(len: Option<usize>) -> SerializeMap of len.map(|len| len.saturating_mul(2));
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct of Some(len);
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeStructVariant of Some(len);
    }

    fn serialize_i128(self, value: i128) -> Result<S::Ok, S::Error> {
        self.wide(if value < 0 { NEGATIVE } else { POSITIVE }, value.to_be_bytes())
    }

    fn serialize_u128(self, value: u128) -> Result<S::Ok, S::Error> {
        self.wide(POSITIVE, value.to_be_bytes())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let Self { inner, watch } = self;
        let written = inner.serialize_some(&Part { value, watch })?;
        if watch.nil.get() {
            return Err(S::Error::custom(watch.budget.stop(CodecError::LostSome)));
        }
        Ok(written)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        // Its content alone is written, which may be nothing.
        self.inner.serialize_newtype_struct(name, &Part { value, watch: self.watch })
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let part = Part { value, watch: self.watch };
        let written = self.inner.serialize_newtype_variant(name, index, variant, &part)?;
        self.watch.nil.set(false);
        Ok(written)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.watch.nil.set(false);
        self.inner.collect_str(value)
    }

    /// A type may have two forms. What is read back by way of serde's own buffer (`flatten`, `tag`, `untagged`) is asked
    /// for in the one for people, whatever the format is, so that every value is written in it.
    fn is_human_readable(&self) -> bool {
        true
    }
}

impl<S> Parts<'_, S> {
    #[inline]
    fn count(&mut self) {
        // Below zero, it comes to none again only after more parts than there can be.
        self.left = self.left.map(|left| left.wrapping_sub(1));
    }

    #[inline]
    fn check<E: ser::Error>(&self) -> Result<(), E> {
        match self.left {
            None | Some(0) => Ok(()),
            Some(_) => Err(E::custom(self.watch.budget.stop(CodecError::WrongLength))),
        }
    }
}

macro_rules! compounds {
    ($($compound:ident { $($method:ident($($name:ident: $type:ty)?);)+ })*) => {$(
        impl<S: ser::$compound> ser::$compound for Parts<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            $(
                #[inline]
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $($name: $type,)?
                    value: &T,
                ) -> Result<(), S::Error> {
                    self.count();
                    self.inner.$method($($name,)? &Part { value, watch: self.watch })
                }
            )+

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.watch.nil.set(false);
                self.check()?;
                self.inner.end()
            }
        }
    )*};
}

compounds! {
    SerializeSeq { serialize_element(); }
    SerializeTuple { serialize_element(); }
    SerializeTupleStruct { serialize_field(); }
    SerializeTupleVariant { serialize_field(); }
    SerializeMap { serialize_key(); serialize_value(); }
    SerializeStruct { serialize_field(name: &'static str); }
    SerializeStructVariant { serialize_field(name: &'static str); }
}
