//! Lifetimes: in milliseconds, and those of the indexes.

use std::time::{Duration, Instant};

use cacheado_backends::contract::{New, Tier, Wanted};
use cacheado_backends::{Backend, Entry};

use crate::{MINUTE, eventually, group, node, place, server, store, value};

/// Of a lifetime that was set to so many milliseconds, no earlier than `begun`, as much is left as there has to be.
fn check_left(server: &cacheado_servers::Redis, key: &str, lifetime: i64, begun: Instant) {
    let left: i64 = server.command(&["PTTL", key]).parse().expect("a number");
    let passed = i64::try_from(begun.elapsed().as_millis()).expect("not that long");
    assert_ne!(left, -1, "{key}: without an end");
    // Less than nothing: it is over.
    assert!((lifetime - passed - 1..=lifetime).contains(&left.max(0)), "{key}: {left} of {lifetime}");
}

fn lasting(ttl: Duration) -> New<'static> {
    New { value: b"v", ttl: Some(ttl) }
}

#[tokio::test]
async fn hazard_12_lifetimes_below_a_second_and_without_an_end() {
    let server = server!();
    let redis = node(&server);
    for (ttl, expected) in [
        (Duration::from_micros(1), 1),
        (Duration::from_millis(1500), 1500),
        (Duration::from_micros(1_500_001), 1501),
        (Duration::MAX, 100_000_000_000_000),
    ] {
        let begun = Instant::now();
        Tier::set(&*redis, &place("k", &["g"]), lasting(ttl), None).await.expect("set");
        check_left(&server, "{t}:e:k", expected, begun);
    }
    let entry = Tier::get(&*redis, &place("k", &[]), Wanted::ValueAndLifetime).await.expect("read");
    assert!(entry.expect("there").remaining > Some(Duration::from_secs(1 << 36)));
}

#[tokio::test]
async fn what_is_left_of_a_lifetime() {
    let server = server!();
    let redis = node(&server);
    let (short, long) = (place("short", &[]), place("long", &[]));
    Tier::set(&*redis, &short, lasting(MINUTE), None).await.expect("set");
    Tier::set(&*redis, &long, New { value: b"v", ttl: None }, None).await.expect("set");
    for entry in [
        Tier::get(&*redis, &short, Wanted::ValueAndLifetime).await.expect("read"),
        Tier::get_blocking(&*redis, &short, Wanted::ValueAndLifetime).expect("has one").expect("read"),
        Backend::get(&*redis, "short").await.expect("read"),
        Backend::get_many(&*redis, &["none", "short"]).await.expect("read").pop().expect("two"),
    ] {
        let left = entry.expect("there").remaining.expect("a lifetime");
        assert!(left <= MINUTE && left > MINUTE / 2, "{left:?}");
    }
    let for_ever = Some(Entry { value: b"v".to_vec(), remaining: None });
    assert_eq!(Tier::get(&*redis, &long, Wanted::ValueAndLifetime).await.expect("read"), for_ever);
    assert_eq!(
        Backend::get_many(&*redis, &["long", "none", "long"]).await.expect("read"),
        [for_ever.clone(), None, for_ever]
    );
}

#[tokio::test]
async fn hazard_28_index_entries_die_with_their_values() {
    let server = server!();
    let redis = node(&server);
    let soon = Duration::from_millis(200);
    Tier::set(&*redis, &place("soon", &["both"]), lasting(soon), None).await.expect("set");
    Tier::set(&*redis, &place("later", &["both"]), lasting(MINUTE), None).await.expect("set");
    // The index of both lives as long as the longer one, in whatever order they come.
    Tier::set(&*redis, &place("soon", &["both"]), lasting(soon), None).await.expect("set");
    let left: i64 = server.command(&["PTTL", "{t}:i:both"]).parse().expect("a number");
    assert!(left > 50_000, "a shorter entry shortens the index: {left}");

    Tier::set(&*redis, &place("alone", &["one"]), lasting(soon), None).await.expect("set");
    eventually("the index of one to go", async || server.command(&["EXISTS", "{t}:i:one"]) == "0").await;
    assert_eq!(value(&redis, &place("alone", &[])).await, None);
    assert_eq!(Tier::count(&*redis, Some(&group("both"))).await.expect("counted"), 1);
    assert_eq!(Tier::count(&*redis, None).await.expect("counted"), 1);

    // What expired is listed until the index is touched a second later, and counts for nothing.
    eventually("the second to pass", async || {
        store(&redis, &place("later", &["both"]), b"v").await;
        server.command(&["ZCARD", "{t}:i:both"]) == "1"
    })
    .await;
    assert_eq!(server.command(&["ZRANGE", "{t}:a", "0", "-1"]), "later");
}

#[tokio::test]
async fn what_expired_and_was_stored_in_other_groups_is_not_in_the_old_ones() {
    let server = server!();
    let redis = node(&server);
    let soon = Duration::from_millis(20);
    // The other one first: to touch the index once one has expired might have it leave.
    Tier::set(&*redis, &place("keeps", &["old"]), lasting(MINUTE), None).await.expect("set");
    Tier::set(&*redis, &place("k", &["old"]), lasting(soon), None).await.expect("set");
    eventually("it to expire", async || value(&redis, &place("k", &[])).await.is_none()).await;
    store(&redis, &place("k", &["new"]), b"v").await;
    assert_eq!(server.command(&["ZCARD", "{t}:i:old"]), "2", "the server does not know that it is gone");
    assert_eq!(Tier::evict_group(&*redis, &group("old"), None).await.expect("evicted"), 1);
    assert!(value(&redis, &place("k", &[])).await.is_some());
    assert_eq!(Tier::evict_group(&*redis, &group("new"), None).await.expect("evicted"), 1);
}

#[tokio::test]
async fn another_lifetime() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["g"]);
    assert!(!Tier::set_ttl(&*redis, &at, Some(MINUTE)).await.expect("set"), "there is nothing");
    Tier::set(&*redis, &at, lasting(MINUTE), None).await.expect("set");
    for (ttl, expected) in [(MINUTE * 10, 600_000), (MINUTE / 2, 30_000)] {
        let begun = Instant::now();
        assert!(Tier::set_ttl(&*redis, &at, Some(ttl)).await.expect("set"));
        for key in ["{t}:e:k", "{t}:i:g", "{t}:a"] {
            check_left(&server, key, expected, begun);
        }
    }
    assert_eq!(value(&redis, &at).await.as_deref(), Some(&b"v"[..]));
}
