//! A recursive model of all that a key can hold, with its own equality, and how to draw one at random.
//!
//! The alphabets are small, so that equal and nearly equal values are common.

use proptest::prelude::*;

use crate::key::{KeyPart, KeySink};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Model {
    Unit,
    None,
    Some(Box<Model>),
    Boolean(bool),
    Integer(i128),
    Wide(u128),
    Character(char),
    Float64(u64),
    Float32(u32),
    Text(String),
    Bytes(Vec<u8>),
    Sequence(Vec<Model>),
    Set(Vec<Model>),
    Map(Vec<(Model, Model)>),
    Tuple(Vec<Model>),
    Structure(Vec<Model>),
    Variant(String, Vec<Model>),
}

impl KeyPart for Model {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match self {
            Self::Unit => sink.unit(),
            Self::None => sink.none(),
            Self::Some(value) => {
                sink.some();
                value.encode(sink);
            }
            Self::Boolean(value) => value.encode(sink),
            Self::Integer(value) => value.encode(sink),
            Self::Wide(value) => sink.wide(*value),
            Self::Character(value) => value.encode(sink),
            Self::Float64(bits) => sink.float64(*bits),
            Self::Float32(bits) => sink.float32(*bits),
            Self::Text(value) => value.encode(sink),
            Self::Bytes(value) => value.encode(sink),
            Self::Sequence(values) => {
                sink.sequence(values.len());
                all(values, sink);
            }
            Self::Set(values) => {
                sink.set(values.len());
                all(values, sink);
            }
            Self::Map(entries) => {
                sink.map(entries.len());
                for (key, value) in entries {
                    key.encode(sink);
                    value.encode(sink);
                }
            }
            Self::Tuple(values) => {
                sink.tuple(values.len());
                all(values, sink);
            }
            Self::Structure(values) => {
                sink.structure(values.len());
                all(values, sink);
            }
            Self::Variant(name, values) => {
                sink.variant(name, values.len());
                all(values, sink);
            }
        }
    }
}

fn all<S: KeySink + ?Sized>(values: &[Model], sink: &mut S) {
    for value in values {
        value.encode(sink);
    }
}

/// Texts around the border between the short and the long form among them.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ab\"/:,é]{0,3}", Just("x".repeat(63)), Just("x".repeat(64)), any::<String>(),]
}

fn integer() -> impl Strategy<Value = i128> {
    prop_oneof![
        -2_i128..3,
        (-1_i128..2).prop_map(|near| near + i128::from(i64::MIN)),
        (-1_i128..1).prop_map(|near| near + i128::from(u64::MAX)),
        any::<i64>().prop_map(i128::from),
        i128::MIN..i128::from(i64::MIN),
    ]
}

fn leaf() -> impl Strategy<Value = Model> {
    prop_oneof![
        Just(Model::Unit),
        Just(Model::None),
        any::<bool>().prop_map(Model::Boolean),
        integer().prop_map(Model::Integer),
        (u128::from(u64::MAX) + 1..=u128::MAX)
            .prop_filter("an integer", |wide| i128::try_from(*wide).is_err())
            .prop_map(Model::Wide),
        any::<char>().prop_map(Model::Character),
        any::<f64>()
            .prop_filter("NaN", |value| !value.is_nan())
            .prop_map(|value| Model::Float64(value.to_bits())),
        any::<f32>()
            .prop_filter("NaN", |value| !value.is_nan())
            .prop_map(|value| Model::Float32(value.to_bits())),
        text().prop_map(Model::Text),
        prop::collection::vec(0_u8..3, 0..4).prop_map(Model::Bytes),
    ]
}

pub(super) fn model() -> impl Strategy<Value = Model> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let many = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            inner.clone().prop_map(|value| Model::Some(Box::new(value))),
            many().prop_map(Model::Sequence),
            many().prop_map(Model::Set),
            prop::collection::vec((inner.clone(), inner.clone()), 0..3).prop_map(Model::Map),
            many().prop_map(Model::Tuple),
            many().prop_map(Model::Structure),
            (text(), many()).prop_map(|(name, values)| Model::Variant(name, values)),
        ]
    })
}

/// A value and another that is often the same in parts of it.
pub(super) fn run() -> impl Strategy<Value = Vec<Model>> {
    let tiny = prop_oneof![
        Just(Model::Unit),
        Just(Model::None),
        "[ab]{0,2}".prop_map(Model::Text),
        (0_i128..2).prop_map(Model::Integer),
    ];
    let small = tiny.prop_recursive(2, 6, 2, |inner| {
        let many = || prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            inner.clone().prop_map(|value| Model::Some(Box::new(value))),
            many().prop_map(Model::Sequence),
            many().prop_map(Model::Tuple),
            ("[ab]{0,1}", many()).prop_map(|(name, values)| Model::Variant(name, values)),
        ]
    });
    prop::collection::vec(small, 0..4)
}
