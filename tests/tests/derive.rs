//! `#[derive(KeyPart)]`: what the implementation asks of type parameters.

use std::collections::BTreeMap;

use cacheado::key::encode;
use cacheado::prelude::*;

trait Table {
    type Id;
}

/// No part of a key, as opposed to its ids.
struct Users;

impl Table for Users {
    type Id = u32;
}

#[derive(KeyPart)]
struct One<T: Table>(T::Id);

#[derive(KeyPart)]
struct Many<'a, T: Table> {
    list: Vec<T::Id>,
    named: BTreeMap<String, &'a [T::Id]>,
    last: Option<<T as Table>::Id>,
}

#[derive(KeyPart)]
enum Query<T: Table, const N: usize> {
    Ids([T::Id; N]),
    Boxed { id: Box<T::Id>, like: &'static One<u8> },
}

impl Table for u8 {
    type Id = Self;
}

#[derive(KeyPart)]
struct Tree<T> {
    value: T,
    below: Vec<Tree<T>>,
}

/// An associated type is what has to be a part, wherever in a field it stands.
#[test]
fn the_bound_is_on_the_associated_type() {
    let many = |last| {
        let named = BTreeMap::from([("a".to_owned(), &[1, 2][..])]);
        encode(&Many::<Users> { list: vec![1], named, last: Some(last) })
    };
    assert_eq!(many(3), many(3));
    assert_ne!(many(3), many(4));
    assert_ne!(encode(&Query::<Users, 1>::Ids([1])), encode(&Query::<Users, 1>::Ids([2])));
    let boxed = |id| encode(&Query::<Users, 1>::Boxed { id: Box::new(id), like: &One(1) });
    assert_ne!(boxed(1), boxed(2));
}

#[test]
fn a_type_may_hold_itself() {
    let leaf = |value| Tree { value, below: Vec::new() };
    let tree = |values: [u8; 2]| encode(&Tree { value: 0, below: values.map(leaf).into() });
    assert_ne!(tree([1, 2]), tree([2, 1]));
}

/// Nothing may point to a field of one: what is `Copy` is copied.
#[test]
fn a_packed_struct_is_a_part() {
    #[derive(KeyPart)]
    #[repr(C, packed)]
    struct Packed<const N: usize> {
        kind: u8,
        id: u64,
        rest: [u16; N],
    }
    #[derive(KeyPart)]
    struct Plain {
        kind: u8,
        id: u64,
        rest: [u16; 2],
    }
    #[derive(KeyPart)]
    #[repr(Rust, packed(2))]
    struct Number(u64);

    let rest = [3, 4];
    assert_eq!(encode(&Packed { kind: 1, id: 2, rest }), encode(&Plain { kind: 1, id: 2, rest }));
    assert_ne!(encode(&Packed { kind: 1, id: 2, rest }), encode(&Packed { kind: 1, id: 3, rest }));
    assert_eq!(encode(&Number(7)), encode(&7));
    let tree = ScopeTree::builder().level("door", "number").build().unwrap();
    assert_eq!(tree.resolve("door", [("number", Number(7))]).unwrap().to_string(), "door:7");
}
