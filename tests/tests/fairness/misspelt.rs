//! A bound on a level that there is not bounds nothing, and is refused where the levels are known.

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::{CacheBuilder, ErrorKind};

use super::scopes;

fn other() -> ScopeTree {
    ScopeTree::builder().level("car", "car_id").build().unwrap()
}

fn items(level: &str) -> Memory {
    Memory::builder().max_items_per_scope(level, 10).build()
}

/// Each bound on scopes of this level.
fn bounds(level: &str) -> [(&'static str, CacheBuilder); 3] {
    let near = Cache::builder().backend(SharedMemory::new()).near(items(level));
    [
        ("max_items_per_scope", Cache::builder().backend(items(level))),
        ("max_items_per_scope", near),
        ("max_computations_per_scope", Cache::builder().max_computations_per_scope(level, 1)),
    ]
}

#[test]
fn a_level_that_no_tree_has_is_refused() {
    for level in ["organisation", "Organization", ""] {
        for (bound, builder) in bounds(level) {
            let error = builder.scopes(scopes::tree()).scopes(&other()).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            let text = error.to_string();
            for part in [bound, &format!("`{level}`"), "`organization`, `user`, `car`"] {
                assert!(text.contains(part), "{text} lacks {part}");
            }
        }
    }
}

#[test]
fn a_level_of_any_tree_is_taken_and_any_where_there_is_no_tree() {
    for level in ["organization", "user", "car"] {
        for (_, builder) in bounds(level) {
            assert!(builder.scopes(&other()).scopes(scopes::tree()).build().is_ok(), "{level}");
        }
    }
    for (_, builder) in bounds("organisation") {
        assert!(builder.build().is_ok());
    }
}

#[test]
fn the_root_is_refused_whatever_the_trees() {
    for (bound, builder) in bounds("global") {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(bound) && error.contains("the root of all scopes"), "{error}");
    }
    for (_, builder) in bounds("global") {
        assert!(builder.scopes(scopes::tree()).build().is_err());
    }
}
