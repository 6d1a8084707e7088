//! Entries: what is written, what is read, and in how many round trips.

use std::time::Duration;

use cacheado_backends::contract::{New, Wanted};
use cacheado_backends::{Backend, Entry, ErrorKind};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Timestamp, doc};

use crate::fixture::{Fixture, new, place, value};

#[tokio::test]
async fn an_entry_comes_back_with_what_is_left_of_its_life() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let backend = mongo.backend("app");
        let read = async || backend.get("k").await.unwrap();
        assert_eq!(read().await, None);
        backend.put("k", b"", Some(Duration::from_secs(60))).await.unwrap();
        let entry = read().await.unwrap();
        assert_eq!(entry.value, b"");
        let left = entry.remaining.unwrap();
        assert!(left > Duration::from_secs(50) && left <= Duration::from_secs(60), "{left:?}");
        backend.put("k", b"v", None).await.unwrap();
        assert_eq!(read().await, Some(Entry { value: b"v".to_vec(), remaining: None }));
        assert!(backend.remove("k").await.unwrap());
        assert!(!backend.remove("k").await.unwrap());
        assert_eq!(read().await, None);
        assert_eq!(mongo.size().await, 0);
    }
}

#[tokio::test]
async fn a_life_can_be_made_longer_shorter_and_endless() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    let at = place("k", &["g"]);
    let left = async || tier.get(&at, Wanted::ValueAndLifetime).await.unwrap().unwrap().remaining;
    let minutes = |minutes: u32| Some(Duration::from_secs(60 * u64::from(minutes)));
    assert!(!tier.set_ttl(&at, minutes(1)).await.unwrap());
    assert_eq!(mongo.size().await, 0);
    tier.set(&at, new(b"v"), None).await.unwrap();
    for ttl in [minutes(10), minutes(5)] {
        assert!(tier.set_ttl(&at, ttl).await.unwrap());
        assert!(left().await <= ttl && left().await > ttl.map(|ttl| ttl / 2));
        let document = mongo.document("app:k").await.unwrap();
        assert_eq!(document.get("x"), document.get("vx"));
    }
    assert!(tier.set_ttl(&at, None).await.unwrap());
    assert_eq!(left().await, None);
    assert_eq!(mongo.document("app:k").await.unwrap().get("x"), None);
    assert!(tier.set_ttl(&at, minutes(1)).await.unwrap());
    assert!(mongo.document("app:k").await.unwrap().contains_key("x"));
    assert_eq!(value(&tier, "k").await.unwrap(), b"v");
    assert_eq!(tier.evict_group(&crate::fixture::group("g"), None).await.unwrap(), 1);
}

#[tokio::test]
async fn hazard_10_11_the_server_says_what_has_expired_not_its_ttl_monitor() {
    let Some(mongo) = Fixture::set().await else { return };
    mongo
        .database
        .client()
        .database("admin")
        .run_command(doc! { "setParameter": 1, "ttlMonitorEnabled": false })
        .await
        .unwrap();
    let backend = mongo.backend("app");
    let tier = mongo.tier("app");
    let past = DateTime::from_millis(DateTime::now().timestamp_millis() - 1);
    for key in ["one", "two"] {
        tier.set(&place(key, &["g"]), new(b"old"), None).await.unwrap();
        let dead = doc! { "$set": { "vx": past, "x": past } };
        mongo.documents.update_one(doc! { "_id": format!("app:{key}") }, dead).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(backend.get("one").await.unwrap(), None);
        assert_eq!(backend.get_many(&["one", "two"]).await.unwrap(), [None, None]);
        assert!(backend.keys("").await.unwrap().is_empty());
        assert_eq!(backend.stats().await.unwrap().entries, 0);
        assert!(!tier.set_ttl(&place("one", &["g"]), None).await.unwrap());
    }
    assert_eq!(mongo.size().await, 2);
    assert!(!backend.remove("one").await.unwrap());
    // What is expired does not come back with a claim, and takes no room.
    tier.begin(&place("two", &["g"])).await.unwrap();
    assert_eq!(backend.get("two").await.unwrap(), None);
    assert_eq!(mongo.document("app:two").await.unwrap().get("v"), None);
}

