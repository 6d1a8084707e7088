//! The text of encoded values.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::model::{Model, model, run};
use crate::key::render::Render;
use crate::key::{KeyPart, encode};

fn text<T: KeyPart + ?Sized>(part: &T) -> String {
    Render(&encode(part)).to_string()
}

#[test]
fn values_read_as_in_rust() {
    assert_eq!(text(&("o1", "u7", 3, None::<u8>, [1, 2])), r#"("o1", "u7", 3, None, [1, 2])"#);
    assert_eq!(text(&BTreeMap::from([("a", 1), ("b", -2)])), r#"{"a": 1, "b": -2}"#);
    assert_eq!(text(&BTreeSet::from(["a", "b"])), r#"{"a", "b"}"#);
    assert_eq!(text(&Some((true, 'x', 1.0, 1.5_f32))), "Some((true, 'x', 1.0, 1.5f32))");
    assert_eq!(text(&Ok::<_, ()>(Some(("a",)))), r#"Ok(Some(("a",)))"#);
    assert_eq!(text(&(0..5)), "Range(0, 5)");
    assert_eq!(text(b"a\"\xFF"), r#"b"a\"\xff""#);
    assert_eq!(text(&(u128::MAX, i128::MIN)), format!("({}, {})", u128::MAX, i128::MIN));
}

/// The names of entries on a server are made of it: what every compiler knows of characters decides, and no table that
/// grows with releases of Unicode, as that of `Debug` does.
#[test]
fn hazard_04_a_text_is_the_same_whichever_characters_a_compiler_knows() {
    assert_eq!(text("é\u{378}\u{301}\u{10ffff}"), "\"é\u{378}\u{301}\u{10ffff}\"");
    assert_eq!(text(&'\u{301}'), "'\u{301}'");
    assert_eq!(text("\"\\'\n\t\r\0\u{1b}\u{85}"), r#""\"\\'\n\t\r\0\u{1b}\u{85}""#);
    assert_eq!(text(&['\'', '"', '\\', '\u{202e}']), r#"['\'', '"', '\\', '\u{202e}']"#);
    assert_eq!(text(&Model::Variant("\u{378} \u{feff}".to_owned(), vec![])), "#\"\u{378} \\u{feff}\"");
}

#[test]
fn empty_collections_are_told_apart() {
    let texts = [
        text(&()),
        text::<[u64]>(&[]),
        text::<[u8]>(&[]),
        text(&BTreeSet::<u8>::new()),
        text(&BTreeMap::<u8, u8>::new()),
        text(&None::<u8>),
        text(""),
    ];
    assert_eq!(texts, ["()", "[]", "b\"\"", "{}", "{:}", "None", "\"\""]);
}

#[test]
fn a_variant_cannot_pose_as_another_value() {
    let variant = |name: &str| text(&Model::Variant(name.to_owned(), vec![]));
    assert_eq!(
        ["None", "true", "NaN", "a b", "1", "", "Less"].map(variant),
        ["#\"None\"", "#\"true\"", "#\"NaN\"", "#\"a b\"", "#\"1\"", "#\"\"", "Less"]
    );
    let some = Model::Variant("Some".to_owned(), vec![Model::Unit]);
    assert_ne!(text(&some), text(&Some(())));
}

#[test]
fn a_run_is_separated_by_commas() {
    let run = [encode("o1"), encode(&3), encode(&[None, Some(1)])].concat();
    assert_eq!(Render(&run).to_string(), r#""o1", 3, [None, Some(1)]"#);
}

#[test]
fn bytes_that_are_no_values_are_shown_as_such() {
    assert_eq!(Render(b"\x80\x13a").to_string(), r#""", <malformed "\x13a">"#);
    assert_eq!(Render(b"\x22\x80").to_string(), r#"("", <cut>"#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn distinct_values_have_distinct_texts(a in model(), b in model()) {
        prop_assert_eq!(a == b, text(&a) == text(&b));
    }

    #[test]
    fn distinct_runs_have_distinct_texts(a in run(), b in run()) {
        let all = |run: &[_]| Render(&run.iter().flat_map(encode).collect::<Vec<_>>()).to_string();
        prop_assert_eq!(a == b, all(&a) == all(&b));
    }

    #[test]
    fn any_bytes_have_a_text(bytes: Vec<u8>) {
        let _ = Render(&bytes).to_string();
    }
}
