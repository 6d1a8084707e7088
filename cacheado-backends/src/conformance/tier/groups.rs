//! Groups, and their exact counts.

use std::time::Duration;

use crate::conformance::Subject;
use crate::conformance::tools::{LONG, Must, check, eventually, group, join, new, ok, place, scope};
use crate::contract::{Group, New, Tier};

async fn evict_group(tier: &dyn Tier, group: &Group) -> u64 {
    ok("evict_group", tier.evict_group(group, None).await)
}

async fn count(tier: &dyn Tier, group: &Group) -> u64 {
    ok("count", tier.count(Some(group)).await)
}

/// Evicting a group evicts the entries in it and no other, and counts them.
pub fn a_group_is_evicted_and_counted(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let (a, b) = (group("a"), group("b"));
        assert_eq!(evict_group(tier, &a).await, 0, "a group that nothing lies in");
        for key in ["a1", "a2", "a3"] {
            tier.load(&place(key, &[&a]), key).await;
        }
        ok("set", tier.set(&place("b1", &[&b]), new(b"b1"), None).await);
        ok("set", tier.set(&place("none", &[]), new(b"none"), None).await);
        assert_eq!(count(tier, &a).await, 3);
        assert_eq!(ok("count", tier.count(None).await), 5);
        assert_eq!(evict_group(tier, &a).await, 3, "how many live entries lay in the group");
        assert_eq!(evict_group(tier, &a).await, 0, "they are evicted once");
        assert_eq!(count(tier, &a).await, 0);
        for key in ["a1", "a2", "a3"] {
            assert_eq!(tier.read(&place(key, &[&a])).await, None);
        }
        assert!(tier.read(&place("b1", &[&b])).await.is_some(), "another group was evicted, too");
        assert!(tier.read(&place("none", &[])).await.is_some(), "what lies in no group was evicted, too");
        assert_eq!(ok("count", tier.count(None).await), 2);
    });
}

/// An entry may lie in several groups, one within the other or across; it is evicted with each, and once.
pub fn groups_may_be_nested(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let function = group("f");
        let (acme, ada, grace) =
            (scope("org:acme"), scope("org:acme/user:ada"), scope("org:acme/user:grace"));
        let of_ada = [&function, &acme, &ada];
        let of_grace = [&function, &acme, &grace];
        let globex = scope("org:globex");
        let of_globex = [&function, &globex];
        for key in ["1", "2"] {
            tier.load(&place(&format!("ada-{key}"), &of_ada), key).await;
            tier.load(&place(&format!("grace-{key}"), &of_grace), key).await;
            tier.load(&place(&format!("globex-{key}"), &of_globex), key).await;
        }
        assert_eq!(count(tier, &acme).await, 4);
        assert_eq!(evict_group(tier, &ada).await, 2, "the inner group alone");
        assert_eq!(count(tier, &acme).await, 2, "what an inner group has lost, the outer one has lost");
        assert_eq!(evict_group(tier, &acme).await, 2, "what is left of the outer group");
        assert_eq!(count(tier, &grace).await, 0);
        assert_eq!(tier.read(&place("grace-1", &of_grace)).await, None);
        assert!(tier.read(&place("globex-1", &of_globex)).await.is_some());
        assert_eq!(evict_group(tier, &function).await, 2, "what is left of the function");
    });
}

/// An entry lies in the groups that it was last stored with, and in no other.
pub fn hazard_28_an_overwritten_entry_changes_groups(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let (old, both, young) = (group("old"), group("both"), group("new"));
        for by_set in [false, true] {
            tier.load(&place("key", &[&old, &both]), "first").await;
            let at = place("key", &[&both, &young]);
            if by_set {
                ok("set", tier.set(&at, new(b"second"), None).await);
            } else {
                tier.load(&at, "second").await;
            }
            assert_eq!(count(tier, &both).await, 1, "one entry, however often it was stored");
            assert_eq!(evict_group(tier, &old).await, 0, "it lies there no more");
            assert_eq!(tier.read(&at).await.as_deref(), Some("second"));
            assert_eq!(evict_group(tier, &young).await, 1);
            assert_eq!(tier.read(&at).await, None);
            assert_eq!(evict_group(tier, &both).await, 0);
        }
    });
}

/// What has expired is not counted.
pub fn hazard_28_expired_members_are_not_counted(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let (a, short) = (group("a"), Duration::from_millis(40));
        let at = |key: &str| place(key, &[&a]);
        tier.load(&at("live"), "live").await;
        for key in ["over-1", "over-2"] {
            ok("set", tier.set(&at(key), New { value: b"over", ttl: Some(short) }, None).await);
        }
        for key in ["over-1", "over-2"] {
            eventually("an entry expires", async || tier.read(&at(key)).await.is_none()).await;
        }
        assert_eq!(count(tier, &a).await, 1, "`count` counts live entries");
        assert_eq!(evict_group(tier, &a).await, 1, "`evict_group` counts live entries");
    });
}