#[tokio::test]
async fn hazard_12_any_lifetime_can_be_written() {
    let Some(mongo) = Fixture::set().await else { return };
    let backend = mongo.backend("app");
    for ttl in [Duration::MAX, Duration::from_millis(u64::MAX), Duration::from_secs(1 << 40)] {
        backend.put("k", b"v", Some(ttl)).await.unwrap();
        assert_eq!(backend.get("k").await.unwrap().unwrap().remaining, None);
        assert_eq!(mongo.document("app:k").await.unwrap().get("x"), None, "the TTL index does not know it");
    }
    let years = Duration::from_secs(900 * 365 * 24 * 3_600);
    backend.put("k", b"v", Some(years)).await.unwrap();
    let left = backend.get("k").await.unwrap().unwrap().remaining.unwrap();
    assert!(left <= years && left + Duration::from_secs(60) > years, "{left:?}");
    // Less than a millisecond is one, not none, and not for ever.
    backend.put("short", b"v", Some(Duration::from_nanos(1))).await.unwrap();
    let short = mongo.document("app:short").await;
    crate::fixture::eventually("the TTL index", async || mongo.document("app:short").await.is_none()).await;
    let Some(short) = short else { return };
    assert!(short.get_datetime("vx").unwrap() < &DateTime::from_millis(i64::MAX));
    backend.put("rounded", b"v", Some(Duration::from_micros(86_400_000_000 + 1))).await.unwrap();
    let left = backend.get("rounded").await.unwrap().unwrap().remaining.unwrap();
    assert!(left > Duration::from_secs(86_390));
}

#[tokio::test]
async fn hazard_30_what_we_have_not_written_is_a_miss_and_no_obstacle() {
    let Some(mongo) = Fixture::set().await else { return };
    let backend = mongo.backend("app");
    let tier = mongo.tier("app");
    let later = Bson::DateTime(DateTime::from_millis(DateTime::now().timestamp_millis() + 100_000));
    let bytes = |subtype| Bson::Binary(Binary { subtype, bytes: vec![1] });
    let good = bytes(BinarySubtype::Generic);
    let strange = [
        doc! {},
        doc! { "v": &good },
        doc! { "vx": &later },
        doc! { "v": "text", "vx": &later },
        doc! { "v": 1, "vx": &later },
        doc! { "v": bytes(BinarySubtype::Uuid), "vx": &later },
        doc! { "v": &good, "vx": "tomorrow" },
        doc! { "v": &good, "vx": Timestamp { time: u32::MAX, increment: 1 } },
        doc! { "v": &good, "vx": Bson::MaxKey },
        doc! { "v": &good, "vx": [&later] },
        doc! { "v": &good, "vx": &later, "g": "app:g", "c": "claims" },
        doc! { "c": { "g": "app:g" } },
        doc! { "c": [{ "g": "app:g", "n": 1, "x": 1 }, 5, "x"], "g": { "a": 1 } },
        doc! { "n": "notice", "x": "never" },
    ];
    let readable = 10;
    for (number, fields) in strange.iter().enumerate() {
        let mut document = doc! { "_id": format!("app:{number}") };
        document.extend(fields.clone());
        mongo.documents.insert_one(document).await.unwrap();
    }
    let keys: Vec<_> = (0..strange.len()).map(|number| number.to_string()).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let found = backend.get_many(&keys).await.unwrap();
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(found[number].is_some(), number == readable, "{key}");
        assert_eq!(backend.get(key).await.unwrap().is_some(), number == readable, "{key}");
    }
    backend.keys("").await.unwrap();
    tier.count(Some(&crate::fixture::group("g"))).await.unwrap();
    tier.evict_group(&crate::fixture::group("g"), Some(b"n")).await.unwrap();
    for key in &keys {
        let at = place(key, &["g"]);
        let claim = tier.begin(&at).await.unwrap();
        tier.set_ttl(&at, None).await.unwrap();
        tier.fill(&at, new(b"ours"), &claim).await.unwrap();
        assert_eq!(value(&tier, key).await.as_deref(), Some(&b"ours"[..]), "{key}");
        tier.evict(&at, None).await.unwrap();
    }
    for fields in &strange {
        let mut document = doc! { "_id": "app:k" };
        document.extend(fields.clone());
        mongo.documents.insert_one(document).await.unwrap();
        tier.clear(Some(b"n")).await.unwrap();
        mongo.documents.delete_one(doc! { "_id": "app:k" }).await.unwrap();
    }
}

#[tokio::test]
async fn keys_are_any_text_and_values_any_bytes() {
    let Some(mongo) = Fixture::set().await else { return };
    let backend = mongo.backend("app");
    let long = "k".repeat(1_024);
    let keys = [
        "",
        " ",
        "a",
        "A",
        "$v",
        "$$NOW",
        "a.b",
        "*",
        "a/../b",
        "\0",
        "a\0b",
        "\n",
        "ä",
        "日本",
        "\u{10ffff}",
        "e\u{301}",
        "é",
        &long,
    ];
    for key in keys {
        backend.put(key, key.as_bytes(), None).await.unwrap();
    }
    let found = backend.get_many(&keys).await.unwrap();
    for (key, found) in keys.iter().zip(found) {
        assert_eq!(found.unwrap().value, key.as_bytes(), "{key:?}");
        assert_eq!(backend.get(key).await.unwrap().unwrap().value, key.as_bytes(), "{key:?}");
    }
    for prefix in ["", "a", "$", "\0", "\u{10ffff}", "e", "*"] {
        let mut expected: Vec<_> =
            keys.iter().filter(|key| key.starts_with(prefix)).map(ToString::to_string).collect();
        let mut listed = backend.keys(prefix).await.unwrap();
        expected.sort();
        listed.sort();
        assert_eq!(listed, expected, "{prefix:?}");
    }
    let any: Vec<u8> = (0..=255).collect();
    backend.put("any", &any, None).await.unwrap();
    assert_eq!(backend.get("any").await.unwrap().unwrap().value, any);
    assert_eq!(backend.stats().await.unwrap().entries, keys.len() as u64 + 1);
}

