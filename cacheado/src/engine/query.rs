//! Hashing and comparing a key without building its bytes.
//!
//! A key that is written into a buffer, hashed from there and compared from there costs 30 ns, most of it
//! for loads that wait for narrower stores; hashed and compared argument by argument it costs 4.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};

use cacheado_backends::memory::{KeyBox, Label, Query};
use foldhash::fast::FoldHasher;

use crate::hot::HOT;
use crate::key::{self, KeyBytes, KeyPart, KeySink, float32_bits, float64_bits, tag};
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
pub(crate) struct Encoded {
    pub(crate) bytes: KeyBox,
    /// A value in it has failed to serialize, so that it equals no key.
    pub(crate) has_failed: bool,
}

/// The bytes of a key.
pub(crate) fn encode_key<K: KeyPart + ?Sized>(key: &K) -> Encoded {
    let (mut bytes, failures) = room();
    key.encode(&mut bytes);
    boxed(bytes, failures)
}

thread_local! {
    /// Room for the bytes of a key until it is known how many they are.
    static ROOM: Cell<KeyBytes> = const { Cell::new(KeyBytes::new()) };
}

/// Room for a key, and how many values have failed before it. A key that encodes another while it is encoded finds no
/// room, and makes some; so does a thread that ends.
#[inline(never)]
fn room() -> (KeyBytes, u64) {
    let mut bytes = ROOM.try_with(Cell::take).unwrap_or_default();
    bytes.clear();
    (bytes, key::serde::failures())
}

/// What fails in a key that is encoded meanwhile counts, too: this one is then not stored, which does no harm.
#[inline(never)]
fn boxed(bytes: KeyBytes, failures: u64) -> Encoded {
    let has_failed = key::serde::failures() != failures;
    let key = Encoded { bytes: KeyBox::from(bytes.as_bytes()), has_failed };
    let _ = ROOM.try_with(|room| room.set(bytes));
    key
}

/// The hash of the labels of a scope and of these tags.
pub(super) fn hash_labels(scope: &Scope, tags: &[Label]) -> u64 {
    let mut sink = HashSink(HOT.seed.build_hasher());
    sink.bytes(scope.path());
    for tag in tags {
        sink.bytes(tag.as_bytes());
    }
    sink.0.finish()
}

/// A key that is compared with stored bytes as it is encoded.
pub(crate) struct KeyQuery<'k, K: ?Sized>(pub(crate) &'k K);

impl<K: KeyPart + ?Sized> Query for KeyQuery<'_, K> {
    fn matches(&self, stored: &[u8]) -> bool {
        let mut sink = MatchSink(Long { rest: stored, equal: true });
        self.0.encode(&mut sink);
        sink.0.equal && sink.0.rest.is_empty()
    }

    #[inline]
    fn matches_short(&self, stored: &[u8; KeyBox::SHORT], len: u8) -> bool {
        let mut sink = MatchSink(Short { stored, at: 0, equal: true });
        self.0.encode(&mut sink);
        sink.0.equal && sink.0.at == usize::from(len)
    }
}

/// A key whose bytes are made when they are needed.
pub(crate) trait Encode {
    fn encoded(&self) -> Encoded;
}

impl<K: KeyPart + ?Sized> Encode for KeyQuery<'_, K> {
    #[cold]
    fn encoded(&self) -> Encoded {
        encode_key(self.0)
    }
}

/// The bytes are there.
impl Encode for &[u8] {
    fn encoded(&self) -> Encoded {
        Encoded { bytes: (*self).into(), has_failed: false }
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
        self.0.write_u64(float64_bits(bits));
    }

    #[inline]
    fn float32(&mut self, bits: u32) {
        self.0.write_u32(float32_bits(bits));
    }

    #[inline]
    fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) {
        match (value.len(), value.first_chunk(), value.last_chunk()) {
            // Names of tenants and the like: for more than 16 bytes the hasher calls a function.
            (len @ 17..=32, Some(first), Some(last)) => {
                // Turned by the length, so that texts of several lengths do not collide.
                let by = u32::try_from(len).unwrap_or_default();
                let turned = u128::from_le_bytes(*first).rotate_left(by);
                self.0.write_u128(turned);
                self.0.write_u128(u128::from_le_bytes(*last));
            }
            _ => self.0.write(value),
        }
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
struct MatchSink<C>(C);

/// Stored bytes, and how much of them has been compared.
trait Compared {
    fn tag(&mut self, tag: u8);
    fn fixed<const N: usize>(&mut self, tag: u8, value: [u8; N]);
    fn slice(&mut self, value: &[u8]);
}

/// A key of any length.
struct Long<'s> {
    rest: &'s [u8],
    equal: bool,
}

