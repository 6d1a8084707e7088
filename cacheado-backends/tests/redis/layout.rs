//! Keys and values as one sees them in redis-cli.

use std::time::Duration;

use cacheado_backends::contract::{New, Tier};

use crate::{group, new, node, place, server, store, value};

#[tokio::test]
async fn an_entry_is_readable() {
    let server = server!();
    let redis = node(&server);
    let at = place("load_user:7", &["fn:load_user", "org:1"]);
    let claim = Tier::begin(&*redis, &at).await.expect("begun");
    Tier::fill(&*redis, &at, new(b"value"), &claim).await.expect("filled");

    let keys = ["{t}:a", "{t}:e:load_user:7", "{t}:f", "{t}:i:fn:load_user", "{t}:i:org:1"];
    assert_eq!(server.keys(), keys);
    let stored = server.command(&["GET", "{t}:e:load_user:7"]);
    assert!(stored.starts_with("value\0\x0Cfn:load_user\0\x05org:1"), "{stored:?}");
    assert_eq!(server.command(&["ZRANGE", "{t}:i:org:1", "0", "-1"]), "load_user:7");
    let expiry = server.command(&["PEXPIRETIME", "{t}:e:load_user:7"]);
    for index in ["{t}:a", "{t}:i:fn:load_user", "{t}:i:org:1"] {
        assert_eq!(server.command(&["ZSCORE", index, "load_user:7"]), expiry);
        assert_eq!(server.command(&["PEXPIRETIME", index]), expiry, "an index dies with its last entry");
    }
}

#[tokio::test]
async fn eviction_leaves_nothing_but_the_fence() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["a", "b"]);
    store(&redis, &at, b"value").await;
    assert!(Tier::evict(&*redis, &at, None).await.expect("evicted"));
    assert_eq!(server.keys(), Vec::<String>::new(), "nothing was announced, so there is nothing to fence");

    Tier::begin(&*redis, &at).await.expect("begun");
    store(&redis, &at, b"value").await;
    assert!(Tier::evict(&*redis, &at, Some(b"notice")).await.expect("evicted"));
    assert!(!Tier::evict(&*redis, &at, None).await.expect("evicted"), "it is gone");
    assert_eq!(server.keys(), ["{t}:f", "{t}:s"]);
}

#[tokio::test]
async fn an_entry_leaves_the_groups_that_it_is_no_longer_in() {
    let server = server!();
    let redis = node(&server);
    store(&redis, &place("k", &["a", "b"]), b"1").await;
    store(&redis, &place("k", &["b", "c"]), b"2").await;
    assert_eq!(server.keys(), ["{t}:a", "{t}:e:k", "{t}:i:b", "{t}:i:c"]);
    assert_eq!(Tier::evict_group(&*redis, &group("a"), None).await.expect("evicted"), 0);
    assert_eq!(value(&redis, &place("k", &[])).await.as_deref(), Some(&b"2"[..]));
    assert_eq!(Tier::count(&*redis, Some(&group("c"))).await.expect("counted"), 1);
    assert_eq!(Tier::evict_group(&*redis, &group("c"), None).await.expect("evicted"), 1);
    assert_eq!(server.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn groups_with_long_names_and_many_of_them() {
    let server = server!();
    let redis = node(&server);
    let names: Vec<String> = (0..40).map(|number| format!("{number}{}", "g".repeat(500))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for value in [&b""[..], b"v", &vec![7; 100_000]] {
        let at = place("k", &names);
        store(&redis, &at, value).await;
        assert_eq!(crate::value(&redis, &at).await.as_deref(), Some(value));
        assert_eq!(server.keys().len(), 42);
        // The scripts find all groups in the value.
        store(&redis, &place("k", &[]), value).await;
        assert_eq!(server.keys(), ["{t}:a", "{t}:e:k"]);
    }
    let err = Tier::set(&*redis, &place("k", &["g".repeat(70_000).as_str()]), new(b""), None).await;
    assert_eq!(err.expect_err("too long").kind(), cacheado_backends::ErrorKind::TooLarge);
}

#[tokio::test]
async fn hazard_27_every_key_has_a_lifetime() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["a", "b"]);
    let claim = Tier::begin(&*redis, &at).await.expect("begun");
    Tier::fill(&*redis, &at, new(b"1"), &claim).await.expect("filled");
    Tier::set(&*redis, &at, new(b"2"), Some(b"notice")).await.expect("set");
    Tier::set_ttl(&*redis, &at, Some(Duration::from_secs(9))).await.expect("set");
    Tier::evict(&*redis, &place("other", &["b"]), Some(b"notice")).await.expect("evicted");
    let keys = server.keys();
    assert_eq!(keys.len(), 6, "{keys:?}");
    for key in keys {
        let left: i64 = server.command(&["PTTL", &key]).parse().expect("a number");
        assert!(left > 0, "{key} has no lifetime: {left}");
    }
}

#[tokio::test]
async fn only_what_lives_for_ever_has_no_lifetime() {
    let server = server!();
    let redis = node(&server);
    let for_ever = New { value: b"v", ttl: None };
    store(&redis, &place("short", &["both", "short"]), b"v").await;
    Tier::set(&*redis, &place("long", &["both", "long"]), for_ever, None).await.expect("set");
    let without = |server: &cacheado_servers::Redis| {
        server.keys().into_iter().filter(|key| server.command(&["PTTL", key]) == "-1").collect::<Vec<_>>()
    };
    assert_eq!(without(&server), ["{t}:a", "{t}:e:long", "{t}:i:both", "{t}:i:long"]);
    Tier::evict(&*redis, &place("long", &[]), None).await.expect("evicted");
    assert_eq!(without(&server), Vec::<String>::new());

    Tier::set_ttl(&*redis, &place("short", &[]), None).await.expect("set");
    assert_eq!(without(&server), ["{t}:a", "{t}:e:short", "{t}:i:both", "{t}:i:short"]);
    store(&redis, &place("short", &["both", "short"]), b"v").await;
    assert_eq!(without(&server), Vec::<String>::new());
}
