//! Whole keys: put together, read back, shown.

use proptest::prelude::*;

use super::model::{Model, model};
use crate::key::{Key, encode};
use crate::scope::Scope;

fn scope(levels: &[(String, String)]) -> Scope {
    Scope::from_texts(levels.iter().map(|(level, value)| (format!("l{level}"), value))).unwrap()
}

#[test]
fn a_key_reads_as_a_call() {
    let user = Scope::parse("organization:o1/user:u7").unwrap();
    let args = encode(&("o1", "u7", 3));
    let key = Key::assemble(&user, "my_crate::profile", 1, &args);
    assert_eq!(key.to_string(), r#"organization:o1/user:u7 my_crate::profile@1("o1", "u7", 3)"#);
    assert_eq!(format!("{key:?}"), format!("Key({key})"));

    let run = [encode("o1"), encode(&3)].concat();
    assert_eq!(Key::assemble(&user, "f", 2, &run).to_string(), r#"organization:o1/user:u7 f@2("o1", 3)"#);
    let global = Scope::global();
    assert_eq!(Key::assemble(&global, "f", 1, &encode(&())).to_string(), "global f@1()");
    assert_eq!(Key::assemble(&global, "", 0, &encode("settings")).to_string(), r#"global ("settings")"#);
}

#[test]
fn a_key_starts_with_its_header() {
    let global = Scope::global();
    let key = Key::assemble(&global, "f", 1, &encode("a"));
    assert!(key.as_bytes().starts_with(Key::header(&global, "f", 1).as_bytes()));
}

#[test]
fn hazard_30_another_format_is_no_key() {
    let mut bytes = Key::assemble(&Scope::global(), "f", 1, &[]).as_bytes().to_vec();
    assert!(Key::from_bytes(&bytes).is_some());
    bytes[0] = 2;
    assert!(Key::from_bytes(&bytes).is_none());
    assert!(Key::from_bytes(&[]).is_none());
}

#[test]
fn hazard_30_a_hostile_depth_is_no_key() {
    let mut bytes = vec![1, 0x0E];
    bytes.extend([0xFF; 7]);
    bytes.extend([0x0F; 64]);
    assert!(Key::from_bytes(&bytes).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_parts_of_a_key_come_back(
        levels: Vec<(String, String)>, function: String, version: u32, value in model(),
    ) {
        let (scope, args) = (scope(&levels), encode(&value));
        let key = Key::assemble(&scope, &function, version, &args);
        let read = Key::from_bytes(key.as_bytes());
        for key in [Some(key.clone()), read].into_iter().flatten() {
            prop_assert_eq!(key.scope(), scope.clone());
            prop_assert_eq!(key.function(), function.as_str());
            prop_assert_eq!(key.version(), version);
            prop_assert_eq!(key.args(), args.as_slice());
        }
        prop_assert_eq!(Key::from_bytes(key.as_bytes()), Some(key));
    }

    #[test]
    fn keys_are_equal_exactly_where_their_parts_are(
        a in parts(), b in parts(),
    ) {
        let key = |(levels, function, version, args): &Parts| {
            Key::assemble(&scope(levels), function, *version, &encode(args))
        };
        prop_assert_eq!(a == b, key(&a) == key(&b));
    }

    #[test]
    fn hazard_30_a_key_that_is_cut_or_damaged_never_panics(
        value in model(), at: prop::sample::Index, byte: u8,
    ) {
        let key = Key::assemble(&Scope::parse("a:b/c:d").unwrap(), "f", 1, &encode(&value));
        let mut bytes = key.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Some(read) = Key::from_bytes(&bytes) {
            prop_assert_eq!(read.as_bytes(), &bytes[..]);
            let _ = (read.to_string(), read.scope(), read.function().len(), read.args().len());
        }
        let cut = Key::from_bytes(&bytes[..at]);
        prop_assert!(cut.is_none_or(|cut| cut.as_bytes() == &bytes[..at]));
    }
}

type Parts = (Vec<(String, String)>, String, u32, Model);

fn parts() -> impl Strategy<Value = Parts> {
    let text = || "[ab/:]{0,1}";
    (prop::collection::vec((text(), text()), 0..3), text(), 0_u32..2, text().prop_map(Model::Text))
}