impl Long<'_> {
    /// The stored bytes are other ones, or end too soon.
    fn differ(&mut self) {
        self.equal = false;
        self.rest = &[];
    }
}

impl Compared for Long<'_> {
    #[inline]
    fn tag(&mut self, tag: u8) {
        self.fixed(tag, []);
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
}

/// A key that stands in its entry, with room behind it that belongs to no key: whether it ends too soon is found out
/// at the end. Where each part of it stands is mostly known to the compiler.
struct Short<'s> {
    stored: &'s [u8; KeyBox::SHORT],
    at: usize,
    equal: bool,
}

impl Compared for Short<'_> {
    #[inline]
    fn tag(&mut self, tag: u8) {
        self.equal &= self.stored.get(self.at) == Some(&tag);
        self.at += 1;
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, tag: u8, value: [u8; N]) {
        self.tag(tag);
        let stored = self.stored.get(self.at..).and_then(<[u8]>::first_chunk);
        self.equal &= stored == Some(&value);
        self.at += N;
    }

    #[inline]
    fn slice(&mut self, value: &[u8]) {
        let stored = self.stored.get(self.at..).and_then(|rest| rest.get(..value.len()));
        self.equal &= stored.is_some_and(|stored| same(stored, value));
        // A slice has fewer than 2^63 bytes, so that there is no overflow before one is found to be too long.
        self.at = self.at.saturating_add(value.len());
    }
}

impl<C: Compared> MatchSink<C> {
    #[inline]
    fn len(&mut self, tag: u8, len: usize) {
        self.0.fixed(tag, (len as u64).to_le_bytes());
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

impl<C: Compared> KeySink for MatchSink<C> {
    #[inline]
    fn unit(&mut self) {
        self.0.tag(tag::UNIT);
    }

    #[inline]
    fn none(&mut self) {
        self.0.tag(tag::NONE);
    }

    #[inline]
    fn some(&mut self) {
        self.0.tag(tag::SOME);
    }

    #[inline]
    fn boolean(&mut self, value: bool) {
        self.0.tag(if value { tag::TRUE } else { tag::FALSE });
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        self.0.fixed(tag::UNSIGNED, value.to_le_bytes());
    }

    #[inline]
    fn negative(&mut self, value: i64) {
        self.0.fixed(tag::NEGATIVE, value.to_le_bytes());
    }

    #[inline]
    fn wide(&mut self, value: u128) {
        self.0.fixed(tag::WIDE, value.to_le_bytes());
    }

    #[inline]
    fn wide_negative(&mut self, value: i128) {
        self.0.fixed(tag::WIDE_NEGATIVE, value.to_le_bytes());
    }

    #[inline]
    fn character(&mut self, value: char) {
        self.0.fixed(tag::CHARACTER, u32::from(value).to_le_bytes());
    }

    #[inline]
    fn float64(&mut self, bits: u64) {
        self.0.fixed(tag::FLOAT64, float64_bits(bits).to_le_bytes());
    }

    #[inline]
    fn float32(&mut self, bits: u32) {
        self.0.fixed(tag::FLOAT32, float32_bits(bits).to_le_bytes());
    }

    #[inline]
    fn text(&mut self, value: &str) {
        match u8::try_from(value.len()) {
            Ok(len) if value.len() <= tag::SHORT_TEXT_MAX => self.0.tag(tag::SHORT_TEXT + len),
            _ => self.len(tag::TEXT, value.len()),
        }
        self.0.slice(value.as_bytes());
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) {
        self.len(tag::BYTES, value.len());
        self.0.slice(value);
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
            Ok(small) if len <= tag::TUPLE_MAX => self.0.tag(tag::TUPLE + small),
            _ => self.sequence(len),
        }
    }

    #[inline]
    fn structure(&mut self, len: usize) {
        self.len(tag::STRUCTURE, len);
    }

    #[inline]
    fn variant(&mut self, name: &str, len: usize) {
        self.0.tag(tag::VARIANT);
        self.text(name);
        self.0.slice(&(len as u64).to_le_bytes());
    }
}
