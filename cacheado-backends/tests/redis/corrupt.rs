//! Bytes of others under our keys.

use cacheado_backends::Backend;
use cacheado_backends::contract::{Event, Filled, New, Tier, Wanted};

use crate::{event, group, node, place, server, store, value};

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
            let many = Tier::get_many(&*redis, std::slice::from_ref(&at), wanted).await;
            assert_eq!(many.expect("a miss"), [None]);
        }
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
    for key in ["{t}:a", "{t}:i:g"] {
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

/// Without the fences nothing that was announced is stored, and without the sequence listeners are told of a gap.
#[tokio::test]
async fn hazard_30_fences_and_a_sequence_of_another_type_are_begun_anew() {
    let server = server!();
    let (redis, listener) = (node(&server), node(&server));
    let at = place("k", &["g"]);
    let mut heard = listener.subscribe().expect("a bus");
    assert_eq!(event(&mut *heard).await, Event::Gap);
    for ways in 0..4 {
        Tier::evict(&*redis, &place("other", &[]), Some(b"n")).await.expect("evicted");
        event(&mut *heard).await;
        store(&redis, &at, b"old").await;
        let claim = Tier::begin(&*redis, &at).await.expect("begun");
        for key in ["{t}:f", "{t}:s"] {
            server.command(&["DEL", key]);
            server.command(&["RPUSH", key, "foreign"]);
        }
        match ways {
            0 => drop(Tier::evict(&*redis, &at, Some(b"n")).await.expect("evicted")),
            1 => drop(Tier::evict_group(&*redis, &group("g"), Some(b"n")).await.expect("evicted")),
            2 => drop(Tier::clear(&*redis, Some(b"n")).await.expect("cleared")),
            _ => drop(Tier::begin(&*redis, &at).await.expect("begun")),
        }
        if ways < 3 {
            assert_eq!(value(&redis, &at).await, None, "{ways}");
            while event(&mut *heard).await != Event::Gap {}
        }
        let fill = Tier::fill(&*redis, &at, crate::new(b"old"), &claim).await.expect("an answer");
        assert_eq!(fill, Filled::Fenced, "{ways}");
        let claim = Tier::begin(&*redis, &at).await.expect("begun");
        let fill = Tier::fill(&*redis, &at, crate::new(b"new"), &claim).await.expect("an answer");
        assert_eq!((fill, value(&redis, &at).await), (Filled::Stored, Some(b"new".to_vec())), "{ways}");
    }
}

#[tokio::test]
async fn hazard_30_clearing_ends_an_index_of_another_type() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["g"]);
    store(&redis, &at, b"old").await;
    server.command(&["SET", "{t}:i:g", "foreign"]);
    Tier::evict_group(&*redis, &group("g"), None).await.expect_err("it does not know what lies in the group");
    assert_eq!(Tier::clear(&*redis, None).await.expect("cleared"), 1);
    assert_eq!(value(&redis, &at).await, None);
    store(&redis, &at, b"new").await;
    assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 1);
}

#[tokio::test]
async fn hazard_30_nothing_is_stored_that_an_index_of_another_type_would_hide_from_evictions() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["f", "g"]);
    server.command(&["SET", "{t}:i:f", "foreign"]);
    let claim = Tier::begin(&*redis, &at).await.expect("begun");
    Tier::fill(&*redis, &at, crate::new(b"v"), &claim).await.expect_err("it cannot be listed");
    Tier::set(&*redis, &at, crate::new(b"v"), None).await.expect_err("it cannot be listed");
    assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 0);
    assert_eq!(value(&redis, &at).await, None);
}

/// No score of a fence would be later.
#[tokio::test]
async fn hazard_30_a_fence_of_somebody_elses_that_is_later_than_all_is_got_rid_of() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &[]);
    for score in ["1e16", "inf", "-inf", "-1e16"] {
        Tier::begin(&*redis, &at).await.expect("begun");
        server.command(&["ZADD", "{t}:f", score, "foreign"]);
        let claim = Tier::begin(&*redis, &at).await.expect("begun");
        server.command(&["ZADD", "{t}:f", score, "foreign"]);
        Tier::evict(&*redis, &at, None).await.expect("evicted");
        let fill = Tier::fill(&*redis, &at, crate::new(b"old"), &claim).await.expect("an answer");
        assert_eq!(fill, Filled::Fenced, "{score}");
        let claim = Tier::begin(&*redis, &at).await.expect("begun");
        let fill = Tier::fill(&*redis, &at, crate::new(b"new"), &claim).await.expect("an answer");
        assert_eq!(fill, Filled::Stored, "{score}");
    }
}

