//! The sink that collects: each call appends its tag and its payload.

use super::{KeyPart, KeySink, float32_bits, float64_bits, tag};

/// Encodes one part on its own.
///
/// ```
/// use cacheado::key::encode;
///
/// assert_eq!(encode("ab"), [0x82, b'a', b'b']);
/// assert_ne!(encode(&None::<&str>), encode(&Some("")));
/// assert_eq!(encode(&7_u8), encode(&7_i64)); // the width of an integer is no part of the key
/// ```
#[must_use]
pub fn encode<T: KeyPart + ?Sized>(part: &T) -> Vec<u8> {
    let mut bytes = KeyBytes::with_capacity(64);
    part.encode(&mut bytes);
    bytes.into_vec()
}

/// A [`KeySink`] that collects the encoded bytes.
///
/// ```
/// use cacheado::key::{KeyBytes, KeyPart};
///
/// let mut bytes = KeyBytes::new();
/// "a".encode(&mut bytes);
/// true.encode(&mut bytes);
/// assert_eq!(bytes.as_bytes(), [0x81, b'a', 0x04]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyBytes(Vec<u8>);

impl KeyBytes {
    /// An empty collection.
    ///
    /// ```
    /// assert!(cacheado::key::KeyBytes::new().as_bytes().is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty collection, with room for this many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// What has been written so far.
    ///
    /// ```
    /// use cacheado::key::{KeyBytes, KeySink};
    ///
    /// let mut bytes = KeyBytes::new();
    /// bytes.unit();
    /// assert_eq!(bytes.as_bytes(), [0]);
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Hands the bytes over.
    ///
    /// ```
    /// use cacheado::key::{KeyBytes, KeySink};
    ///
    /// let mut bytes = KeyBytes::new();
    /// bytes.none();
    /// assert_eq!(bytes.into_vec(), [1]);
    /// ```
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }

    /// Takes everything out, and keeps the room for it.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Appends bytes that are encoded already.
    pub(crate) fn append(&mut self, encoded: &[u8]) {
        self.0.extend_from_slice(encoded);
    }

    /// Puts `len` in place of the eight bytes at `at`, a length that was not known when it was written.
    pub(super) fn set_len(&mut self, at: usize, len: usize) {
        if let Some(place) = self.0.get_mut(at..at + size_of::<u64>()) {
            place.copy_from_slice(&(len as u64).to_le_bytes());
        }
    }

    fn tagged(&mut self, tag: u8, payload: &[u8]) {
        self.0.push(tag);
        self.0.extend_from_slice(payload);
    }

    fn counted(&mut self, tag: u8, len: usize) {
        self.tagged(tag, &(len as u64).to_le_bytes());
    }
}

impl KeySink for KeyBytes {
    fn unit(&mut self) {
        self.0.push(tag::UNIT);
    }

    fn none(&mut self) {
        self.0.push(tag::NONE);
    }

    fn some(&mut self) {
        self.0.push(tag::SOME);
    }

    fn boolean(&mut self, value: bool) {
        self.0.push(if value { tag::TRUE } else { tag::FALSE });
    }

    fn unsigned(&mut self, value: u64) {
        self.tagged(tag::UNSIGNED, &value.to_le_bytes());
    }

    fn negative(&mut self, value: i64) {
        self.tagged(tag::NEGATIVE, &value.to_le_bytes());
    }

    fn wide(&mut self, value: u128) {
        self.tagged(tag::WIDE, &value.to_le_bytes());
    }

    fn wide_negative(&mut self, value: i128) {
        self.tagged(tag::WIDE_NEGATIVE, &value.to_le_bytes());
    }

    fn character(&mut self, value: char) {
        self.tagged(tag::CHARACTER, &u32::from(value).to_le_bytes());
    }

    fn float64(&mut self, bits: u64) {
        self.tagged(tag::FLOAT64, &float64_bits(bits).to_le_bytes());
    }

    fn float32(&mut self, bits: u32) {
        self.tagged(tag::FLOAT32, &float32_bits(bits).to_le_bytes());
    }

    fn text(&mut self, value: &str) {
        match u8::try_from(value.len()) {
            Ok(len) if value.len() <= tag::SHORT_TEXT_MAX => self.0.push(tag::SHORT_TEXT + len),
            _ => self.counted(tag::TEXT, value.len()),
        }
        self.append(value.as_bytes());
    }

    fn bytes(&mut self, value: &[u8]) {
        self.counted(tag::BYTES, value.len());
        self.append(value);
    }

    fn sequence(&mut self, len: usize) {
        self.counted(tag::SEQUENCE, len);
    }

    fn set(&mut self, len: usize) {
        self.counted(tag::SET, len);
    }

    fn map(&mut self, len: usize) {
        self.counted(tag::MAP, len);
    }

    /// A tuple longer than the format allows is written as a sequence, so that it cannot pose as another value.
    fn tuple(&mut self, len: usize) {
        match u8::try_from(len) {
            Ok(small) if len <= tag::TUPLE_MAX => self.0.push(tag::TUPLE + small),
            _ => self.sequence(len),
        }
    }

    fn structure(&mut self, len: usize) {
        self.counted(tag::STRUCTURE, len);
    }

    fn variant(&mut self, name: &str, len: usize) {
        self.0.push(tag::VARIANT);
        self.text(name);
        self.append(&(len as u64).to_le_bytes());
    }
}
