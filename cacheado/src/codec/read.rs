//! Reading: a deserializer over bytes, which knows MessagePack's markers by `rmp`.
//!
//! `rmp-serde` has one, which is compiled whole for each type that is read, as every type is asked whether it is a
//! number, a text or a map. Here the bytes are made out once for all types, as a [`Token`] (`reader`), and what is
//! generic hands that to the type, as which it has asked for. It also counts how deep a value lies, lets no declared
//! length reserve more than it may, and lends nothing: what is read may outlive the bytes.

mod reader;

use rmp_serde::MSGPACK_EXT_STRUCT_NAME;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::Decode;
use super::limits::{Budget, CodecError, Limits};
use reader::Token;
pub(super) use reader::{Reader, Refused};

/// The longest that a collection is announced to be. It may well be longer; but what is announced is
/// reserved by some types before the first element is seen, and a few hostile bytes announce billions.
const ANNOUNCED: usize = 4_096;

/// The value that `bytes` are, all of them.
pub(super) fn read<V>(bytes: &[u8], decode: Decode<V>, limits: Limits) -> Result<V, CodecError> {
    let budget = Budget::new(limits);
    let mut reader = Reader::new(bytes, &budget);
    let result = decode(&mut reader);
    let is_ok = result.is_ok();
    match (result, reader.failure(is_ok)) {
        (Ok(value), None) => Ok(value),
        (_, Some(failure)) => Err(failure),
        (Err(Refused), None) => Err(CodecError::Refused),
    }
}

impl Token<'_> {
    /// Tells what has no parts.
    fn tell<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self {
            Token::Nothing => visitor.visit_unit(),
            Token::Truth(truth) => visitor.visit_bool(truth),
            Token::Unsigned(number) => visitor.visit_u64(number),
            Token::Signed(number) => visitor.visit_i64(number),
            Token::ShortFloat(number) => visitor.visit_f32(number),
            Token::Float(number) => visitor.visit_f64(number),
            Token::Text(text) => visitor.visit_str(text),
            Token::Bytes(bytes) => visitor.visit_bytes(bytes),
            Token::List(_) | Token::Map(_) | Token::Extension(..) => Err(Refused),
        }
    }
}

/// What is compiled for each type: without `?`, each of which is a call of its own.
impl Reader<'_> {
    fn list<V: Visitor<'static>>(&mut self, len: u32, visitor: V) -> Result<V::Value, Refused> {
        let mut left = len;
        match visitor.visit_seq(Parts { reader: self, left: &mut left }) {
            Ok(value) if left == 0 => Ok(value),
            _ => Err(Refused),
        }
    }

    fn map<V: Visitor<'static>>(&mut self, len: u32, visitor: V) -> Result<V::Value, Refused> {
        let mut left = len;
        match visitor.visit_map(Parts { reader: self, left: &mut left }) {
            Ok(value) if left == 0 => Ok(value),
            _ => Err(Refused),
        }
    }

    fn sequence<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.elements() {
            Ok(len) => self.list(len, visitor),
            Err(Refused) => Err(Refused),
        }
    }

    /// A map, or a list of its values.
    fn fields<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.token() {
            Ok(Token::Map(len)) => self.map(len, visitor),
            Ok(Token::List(len)) => self.list(len, visitor),
            _ => Err(Refused),
        }
    }

    fn number<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.token() {
            Ok(Token::Truth(truth)) => visitor.visit_bool(truth),
            Ok(Token::Unsigned(number)) => visitor.visit_u64(number),
            Ok(Token::Signed(number)) => visitor.visit_i64(number),
            Ok(Token::ShortFloat(number)) => visitor.visit_f32(number),
            Ok(Token::Float(number)) => visitor.visit_f64(number),
            _ => Err(Refused),
        }
    }

    fn wide_signed<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.signed() {
            Ok(number) => visitor.visit_i128(number),
            Err(Refused) => Err(Refused),
        }
    }

    fn wide_unsigned<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.unsigned() {
            Ok(number) => visitor.visit_u128(number),
            Err(Refused) => Err(Refused),
        }
    }

    /// What has no parts.
    fn scalar<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.token() {
            Ok(token) => token.tell(visitor),
            Err(Refused) => Err(Refused),
        }
    }

    fn option<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        if self.is_nothing() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn unit_struct<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        // An empty list is how the other side writes it.
        match self.token() {
            Ok(Token::Nothing | Token::List(0)) => visitor.visit_unit(),
            _ => Err(Refused),
        }
    }

    fn variant<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.has_content() {
            Ok(has_content) => visitor.visit_enum(Variant { reader: self, has_content }),
            Err(Refused) => Err(Refused),
        }
    }

    fn whatever<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.token() {
            Ok(Token::Map(len)) => self.map(len, visitor),
            Ok(Token::List(len)) => self.list(len, visitor),
            Ok(Token::Extension(kind, data)) => {
                self.tell_in_parts(kind, data);
                visitor.visit_newtype_struct(self)
            }
            Ok(token) => token.tell(visitor),
            Err(Refused) => Err(Refused),
        }
    }
}