/// What is there is not to outlive what lists it.
#[tokio::test]
async fn hazard_30_where_an_index_is_of_another_type_an_entry_keeps_the_life_that_it_is_listed_with() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["f", "g"]);
    for damaged in ["{t}:i:f", "{t}:i:g", "{t}:a"] {
        store(&redis, &at, b"old").await;
        server.command(&["SET", damaged, "foreign"]);
        Tier::set_ttl(&*redis, &at, None).await.expect_err("it cannot be listed");
        let left = server.command(&["PTTL", "{t}:e:k"]).parse::<i64>().expect("a number");
        assert!((1..=60_000).contains(&left), "{damaged}: {left}");
        server.command(&["FLUSHALL"]);
    }
    for damaged in ["{t}:i:f", "{t}:i:g"] {
        let lasting = New { value: b"old", ttl: None };
        Tier::set(&*redis, &place("k", &["h"]), lasting, None).await.expect("stored");
        server.command(&["SET", damaged, "foreign"]);
        Tier::set(&*redis, &at, crate::new(b"new"), None).await.expect_err("it cannot be listed");
        assert_eq!(value(&redis, &at).await.as_deref(), Some(&b"old"[..]), "{damaged}");
        assert_eq!(server.command(&["ZSCORE", "{t}:a", "k"]), "inf", "{damaged}");
        server.command(&["FLUSHALL"]);
    }
}

#[tokio::test]
async fn hazard_30_indexes_of_another_type_do_not_keep_entries_from_being_evicted() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["f", "g"]);
    for damaged in ["{t}:i:f", "{t}:a"] {
        for is_group in [false, true] {
            store(&redis, &at, b"old").await;
            let claim = Tier::begin(&*redis, &at).await.expect("begun");
            server.command(&["SET", damaged, "foreign"]);
            if is_group {
                assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 1);
            } else {
                assert!(Tier::evict(&*redis, &at, None).await.expect("evicted"), "{damaged}");
            }
            assert_eq!(value(&redis, &at).await, None, "{damaged}");
            let fill = Tier::fill(&*redis, &at, crate::new(b"old"), &claim).await.expect("an answer");
            assert_eq!(fill, Filled::Fenced, "{damaged}");
            server.command(&["FLUSHALL"]);
        }
    }
}

/// Without it nobody knows what there is, and to delete it alone would hide that.
#[tokio::test]
async fn hazard_30_clearing_without_the_index_of_all_entries_is_an_error_that_says_what_to_do() {
    let server = server!();
    let sharded = crate::builder(server.url()).namespace("t").shards(2).build().expect("an address");
    let at = place("k", &["g"]);
    for (redis, namespace) in [(node(&server), "{t}"), (sharded.into(), "{t/1}")] {
        for number in 0..10_u32 {
            store(&redis, &place(&number.to_string(), &["g"]), b"old").await;
        }
        let damaged = format!("{namespace}:a");
        server.command(&["SET", &damaged, "foreign"]);
        let error = Tier::clear(&*redis, None).await.expect_err("it does not know what there is");
        assert_eq!(error.kind(), cacheado_backends::ErrorKind::Malformed, "{error}");
        assert!(error.to_string().contains("delete all keys of the namespace"), "{error}");
        assert_eq!(server.command(&["GET", &damaged]), "foreign", "what shows that it is damaged stays");
        assert!(server.keys().iter().any(|key| key.starts_with(&format!("{namespace}:e:"))), "as all does");
        Tier::clear(&*redis, None).await.expect_err("it still does not");

        server.command(&["FLUSHALL"]);
        store(&redis, &at, b"new").await;
        assert_eq!(Tier::clear(&*redis, None).await.expect("cleared"), 1);
    }
}
