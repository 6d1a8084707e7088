//! What others have on the same server.

use std::sync::Arc;

use cacheado_backends::Backend;
use cacheado_backends::contract::{Event, Tier};
use cacheado_backends::redis::Redis;

use crate::{builder, event, group, place, server, store, value};

#[tokio::test]
async fn hazard_08_clearing_touches_nothing_else() {
    let server = server!();
    let names = ["a", "a:b", "*", "a*", "[a]", "?", "a/1", "{a}", "a}:e:", "a b", "ä"];
    let neighbours = ["a", "{a}", "{a}:", "{a}:e", "{b}:e:k", "a:e:k", "{a}x:e:k", "e:k", "*", "foo"];
    for key in neighbours {
        server.command(&["SET", key, "foreign"]);
    }
    let caches: Vec<Redis> = names
        .iter()
        .map(|name| builder(server.url()).namespace(*name).build().expect("a namespace"))
        .collect();
    for redis in &caches {
        for number in 0..3 {
            store(redis, &place(&number.to_string(), &["g"]), b"v").await;
        }
    }
    for (number, redis) in caches.iter().enumerate() {
        assert_eq!(Tier::count(redis, None).await.expect("counted"), 3, "{number}");
        assert_eq!(Backend::keys(redis, "").await.expect("listed"), ["0", "1", "2"]);
        match number % 2 {
            0 => assert_eq!(Tier::clear(redis, None).await.expect("cleared"), 3),
            _ => assert_eq!(Tier::evict_group(redis, &group("g"), None).await.expect("evicted"), 3),
        }
        for later in &caches[number + 1..] {
            assert_eq!(value(later, &place("2", &[])).await.as_deref(), Some(&b"v"[..]), "after {number}");
        }
    }
    let mut expected: Vec<String> = neighbours.map(str::to_owned).to_vec();
    expected.sort_unstable();
    assert_eq!(server.keys(), expected);
}

#[tokio::test]
async fn databases_are_apart() {
    let server = server!();
    let of = |db| builder(server.url()).namespace("t").db(db).build().expect("a database");
    let (zero, one) = (of(0), of(1));
    store(&one, &place("k", &[]), b"one").await;
    assert_eq!(value(&zero, &place("k", &[])).await, None);
    assert_eq!(Tier::clear(&zero, None).await.expect("cleared"), 0);
    assert_eq!(value(&one, &place("k", &[])).await.as_deref(), Some(&b"one"[..]));
    let entry = Tier::get_blocking(&one, &place("k", &[]), cacheado_backends::contract::Wanted::Value);
    assert_eq!(entry.expect("has one").expect("read").expect("there").value, b"one");
    let url = format!("{}1", server.url());
    let by_url = builder(url).namespace("t").build().expect("a database");
    assert_eq!(value(&by_url, &place("k", &[])).await.as_deref(), Some(&b"one"[..]));
}

/// A server has its channels for all of its databases.
#[tokio::test]
async fn notices_of_another_database_are_not_heard() {
    let server = server!();
    let of = |db| Arc::new(builder(server.url()).namespace("t").db(db).build().expect("a database"));
    let (zero, one) = (of(0), of(1));
    for (here, there) in [(&zero, &one), (&one, &zero)] {
        let mut subscription = Arc::clone(here).subscribe().expect("there is a bus");
        assert_eq!(event(&mut *subscription).await, Event::Gap, "the first");
        for notice in [&b"a"[..], b"b", b"c"] {
            Tier::evict(&**there, &place("k", &[]), Some(notice)).await.expect("evicted");
        }
        Tier::evict(&**here, &place("k", &[]), Some(b"here")).await.expect("evicted");
        assert_eq!(event(&mut *subscription).await, Event::Notice(b"here".to_vec()));
    }
}

#[tokio::test]
async fn keys_by_prefix() {
    let server = server!();
    let redis = builder(server.url()).namespace("t").shards(3).build().expect("a namespace");
    for number in 0..1_500 {
        Backend::put(&redis, &format!("a*{number:04}"), b"v", None).await.expect("put");
    }
    for key in ["a", "ab", "", "b\n", "ä/../%2F", "a*"] {
        Backend::put(&redis, key, b"v", None).await.expect("put");
    }
    let of = async |prefix: &str| {
        let mut keys = Backend::keys(&redis, prefix).await.expect("listed");
        keys.sort_unstable();
        keys
    };
    assert_eq!(of("a*").await.len(), 1_501);
    assert_eq!(of("a*00").await.len(), 100);
    assert_eq!(of("ä").await, ["ä/../%2F"]);
    assert_eq!(of("b").await, ["b\n"]);
    assert_eq!(of("").await.len(), 1_506);
    assert_eq!(of("[a]").await, Vec::<String>::new());
    assert_eq!(Backend::stats(&redis).await.expect("counted").entries, 1_506);
    assert_eq!(Backend::clear(&redis).await.expect("cleared"), 1_506);
    assert_eq!(server.keys(), Vec::<String>::new());
    let long = "k".repeat(1_024);
    Backend::put(&redis, &long, b"v", None).await.expect("put");
    assert!(Backend::remove(&redis, &long).await.expect("removed"));
    let refused = Backend::get(&redis, &format!("{long}k")).await.expect_err("too long");
    assert_eq!(refused.kind(), cacheado_backends::ErrorKind::TooLarge);
}
