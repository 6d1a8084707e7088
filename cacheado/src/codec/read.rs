//! Reading: a deserializer over bytes, which knows MessagePack's markers by `rmp`.
//!
//! `rmp-serde` has one, which is compiled whole for each type that is read, as every type is asked whether it is a
//! number, a text or a map. Here the bytes are made out once for all types, as a [`Token`], and what is
//! generic hands that to the type, as which it has asked for. It also counts how deep a value lies, lets no declared
//! length reserve more than it may, and lends nothing: what is read may outlive the bytes.

use std::fmt;
use std::mem;

use rmp::Marker;
use rmp_serde::MSGPACK_EXT_STRUCT_NAME;
use serde::Deserialize;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::limits::{Budget, CodecError, Level, Limits};

/// The longest that a collection is announced to be. It may well be longer; but what is announced is
/// reserved by some types before the first element is seen, and a few hostile bytes announce billions.
const ANNOUNCED: usize = 4_096;

/// The value that `bytes` are, all of them.
pub(super) fn read<T: Deserialize<'static>>(bytes: &[u8], limits: Limits) -> Result<T, CodecError> {
    let budget = Budget::new(limits);
    let mut reader = Reader { rest: bytes, ahead: Ahead::Nothing, budget: &budget };
    let result = T::deserialize(&mut reader);
    let is_ok = result.is_ok();
    match (result, reader.failure(is_ok)) {
        (Ok(value), None) => Ok(value),
        (_, Some(failure)) => Err(failure),
        (Err(Refused), None) => Err(CodecError::Refused),
    }
}

