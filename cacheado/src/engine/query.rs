//! Hashing and comparing a key without building its bytes.
//!
//! A key that is written into a buffer, hashed from there and compared from there costs 30 ns, most of it
//! for loads that wait for narrower stores; hashed and compared argument by argument it costs 4.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};

use cacheado_backends::memory::{KeyBox, Label, Query};
use foldhash::fast::FoldHasher;

use crate::hot::HOT;
use crate::key::{self, KeyBytes, KeyPart, KeySink, tag};
use crate::scope::Scope;

/// The hash of a key, under a seed of this process.
#[inline]
pub(crate) fn hash_key<K: KeyPart + ?Sized>(key: &K) -> u64 {
    let mut sink = HashSink(HOT.seed.build_hasher());
    key.encode(&mut sink);
    sink.0.finish()
}

/// The same, from the key's bytes. `None` if they are not a key's.
pub(crate) fn hash_bytes(bytes: &[u8]) -> Option<u64> {
    let mut sink = HashSink(HOT.seed.build_hasher());
    key::replay(bytes, &mut sink)?;
    Some(sink.0.finish())
}

/// The bytes of a key.
pub(crate) fn encode_key<K: KeyPart + ?Sized>(key: &K) -> KeyBox {
    thread_local! {
        /// Room for the bytes until it is known how many they are.
        static ROOM: Cell<KeyBytes> = const { Cell::new(KeyBytes::new()) };
    }
    // A key that encodes another while it is encoded finds no room, and makes some.
    let mut bytes = ROOM.take();
    bytes.clear();
    key.encode(&mut bytes);
    let key = KeyBox::from(bytes.as_bytes());
    ROOM.set(bytes);
    key
}

/// The hash of the labels of a scope and of these tags.
pub(super) fn hash_labels(scope: &Scope, tags: &[Label]) -> u64 {
    let mut sink = HashSink(HOT.seed.build_hasher());
    scope.write_levels(&mut sink);
    for tag in tags {
        sink.bytes(tag.as_bytes());
    }
    sink.0.finish()
}

/// Whether this is the label of the scope.
pub(super) fn is_label_of(label: &Label, scope: &Scope) -> bool {
    let Some(stored) = label.as_bytes().strip_prefix(b"s") else { return false };
    let mut sink = MatchSink { rest: stored, equal: true };
    scope.write_levels(&mut sink);
    sink.equal && sink.rest.is_empty()
}

/// A key that is compared with stored bytes as it is encoded.
pub(crate) struct KeyQuery<'k, K: ?Sized>(pub(crate) &'k K);

impl<K: KeyPart + ?Sized> Query for KeyQuery<'_, K> {
    #[inline]
    fn matches(&self, stored: &[u8]) -> bool {
        let mut sink = MatchSink { rest: stored, equal: true };
        self.0.encode(&mut sink);
        sink.equal && sink.rest.is_empty()
    }
}

/// Hashes what distinguishes keys of one function. What it leaves out (tags of fixed shape) only makes
/// some keys collide, which the comparison sorts out.
struct HashSink<'s>(FoldHasher<'s>);

impl KeySink for HashSink<'_> {
    #[inline]
    fn unit(&mut self) {}

    #[inline]
    fn none(&mut self) {
        self.0.write_u8(tag::NONE);
    }

    #[inline]
    fn some(&mut self) {
        self.0.write_u8(tag::SOME);
    }

    #[inline]
    fn boolean(&mut self, value: bool) {
        self.0.write_u8(u8::from(value));
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        self.0.write_u64(value);
    }

    #[inline]
    fn negative(&mut self, value: i64) {
        self.0.write_u64(value.cast_unsigned());
    }

    #[inline]
    fn wide(&mut self, value: u128) {
        self.0.write_u128(value);
    }

    #[inline]
    fn wide_negative(&mut self, value: i128) {
        self.0.write_u128(value.cast_unsigned());
    }

    #[inline]
    fn character(&mut self, value: char) {
        self.0.write_u32(u32::from(value));
    }

    #[inline]
    fn float64(&mut self, bits: u64) {
        self.0.write_u64(bits);
    }

    #[inline]
    fn float32(&mut self, bits: u32) {
        self.0.write_u32(bits);
    }

    #[inline]
    fn text(&mut self, value: &str) {
        self.0.write(value.as_bytes());
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) {
        self.0.write(value);
    }

    #[inline]
    fn sequence(&mut self, len: usize) {
        self.0.write_usize(len);
    }

    #[inline]
    fn set(&mut self, len: usize) {
        self.0.write_usize(len);
    }

    #[inline]
    fn map(&mut self, len: usize) {
        self.0.write_usize(len);
    }

    #[inline]
    fn tuple(&mut self, len: usize) {
        if len > tag::TUPLE_MAX {
            self.sequence(len);
        }
    }

    #[inline]
    fn structure(&mut self, _: usize) {}

    #[inline]
    fn variant(&mut self, name: &str, _: usize) {
        self.0.write(name.as_bytes());
    }
}

