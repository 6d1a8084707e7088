//! The alphabet of key bytes, and the sink that a [`KeyPart`](super::KeyPart) writes to.
//!
//! The encoding is self-delimiting (no encoded value is a proper prefix of another) and typed, so a
//! concatenation of parts is injective. Every call appends the bytes that its documentation names.
//! The tags are part of the key format: golden tests hold them, and they never change within a
//! [`FORMAT`](super::FORMAT).

/// The first byte of each encoded value.
pub(crate) mod tag {
    pub const UNIT: u8 = 0x00;
    pub const NONE: u8 = 0x01;
    pub const SOME: u8 = 0x02;
    pub const FALSE: u8 = 0x03;
    pub const TRUE: u8 = 0x04;
    pub const UNSIGNED: u8 = 0x05;
    pub const NEGATIVE: u8 = 0x06;
    pub const WIDE: u8 = 0x07;
    pub const WIDE_NEGATIVE: u8 = 0x08;
    pub const CHARACTER: u8 = 0x09;
    pub const FLOAT64: u8 = 0x0A;
    pub const FLOAT32: u8 = 0x0B;
    pub const TEXT: u8 = 0x0C;
    pub const BYTES: u8 = 0x0D;
    pub const SEQUENCE: u8 = 0x0E;
    pub const SET: u8 = 0x0F;
    pub const MAP: u8 = 0x10;
    pub const STRUCTURE: u8 = 0x11;
    pub const VARIANT: u8 = 0x12;
    /// `TUPLE + n`, for a tuple of `n` parts, `n` up to 31.
    pub const TUPLE: u8 = 0x20;
    /// `SHORT_TEXT + n`, for a text of `n` bytes, `n` up to 63.
    pub const SHORT_TEXT: u8 = 0x80;
    pub const SHORT_TEXT_MAX: usize = 63;
    pub const TUPLE_MAX: usize = 31;
}

/// The bits that a float is written with: those of one NaN for every NaN.
#[inline]
pub(crate) const fn float64_bits(bits: u64) -> u64 {
    if f64::from_bits(bits).is_nan() { 0x7FF8_0000_0000_0000 } else { bits }
}

/// The same of an `f32`.
#[inline]
pub(crate) const fn float32_bits(bits: u32) -> u32 {
    if f32::from_bits(bits).is_nan() { 0x7FC0_0000 } else { bits }
}

/// What a [`KeyPart`](super::KeyPart) writes itself to.
///
/// The same `encode` call serves three sinks: one that collects the bytes, one that hashes them and one
/// that compares them with the bytes of a stored key, so that a lookup builds no buffer.
/// Lengths are written as 8 bytes, little-endian; so are integers.
///
/// It is there to be written to. It may be given methods that an implementation of your own would lack, in any release.
pub trait KeySink {
    /// `()`: one tag.
    fn unit(&mut self);
    /// An absent value: one tag, different from every present one.
    fn none(&mut self);
    /// A present optional value; the value follows.
    fn some(&mut self);
    /// A truth value.
    fn boolean(&mut self, value: bool);
    /// A non-negative integer of any width up to 64 bits.
    fn unsigned(&mut self, value: u64);
    /// A negative integer of any width up to 64 bits.
    fn negative(&mut self, value: i64);
    /// A non-negative integer above `u64::MAX`.
    fn wide(&mut self, value: u128);
    /// A negative integer below `i64::MIN`.
    fn wide_negative(&mut self, value: i128);
    /// A character.
    fn character(&mut self, value: char);
    /// The bits of an `f64`. Every NaN is written as one, which is for the sink to see to.
    fn float64(&mut self, bits: u64);
    /// The bits of an `f32`. Every NaN is written as one, which is for the sink to see to.
    fn float32(&mut self, bits: u32);
    /// A string: its length in bytes, then the bytes.
    fn text(&mut self, value: &str);
    /// A byte string: its length, then the bytes.
    fn bytes(&mut self, value: &[u8]);
    /// An ordered collection of `len` values, which follow.
    fn sequence(&mut self, len: usize);
    /// An unordered collection of `len` values, which follow in the order of their encoded bytes.
    fn set(&mut self, len: usize);
    /// A map of `len` entries: key, value, key, value …, in the order of the encoded keys.
    fn map(&mut self, len: usize);
    /// A tuple of `len` parts (at most 31), which follow.
    fn tuple(&mut self, len: usize);
    /// A struct of `len` fields, which follow in the order of their declaration.
    fn structure(&mut self, len: usize);
    /// The variant `name` of an enum, with `len` fields, which follow. The name is written, not the
    /// position, so that reordering variants keeps keys.
    fn variant(&mut self, name: &str, len: usize);
}