/// Why reading ends early: the type or the reader has refused what was read. What a type says about it may show a part
/// of the value, and is dropped.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        CodecError::Refused.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// What the next bytes are.
enum Token<'x> {
    Nothing,
    Truth(bool),
    Unsigned(u64),
    Signed(i64),
    ShortFloat(f32),
    Float(f64),
    Text(&'x str),
    Bytes(&'x [u8]),
    /// So many elements follow.
    List(u32),
    /// So many keys follow, each with its value.
    Map(u32),
    /// Its type, and its data.
    Extension(i8, &'x [u8]),
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

/// What is read before the rest: what has been read in one, and is told in parts.
enum Ahead<'x> {
    Nothing,
    /// A list of two: a type and its data.
    Extension(i8, &'x [u8]),
    TypeAndData(i8, &'x [u8]),
    Data(&'x [u8]),
    /// Numbers.
    Octets(&'x [u8]),
}

struct Reader<'x> {
    rest: &'x [u8],
    ahead: Ahead<'x>,
    budget: &'x Budget,
}

impl<'x> Reader<'x> {
    /// Why what was read is no value, whether or not (`is_ok`) the type takes it for one.
    fn failure(&self, is_ok: bool) -> Option<CodecError> {
        let is_over = self.rest.is_empty() && matches!(self.ahead, Ahead::Nothing);
        self.budget.failure(is_ok).or(if is_over { None } else { Some(CodecError::Trailing) })
    }

    fn deeper(&self) -> Result<Level<'x>, Refused> {
        self.budget.deeper().map_err(|_| Refused)
    }

    fn take(&mut self, len: usize) -> Result<&'x [u8], Refused> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Refused)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Refused)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn length8(&mut self) -> Result<usize, Refused> {
        self.array().map(|[len]| usize::from(len))
    }

    fn length16(&mut self) -> Result<usize, Refused> {
        self.array().map(|len| usize::from(u16::from_be_bytes(len)))
    }

    fn length32(&mut self) -> Result<usize, Refused> {
        self.count32().and_then(|len| usize::try_from(len).map_err(|_| Refused))
    }

    fn count16(&mut self) -> Result<u32, Refused> {
        self.array().map(|len| u32::from(u16::from_be_bytes(len)))
    }

    fn count32(&mut self) -> Result<u32, Refused> {
        self.array().map(u32::from_be_bytes)
    }

    fn text(&mut self, len: usize) -> Result<Token<'x>, Refused> {
        std::str::from_utf8(self.take(len)?).map(Token::Text).map_err(|_| Refused)
    }

    fn extension(&mut self, len: usize) -> Result<Token<'x>, Refused> {
        let kind = i8::from_be_bytes(self.array()?);
        Ok(Token::Extension(kind, self.take(len)?))
    }

    fn token(&mut self) -> Result<Token<'x>, Refused> {
        match mem::replace(&mut self.ahead, Ahead::Nothing) {
            Ahead::Nothing => self.token_of_rest(),
            Ahead::Extension(kind, data) => {
                self.ahead = Ahead::TypeAndData(kind, data);
                Ok(Token::List(2))
            }
            Ahead::TypeAndData(kind, data) => {
                self.ahead = Ahead::Data(data);
                Ok(Token::Signed(kind.into()))
            }
            Ahead::Data(data) => Ok(Token::Bytes(data)),
            Ahead::Octets(octets) => {
                let (first, more) = octets.split_first().ok_or(Refused)?;
                if !more.is_empty() {
                    self.ahead = Ahead::Octets(more);
                }
                Ok(Token::Unsigned((*first).into()))
            }
        }
    }

    fn token_of_rest(&mut self) -> Result<Token<'x>, Refused> {
        let [marker] = self.array()?;
        Ok(match Marker::from_u8(marker) {
            Marker::Null => Token::Nothing,
            Marker::False => Token::Truth(false),
            Marker::True => Token::Truth(true),
            Marker::FixPos(number) => Token::Unsigned(number.into()),
            Marker::FixNeg(number) => Token::Signed(number.into()),
            Marker::U8 => Token::Unsigned(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Token::Unsigned(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Token::Unsigned(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => Token::Unsigned(u64::from_be_bytes(self.array()?)),
            Marker::I8 => Token::Signed(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => Token::Signed(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => Token::Signed(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => Token::Signed(i64::from_be_bytes(self.array()?)),
            Marker::F32 => Token::ShortFloat(f32::from_be_bytes(self.array()?)),
            Marker::F64 => Token::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(len) => self.text(len.into())?,
            Marker::Str8 => self.length8().and_then(|len| self.text(len))?,
            Marker::Str16 => self.length16().and_then(|len| self.text(len))?,
            Marker::Str32 => self.length32().and_then(|len| self.text(len))?,
            Marker::Bin8 => Token::Bytes(self.length8().and_then(|len| self.take(len))?),
            Marker::Bin16 => Token::Bytes(self.length16().and_then(|len| self.take(len))?),
            Marker::Bin32 => Token::Bytes(self.length32().and_then(|len| self.take(len))?),
            Marker::FixArray(len) => Token::List(len.into()),
            Marker::Array16 => Token::List(self.count16()?),
            Marker::Array32 => Token::List(self.count32()?),
            Marker::FixMap(len) => Token::Map(len.into()),
            Marker::Map16 => Token::Map(self.count16()?),
            Marker::Map32 => Token::Map(self.count32()?),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => self.length8().and_then(|len| self.extension(len))?,
            Marker::Ext16 => self.length16().and_then(|len| self.extension(len))?,
            Marker::Ext32 => self.length32().and_then(|len| self.extension(len))?,
            Marker::Reserved => return Err(Refused),
        })
    }

    /// What the marker of the next token is, without reading it.
    fn marker(&self) -> Option<Marker> {
        if matches!(self.ahead, Ahead::Nothing) {
            self.rest.first().map(|byte| Marker::from_u8(*byte))
        } else {
            None
        }
    }

    /// A number of 128 bits, which is written as its bytes; it may have been a smaller one when it was.
    fn wide(&mut self) -> Result<[u8; 16], Refused> {
        match self.token()? {
            Token::Bytes(bytes) => bytes.try_into().map_err(|_| Refused),
            Token::Unsigned(number) => Ok(u128::from(number).to_be_bytes()),
            _ => Err(Refused),
        }
    }

    /// The elements that follow; bytes as numbers.
    fn elements(&mut self) -> Result<u32, Refused> {
        match self.token()? {
            Token::List(len) => Ok(len),
            Token::Bytes(bytes) => {
                if !bytes.is_empty() {
                    self.ahead = Ahead::Octets(bytes);
                }
                u32::try_from(bytes.len()).map_err(|_| Refused)
            }
            _ => Err(Refused),
        }
    }

    /// Whether what follows is nothing, which is read then.
    fn is_nothing(&mut self) -> bool {
        let is_nothing = self.marker() == Some(Marker::Null);
        if is_nothing {
            self.rest = &self.rest[1..];
        }
        is_nothing
    }

    /// Whether a variant with content follows, of which the map is read then that it is in; else it is a name alone.
    fn has_content(&mut self) -> Result<bool, Refused> {
        if !matches!(self.marker(), Some(Marker::FixMap(_) | Marker::Map16 | Marker::Map32)) {
            return Ok(false);
        }
        if let Token::Map(1) = self.token()? { Ok(true) } else { Err(Refused) }
    }

    fn nothing(&mut self) -> Result<(), Refused> {
        if self.is_nothing() { Ok(()) } else { Err(Refused) }
    }

    /// Tells an extension as a list of its type and its data from here on.
    fn open_extension(&mut self) -> Result<(), Refused> {
        let Token::Extension(kind, data) = self.token()? else { return Err(Refused) };
        self.ahead = Ahead::Extension(kind, data);
        Ok(())
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

    fn signed<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.wide() {
            Ok(number) => visitor.visit_i128(i128::from_be_bytes(number)),
            Err(Refused) => Err(Refused),
        }
    }

    fn unsigned<V: Visitor<'static>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        match self.wide() {
            Ok(number) => visitor.visit_u128(u128::from_be_bytes(number)),
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
                self.ahead = Ahead::Extension(kind, data);
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
        signed: deserialize_i128();
        unsigned: deserialize_u128();
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

    fn is_human_readable(&self) -> bool {
        false
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
