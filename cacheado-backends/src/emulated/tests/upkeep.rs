//! What stands in the backend, for how long, and how often it is asked.

use std::time::Duration;

use super::super::write::{EPOCH_LIFE, VALUE_LIFE};
use super::{Claim, Filled, Tier, Wanted, World, at, block_on, group, new, place};
use crate::Backend;
use crate::contract::{FILL_WINDOW, New};

#[test]
fn every_name_fits_a_backend_and_evicting_a_long_group_touches_no_other() {
    block_on(async {
        let world = World::new();
        let key = "é".repeat(256);
        let long = ["x".repeat(511) + "1", "x".repeat(511) + "2", "ü".repeat(256)];
        let names: Vec<_> = long.iter().map(String::as_str).collect();
        world.a.store(&place(&key, &names), "value").await;
        world.a.tier.evict(&place(&key, &names), None).await.unwrap();
        for (key, name) in ["1", "2", "3"].into_iter().zip(&names) {
            world.a.store(&place(key, &[name]), "value").await;
        }
        for name in &names {
            world.a.tier.evict_group(&group(name), None).await.unwrap();
            world.a.store(&place(&key, &names), "value").await;
            let longest = world.entries("").await.iter().map(String::len).max().unwrap();
            assert!(longest <= 1_024, "{longest} bytes");
            assert_eq!(world.b.tier.evict_group(&group(name), None).await.unwrap(), 1);
        }
        assert_eq!(world.entries("i:").await, [""; 0]);
    });
}

#[test]
fn two_groups_that_share_a_listing_stay_apart() {
    block_on(async {
        // FNV-1a of 32 bits is easy to collide; these names agree in their first 483 bytes as well.
        let (one, two) = colliding();
        let (in_one, in_two) = (place("1", &[&one]), place("2", &[&two]));
        let world = World::new();
        world.a.store(&in_one, "one").await;
        world.a.store(&in_two, "two").await;
        assert_eq!(world.a.tier.evict_group(&group(&one), None).await.unwrap(), 1);
        assert_eq!(world.read(&in_two).await.as_deref(), Some("two"));
        assert_eq!(world.a.tier.count(Some(&group(&two))).await.unwrap(), 1);
        assert_eq!(world.a.tier.evict_group(&group(&two), None).await.unwrap(), 1);
    });
}

/// Two long names with one hash, found by trying.
fn colliding() -> (String, String) {
    use std::collections::HashMap;
    let front = "x".repeat(490);
    let mut seen = HashMap::new();
    for number in 0_u64.. {
        let name = format!("{front}{number:07x}");
        if let Some(other) = seen.insert(super::super::keys::hash(name.as_bytes()), number) {
            return (format!("{front}{other:07x}"), name);
        }
    }
    unreachable!("there are more numbers than hashes")
}

#[test]
fn hazard_28_a_key_that_is_stored_again_and_again_leaves_nothing_behind() {
    block_on(async {
        let world = World::new();
        for round in 0..50 {
            world.a.store(&at(), "fill").await;
            world.a.store(&at(), "refresh").await;
            world.b.tier.set(&at(), new("set"), None).await.unwrap();
            world.b.tier.set(&at(), new("set again"), None).await.unwrap();
            if round % 3 == 0 {
                assert!(world.a.tier.evict(&at(), None).await.unwrap());
            } else if round % 3 == 1 {
                assert_eq!(world.a.tier.evict_group(&at().groups[1], None).await.unwrap(), 1);
            }
        }
        world.a.tier.evict(&at(), None).await.unwrap();
        let mut left = world.entries("").await;
        left.sort();
        assert_eq!(left, ["all", "g:tag:a", "k:report(1)"]);
    });
}

#[test]
fn hazard_30_what_is_no_value_goes_with_an_eviction_and_is_not_counted() {
    block_on(async {
        let world = World::new();
        world.memory.put("v:report(1)", b"of somebody else", None).await.unwrap();
        assert_eq!(world.read(&at()).await, None);
        assert!(!world.a.tier.evict(&at(), None).await.unwrap(), "there was no live entry");
        assert_eq!(world.entries("v:").await, [""; 0]);
    });
}

