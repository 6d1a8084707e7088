//! One test a hazard of keys: what has gone wrong in other libraries.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, RandomState};

use cacheado_backends::memory::Query as _;

use crate::engine::{KeyQuery, hash_key};
use crate::key::{Key, KeyPart, KeySink, encode};
use crate::scope::Scope;

type Fixed = BuildHasherDefault<DefaultHasher>;

#[test]
fn hazard_01_functions_of_the_same_name_differ_by_path() {
    let scope = Scope::global();
    let key = |function| Key::assemble(&scope, function, 1, &encode(&()));
    assert_ne!(key("a::profile"), key("b::profile"));
}

#[test]
fn hazard_02_separators_in_arguments_do_not_move_the_border() {
    assert_ne!(encode(&("a:b", "")), encode(&("a", "b")));
    assert_ne!(encode(&("a", "b")), encode(&("ab", "")));
    assert_ne!(encode(&("a\0", "b")), encode(&("a", "\0b")));
    assert_ne!(encode(&("a", ("b", "c"))), encode(&(("a", "b"), "c")));
}

#[test]
fn hazard_02_borders_between_scope_function_and_arguments_hold() {
    let scope = |text: &str| Scope::parse(text).unwrap();
    let keys = [
        Key::assemble(&scope("a:b/c:d"), "f", 1, &encode("x")),
        Key::assemble(&scope("a:b%2Fc%3Ad"), "f", 1, &encode("x")),
        Key::assemble(&scope("a:b"), "c:d/f", 1, &encode("x")),
        Key::assemble(&scope("a:b"), "f", 1, &encode(&("c", "d", "x"))),
        Key::assemble(&scope("a:b"), "f", 2, &encode(&("c", "d", "x"))),
        Key::assemble(&Scope::global(), "f", 1, &encode(&("a", "b", "c", "d", "x"))),
    ];
    let distinct: HashSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}

#[test]
fn hazard_03_none_and_empty_differ() {
    assert_ne!(encode(&None::<&str>), encode(&""));
    assert_ne!(encode(&None::<&str>), encode(&Some("")));
    assert_ne!(encode(&Some(None::<&str>)), encode(&None::<Option<&str>>));
    assert_ne!(encode(&None::<u8>), encode(&()));
    assert_ne!(encode(&Vec::<u64>::new()), encode(&()));
}

#[test]
fn hazard_03_numbers_and_their_texts_differ() {
    assert_ne!(encode(&1), encode("1"));
    assert_ne!(encode(&'1'), encode("1"));
    assert_ne!(encode(&true), encode("true"));
    assert_ne!(encode(&1.0_f64), encode(&1_u64));
    assert_ne!(encode(&1.0_f64), encode(&1.0_f32));
}

#[test]
fn hazard_03_borders_of_lists_hold() {
    assert_ne!(encode(&(vec![1, 2], vec![3])), encode(&(vec![1], vec![2, 3])));
    assert_ne!(encode(&(b"ab", b"c")), encode(&(b"a", b"bc")));
    assert_ne!(encode(&vec![vec![1], vec![]]), encode(&vec![vec![], vec![1]]));
}

#[test]
fn hazard_03_hash_collections_give_one_key_whatever_their_order() {
    let names: Vec<String> = (0..200).map(|n| format!("n{n}")).collect();
    let forward: HashSet<_, RandomState> = names.iter().collect();
    let backward: HashSet<_, Fixed> = names.iter().rev().collect();
    let sorted: BTreeSet<_> = names.iter().collect();
    assert_eq!(encode(&forward), encode(&backward));
    assert_eq!(encode(&forward), encode(&sorted));

    let forward: HashMap<_, _, RandomState> = names.iter().zip(0..).collect();
    let backward: HashMap<_, _, Fixed> =
        names.iter().zip(0..).collect::<Vec<_>>().into_iter().rev().collect();
    let sorted: BTreeMap<_, _> = names.iter().zip(0..).collect();
    assert_eq!(encode(&forward), encode(&backward));
    assert_eq!(encode(&forward), encode(&sorted));
    assert_ne!(encode(&forward), encode(&names.iter().zip(1..).collect::<HashMap<_, _>>()));
}

#[test]
fn hazard_03_nested_hash_collections_give_one_key() {
    let inner = |from: u64| (from..from + 20).collect::<HashSet<_>>();
    let make = || (0..20).map(|n| (n, vec![inner(n), inner(n + 1)])).collect::<HashMap<_, _>>();
    let first = encode(&make());
    assert!((0..10).all(|_| encode(&make()) == first));
}

#[test]
fn hazard_03_zeros_differ_and_all_nan_are_one() {
    assert_ne!(encode(&0.0_f64), encode(&-0.0_f64));
    assert_ne!(encode(&0.0_f32), encode(&-0.0_f32));
    let other_nan = f64::from_bits(0xFFF8_0000_0000_0001);
    assert!(other_nan.is_nan());
    assert_eq!(encode(&f64::NAN), encode(&other_nan));
    assert_eq!(encode(&f32::NAN), encode(&f32::from_bits(0xFFC0_0001)));
}

#[test]
fn hazard_03_all_nan_are_one_whoever_writes_them() {
    struct Bits(u64, u32);
    impl KeyPart for Bits {
        fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
            sink.tuple(2);
            sink.float64(self.0);
            sink.float32(self.1);
        }
    }
    let nan = (f64::NAN, f32::NAN);
    for of in [Bits(0x7FF0_0000_0000_0001, 0x7F80_0001), Bits(u64::MAX, u32::MAX)] {
        assert_eq!(encode(&of), encode(&nan));
        assert_eq!(hash_key(&of), hash_key(&nan));
        assert!(KeyQuery(&of).matches(&encode(&nan)));
    }
    let numbers = (f64::NEG_INFINITY, f32::MAX);
    assert_eq!(encode(&Bits(numbers.0.to_bits(), numbers.1.to_bits())), encode(&numbers));
}

#[test]
fn hazard_04_equality_is_decided_on_all_bytes() {
    let scope = Scope::global();
    let keys: HashSet<_> = (0_u64..10_000).map(|n| Key::assemble(&scope, "f", 1, &encode(&n))).collect();
    assert_eq!(keys.len(), 10_000);
}

#[test]
fn hazard_04_the_width_of_usize_is_no_part_of_the_key() {
    assert_eq!(encode(&7_usize), encode(&7_u64));
    assert_eq!(encode(&-7_isize), encode(&-7_i64));
    assert_eq!(encode(&vec![7_usize]), encode(&vec![7_u32]));
}

#[test]
fn hazard_06_an_optional_reference_is_as_the_value() {
    assert_eq!(encode(&Some(&"a")), encode(&Some("a".to_owned())));
    assert_ne!(encode(&Some(&"a")), encode(&"a"));
}
