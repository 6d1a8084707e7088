//! Bytes of others under our keys.

use cacheado_backends::Backend;
use cacheado_backends::contract::{Tier, Wanted};

use crate::{group, node, place, server, store, value};

#[tokio::test]
async fn hazard_30_what_is_not_ours_is_a_miss_and_stays() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["g"]);
    let foreign: [&[&str]; 7] = [
        &["SET", "{t}:e:k", "plain"],
        &["SET", "{t}:e:k", ""],
        &["SET", "{t}:e:k", "ab\0\0\0\u{1}"],
        &["RPUSH", "{t}:e:k", "an", "item"],
        &["HSET", "{t}:e:k", "a", "b"],
        &["SET", "{t}:e:k", "12345678901234567890"],
        &["SETBIT", "{t}:e:k", "4000", "1"],
    ];
    for (number, command) in foreign.iter().enumerate() {
        server.command(&["DEL", "{t}:e:k"]);
        server.command(command);
        for wanted in [Wanted::Value, Wanted::ValueAndLifetime] {
            assert_eq!(Tier::get(&*redis, &at, wanted).await.expect("a miss"), None, "{number}");
            assert_eq!(Tier::get_blocking(&*redis, &at, wanted).expect("has one").expect("a miss"), None);
        }
        assert_eq!(Tier::get_many(&*redis, std::slice::from_ref(&at)).await.expect("a miss"), [None]);
        assert_eq!(Backend::get_many(&*redis, &["k"]).await.expect("a miss"), [None]);
        assert_eq!(Backend::keys(&*redis, "").await.expect("listed"), Vec::<String>::new());
        assert!(!Tier::set_ttl(&*redis, &at, None).await.expect("nothing to set"));
        assert_eq!(server.command(&["EXISTS", "{t}:e:k"]), "1", "{number}: hazard 22, it may be newer");

        // It is overwritten, or removed when it is asked for, without being counted.
        if number % 2 == 0 {
            store(&redis, &at, b"ours").await;
            assert_eq!(value(&redis, &at).await.as_deref(), Some(&b"ours"[..]), "{number}");
            assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 1);
        } else {
            assert!(!Tier::evict(&*redis, &at, None).await.expect("evicted"), "{number}");
        }
        assert_eq!(server.command(&["EXISTS", "{t}:e:k"]), "0", "{number}");
    }
}

#[tokio::test]
async fn hazard_30_entries_that_were_changed_are_evicted_with_their_group() {
    let server = server!();
    let redis = node(&server);
    for key in ["cut", "list", "good"] {
        store(&redis, &place(key, &["g"]), b"value").await;
    }
    server.command(&["SET", "{t}:e:cut", "val"]);
    server.command(&["DEL", "{t}:e:list"]);
    server.command(&["RPUSH", "{t}:e:list", "item"]);
    assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 1);
    assert_eq!(server.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn hazard_30_indexes_of_another_type_are_an_error() {
    let server = server!();
    let redis = node(&server);
    for key in ["{t}:f", "{t}:a", "{t}:i:g"] {
        server.command(&["SET", key, "foreign"]);
        let at = place("k", &["g"]);
        let errors = [
            Tier::begin(&*redis, &at).await.err(),
            Tier::evict_group(&*redis, &group("g"), None).await.err(),
            Tier::set(&*redis, &at, crate::new(b"v"), None).await.err(),
        ];
        for error in errors.into_iter().flatten() {
            assert_eq!(error.kind(), cacheado_backends::ErrorKind::Malformed, "{key}: {error}");
        }
        server.command(&["FLUSHALL"]);
    }
}
