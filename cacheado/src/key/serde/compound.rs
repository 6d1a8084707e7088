//! Sequences, tuples, structs and maps of serde's data model.
//!
//! A declared length is a hint that a hand-written `Serialize` may get wrong; what was written is counted.

use ::serde::Serialize;
use ::serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::serializer::{Encoder, Failure};
use crate::key::{KeyBytes, KeySink};

/// A collection whose values are written as they come.
pub(super) struct Counted<'a> {
    out: &'a mut KeyBytes,
    count: usize,
    length: Length,
}

enum Length {
    /// Eight bytes at this place, put in at the end.
    At(usize),
    /// Part of the tag, and already written.
    Fixed(usize),
}

impl<'a> Counted<'a> {
    /// After a tag that ends in a length of eight bytes.
    pub(super) fn to_be_counted(out: &'a mut KeyBytes) -> Self {
        let length = Length::At(out.as_bytes().len() - size_of::<u64>());
        Self { out, count: 0, length }
    }

    /// After a tag that says the length.
    pub(super) fn exactly(out: &'a mut KeyBytes, len: usize) -> Self {
        Self { out, count: 0, length: Length::Fixed(len) }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        self.count += 1;
        value.serialize(Encoder(self.out))
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Failure> {
        self.out.tuple(2);
        self.out.text(name);
        self.value(value)
    }

    fn finish(self) -> Result<(), Failure> {
        match self.length {
            Length::At(place) => self.out.set_len(place, self.count),
            Length::Fixed(len) if len != self.count => {
                return Err(Failure(format!("a tuple of {len} has {} values", self.count)));
            }
            Length::Fixed(_) => {}
        }
        Ok(())
    }
}

macro_rules! of_values {
    ($($collection:ident::$method:ident),*) => {$(
        impl $collection for Counted<'_> {
            type Ok = ();
            type Error = Failure;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
                self.value(value)
            }

            fn end(self) -> Result<(), Failure> {
                self.finish()
            }
        }
    )*};
}

macro_rules! of_fields {
    ($($collection:ident),*) => {$(
        impl $collection for Counted<'_> {
            type Ok = ();
            type Error = Failure;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Failure> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Failure> {
                self.finish()
            }
        }
    )*};
}

of_values!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);
of_fields!(SerializeStruct, SerializeStructVariant);

/// A map whose entries are kept back until all of them can be sorted.
pub(super) struct SortedMap<'a> {
    out: &'a mut KeyBytes,
    entries: Vec<Vec<u8>>,
    /// A key whose value has not come yet.
    key: Option<KeyBytes>,
}

impl<'a> SortedMap<'a> {
    pub(super) fn new(out: &'a mut KeyBytes) -> Self {
        Self { out, entries: Vec::new(), key: None }
    }
}

impl SerializeMap for SortedMap<'_> {
    type Ok = ();
    type Error = Failure;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failure> {
        let mut entry = KeyBytes::new();
        key.serialize(Encoder(&mut entry))?;
        match self.key.replace(entry) {
            None => Ok(()),
            Some(_) => Err(Failure("a map has a key without a value".to_owned())),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        let Some(mut entry) = self.key.take() else {
            return Err(Failure("a map has a value without a key".to_owned()));
        };
        value.serialize(Encoder(&mut entry))?;
        self.entries.push(entry.into_vec());
        Ok(())
    }

    fn end(mut self) -> Result<(), Failure> {
        if self.key.is_some() {
            return Err(Failure("a map has a key without a value".to_owned()));
        }
        self.entries.sort_unstable();
        self.out.map(self.entries.len());
        for entry in &self.entries {
            self.out.append(entry);
        }
        Ok(())
    }
}
