//! The way back from encoded bytes: one token a sink call.
//!
//! A token carries no value of its children, so reading needs no recursion: hostile nesting costs a counter,
//! not stack. Malformed bytes are `None`, never a panic.

use super::{KeySink, float32_bits, float64_bits, tag};

/// The tag of the longest tuple, of [`tag::TUPLE_MAX`] parts.
const LAST_TUPLE: u8 = tag::TUPLE + 31;

/// One call to a [`KeySink`], read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Unit,
    None,
    Some,
    Boolean(bool),
    Unsigned(u64),
    Negative(i64),
    Wide(u128),
    WideNegative(i128),
    Character(char),
    Float64(u64),
    Float32(u32),
    Text(&'a str),
    Bytes(&'a [u8]),
    Sequence(usize),
    Set(usize),
    Map(usize),
    Tuple(usize),
    Structure(usize),
    Variant(&'a str, usize),
}

impl<'a> Token<'a> {
    /// Takes one token off the front of `bytes`. `None`: the bytes are not the work of an encoder.
    pub(crate) fn next(bytes: &mut &'a [u8]) -> Option<Self> {
        let first = u8::from_le_bytes(take(bytes)?);
        Some(match first {
            tag::UNIT => Self::Unit,
            tag::NONE => Self::None,
            tag::SOME => Self::Some,
            tag::FALSE => Self::Boolean(false),
            tag::TRUE => Self::Boolean(true),
            tag::UNSIGNED => Self::Unsigned(u64::from_le_bytes(take(bytes)?)),
            tag::NEGATIVE => Self::Negative(i64::from_le_bytes(take(bytes)?)),
            tag::WIDE => Self::Wide(u128::from_le_bytes(take(bytes)?)),
            tag::WIDE_NEGATIVE => Self::WideNegative(i128::from_le_bytes(take(bytes)?)),
            tag::CHARACTER => Self::Character(char::from_u32(u32::from_le_bytes(take(bytes)?))?),
            tag::FLOAT64 => {
                let bits = u64::from_le_bytes(take(bytes)?);
                (bits == float64_bits(bits)).then_some(Self::Float64(bits))?
            }
            tag::FLOAT32 => {
                let bits = u32::from_le_bytes(take(bytes)?);
                (bits == float32_bits(bits)).then_some(Self::Float32(bits))?
            }
            tag::BYTES => {
                let len = length(bytes)?;
                Self::Bytes(take_slice(bytes, len)?)
            }
            tag::SEQUENCE => Self::Sequence(length(bytes)?),
            tag::SET => Self::Set(length(bytes)?),
            tag::MAP => Self::Map(length(bytes)?),
            tag::STRUCTURE => Self::Structure(length(bytes)?),
            tag::VARIANT => {
                let name_tag = u8::from_le_bytes(take(bytes)?);
                let name = text(name_tag, bytes)?;
                Self::Variant(name, length(bytes)?)
            }
            tag::TUPLE..=LAST_TUPLE => Self::Tuple(usize::from(first - tag::TUPLE)),
            other => Self::Text(text(other, bytes)?),
        })
    }

    /// How many values follow and belong to this one.
    pub(crate) fn children(self) -> u128 {
        match self {
            Self::Some => 1,
            Self::Sequence(len)
            | Self::Set(len)
            | Self::Tuple(len)
            | Self::Structure(len)
            | Self::Variant(_, len) => len as u128,
            Self::Map(len) => 2 * len as u128,
            _ => 0,
        }
    }

    /// Makes the call that this token was read from.
    fn repeat<S: KeySink + ?Sized>(self, sink: &mut S) {
        match self {
            Self::Unit => sink.unit(),
            Self::None => sink.none(),
            Self::Some => sink.some(),
            Self::Boolean(value) => sink.boolean(value),
            Self::Unsigned(value) => sink.unsigned(value),
            Self::Negative(value) => sink.negative(value),
            Self::Wide(value) => sink.wide(value),
            Self::WideNegative(value) => sink.wide_negative(value),
            Self::Character(value) => sink.character(value),
            Self::Float64(bits) => sink.float64(bits),
            Self::Float32(bits) => sink.float32(bits),
            Self::Text(value) => sink.text(value),
            Self::Bytes(value) => sink.bytes(value),
            Self::Sequence(len) => sink.sequence(len),
            Self::Set(len) => sink.set(len),
            Self::Map(len) => sink.map(len),
            Self::Tuple(len) => sink.tuple(len),
            Self::Structure(len) => sink.structure(len),
            Self::Variant(name, len) => sink.variant(name, len),
        }
    }
}

/// Repeats, on another sink, the calls that made `bytes`. `None`: malformed; the calls up to there were made.
#[must_use]
pub(crate) fn replay<S: KeySink + ?Sized>(mut bytes: &[u8], sink: &mut S) -> Option<()> {
    while !bytes.is_empty() {
        Token::next(&mut bytes)?.repeat(sink);
    }
    Some(())
}

/// Splits the first complete value off a run of them.
pub(crate) fn split_value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes;
    let mut open: u128 = 1;
    while open > 0 {
        let token = Token::next(&mut rest)?;
        open = (open - 1).checked_add(token.children())?;
    }
    bytes.split_at_checked(bytes.len() - rest.len())
}

/// Whether `bytes` are a run of complete values, none of them cut short.
pub(crate) fn is_run(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let Some((_, rest)) = split_value(bytes) else {
            return false;
        };
        bytes = rest;
    }
    true
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

fn take_slice<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(head)
}

fn length(bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(take(bytes)?)).ok()
}

/// The text whose tag is `first`. A short text in the long form is refused: one value, one encoding.
fn text<'a>(first: u8, bytes: &mut &'a [u8]) -> Option<&'a str> {
    let len = if first == tag::TEXT {
        length(bytes).filter(|len| *len > tag::SHORT_TEXT_MAX)?
    } else {
        let len = usize::from(first.checked_sub(tag::SHORT_TEXT)?);
        (len <= tag::SHORT_TEXT_MAX).then_some(len)?
    };
    str::from_utf8(take_slice(bytes, len)?).ok()
}