#[test]
fn hazard_28_members_that_have_expired_are_not_counted_and_leave_the_index() {
    block_on(async {
        let world = World::new();
        let short = New { value: b"short", ttl: Some(Duration::from_secs(1)) };
        let claim = world.a.begin(&place("1", &["group"])).await;
        world.a.tier.fill(&place("1", &["group"]), short, &claim).await.unwrap();
        world.a.store(&place("2", &["group"]), "long").await;
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(world.a.tier.count(Some(&group("group"))).await.unwrap(), 1);
        assert_eq!(world.a.tier.evict_group(&group("group"), None).await.unwrap(), 1);
        assert_eq!(world.entries("i:").await, [""; 0]);

        let claim = world.a.begin(&place("3", &["group"])).await;
        world.a.tier.fill(&place("3", &["group"]), short, &claim).await.unwrap();
        world.clock.advance(Duration::from_secs(3600));
        assert_eq!(world.entries("i:").await, [""; 0], "what nobody evicts goes by itself");
    });
}

#[test]
fn an_epoch_outlives_every_value_that_it_forbids_and_then_goes() {
    block_on(async {
        let world = World::new();
        let never = New { value: b"never", ttl: None };
        // The worst case: announced just before the eviction, stored at the end of the window.
        let claim: Claim = world.a.begin(&at()).await;
        world.b.tier.evict(&at(), None).await.unwrap();
        world.b.tier.evict_group(&at().groups[0], None).await.unwrap();
        world.clock.advance(FILL_WINDOW);
        assert_eq!(world.a.tier.fill(&at(), never, &claim).await.unwrap(), Filled::Fenced);
        let forbidden = super::super::fences::Fences::decode(&claim.token).unwrap();
        let framed = super::super::frame::encode(b"never", &forbidden).unwrap();
        world.memory.put("v:report(1)", &framed, Some(VALUE_LIFE)).await.unwrap();

        assert!(EPOCH_LIFE >= VALUE_LIFE + 2 * FILL_WINDOW);
        world.clock.advance(VALUE_LIFE.saturating_sub(Duration::from_nanos(1)));
        assert_eq!(world.entries("v:").await.len(), 1);
        assert_eq!(world.read(&at()).await, None, "the epochs are still there");
        world.clock.advance(Duration::from_nanos(1));
        assert_eq!(world.entries("v:").await.len(), 0);
        assert_eq!(world.entries("").await.len(), 3, "the epochs are still there");
        world.clock.advance(FILL_WINDOW);
        assert_eq!(world.entries("").await, ["all"]);
    });
}

#[test]
fn a_value_without_a_lifetime_lives_for_thirty_days() {
    block_on(async {
        let world = World::new();
        for ttl in [None, Some(Duration::MAX)] {
            world.a.tier.set(&at(), New { value: b"never", ttl }, None).await.unwrap();
            let entry = world.a.tier.get(&at(), Wanted::ValueAndLifetime).await.unwrap().unwrap();
            assert_eq!(entry.remaining, Some(VALUE_LIFE));
        }
    });
}

#[test]
fn hazard_29_each_operation_takes_as_many_round_trips_as_it_says() {
    block_on(async {
        let world = World::new();
        world.a.store(&at(), "first").await;
        let (tier, flaky) = (&world.a.tier, &world.a.flaky);
        let mut before = flaky.operations();
        let mut taken = |expected: u64, what: &str| {
            let now = flaky.operations();
            assert_eq!(now - std::mem::replace(&mut before, now), expected, "{what}");
        };
        let untagged = place("report(1)", &["report"]);
        tier.get(&at(), Wanted::Value).await.unwrap().unwrap();
        taken(1, "a hit");
        tier.get_many(&[at(), at(), place("report(2)", &["report"])], Wanted::Value).await.unwrap();
        taken(1, "a batch");
        tier.get(&untagged, Wanted::Value).await.unwrap().unwrap();
        taken(2, "a hit on a value with a tag that the place does not name");
        tier.get(&place("other", &["report"]), Wanted::Value).await.unwrap();
        taken(1, "a miss");
        let claim = tier.begin(&at()).await.unwrap();
        taken(1, "begin");
        tier.fill(&at(), new("value"), &claim).await.unwrap();
        taken(4, "fill: look, two index entries at the same time, value");
        tier.set(&at(), new("value"), None).await.unwrap();
        taken(1 + (2 + 1) + 1 + (2 + 1), "set");
        tier.evict(&at(), None).await.unwrap();
        taken(1 + 1 + (1 + 2), "evict");
        tier.evict(&at(), None).await.unwrap();
        taken(1 + 1 + 1, "evict what is not there");
        tier.evict_group(&group("report"), None).await.unwrap();
        taken(3, "evict an empty group");
    });
}
