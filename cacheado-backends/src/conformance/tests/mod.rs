//! Tests of the suite itself: that it names all checks, that the smallest backend passes it, and that one with
//! a defect fails.

mod defects;
mod map;

use std::collections::BTreeSet;

use self::map::Map;
use super::Subject;

/// The smallest backend there is.
mod smallest {
    use super::{Map, Subject};

    async fn fresh() -> Subject {
        let map = Map::default();
        Subject::new(map.clone()).with_peer(map)
    }

    crate::conformance!(fresh, without(bus));
}

/// A closure will do, and one node.
mod alone {
    use super::{Map, Subject};

    crate::conformance!(async || Subject::new(Map::default()), without(bus, second_node));
}

#[test]
fn the_macro_names_every_check() {
    let files = [
        include_str!("../backend/values.rs"),
        include_str!("../backend/expiry.rs"),
        include_str!("../backend/batches.rs"),
        include_str!("../backend/keys.rs"),
        include_str!("../backend/isolation.rs"),
        include_str!("../backend/concurrency.rs"),
        include_str!("../backend/limits.rs"),
        include_str!("../tier/entries.rs"),
        include_str!("../tier/groups.rs"),
        include_str!("../tier/fences.rs"),
        include_str!("../tier/leases.rs"),
        include_str!("../tier/load.rs"),
        include_str!("../tier/bus.rs"),
    ];
    let is_check = |line: &&str| line.starts_with("pub fn ");
    let name = |line: &str| line.trim_start_matches("pub fn ").split('(').next().unwrap().to_owned();
    let written: BTreeSet<_> =
        files.iter().flat_map(|file| file.lines().filter(is_check)).map(name).collect();
    let named = [
        &crate::conformance!(@anywhere names ())[..],
        &crate::conformance!(@second_node names ()),
        &crate::conformance!(@bus names ()),
        &crate::conformance!(@bus_of_two_nodes names ()),
    ];
    let named: Vec<_> = named.into_iter().flatten().map(ToString::to_string).collect();
    let unique: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(named.len(), unique.len(), "a check is named twice");
    assert_eq!(written, unique);
}
