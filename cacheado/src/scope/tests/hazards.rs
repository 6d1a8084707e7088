//! One test a hazard of scopes: what has gone wrong in other libraries.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;

use crate::scope::{Scope, ScopeError, ScopeSource, ScopeTree, ScopeValue};

fn tree() -> ScopeTree {
    ScopeTree::builder()
        .level("organization", "org_id")
        .child("organization", "user", "user_id")
        .child("user", "session", "session_id")
        .build()
        .unwrap()
}

fn user(org: &str, user: &str) -> Scope {
    tree().resolve("user", [("org_id", org), ("user_id", user)]).unwrap()
}

fn organization(org: &str) -> Scope {
    tree().resolve("organization", [("org_id", org)]).unwrap()
}

#[test]
fn hazard_02_a_value_cannot_pose_as_a_path() {
    let posing = organization("o1/user:u7");
    assert_ne!(posing, user("o1", "u7"));
    assert_eq!(posing.to_string(), "organization:o1%2Fuser%3Au7");
    assert!(!organization("o1").contains(&posing));
    assert!(!posing.contains(&user("o1", "u7")));
    assert!(posing.labels().all(|label| user("o1", "u7").labels().all(|other| other != label)));
}

#[test]
fn hazard_02_separators_do_not_move_the_border() {
    assert_ne!(user("a:b", ""), user("a", "b:"));
    assert_ne!(user("a", "bc"), user("ab", "c"));
    assert_ne!(user("a%2F", "b"), user("a/", "b"));
    assert!(!organization("o1").contains(&organization("o10")));
    let odd = user("a::b", "c::d");
    assert_eq!(Scope::parse(&odd.to_string()), Ok(odd.clone()));
    assert!(organization("a::b").contains(&odd));
}

#[test]
fn hazard_08_nothing_in_the_text_is_a_glob_or_a_line() {
    let text = organization("*?[a]{b}\\\"\n\t %\u{a0}\u{0}").to_string();
    let value = text.strip_prefix("organization:").unwrap();
    assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || c == '%'), "{value}");
}

#[test]
fn hazard_08_an_empty_value_has_neighbours_of_its_own() {
    let empty = organization("");
    assert_eq!(empty.to_string(), "organization:%empty");
    assert_ne!(empty, organization("%empty"));
    assert_ne!(empty, Scope::global());
    assert!(!empty.contains(&organization("o1")));
    assert_eq!(Scope::parse("organization:%empty"), Ok(empty));
}

#[test]
fn hazard_07_the_level_asked_for_is_taken_not_the_deepest_given() {
    let given = [("org_id", "o1"), ("user_id", "u7")];
    assert_eq!(tree().resolve("user", given).unwrap().level(), "user");
    assert!(matches!(tree().resolve("organization", given), Err(ScopeError::UnknownParameter { .. })));
}

#[test]
fn hazard_09_a_missing_tenant_is_an_error_not_the_level_above() {
    let error = tree().resolve("user", [("user_id", "u7")]).unwrap_err();
    let text = error.to_string();
    assert!(
        ["`user`", "`org_id`", "organization(org_id) > user(user_id)"].iter().all(|part| text.contains(part))
    );
    assert!(tree().resolve::<&str, &str>("organization", []).is_err());
    assert!(None::<&str>.scope_source().is_none());
    assert!(ScopeSource::scope_source(&&None::<String>).is_none());
}

struct Unwritable;

impl ScopeValue for Unwritable {
    fn write_scope(&self, _: &mut dyn fmt::Write) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[test]
fn hazard_09_a_value_without_text_makes_no_scope() {
    let error = tree().resolve("organization", [("org_id", Unwritable)]).unwrap_err();
    assert_eq!(error, ScopeError::UnwritableValue { param: "org_id".to_owned() });
    let values: [(&str, &dyn ScopeValue); 2] = [("organization", &"o1"), ("user", &Unwritable)];
    assert_eq!(Scope::from_values(values), None);
}

#[test]
fn values_of_one_text_are_one_scope() {
    let values: [&dyn ScopeValue; 12] = [
        &"7",
        &"7".to_owned(),
        &'7',
        &7_u8,
        &7_i128,
        &NonZero::new(7_u64).unwrap(),
        &&&"7",
        &Box::new(7),
        &Rc::new(7),
        &Arc::<str>::from("7"),
        &Cow::Borrowed("7"),
        &(&7_usize as &dyn ScopeValue),
    ];
    for value in values {
        assert_eq!(Scope::from_values([("organization", value)]), Some(organization("7")));
    }
    assert_eq!(Scope::from_values([("organization", &true as &dyn ScopeValue)]), Some(organization("true")));
}

#[test]
#[cfg(feature = "uuid")]
fn a_uuid_is_its_hyphenated_text() {
    let value: &dyn ScopeValue = &uuid::Uuid::from_u128(1);
    let scope = Scope::from_values([("organization", value)]);
    assert_eq!(scope, Some(organization("00000000-0000-0000-0000-000000000001")));
}