/// An index that lives as long as its last member does not end the others: one that lives long is found by
/// its group after one that lives shortly has joined and gone.
pub fn hazard_28_a_short_lived_member_does_not_end_the_index(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let a = group("a");
        let at = |key: &str| place(key, &[&a]);
        let short = Duration::from_millis(40);
        for (key, ttl) in [("never", None), ("long", Some(LONG)), ("short", Some(short))] {
            ok("set", tier.set(&at(key), New { value: b"value", ttl }, None).await);
        }
        eventually("an entry expires", async || tier.read(&at("short")).await.is_none()).await;
        tokio::time::sleep(short).await;
        assert_eq!(evict_group(tier, &a).await, 2, "the others are still in the group");
        assert_eq!(tier.read(&at("long")).await, None);
        assert_eq!(tier.read(&at("never")).await, None);
    });
}

/// A tag evicts its entries, although they are read at a place that does not name it.
pub fn a_tag_is_not_needed_to_read(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let (function, tag) = (group("f"), group("tag:catalogue"));
        let tagged = place("key", &[&function, &tag]);
        let untagged = place("key", &[&function]);
        for by_set in [false, true] {
            if by_set {
                ok("set", tier.set(&tagged, new(b"value"), None).await);
            } else {
                tier.load(&tagged, "value").await;
            }
            assert_eq!(tier.read(&untagged).await.as_deref(), Some("value"), "a tag is not needed to read");
            assert_eq!(evict_group(tier, &tag).await, 1);
            assert_eq!(tier.read(&untagged).await, None, "nor to find out that it was evicted");
            assert_eq!(tier.read(&tagged).await, None);
        }
        tier.load(&tagged, "value").await;
        assert!(ok("evict", tier.evict(&untagged, None).await), "nor to evict its entry");
        assert_eq!(count(tier, &tag).await, 0, "index entries leave with their entry");
    });
}

/// Names that are alike, or begin alike, are names of different groups.
pub fn groups_with_like_names_stay_apart(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let long = "x".repeat(511);
        let names = [
            "a", "A", "aa", "a:", "a:1", "a:11", "a/", "a*", "*", "?", "a?", "[a]", "%", "_", "a ", " a",
            ".", "..", "{a}", "$a", "é", "e\u{301}", "\"a\"", "'a'", "\\a", &long,
        ];
        let twins = [long.clone() + "1", long.clone() + "2"];
        let names: Vec<_> = names.into_iter().chain(twins.iter().map(String::as_str)).collect();
        for (number, name) in names.iter().enumerate() {
            tier.load(&place(&number.to_string(), &[&group(name)]), name).await;
        }
        for (number, name) in names.iter().enumerate() {
            assert_eq!(evict_group(tier, &group(name)).await, 1, "one entry lies in {name:?}");
            let left = ok("count", tier.count(None).await);
            assert_eq!(left, (names.len() - number - 1) as u64, "evicting {name:?} evicts nothing else");
        }
    });
}

/// A group of a thousand entries is evicted whole and counted exactly, and what lies beside it stays.
pub fn a_group_of_a_thousand_is_evicted_whole(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let (all, many, few) = (group("all"), group("many"), group("few"));
        for number in 0..10 {
            tier.load(&place(&format!("few-{number}"), &[&all, &few]), "value").await;
        }
        // Some at a time, as a thousand writes one after the other can take a minute.
        for begin in (0..1_000).step_by(20) {
            let setting = (begin..begin + 20).map(|number| {
                let (node, at) = (subject.node().clone(), place(&format!("many-{number}"), &[&all, &many]));
                tokio::spawn(async move { ok("set", node.tier.set(&at, new(b"value"), None).await) })
            });
            for set in setting.collect::<Vec<_>>() {
                join(set).await;
            }
        }
        assert_eq!(count(tier, &many).await, 1_000);
        assert_eq!(evict_group(tier, &many).await, 1_000);
        assert_eq!(count(tier, &all).await, 10);
        assert_eq!(tier.read(&place("many-999", &[&all, &many])).await, None);
        assert_eq!(evict_group(tier, &few).await, 10);
        assert_eq!(evict_group(tier, &all).await, 0);
    });
}

/// A group that was evicted can be filled again, and is counted anew.
pub fn a_group_can_be_filled_again(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let (a, b) = (group("a"), group("b"));
        let at = |key: &str| place(key, &[&a, &b]);
        for round in 0..3 {
            for key in ["1", "2", "3"] {
                tier.load(&at(key), "value").await;
            }
            assert!(ok("evict", tier.evict(&at("1"), None).await));
            assert_eq!(count(tier, &a).await, 2, "what was evicted by its key has left its groups");
            assert_eq!(evict_group(tier, if round == 1 { &a } else { &b }).await, 2, "round {round}");
            assert_eq!(ok("count", tier.count(None).await), 0);
        }
    });
}
