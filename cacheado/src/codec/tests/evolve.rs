//! Hazard 5: a type that has changed is read right, or not at all.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{HEADER, envelope, sealed};
use crate::codec::envelope::Mismatch;
use crate::codec::{Codec, CodecError, Envelope, Limits};

/// What becomes of a stored `A` for a program in which the same type is now a `B`.
fn read_as<A, B>(old: &A) -> Result<B, Mismatch>
where
    A: Serialize + DeserializeOwned,
    B: Serialize + DeserializeOwned,
{
    fn codec<V: Serialize + DeserializeOwned>() -> Codec<V> {
        Codec { type_name: "app::User", ..Codec::serde() }
    }
    let mut bytes = Vec::new();
    Envelope::new(codec::<A>(), 2, Limits::default()).write(HEADER, old, &mut bytes).unwrap();
    Envelope::new(codec::<B>(), 2, Limits::default()).open(&bytes).map(|(_, value)| value)
}

const REFUSED: Mismatch = Mismatch::Payload(CodecError::Refused);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    id: u32,
    name: String,
}

fn ada() -> User {
    User { id: 7, name: "Ada".to_owned() }
}

#[test]
fn hazard_05_a_field_may_come_with_a_default() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct WithDefault {
        id: u32,
        name: String,
        #[serde(default)]
        mail: String,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct WithOption {
        id: u32,
        name: String,
        mail: Option<String>,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Without {
        id: u32,
        name: String,
        mail: String,
    }
    let User { id, name } = ada();
    let expected = WithDefault { id, name: name.clone(), mail: String::new() };
    assert_eq!(read_as::<_, WithDefault>(&ada()), Ok(expected));
    assert_eq!(read_as::<_, WithOption>(&ada()), Ok(WithOption { id, name, mail: None }));
    assert_eq!(read_as::<_, Without>(&ada()), Err(REFUSED));
}

#[test]
fn hazard_05_a_field_may_go_and_the_order_may_change() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Short {
        name: String,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Turned {
        name: String,
        id: u32,
    }
    assert_eq!(read_as(&ada()), Ok(Short { name: "Ada".to_owned() }));
    assert_eq!(read_as(&ada()), Ok(Turned { name: "Ada".to_owned(), id: 7 }));
}

/// Without names, what has changed places would be taken for each other.
#[test]
fn hazard_05_fields_of_one_type_may_change_places() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Size {
        width: u32,
        height: u32,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Turned {
        height: u32,
        width: u32,
    }
    assert_eq!(read_as(&Size { width: 1, height: 2 }), Ok(Turned { width: 1, height: 2 }));
}

#[test]
fn hazard_05_a_renamed_field_or_one_of_another_type_is_a_miss() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Renamed {
        id: u32,
        title: String,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Retyped {
        id: String,
        name: String,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Narrowed {
        id: u8,
        name: String,
    }
    assert_eq!(read_as::<_, Renamed>(&ada()), Err(REFUSED));
    assert_eq!(read_as::<_, Retyped>(&ada()), Err(REFUSED));
    assert_eq!(read_as(&ada()), Ok(Narrowed { id: 7, name: "Ada".to_owned() }));
    assert_eq!(read_as::<_, Narrowed>(&User { id: 256, ..ada() }), Err(REFUSED));
}

#[test]
fn hazard_05_a_variant_is_known_by_its_name() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Old {
        Free,
        Paid { cents: u32 },
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum New {
        Trial,
        Paid { cents: u32 },
        Free,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Fewer {
        Free,
    }
    assert_eq!(read_as(&Old::Free), Ok(New::Free));
    assert_eq!(read_as(&Old::Paid { cents: 5 }), Ok(New::Paid { cents: 5 }));
    assert_eq!(read_as::<_, Old>(&New::Trial), Err(REFUSED));
    assert_eq!(read_as::<_, Fewer>(&Old::Paid { cents: 5 }), Err(REFUSED));
}

#[test]
fn hazard_05_a_tuple_of_another_length_is_a_miss() {
    assert_eq!(read_as::<(u8, u8, u8), (u8, u8)>(&(1, 2, 3)), Err(REFUSED));
    assert_eq!(read_as::<(u8, u8), (u8, u8, u8)>(&(1, 2)), Err(REFUSED));
    assert_eq!(read_as::<((u8, u8), u8), ((u8,), u8)>(&((1, 2), 3)), Err(REFUSED));
}

#[test]
fn hazard_05_another_result_type_is_a_miss_even_where_the_bytes_would_do() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Seconds(u64);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Minutes(u64);
    let stored = sealed(&Seconds(5));
    assert_eq!(envelope::<Seconds>().open(&stored), Ok((HEADER, Seconds(5))));
    assert_eq!(envelope::<Minutes>().open(&stored), Err(Mismatch::Type));
    assert_eq!(envelope::<u64>().open(&stored), Err(Mismatch::Type));
    assert_eq!(envelope::<Option<Seconds>>().open(&stored), Err(Mismatch::Type));
    let list = sealed(&vec![1_u8]);
    assert_eq!(envelope::<Vec<u16>>().open(&list), Err(Mismatch::Type));
}

#[test]
fn hazard_05_another_version_is_a_miss() {
    let of = |version| Envelope::<u64>::new(Codec::serde(), version, Limits::default());
    let mut bytes = Vec::new();
    of(3).write(HEADER, &5, &mut bytes).unwrap();
    assert_eq!(of(2).open(&bytes), Err(Mismatch::Version(3)));
    assert_eq!(of(3).open(&bytes), Ok((HEADER, 5)));
}
