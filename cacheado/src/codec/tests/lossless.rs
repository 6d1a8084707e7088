//! What is read is what was written; what could not be is not written.

#![expect(clippy::option_option, reason = "that is what is asked about")]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde::{Deserialize, Serialize};

use super::{HEADER, Level, Marker, envelope, profile};
use crate::codec::{Codec, CodecError, Limits};

/// The value after its way there and back.
fn there_and_back<T: Serialize + DeserializeOwned>(value: &T) -> Result<T, CodecError> {
    let mut bytes = Vec::new();
    envelope().write(HEADER, value, &mut bytes)?;
    Ok(envelope().open(&bytes).expect("what is written can be read").1)
}

#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
    assert_eq!(there_and_back(&value), Ok(value));
}

#[test]
fn values_come_back() {
    check(profile());
    check(());
    check(Marker);
    check(Some(Marker));
    check(Some(Level(0)));
    check((u128::MAX, i128::MIN, u64::MAX, i64::MIN));
    check([1.5_f32, -0.0, f32::INFINITY]);
    check(Cow::<'static, str>::Owned("é".to_owned()));
    check(Duration::new(5, 6));
    check(SystemTime::UNIX_EPOCH);
    check("::1".parse::<IpAddr>().unwrap());
    check(HashMap::from([((1, 'a'), vec![Some(1), None]), ((2, 'b'), vec![])]));
    check(BTreeMap::from([(Some(1), 'a'), (None, 'b')]));
    check(Ok::<Option<u32>, String>(None));
    check(Err::<Option<u32>, ()>(()));
    check((0..100_000).collect::<Vec<u64>>());
    check([7_u8; 32]);
    assert!(there_and_back(&f64::NAN).unwrap().is_nan());
}

#[test]
fn a_some_that_would_come_back_as_none_is_not_written() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Change {
        name: Option<Option<String>>,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapper<T>(T);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Held {
        One(()),
    }
    let lost = Err(CodecError::LostSome);
    assert_eq!(there_and_back(&Some(())), lost.map(Some));
    assert_eq!(there_and_back(&Some(None::<u8>)), Err(CodecError::LostSome));
    assert_eq!(there_and_back(&Some(Wrapper(()))), Err(CodecError::LostSome));
    assert_eq!(there_and_back(&vec![Some(Some(1)), Some(None)]), Err(CodecError::LostSome));
    assert_eq!(there_and_back(&Change { name: Some(None) }), Err(CodecError::LostSome));
    check(Change { name: Some(Some(String::new())) });
    check(Change { name: None });
    check(None::<()>);
    check(Some(Held::One(())));
    check(Some(vec![()]));
    check(Some([None::<u8>]));
    check(Some(((),)));
    check(Some(BTreeMap::from([((), 1)])));
}

/// `flatten` writes to a buffer of its own.
#[test]
fn a_lost_some_is_found_in_a_flattened_struct() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Outer {
        id: u8,
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        name: Option<Option<String>>,
        rest: Vec<u8>,
    }
    let of = |name| Outer { id: 1, inner: Inner { name, rest: vec![1] } };
    assert_eq!(there_and_back(&of(Some(None))), Err(CodecError::LostSome));
    check(of(None));
    check(of(Some(Some("Ada".to_owned()))));
}

/// serde reads an untagged enum as the first of its variants that fits, whatever was written.
#[test]
fn an_untagged_enum_comes_back_as_the_first_variant_that_fits() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Nothing;
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Any {
        Number(u64),
        Float(f64),
        Text(String),
        Bytes(Octets),
        List(Vec<u8>),
        Nothing(Nothing),
    }
    #[derive(Debug, PartialEq)]
    struct Octets(Vec<u8>);
    impl Serialize for Octets {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }
    impl<'de> Deserialize<'de> for Octets {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Read;
            impl Visitor<'_> for Read {
                type Value = Octets;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Octets, E> {
                    Ok(Octets(bytes.to_vec()))
                }
            }
            deserializer.deserialize_bytes(Read)
        }
    }
    for (written, read) in [
        (Any::Number(1), Any::Number(1)),
        (Any::Float(1.0), Any::Float(1.0)),
        (Any::Text("a".to_owned()), Any::Text("a".to_owned())),
        (Any::Bytes(Octets(vec![0xFF])), Any::Bytes(Octets(vec![0xFF]))),
        (Any::List(vec![1]), Any::List(vec![1])),
        (Any::Bytes(Octets(b"a".to_vec())), Any::Text("a".to_owned())),
        (Any::Nothing(Nothing), Any::List(Vec::new())),
    ] {
        assert_eq!(there_and_back(&written), Ok(read));
    }
}

/// Written by hand: each says that it has `said` parts, and has two.
#[derive(Debug, PartialEq, Deserialize)]
struct Miscounted {
    kind: u8,
    said: usize,
}

