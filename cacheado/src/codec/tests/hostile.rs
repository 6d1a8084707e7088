//! Hazard 30: bytes that somebody has made up, with a right checksum.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use proptest::prelude::*;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::{HEADER, Profile, envelope, sealed_payload};
use crate::codec::envelope::Mismatch;
use crate::codec::{Codec, CodecError, Envelope, Limits};

fn refused<T: Serialize + Deserialize<'static> + fmt::Debug>(payload: &[u8]) -> CodecError {
    match envelope::<T>().open(&sealed_payload::<T>(payload)) {
        Err(Mismatch::Payload(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// A list that may lie in itself, by all ways that serde knows.
#[derive(Debug, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Some(Option<Box<Tree>>),
    List(Vec<Tree>),
    Map(BTreeMap<u8, Tree>),
    Tuple(Box<Tree>, u8),
    Struct { inner: Box<Tree> },
}

/// Consumes no byte on its way down.
#[derive(Debug, Serialize, Deserialize)]
struct Bottomless(Option<Box<Bottomless>>);

#[test]
fn hazard_30_deep_bytes_are_a_miss() {
    for depth in [200, 2_000, 1 << 20] {
        assert_eq!(refused::<Tree>(&b"\x81\xa4List\x91".repeat(depth)), CodecError::TooDeep);
        assert_eq!(refused::<Tree>(&b"\x81\xa6Struct\x81\xa5inner".repeat(depth)), CodecError::TooDeep);
        // Parts that nobody asks for are as deep.
        let unknown = [b"\x81\xa1x".as_slice(), &b"\x91".repeat(depth)].concat();
        assert_eq!(refused::<Profile>(&unknown), CodecError::TooDeep);
        assert_eq!(refused::<Ignored>(&b"\x91".repeat(depth)), CodecError::TooDeep);
        assert_eq!(refused::<Untagged>(&b"\x91".repeat(depth)), CodecError::TooDeep);
    }
    assert_eq!(refused::<Bottomless>(b"\x01"), CodecError::TooDeep);
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    List(Vec<Untagged>),
    Number(u8),
}

#[derive(Debug)]
struct Ignored;

impl Serialize for Ignored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The two halves count alike: what is written can be read.
#[test]
fn a_value_may_be_as_deep_as_the_limit() {
    let nested = |depth: usize| (1..depth).fold(Tree::Leaf, |tree, _| Tree::Struct { inner: Box::new(tree) });
    let (codec, limits) = (Codec::<Tree>::serde(), Limits::default());
    let mut bytes = Vec::new();
    for depth in 1..=usize::from(limits.depth) {
        bytes.clear();
        codec.encode(&nested(depth), &mut bytes, limits).unwrap();
        assert!(codec.decode(&bytes, limits).is_ok(), "{depth}");
    }
    let error = codec.encode(&nested(usize::from(limits.depth) + 1), &mut bytes, limits);
    assert_eq!(error, Err(CodecError::TooDeep));
}

/// Reserves whatever is announced.
#[derive(Debug)]
struct Greedy(usize);

impl Serialize for Greedy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Greedy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reserving;

        impl<'de> Visitor<'de> for Reserving {
            type Value = Greedy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list or a map")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Greedy, A::Error> {
                let mut kept: Vec<[u64; 64]> = Vec::with_capacity(elements.size_hint().unwrap_or(0));
                while let Some(element) = elements.next_element::<u64>()? {
                    kept.push([element; 64]);
                }
                Ok(Greedy(kept.len()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Greedy, A::Error> {
                let mut kept: Vec<[u64; 64]> = Vec::with_capacity(entries.size_hint().unwrap_or(0));
                while let Some((key, _)) = entries.next_entry::<u64, u64>()? {
                    kept.push([key; 64]);
                }
                Ok(Greedy(kept.len()))
            }
        }

        deserializer.deserialize_any(Reserving)
    }
}

#[test]
fn hazard_30_a_hostile_length_reserves_nothing() {
    // Four billion elements, of which one is there.
    let list = b"\xdd\xff\xff\xff\xff\x01";
    let map = b"\xdf\xff\xff\xff\xff\x01\x01";
    assert_eq!(refused::<Vec<u64>>(list), CodecError::Refused);
    assert_eq!(refused::<Vec<String>>(list), CodecError::Refused);
    assert_eq!(refused::<HashMap<u64, u64>>(map), CodecError::Refused);
    assert_eq!(refused::<Greedy>(list), CodecError::Refused);
    assert_eq!(refused::<Greedy>(map), CodecError::Refused);
    assert_eq!(refused::<String>(b"\xdb\xff\xff\xff\xffabc"), CodecError::Refused);
    assert_eq!(refused::<Vec<u8>>(b"\xc6\xff\xff\xff\xffabc"), CodecError::Refused);
    // A long list that is all there is read, announced or not.
    let long: Vec<u8> = [b"\xdc\x27\x10".as_slice(), &[1; 10_000]].concat();
    let (_, Greedy(len)) = envelope().open(&sealed_payload::<Greedy>(&long)).unwrap();
    assert_eq!(len, 10_000);
}

#[test]
fn hazard_30_bytes_after_the_value_are_a_miss() {
    assert_eq!(refused::<u64>(b"\x07\x07"), CodecError::Trailing);
    assert_eq!(refused::<u64>(b"\x07\xc0"), CodecError::Trailing);
    assert_eq!(refused::<u64>(b"\x07\xc1"), CodecError::Trailing);
    assert_eq!(refused::<Option<u64>>(b"\xc0\xd9"), CodecError::Trailing);
    assert_eq!(refused::<Vec<u64>>(b"\x91\x07\xdb"), CodecError::Trailing);
    assert_eq!(refused::<u64>(b""), CodecError::Refused);
}

/// Panics on its way in, on its way out, or when it is dropped.
#[derive(Debug)]
struct Bomb(u8);

impl Serialize for Bomb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(self.0, 1, "on its way out");
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Bomb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        assert_ne!(number, 2, "on its way in");
        Ok(Self(number))
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert_ne!(self.0, 3, "when it is dropped");
    }
}

