//! Parts by way of serde.

use std::collections::{BTreeMap, HashMap};

use ::serde::ser::{Error, SerializeMap, SerializeTuple};
use ::serde::{Serialize, Serializer};

use super::super::replay::split_value;
use crate::key::render::Render;
use crate::key::{Serde, encode};

#[derive(Serialize)]
struct Filter<'a> {
    text: &'a str,
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
}

#[derive(Serialize)]
struct Id(u64);

#[derive(Serialize)]
enum Shape {
    Dot,
    Circle(f64),
    Line(i8, i8),
    Box { width: u8, height: u8 },
}

fn text(value: impl Serialize) -> String {
    let bytes = encode(&Serde(value));
    assert_eq!(split_value(&bytes), Some((&bytes[..], &[][..])), "one complete value");
    Render(&bytes).to_string()
}

#[test]
fn values_are_written_by_shape() {
    let filter = Filter { text: "a", limit: None, page: None };
    assert_eq!(text(filter), r#"struct(("text", "a"), ("limit", None))"#);
    assert_eq!(text(Id(7)), "7");
    assert_eq!(text(Shape::Dot), "Dot");
    assert_eq!(text(Shape::Circle(1.0)), "Circle(1.0)");
    assert_eq!(text(Shape::Line(-1, 2)), "Line(-1, 2)");
    assert_eq!(text(Shape::Box { width: 1, height: 2 }), r#"Box(struct(("width", 1), ("height", 2)))"#);
    assert_eq!(text((1, "a", Some(()))), r#"(1, "a", Some(()))"#);
    assert_eq!(text([1, 2].as_slice()), "[1, 2]");
}

#[test]
fn what_std_has_too_is_the_same_part() {
    assert_eq!(encode(&Serde("a")), encode("a"));
    assert_eq!(encode(&Serde((1, Some('x')))), encode(&(1, Some('x'))));
    assert_eq!(encode(&Serde(vec![1_u16, 2])), encode(&vec![1_u16, 2]));
    assert_eq!(encode(&Serde(f64::NAN)), encode(&f64::NAN));
    assert_eq!(encode(&Serde(i128::MIN)), encode(&i128::MIN));
    assert_eq!(encode(&Serde(Ok::<u8, ()>(1))), encode(&Ok::<u8, ()>(1)));
}

#[test]
fn hazard_03_maps_are_sorted() {
    let pairs: Vec<(u32, String)> = (0..100).map(|n| (n * 7919 % 1009, n.to_string())).collect();
    let sorted = encode(&pairs.iter().cloned().collect::<BTreeMap<_, _>>());
    for _ in 0..5 {
        assert_eq!(encode(&Serde(pairs.iter().cloned().collect::<HashMap<_, _>>())), sorted);
    }
}

#[test]
fn hazard_05_field_names_are_in_the_key() {
    #[derive(Serialize)]
    struct Renamed<'a> {
        text: &'a str,
        max: Option<u32>,
    }
    let filter = Filter { text: "a", limit: Some(1), page: None };
    assert_ne!(encode(&Serde(filter)), encode(&Serde(Renamed { text: "a", max: Some(1) })));
}

struct Broken;

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}

#[test]
fn hazard_03_values_that_fail_to_serialize_equal_nothing() {
    let failure = text(("a", Broken));
    assert!(failure.starts_with(r#"#"serde-error"({"no", b""#), "{failure}");
    assert_ne!(encode(&Serde(("a", Broken))), encode(&Serde(("a", Broken))));
}

/// A tuple of fewer values than it says, and a map whose last key has no value.
enum Liar {
    Tuple,
    Map,
}

impl Serialize for Liar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Tuple => {
                let mut tuple = serializer.serialize_tuple(3)?;
                tuple.serialize_element(&1)?;
                tuple.end()
            }
            Self::Map => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_key("a")?;
                map.end()
            }
        }
    }
}

#[test]
fn a_serialize_that_miscounts_is_an_error() {
    assert!(text(Liar::Tuple).contains("a tuple of 3 has 1 values"));
    assert!(text(Liar::Map).contains("a key without a value"));
}

#[test]
fn a_tuple_beyond_the_format_is_a_sequence() {
    struct Long;
    impl Serialize for Long {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut tuple = serializer.serialize_tuple(40)?;
            (0..40).try_for_each(|n| tuple.serialize_element(&n))?;
            tuple.end()
        }
    }
    assert_eq!(encode(&Serde(Long)), encode(&(0..40).collect::<Vec<_>>()));
}
