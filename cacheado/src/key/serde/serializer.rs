//! The serializer proper: scalars here, whatever has parts in `compound`.

use std::fmt;

use ::serde::Serialize;
use ::serde::ser::{self, Serializer};

use super::compound::{Counted, SortedMap};
use crate::key::{KeyBytes, KeyPart, KeySink, tag};

/// Why a value could not be serialized.
#[derive(Debug)]
pub(super) struct Failure(pub(super) String);

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl ser::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Writes one value to the bytes.
pub(super) struct Encoder<'a>(pub(super) &'a mut KeyBytes);

type Done = Result<(), Failure>;

macro_rules! scalars {
    ($($method:ident($value:ty)),*) => {$(
        fn $method(self, value: $value) -> Done {
            value.encode(self.0);
            Ok(())
        }
    )*};
}

impl<'a> Serializer for Encoder<'a> {
    type Ok = ();
    type Error = Failure;
    type SerializeSeq = Counted<'a>;
    type SerializeTuple = Counted<'a>;
    type SerializeTupleStruct = Counted<'a>;
    type SerializeTupleVariant = Counted<'a>;
    type SerializeMap = SortedMap<'a>;
    type SerializeStruct = Counted<'a>;
    type SerializeStructVariant = Counted<'a>;

    scalars! {
        serialize_bool(bool), serialize_char(char), serialize_str(&str),
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_u128(u128),
        serialize_f32(f32), serialize_f64(f64)
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.0.bytes(value);
        Ok(())
    }

    fn serialize_none(self) -> Done {
        self.0.none();
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.0.some();
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.0.unit();
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.0.variant(variant, 0);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        self.0.variant(variant, 1);
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Counted<'a>, Failure> {
        self.0.sequence(0);
        Ok(Counted::to_be_counted(self.0))
    }

    fn serialize_tuple(self, len: usize) -> Result<Counted<'a>, Failure> {
        if len > tag::TUPLE_MAX {
            return self.serialize_seq(Some(len));
        }
        self.0.tuple(len);
        Ok(Counted::exactly(self.0, len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Counted<'a>, Failure> {
        self.serialize_tuple(len)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Counted<'a>, Failure> {
        self.0.variant(variant, 0);
        Ok(Counted::to_be_counted(self.0))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<SortedMap<'a>, Failure> {
        Ok(SortedMap::new(self.0))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Counted<'a>, Failure> {
        self.0.structure(0);
        Ok(Counted::to_be_counted(self.0))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Counted<'a>, Failure> {
        self.0.variant(variant, 1);
        self.serialize_struct(variant, 0)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