#[tokio::test]
async fn what_does_not_fit_into_a_document_is_refused_before_it_is_sent() {
    let Some(mongo) = Fixture::set().await else { return };
    let backend = mongo.backend("app");
    let tier = mongo.tier("app");
    // What the cache of a server for tests can hold of one update.
    let large = vec![7; 4 * 1024 * 1024];
    let at = place("k", &[]);
    let claim = tier.begin(&at).await.unwrap();
    tier.fill(&at, New { value: &large, ttl: None }, &claim).await.unwrap();
    assert_eq!(backend.get("k").await.unwrap().unwrap().value, large);
    let too_large = vec![7; 16 * 1024 * 1024 - 32 * 1024 + 1];
    let (put, calls) = mongo.calls(["update"], backend.put("k", &too_large, None)).await;
    assert_eq!(put.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(calls, [0]);
    assert_eq!(backend.get("k").await.unwrap().unwrap().value, large);
}

const COMMANDS: [&str; 6] = ["find", "getMore", "update", "findAndModify", "delete", "aggregate"];

#[tokio::test]
async fn hazard_29_each_operation_is_one_round_trip_by_the_id() {
    let Some(mongo) = Fixture::set().await else { return };
    let backend = mongo.backend("app");
    let tier = mongo.tier("app");
    for number in 0..300 {
        backend.put(&format!("k{number}"), &vec![1; 5_000], None).await.unwrap();
    }
    tier.begin(&place("warm", &[])).await.unwrap();
    let at = place("k7", &["g", "h"]);

    let (found, calls) = mongo.calls(COMMANDS, tier.get(&at, Wanted::ValueAndLifetime)).await;
    assert!(found.unwrap().is_some());
    assert_eq!(calls, [1, 0, 0, 0, 0, 0], "get");
    let keys: Vec<_> = (0..300).map(|number| format!("k{number}")).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let (found, calls) = mongo.calls(COMMANDS, backend.get_many(&keys)).await;
    assert!(found.unwrap().iter().all(Option::is_some));
    assert_eq!(calls, [1, 0, 0, 0, 0, 0], "get_many");
    let (claim, calls) = mongo.calls(COMMANDS, tier.begin(&at)).await;
    assert_eq!(calls, [0, 0, 1, 0, 0, 0], "begin");
    let claim = claim.unwrap();
    let (_, calls) = mongo.calls(COMMANDS, tier.fill(&at, new(b"v"), &claim)).await;
    assert_eq!(calls, [0, 0, 1, 0, 0, 0], "fill");
    let (_, calls) = mongo.calls(COMMANDS, tier.set(&at, new(b"v"), Some(b"notice"))).await;
    assert_eq!(calls, [0, 0, 1, 0, 0, 0], "set");
    let (_, calls) = mongo.calls(COMMANDS, tier.set_ttl(&at, None)).await;
    assert_eq!(calls, [0, 0, 1, 0, 0, 0], "set_ttl");
    let (_, calls) = mongo.calls(COMMANDS, tier.evict(&at, Some(b"notice"))).await;
    assert_eq!(calls, [0, 0, 0, 1, 0, 0], "evict");
    let (listed, calls) = mongo.calls(COMMANDS, backend.keys("k1")).await;
    assert_eq!(listed.unwrap().len(), 111);
    assert_eq!(calls, [1, 0, 0, 0, 0, 0], "keys");

    let ((), profiled) = mongo
        .profile(async {
            tier.get(&at, Wanted::Value).await.unwrap();
            tier.get(&place("k8", &[]), Wanted::Value).await.unwrap();
            let claim = tier.begin(&at).await.unwrap();
            tier.fill(&at, new(b"v"), &claim).await.unwrap();
            tier.set(&at, new(b"v"), None).await.unwrap();
            tier.evict(&at, None).await.unwrap();
            backend.keys("k1").await.unwrap();
        })
        .await;
    for one in &profiled {
        assert!(one.plan == "IDHACK" || one.plan.contains("_id: 1") || one.plan.is_empty(), "{profiled:?}");
        assert!(one.documents <= 1 || one.documents == 111, "{profiled:?}");
    }
    assert_eq!(profiled[1].plan, "IDHACK");
}
