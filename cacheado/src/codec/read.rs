//! Reading: `rmp-serde`'s deserializer, watched.
//!
//! Every part of a value passes through [`Watched`], which counts how deep it lies, lets no declared length
//! reserve more than it may, and lends nothing: what is read may outlive the bytes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::limits::{Budget, CodecError, Limits};

/// The longest that a collection is announced to be. It may well be longer; but what is announced is
/// reserved by some types before the first element is seen, and a few hostile bytes announce billions.
const ANNOUNCED: usize = 4_096;

/// The value that `bytes` are, all of them.
pub(super) fn read<T: Deserialize<'static>>(bytes: &[u8], limits: Limits) -> Result<T, CodecError> {
    let budget = Budget::new(limits);
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    let result = T::deserialize(Watched::new(&mut deserializer, &budget));
    let failure = failure(&budget, result.is_ok(), &mut deserializer);
    match (result, failure) {
        (Ok(value), None) => Ok(value),
        (_, Some(failure)) => Err(failure),
        (Err(_), None) => Err(CodecError::Refused),
    }
}

fn failure<'x>(
    budget: &Budget,
    is_ok: bool,
    deserializer: impl Deserializer<'x, Error = rmp_serde::decode::Error>,
) -> Option<CodecError> {
    budget.failure(is_ok).or_else(|| if is_at_end(deserializer) { None } else { Some(CodecError::Trailing) })
}

/// Whether nothing can be read any more. The deserializer does not tell where it is.
fn is_at_end<'x>(deserializer: impl Deserializer<'x, Error = rmp_serde::decode::Error>) -> bool {
    matches!(
        <()>::deserialize(deserializer),
        Err(rmp_serde::decode::Error::InvalidMarkerRead(error))
            if error.kind() == std::io::ErrorKind::UnexpectedEof
    )
}

/// Stands around one of serde's parties. Those on the side of the bytes live as long as the bytes do, `'x`;
/// those on the side of the value have no part in that: to them it is `'static`.
struct Watched<'x, 'b, P> {
    party: P,
    budget: &'b Budget,
    bytes: PhantomData<&'x [u8]>,
}

impl<'b, P> Watched<'_, 'b, P> {
    #[inline]
    fn new(party: P, budget: &'b Budget) -> Self {
        Self { party, budget, bytes: PhantomData }
    }
}

macro_rules! questions {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method<V: Visitor<'static>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let Self { party, budget, .. } = self;
            let _level = match budget.deeper() {
                Ok(level) => level,
                Err(error) => return Err(D::Error::custom(error)),
            };
            party.$method($($argument,)* Watched::new(visitor, budget))
        }
    )*};
}

impl<'x, D: Deserializer<'x>> Deserializer<'static> for Watched<'x, '_, D> {
    type Error = D::Error;

    questions! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_ignored_any();
    }

    /// The name of a field or a variant is no level of its own: the writer does not count it either. It is read by
    /// itself, so that what reads it is compiled once, and not for the names of each type.
    #[inline]
    fn deserialize_identifier<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.party.deserialize_identifier(NameVisitor)?.tell(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.party.is_human_readable()
    }
}

/// A name as it was written: text, mostly. The keys of a flattened map are names as well, and can be numbers.
enum Name<'x> {
    Text(Cow<'x, str>),
    Bytes(Cow<'x, [u8]>),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    ShortFloat(f32),
    Truth(bool),
    Nothing,
}

impl Name<'_> {
    fn tell<V: Visitor<'static>, E: serde::de::Error>(self, visitor: V) -> Result<V::Value, E> {
        match self {
            Self::Text(text) => visitor.visit_str(&text),
            Self::Bytes(bytes) => visitor.visit_bytes(&bytes),
            Self::Unsigned(number) => visitor.visit_u64(number),
            Self::Signed(number) => visitor.visit_i64(number),
            Self::Float(number) => visitor.visit_f64(number),
            Self::ShortFloat(number) => visitor.visit_f32(number),
            Self::Truth(truth) => visitor.visit_bool(truth),
            Self::Nothing => visitor.visit_unit(),
        }
    }
}

struct NameVisitor;

macro_rules! names {
    ($($method:ident($type:ty) => $name:expr;)*) => {$(
        fn $method<E>(self, value: $type) -> Result<Name<'x>, E> {
            let name: fn($type) -> Name<'x> = $name;
            Ok(name(value))
        }
    )*};
}

