//! What the bytes are, found out once for all types.

use std::fmt;
use std::mem;

use rmp::Marker;
use serde::de;

use crate::codec::limits::{Budget, CodecError, Level};
use crate::codec::wide::{NEGATIVE, POSITIVE};

/// Why reading ends early: the type or the reader has refused what was read. What a type says about it may show a part
/// of the value, and is dropped.
#[derive(Debug)]
pub(in crate::codec) struct Refused;

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
pub(super) enum Token<'x> {
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

pub(in crate::codec) struct Reader<'x> {
    rest: &'x [u8],
    ahead: Ahead<'x>,
    budget: &'x Budget,
}

impl<'x> Reader<'x> {
    pub(super) fn new(bytes: &'x [u8], budget: &'x Budget) -> Self {
        Self { rest: bytes, ahead: Ahead::Nothing, budget }
    }

    /// Why what was read is no value, whether or not (`is_ok`) the type takes it for one.
    pub(super) fn failure(&self, is_ok: bool) -> Option<CodecError> {
        let is_over = self.rest.is_empty() && matches!(self.ahead, Ahead::Nothing);
        self.budget.failure(is_ok).or(if is_over { None } else { Some(CodecError::Trailing) })
    }

    pub(super) fn deeper(&self) -> Result<Level<'x>, Refused> {
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

    pub(super) fn token(&mut self) -> Result<Token<'x>, Refused> {
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

    /// A number of 128 bits. It may have been a smaller one when it was written, or stand there as its bytes.
    pub(super) fn signed(&mut self) -> Result<i128, Refused> {
        match self.token()? {
            Token::Unsigned(number) => Ok(number.into()),
            Token::Signed(number) => Ok(number.into()),
            Token::Bytes(bytes) | Token::Extension(NEGATIVE, bytes) => octets(bytes).map(i128::from_be_bytes),
            Token::Extension(POSITIVE, bytes) => {
                octets(bytes).and_then(|octets| u128::from_be_bytes(octets).try_into().map_err(|_| Refused))
            }
            _ => Err(Refused),
        }
    }

    /// The same of one that is not negative.
    pub(super) fn unsigned(&mut self) -> Result<u128, Refused> {
        match self.token()? {
            Token::Unsigned(number) => Ok(number.into()),
            Token::Signed(number) => number.try_into().map_err(|_| Refused),
            Token::Bytes(bytes) | Token::Extension(POSITIVE, bytes) => octets(bytes).map(u128::from_be_bytes),
            _ => Err(Refused),
        }
    }

    /// The elements that follow; bytes as numbers.
    pub(super) fn elements(&mut self) -> Result<u32, Refused> {
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
    pub(super) fn is_nothing(&mut self) -> bool {
        let is_nothing = self.marker() == Some(Marker::Null);
        if is_nothing {
            self.rest = &self.rest[1..];
        }
        is_nothing
    }

    /// Whether a variant with content follows, of which the map is read then that it is in; else it is a name alone.
    pub(super) fn has_content(&mut self) -> Result<bool, Refused> {
        if !matches!(self.marker(), Some(Marker::FixMap(_) | Marker::Map16 | Marker::Map32)) {
            return Ok(false);
        }
        if let Token::Map(1) = self.token()? { Ok(true) } else { Err(Refused) }
    }

    pub(super) fn nothing(&mut self) -> Result<(), Refused> {
        if self.is_nothing() { Ok(()) } else { Err(Refused) }
    }

    /// Reads an extension, and tells it as a list of its type and its data from here on.
    pub(super) fn open_extension(&mut self) -> Result<(), Refused> {
        let Token::Extension(kind, data) = self.token()? else { return Err(Refused) };
        self.tell_in_parts(kind, data);
        Ok(())
    }

    /// Tells an extension that has been read as a list of its type and its data from here on.
    pub(super) fn tell_in_parts(&mut self, kind: i8, data: &'x [u8]) {
        self.ahead = Ahead::Extension(kind, data);
    }
}

fn octets(bytes: &[u8]) -> Result<[u8; 16], Refused> {
    bytes.try_into().map_err(|_| Refused)
}