/// Compares what is written with stored bytes.
struct MatchSink<'s> {
    rest: &'s [u8],
    equal: bool,
}

impl MatchSink<'_> {
    /// The stored bytes are other ones, or end too soon.
    #[inline]
    fn differ(&mut self) {
        self.equal = false;
        self.rest = &[];
    }

    #[inline]
    fn tag(&mut self, tag: u8) {
        match self.rest {
            [first, rest @ ..] if *first == tag => self.rest = rest,
            _ => self.differ(),
        }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, tag: u8, value: [u8; N]) {
        match self.rest {
            [first, rest @ ..] if *first == tag && rest.first_chunk() == Some(&value) => {
                self.rest = &rest[N..];
            }
            _ => self.differ(),
        }
    }

    #[inline]
    fn slice(&mut self, value: &[u8]) {
        match self.rest.split_at_checked(value.len()) {
            Some((first, rest)) if same(first, value) => self.rest = rest,
            _ => self.differ(),
        }
    }

    #[inline]
    fn len(&mut self, tag: u8, len: usize) {
        self.fixed(tag, (len as u64).to_le_bytes());
    }
}

/// Whether two slices of one length are equal: most texts in keys are short, and a call of `memcmp` costs
/// more than comparing them.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
        a.first_chunk::<N>() == b.first_chunk::<N>() && a.last_chunk::<N>() == b.last_chunk::<N>()
    }
    match a.len() {
        8..=16 => ends::<8>(a, b),
        17..=32 => ends::<16>(a, b),
        4..=7 => ends::<4>(a, b),
        2..=3 => ends::<2>(a, b),
        1 => a.first() == b.first(),
        _ => a == b,
    }
}

impl KeySink for MatchSink<'_> {
    #[inline]
    fn unit(&mut self) {
        self.tag(tag::UNIT);
    }

    #[inline]
    fn none(&mut self) {
        self.tag(tag::NONE);
    }

    #[inline]
    fn some(&mut self) {
        self.tag(tag::SOME);
    }

    #[inline]
    fn boolean(&mut self, value: bool) {
        self.tag(if value { tag::TRUE } else { tag::FALSE });
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        self.fixed(tag::UNSIGNED, value.to_le_bytes());
    }

    #[inline]
    fn negative(&mut self, value: i64) {
        self.fixed(tag::NEGATIVE, value.to_le_bytes());
    }

    #[inline]
    fn wide(&mut self, value: u128) {
        self.fixed(tag::WIDE, value.to_le_bytes());
    }

    #[inline]
    fn wide_negative(&mut self, value: i128) {
        self.fixed(tag::WIDE_NEGATIVE, value.to_le_bytes());
    }

    #[inline]
    fn character(&mut self, value: char) {
        self.fixed(tag::CHARACTER, u32::from(value).to_le_bytes());
    }

    #[inline]
    fn float64(&mut self, bits: u64) {
        self.fixed(tag::FLOAT64, bits.to_le_bytes());
    }

    #[inline]
    fn float32(&mut self, bits: u32) {
        self.fixed(tag::FLOAT32, bits.to_le_bytes());
    }

    #[inline]
    fn text(&mut self, value: &str) {
        match u8::try_from(value.len()) {
            Ok(len) if value.len() <= tag::SHORT_TEXT_MAX => self.tag(tag::SHORT_TEXT + len),
            _ => self.len(tag::TEXT, value.len()),
        }
        self.slice(value.as_bytes());
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) {
        self.len(tag::BYTES, value.len());
        self.slice(value);
    }

    #[inline]
    fn sequence(&mut self, len: usize) {
        self.len(tag::SEQUENCE, len);
    }

    #[inline]
    fn set(&mut self, len: usize) {
        self.len(tag::SET, len);
    }

    #[inline]
    fn map(&mut self, len: usize) {
        self.len(tag::MAP, len);
    }

    #[inline]
    fn tuple(&mut self, len: usize) {
        match u8::try_from(len) {
            Ok(small) if len <= tag::TUPLE_MAX => self.tag(tag::TUPLE + small),
            _ => self.sequence(len),
        }
    }

    #[inline]
    fn structure(&mut self, len: usize) {
        self.len(tag::STRUCTURE, len);
    }

    #[inline]
    fn variant(&mut self, name: &str, len: usize) {
        self.tag(tag::VARIANT);
        self.text(name);
        self.slice(&(len as u64).to_le_bytes());
    }
}