impl<'x> Visitor<'x> for NameVisitor {
    type Value = Name<'x>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    names! {
        visit_borrowed_str(&'x str) => |text| Name::Text(text.into());
        visit_str(&str) => |text| Name::Text(text.to_owned().into());
        visit_borrowed_bytes(&'x [u8]) => |bytes| Name::Bytes(bytes.into());
        visit_bytes(&[u8]) => |bytes| Name::Bytes(bytes.to_owned().into());
        visit_u64(u64) => Name::Unsigned;
        visit_i64(i64) => Name::Signed;
        visit_f64(f64) => Name::Float;
        visit_f32(f32) => Name::ShortFloat;
        visit_bool(bool) => Name::Truth;
    }

    fn visit_unit<E>(self) -> Result<Name<'x>, E> {
        Ok(Name::Nothing)
    }
}

macro_rules! answers {
    ($($method:ident => $told:ident($type:ty);)*) => {$(
        #[inline]
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.party.$told(value)
        }
    )*};
}

impl<'x, V: Visitor<'static>> Visitor<'x> for Watched<'x, '_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.party.expecting(f)
    }

    answers! {
        visit_bool => visit_bool(bool);
        visit_i8 => visit_i8(i8);
        visit_i16 => visit_i16(i16);
        visit_i32 => visit_i32(i32);
        visit_i64 => visit_i64(i64);
        visit_i128 => visit_i128(i128);
        visit_u8 => visit_u8(u8);
        visit_u16 => visit_u16(u16);
        visit_u32 => visit_u32(u32);
        visit_u64 => visit_u64(u64);
        visit_u128 => visit_u128(u128);
        visit_f32 => visit_f32(f32);
        visit_f64 => visit_f64(f64);
        visit_char => visit_char(char);
        visit_str => visit_str(&str);
        visit_borrowed_str => visit_str(&'x str);
        visit_string => visit_string(String);
        visit_bytes => visit_bytes(&[u8]);
        visit_borrowed_bytes => visit_bytes(&'x [u8]);
        visit_byte_buf => visit_byte_buf(Vec<u8>);
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.party.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.party.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'x>>(self, content: D) -> Result<V::Value, D::Error> {
        self.party.visit_some(Watched::new(content, self.budget))
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'x>>(self, content: D) -> Result<V::Value, D::Error> {
        self.party.visit_newtype_struct(Watched::new(content, self.budget))
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'x>>(self, elements: A) -> Result<V::Value, A::Error> {
        self.party.visit_seq(Watched::new(elements, self.budget))
    }

    #[inline]
    fn visit_map<A: MapAccess<'x>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.party.visit_map(Watched::new(entries, self.budget))
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'x>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.party.visit_enum(Watched::new(variant, self.budget))
    }
}

impl<'x, S: DeserializeSeed<'static>> DeserializeSeed<'x> for Watched<'x, '_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'x>>(self, content: D) -> Result<S::Value, D::Error> {
        self.party.deserialize(Watched::new(content, self.budget))
    }
}

impl<'x, A: SeqAccess<'x>> SeqAccess<'static> for Watched<'x, '_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.party.next_element_seed(Watched::new(seed, self.budget))
    }

    fn size_hint(&self) -> Option<usize> {
        self.party.size_hint().map(|len| len.min(ANNOUNCED))
    }
}

impl<'x, A: MapAccess<'x>> MapAccess<'static> for Watched<'x, '_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.party.next_key_seed(Watched::new(seed, self.budget))
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.party.next_value_seed(Watched::new(seed, self.budget))
    }

    fn size_hint(&self) -> Option<usize> {
        self.party.size_hint().map(|len| len.min(ANNOUNCED))
    }
}

impl<'x, 'b, A: EnumAccess<'x>> EnumAccess<'static> for Watched<'x, 'b, A> {
    type Error = A::Error;
    type Variant = Watched<'x, 'b, A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, content) = self.party.variant_seed(Watched::new(seed, self.budget))?;
        Ok((value, Watched::new(content, self.budget)))
    }
}

impl<'x, A: VariantAccess<'x>> VariantAccess<'static> for Watched<'x, '_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.party.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.party.newtype_variant_seed(Watched::new(seed, self.budget))
    }

    #[inline]
    fn tuple_variant<V: Visitor<'static>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.party.tuple_variant(len, Watched::new(visitor, self.budget))
    }

    #[inline]
    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.party.struct_variant(fields, Watched::new(visitor, self.budget))
    }
}
