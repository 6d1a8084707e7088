//! Trees: what they refuse, and what they resolve.

use crate::scope::{Scope, ScopeError, ScopeTree, ScopeValue};

fn tree() -> ScopeTree {
    ScopeTree::builder()
        .child("user", "session", "session_id")
        .child("organization", "user", "user_id")
        .level("organization", "org_id")
        .level("car", "car_id")
        .child("car", "door", "door_id")
        .build()
        .unwrap()
}

fn refused(tree: Result<ScopeTree, ScopeError>) -> String {
    tree.unwrap_err().to_string()
}

#[test]
fn a_child_of_the_root_is_a_level_at_the_top() {
    let named = ScopeTree::builder().child("global", "car", "car_id").child("car", "door", "door_id").build();
    let plain = ScopeTree::builder().level("car", "car_id").child("car", "door", "door_id").build();
    assert_eq!(named, plain);
}

#[test]
fn a_tree_is_checked() {
    let build = ScopeTree::builder;
    assert_eq!(refused(build().build()), "a scope tree needs at least one level");
    for empty in [build().level("", "id"), build().level("car", "")] {
        assert_eq!(empty.build(), Err(ScopeError::EmptyName));
    }
    assert!(refused(build().level("global", "id").build()).contains("`global` is the implicit root"));
    assert!(
        refused(build().child("global", "global", "id").build()).contains("`global` is the implicit root")
    );
    let twice =
        build().level("car", "car_id").level("organization", "id").child("organization", "car", "other");
    assert_eq!(refused(twice.build()), "the scope level `car` is there twice");
    let orphan = build().level("car", "car_id").child("boat", "door", "door_id");
    assert_eq!(
        refused(orphan.build()),
        "the scope level `door` is below `boat`, which is not in the tree; levels are `car`, `door`"
    );
    let same = build().level("car", "id").child("car", "wheel", "w").child("wheel", "bolt", "id");
    assert!(refused(same.build()).contains("`bolt` takes its value from `id`"));
    let apart = build().level("car", "id").level("boat", "id");
    assert!(apart.build().is_ok(), "one parameter in two trees is none too many");
}

#[test]
fn a_cycle_is_refused() {
    let build = ScopeTree::builder;
    let own = build().level("car", "car_id").child("a", "a", "id");
    assert_eq!(own.build(), Err(ScopeError::Cycle { level: "a".to_owned() }));
    let pair = build().child("b", "a", "x").child("a", "b", "y").level("car", "z");
    assert_eq!(pair.build(), Err(ScopeError::Cycle { level: "a".to_owned() }));
    let below = build().child("a", "c", "w").child("b", "a", "x").child("a", "b", "y");
    assert_eq!(below.build(), Err(ScopeError::Cycle { level: "a".to_owned() }));
    let orphans = build().child("b", "a", "x").child("c", "b", "y");
    assert!(matches!(orphans.build(), Err(ScopeError::UnknownParent { level, .. }) if level == "b"));
}

#[test]
fn parameters_come_in_any_order_and_type() {
    let params: [(String, &dyn ScopeValue); 3] =
        [("session_id".to_owned(), &'x'), ("org_id".to_owned(), &"o1"), ("user_id".to_owned(), &7)];
    let scope = tree().resolve("session", params).unwrap();
    assert_eq!(scope.to_string(), "organization:o1/user:7/session:x");
    assert_eq!(scope, Scope::parse("organization:o1/user:7/session:x").unwrap());
}

#[test]
fn the_root_is_always_there_and_takes_nothing() {
    assert_eq!(tree().resolve::<&str, &str>("global", []), Ok(Scope::global()));
    let error = tree().resolve("global", [("org_id", "o1")]).unwrap_err();
    assert_eq!(error.to_string(), "the scope level `global` has no parameter `org_id`: global");
}

#[test]
fn what_is_unknown_is_named_with_what_is_known() {
    let error = tree().resolve("boat", [("id", 1)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no scope level `boat`; levels are `session`, `user`, `organization`, `car`, `door`, `global`"
    );
    let error = tree().resolve("door", [("car_id", 1), ("door_id", 2), ("org_id", 3)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the scope level `door` has no parameter `org_id`: car(car_id) > door(door_id)"
    );
    let error = tree().resolve("car", [("car_id", 1), ("car_id", 2)]).unwrap_err();
    assert_eq!(error.to_string(), "the parameter `car_id` is given twice");
}

#[test]
fn a_tree_tells_its_levels() {
    let tree = tree();
    assert!(tree.levels().eq(["session", "user", "organization", "car", "door"]));
    assert_eq!(tree.params("session"), ["org_id", "user_id", "session_id"]);
    assert_eq!(tree.chain("user"), "organization(org_id) > user(user_id)");
    assert_eq!((tree.chain("global"), tree.chain("boat")), ("global".to_owned(), String::new()));
    assert!(tree.params("global").is_empty() && tree.params("boat").is_empty());
}

#[test]
fn a_text_that_is_no_scope_is_refused() {
    for text in ["", "car", "car:", ":c1", "global:x", "car:c1/", "/car:c1", "car:c1/global", "car:a:b"] {
        assert_eq!(Scope::parse(text), Err(ScopeError::MalformedScope { text: text.to_owned() }));
    }
    for text in ["car:%", "car:%2", "car:%2f", "car:%61", "car:%FF", "car:a b", "car:*", "%empty:c1"] {
        assert!(Scope::parse(text).is_err(), "{text}");
    }
}