impl Serialize for Miscounted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (said, name) = (self.said, "Miscounted");
        match self.kind {
            0 => {
                let mut seq = serializer.serialize_seq(Some(said))?;
                (0..2).try_for_each(|part| seq.serialize_element(&part))?;
                seq.end()
            }
            1 => {
                let mut tuple = serializer.serialize_tuple(said)?;
                (0..2).try_for_each(|part| tuple.serialize_element(&part))?;
                tuple.end()
            }
            2 => {
                let mut map = serializer.serialize_map(Some(said))?;
                (0..2).try_for_each(|part| map.serialize_entry(&part, &part))?;
                map.end()
            }
            3 => {
                let mut fields = serializer.serialize_struct(name, said)?;
                fields.serialize_field("kind", &self.kind)?;
                fields.serialize_field("said", &said)?;
                fields.end()
            }
            4 => {
                let mut fields = serializer.serialize_tuple_struct(name, said)?;
                (0..2).try_for_each(|part| fields.serialize_field(&part))?;
                fields.end()
            }
            5 => {
                let mut fields = serializer.serialize_tuple_variant(name, 0, "One", said)?;
                (0..2).try_for_each(|part| fields.serialize_field(&part))?;
                fields.end()
            }
            _ => {
                let mut fields = serializer.serialize_struct_variant(name, 0, "One", said)?;
                fields.serialize_field("kind", &self.kind)?;
                fields.serialize_field("said", &said)?;
                fields.end()
            }
        }
    }
}

#[test]
fn hazard_30_what_has_another_number_of_parts_than_it_says_is_not_written() {
    for kind in 0..7 {
        for said in [0, 1, 3, usize::MAX] {
            let back = there_and_back(&Miscounted { kind, said });
            assert_eq!(back, Err(CodecError::WrongLength), "{kind}, {said}");
        }
    }
    check(Miscounted { kind: 3, said: 2 });
}

/// Its keys stand among the names of the fields.
#[test]
fn flattened_maps_come_back_whatever_their_keys_are() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Outer<K: std::hash::Hash + Eq> {
        id: u8,
        #[serde(flatten)]
        rest: HashMap<K, Option<char>>,
    }
    fn check_keys<K>(keys: [K; 2])
    where
        K: Serialize + DeserializeOwned + std::hash::Hash + Eq + std::fmt::Debug,
    {
        check(Outer { id: 1, rest: keys.into_iter().zip([Some('a'), None]).collect() });
    }
    check_keys(["a", "é"].map(str::to_owned));
    check_keys([7_u64, u64::MAX]);
    check_keys([-7_i64, 7]);
    check_keys([true, false]);
    check_keys(['a', 'é']);
}

#[test]
fn representations_of_enums_come_back() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Internal {
        Point { x: i32, y: Option<i32> },
        Empty,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", content = "content")]
    enum Adjacent {
        Point(i32, Option<i32>),
        Empty,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(i64),
        Text(String),
        Point { x: i32, y: Option<i32> },
    }
    check(vec![Internal::Point { x: 1, y: None }, Internal::Empty]);
    check(vec![Adjacent::Point(1, Some(2)), Adjacent::Empty]);
    check(vec![Untagged::Number(-1), Untagged::Text("a".to_owned()), Untagged::Point { x: 1, y: Some(2) }]);
}

/// What serde keeps back, to find out what it is, is read as if it came from text.
#[test]
fn what_has_a_form_for_people_comes_back_from_everywhere() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        host: Host,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Host {
        address: IpAddr,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Event {
        Login { from: SocketAddr },
        Moved(Host),
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Address(Ipv4Addr),
        Digest(Vec<u8>),
    }
    let address = IpAddr::from([10, 0, 0, 7]);
    check(address);
    check(Flat { id: 1, host: Host { address } });
    check(vec![Event::Login { from: (address, 80).into() }, Event::Moved(Host { address })]);
    check(vec![Untagged::Address([10, 0, 0, 7].into()), Untagged::Digest(vec![10, 0, 0, 7])]);
}

/// Serde's own buffer has no place for them: what it cannot tell is not told as something else.
#[test]
fn a_number_of_128_bits_is_read_as_nothing_else() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Id {
        Number(u128),
        Small(u8),
        Name(String),
        Bytes(Vec<u8>),
    }
    fn written<T: Serialize + DeserializeOwned>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        Codec::<T>::serde().encode(value, &mut bytes, Limits::default()).unwrap();
        bytes
    }
    fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        Codec::serde().decode(bytes, Limits::default())
    }
    for number in [0, 5, u128::from_be_bytes(*b"sixteen letters!")] {
        assert_eq!(read::<Id>(&written(&Id::Number(number))), Err(CodecError::Refused));
    }
    // Nor as another number, where a field was of the other type when it was written.
    for number in [0, 5, i128::MAX] {
        let positive = number.unsigned_abs();
        assert_eq!((read(&written(&number)), read(&written(&positive))), (Ok(positive), Ok(number)));
    }
    assert_eq!(read::<i128>(&written(&u128::MAX)), Err(CodecError::Refused));
    for number in [-1, i128::MIN] {
        assert_eq!(read::<u128>(&written(&number)), Err(CodecError::Refused));
    }
    assert_eq!((read(&written(&7_u8)), read(&written(&-7_i8))), (Ok(7_u128), Ok(-7_i128)));
    assert_eq!(read::<u128>(&written(&-7_i8)), Err(CodecError::Refused));
}