#[test]
fn hazard_30_a_panic_of_the_types_own_is_contained() {
    assert_eq!(refused::<Bomb>(b"\x02"), CodecError::Panicked);
    // It has been read, and then there was more.
    assert_eq!(refused::<Bomb>(b"\x03\x00"), CodecError::Panicked);
    let mut bytes = b"before".to_vec();
    let written = envelope().write(HEADER, &vec![Bomb(0), Bomb(1)], &mut bytes);
    assert_eq!((written, bytes.as_slice()), (Err(CodecError::Panicked), b"before".as_slice()));
}

#[test]
fn hazard_30_a_value_that_is_too_large_is_neither_written_nor_read() {
    let limits = Limits { size: 100, ..Limits::default() };
    let small = Envelope::<Vec<String>>::new(Codec::serde(), 2, limits);
    let mut bytes = Vec::new();
    assert_eq!(small.write(HEADER, &vec!["x".repeat(30); 4], &mut bytes), Err(CodecError::TooLarge));
    envelope().write(HEADER, &vec!["x".repeat(30); 4], &mut bytes).unwrap();
    assert_eq!(small.open(&bytes), Err(Mismatch::Payload(CodecError::TooLarge)));
}

#[test]
fn hazard_31_an_error_shows_nothing_of_the_value() {
    let error = refused::<u64>(b"\xa6secret");
    assert!(!format!("{error} {error:?}").contains("secret"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn hazard_30_no_payload_panics_or_runs_away(payload in hostile()) {
        let _ = envelope::<Profile>().open(&sealed_payload::<Profile>(&payload));
        let _ = envelope::<Tree>().open(&sealed_payload::<Tree>(&payload));
        let _ = envelope::<Untagged>().open(&sealed_payload::<Untagged>(&payload));
        let _ = envelope::<Greedy>().open(&sealed_payload::<Greedy>(&payload));
        let _ = envelope::<Bottomless>().open(&sealed_payload::<Bottomless>(&payload));
        let _ = envelope::<Vec<Option<(String, u32)>>>()
            .open(&sealed_payload::<Vec<Option<(String, u32)>>>(&payload));
    }
}

/// What both read, they read as the same.
#[track_caller]
fn is_read_alike<T: Serialize + DeserializeOwned>(payload: &[u8]) {
    let other = rmp_serde::from_slice::<T>(payload);
    if let (Ok(ours), Ok(theirs)) = (Codec::<T>::serde().decode(payload, Limits::default()), other) {
        let written = |value: &T| {
            let mut bytes = Vec::new();
            Codec::serde().encode(value, &mut bytes, Limits::default()).map(|()| bytes)
        };
        assert_eq!(written(&ours), written(&theirs));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_another_reader_of_messagepack_reads_is_read_alike(payload in hostile()) {
        is_read_alike::<Tree>(&payload);
        is_read_alike::<Untagged>(&payload);
        is_read_alike::<Vec<Option<(String, u32)>>>(&payload);
        is_read_alike::<(f32, i64, u128, Option<bool>)>(&payload);
    }
}

/// Bytes as they stand in MessagePack, in any order.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        (0x80..=0xdf_u8).prop_map(|marker| vec![marker]),
        Just(b"\xa4List".to_vec()),
        Just(b"\xa2id".to_vec()),
        Just(b"\xdd\xff\xff\xff\xff".to_vec()),
        Just(b"\xdb\x00\x00\x00\x02".to_vec()),
        any::<Vec<u8>>(),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}