/// Goes one level deeper, and asks the reader for this answer. What else a type says of itself is not needed.
macro_rules! questions {
    ($($answer:ident: $($method:ident($($argument:ty),*)),+;)*) => {$($(
        fn $method<V: Visitor<'static>>(self, $(_: $argument,)* visitor: V) -> Result<V::Value, Refused> {
            let Ok(_level) = self.deeper() else { return Err(Refused) };
            self.$answer(visitor)
        }
    )+)*};
}

type Name = &'static str;
type Names = &'static [&'static str];

impl Deserializer<'static> for &mut Reader<'_> {
    type Error = Refused;

    questions! {
        whatever: deserialize_any(), deserialize_ignored_any(), deserialize_bytes(), deserialize_byte_buf();
        scalar: deserialize_str(), deserialize_string(), deserialize_char(), deserialize_unit();
        number: deserialize_bool(), deserialize_f32(), deserialize_f64();
        number: deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64();
        number: deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64();
        wide_signed: deserialize_i128();
        wide_unsigned: deserialize_u128();
        option: deserialize_option();
        sequence: deserialize_seq(), deserialize_tuple(usize), deserialize_tuple_struct(Name, usize);
        fields: deserialize_map(), deserialize_struct(Name, Names);
        variant: deserialize_enum(Name, Names);
        unit_struct: deserialize_unit_struct(Name);
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let Ok(_level) = self.deeper() else { return Err(Refused) };
        if name == MSGPACK_EXT_STRUCT_NAME && self.open_extension().is_err() {
            return Err(Refused);
        }
        visitor.visit_newtype_struct(self)
    }

    /// The name of a field or a variant is no level of its own: the writer does not count it either. It is text, mostly;
    /// the keys of a flattened map are names as well, and can be numbers.
    fn deserialize_identifier<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.scalar(visitor)
    }

    /// As the writer says.
    fn is_human_readable(&self) -> bool {
        true
    }
}

/// The parts of a list or a map, of which so many are left.
struct Parts<'r, 'x> {
    reader: &'r mut Reader<'x>,
    left: &'r mut u32,
}

impl Parts<'_, '_> {
    /// Whether there is another one.
    fn next(&mut self) -> bool {
        let is_left = *self.left > 0;
        *self.left -= u32::from(is_left);
        is_left
    }

    fn announced(&self) -> usize {
        usize::try_from(*self.left).unwrap_or(ANNOUNCED).min(ANNOUNCED)
    }

    fn part<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        if !self.next() {
            return Ok(None);
        }
        match seed.deserialize(&mut *self.reader) {
            Ok(part) => Ok(Some(part)),
            Err(Refused) => Err(Refused),
        }
    }
}

impl SeqAccess<'static> for Parts<'_, '_> {
    type Error = Refused;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refused> {
        self.part(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.announced())
    }
}

impl MapAccess<'static> for Parts<'_, '_> {
    type Error = Refused;

    fn next_key_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, Refused> {
        self.part(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Refused> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.announced())
    }
}

/// A variant: a name, and what is in it, if there is something.
struct Variant<'r, 'x> {
    reader: &'r mut Reader<'x>,
    has_content: bool,
}

impl EnumAccess<'static> for Variant<'_, '_> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<(S::Value, Self), Refused> {
        match seed.deserialize(&mut *self.reader) {
            Ok(name) => Ok((name, self)),
            Err(Refused) => Err(Refused),
        }
    }
}

impl VariantAccess<'static> for Variant<'_, '_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        if self.has_content { self.reader.nothing() } else { Ok(()) }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<S::Value, Refused> {
        if self.has_content { seed.deserialize(self.reader) } else { Err(Refused) }
    }

    fn tuple_variant<V: Visitor<'static>>(self, _: usize, visitor: V) -> Result<V::Value, Refused> {
        if self.has_content { self.reader.sequence(visitor) } else { Err(Refused) }
    }

    fn struct_variant<V: Visitor<'static>>(self, _: Names, visitor: V) -> Result<V::Value, Refused> {
        if self.has_content { self.reader.fields(visitor) } else { Err(Refused) }
    }
}