#[test]
fn a_field_may_go_that_has_held_a_number_of_128_bits() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct With {
        cents: i128,
        id: u8,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Without {
        id: u8,
    }
    let mut bytes = Vec::new();
    Codec::serde().encode(&[With { cents: -1, id: 7 }], &mut bytes, Limits::default()).unwrap();
    assert_eq!(Codec::serde().decode(&bytes, Limits::default()), Ok([Without { id: 7 }]));
}

/// Bytes in one piece, where a `Vec<u8>` is a list of numbers.
#[derive(Debug, PartialEq)]
struct Piece(Vec<u8>);

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfPiece;

        impl Visitor<'_> for OfPiece {
            type Value = Piece;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Piece, E> {
                Ok(Piece(bytes.to_vec()))
            }
        }

        deserializer.deserialize_byte_buf(OfPiece)
    }
}

#[test]
fn bytes_come_back_in_one_piece_or_as_numbers() {
    let long = (0..70_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    for bytes in [vec![], vec![7], vec![1; 300], long] {
        let mut written = Vec::new();
        envelope::<Piece>().write(HEADER, &Piece(bytes.clone()), &mut written).unwrap();
        assert_eq!(envelope::<Piece>().open(&written).unwrap().1, Piece(bytes.clone()));
        let payload = &mut Vec::new();
        Codec::serde().encode(&(Piece(bytes.clone()), 5), payload, Limits::default()).unwrap();
        assert_eq!(Codec::<(Vec<u8>, u8)>::serde().decode(payload, Limits::default()), Ok((bytes, 5)));
    }
}

#[test]
fn an_extension_of_messagepack_comes_back() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename = "_ExtStruct")]
    struct Extension((i8, Piece));

    for len in [1, 2, 3, 4, 8, 16, 17, 300, 70_000] {
        check(vec![Extension((-5, Piece(vec![7; len]))), Extension((5, Piece(vec![])))]);
    }
}

#[test]
fn a_reference_in_the_type_cannot_come_back() {
    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Named<'a> {
        name: &'a str,
    }
    assert!(Codec::<&'static str>::serde().borrows());
    // Here the type does not show it: it is written, and each read is a miss.
    let codec = Codec::<Named<'static>>::serde();
    let mut bytes = Vec::new();
    codec.encode(&Named { name: "Ada" }, &mut bytes, Limits::default()).unwrap();
    assert_eq!(codec.decode(&bytes, Limits::default()).unwrap_err(), CodecError::Refused);
}

/// Any value, to one side of what MessagePack can hold and to the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Model {
    Unit,
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Optional(Option<Box<Model>>),
    Twice(Option<Option<u8>>),
    Nothing(Option<()>),
    List(Vec<Model>),
    Map(BTreeMap<String, Model>),
    Pair { left: Box<Model>, right: Box<Model> },
}

impl Model {
    fn is_lost(&self) -> bool {
        match self {
            Self::Twice(Some(None)) | Self::Nothing(Some(())) => true,
            Self::Optional(Some(value)) => value.is_lost(),
            Self::List(values) => values.iter().any(Self::is_lost),
            Self::Map(values) => values.values().any(Self::is_lost),
            Self::Pair { left, right } => left.is_lost() || right.is_lost(),
            _ => false,
        }
    }
}

fn model() -> impl Strategy<Value = Model> {
    let leaf = prop_oneof![
        Just(Model::Unit),
        any::<bool>().prop_map(Model::Boolean),
        any::<i128>().prop_map(Model::Integer),
        (-128_i128..300).prop_map(Model::Integer),
        any::<f64>().prop_filter("equals itself", |value| !value.is_nan()).prop_map(Model::Float),
        any::<String>().prop_map(Model::Text),
        any::<Vec<u8>>().prop_map(Model::Bytes),
        any::<Option<Option<u8>>>().prop_map(Model::Twice),
        any::<Option<()>>().prop_map(Model::Nothing),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::option::of(inner.clone().prop_map(Box::new)).prop_map(Model::Optional),
            prop::collection::vec(inner.clone(), 0..6).prop_map(Model::List),
            prop::collection::btree_map(any::<String>(), inner.clone(), 0..4).prop_map(Model::Map),
            (inner.clone(), inner)
                .prop_map(|(left, right)| Model::Pair { left: left.into(), right: right.into() }),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_comes_back_or_is_not_written(value in model()) {
        let expected = if value.is_lost() { Err(CodecError::LostSome) } else { Ok(value.clone()) };
        prop_assert_eq!(there_and_back(&value), expected);
    }
}
