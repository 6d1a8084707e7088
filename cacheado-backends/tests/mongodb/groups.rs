//! Groups and namespaces: exact counts, by an index, and nothing else touched.

use std::sync::Arc;

use cacheado_backends::contract::{Filled, Tier};
use cacheado_backends::{Backend, ErrorKind};
use mongodb::bson::{DateTime, doc};

use crate::fixture::{Fixture, eventually, group, new, place, value};

async fn store(tier: &Arc<dyn Tier>, key: &str, groups: &[&str]) {
    tier.set(&place(key, groups), new(key.as_bytes()), None).await.unwrap();
}

#[tokio::test]
async fn what_is_evicted_is_counted_exactly_and_the_rest_stays() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let tier = mongo.tier("app");
        for number in 0..25 {
            store(&tier, &format!("a{number}"), &["org", "org/a"]).await;
            store(&tier, &format!("b{number}"), &["org", "org/b", "tag"]).await;
        }
        store(&tier, "c", &["org/c", "$tag", "tag:1"]).await;
        assert_eq!(tier.count(None).await.unwrap(), 51);
        assert_eq!(tier.count(Some(&group("org"))).await.unwrap(), 50);
        assert_eq!(tier.evict_group(&group("org/b"), None).await.unwrap(), 25);
        assert_eq!(tier.evict_group(&group("org/b"), Some(b"n")).await.unwrap(), 0);
        assert_eq!(tier.count(Some(&group("tag"))).await.unwrap(), 0);
        assert_eq!(tier.count(Some(&group("org"))).await.unwrap(), 25);
        // An entry lies in the groups that it was stored with last.
        store(&tier, "a0", &["tag"]).await;
        assert_eq!(tier.evict_group(&group("org"), Some(b"n")).await.unwrap(), 24);
        assert_eq!(tier.evict_group(&group("tag"), None).await.unwrap(), 1);
        assert_eq!(tier.evict_group(&group("$tag"), None).await.unwrap(), 1);
        assert_eq!(tier.count(None).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn hazard_28_expired_members_are_not_counted_and_keep_nothing_alive() {
    let Some(mongo) = Fixture::set().await else { return };
    let quiet = doc! { "setParameter": 1, "ttlMonitorEnabled": false };
    mongo.database.client().database("admin").run_command(quiet).await.unwrap();
    let tier = mongo.tier("app");
    for key in ["live", "dead1", "dead2"] {
        store(&tier, key, &["g"]).await;
    }
    let past = DateTime::from_millis(DateTime::now().timestamp_millis() - 1);
    let dead = doc! { "$set": { "vx": past, "x": past } };
    mongo.documents.update_many(doc! { "_id": { "$regex": "dead" } }, dead).await.unwrap();
    assert_eq!(tier.count(None).await.unwrap(), 1);
    assert_eq!(tier.count(Some(&group("g"))).await.unwrap(), 1);
    assert_eq!(tier.evict_group(&group("g"), None).await.unwrap(), 1);
    store(&tier, "dead1", &["g"]).await;
    assert_eq!(tier.clear(None).await.unwrap(), 1);
    // Each entry has its own end; a shorter one takes no other with it, and all of it goes.
    let loud = doc! { "setParameter": 1, "ttlMonitorEnabled": true };
    mongo.database.client().database("admin").run_command(loud).await.unwrap();
    let short =
        cacheado_backends::contract::New { value: b"v", ttl: Some(std::time::Duration::from_millis(1)) };
    store(&tier, "long", &["g"]).await;
    tier.set(&place("short", &["g"]), short, None).await.unwrap();
    eventually("the TTL monitor", async || mongo.size().await == 1).await;
    assert_eq!(value(&tier, "long").await.unwrap(), b"long");
    assert_eq!(tier.evict_group(&group("g"), None).await.unwrap(), 1);
}

#[tokio::test]
async fn hazard_08_namespaces_in_one_collection_do_not_meet() {
    let Some(mongo) = Fixture::set().await else { return };
    let namespaces = ["a", "a:b", "", "A", "a.*", "a;notices", ".", "%"];
    let tiers: Vec<_> = namespaces.iter().map(|namespace| mongo.tier(namespace)).collect();
    mongo.documents.insert_one(doc! { "_id": "mine", "g": "a:g" }).await.unwrap();
    for tier in &tiers {
        for key in ["k", "b:k"] {
            store(tier, key, &["g", "b:g"]).await;
        }
    }
    for (at, tier) in tiers.iter().enumerate() {
        assert_eq!(tier.count(None).await.unwrap(), 2);
        assert_eq!(tier.evict_group(&group("g"), Some(b"n")).await.unwrap(), 2);
        store(tier, "k", &["g"]).await;
        store(tier, "", &[]).await;
        assert_eq!(mongo.backend(namespaces[at]).keys("").await.unwrap().len(), 2);
        assert_eq!(tier.clear(Some(b"n")).await.unwrap(), 2);
        assert_eq!(tier.clear(None).await.unwrap(), 0);
        for later in &tiers[at + 1..] {
            assert_eq!(later.count(None).await.unwrap(), 2, "{:?}", namespaces[at]);
        }
    }
    assert!(mongo.document("mine").await.is_some());
}

const COMMANDS: [&str; 4] = ["delete", "update", "find", "aggregate"];

#[tokio::test]
async fn hazard_29_an_eviction_costs_what_it_evicts() {
    let Some(mongo) = Fixture::set().await else { return };
    let (tier, other, backend) = (mongo.tier("app"), mongo.tier("other"), mongo.backend("app"));
    for number in 0..40 {
        let key = format!("k{number}");
        store(&tier, &key, &["all", if number < 10 { "few" } else { "many" }]).await;
        store(&other, &key, &["all", "few"]).await;
    }
    for key in ["c1", "c2", "c3"] {
        tier.begin(&place(key, &["claimed"])).await.unwrap();
        other.begin(&place(key, &["claimed", "few"])).await.unwrap();
    }
    let (evicted, calls) = mongo.calls(COMMANDS, tier.evict_group(&group("nothing"), Some(b"n"))).await;
    assert_eq!(
        (evicted.unwrap(), calls),
        (0, [1, 1, 0, 0]),
        "one to remove and count, one to fence and tell"
    );

    let (evicted, profiled) = mongo.profile(tier.evict_group(&group("few"), Some(b"n"))).await;
    assert_eq!(evicted.unwrap(), 10);
    let plans: Vec<_> = profiled.iter().map(|one| (one.plan.as_str(), one.documents)).collect();
    let expected =
        [("IXSCAN { g: 1 }", 10), ("IXSCAN { c.g: 1 }", 0), ("IXSCAN { g: 1 }", 0), ("IXSCAN { _id: 1 }", 0)];
    assert_eq!(plans[..3], expected[..3], "{profiled:?}");
    assert!(plans[3].0 == "IDHACK" || plans[3].0.contains("_id"), "{profiled:?}");

    let (evicted, profiled) = mongo.profile(tier.evict_group(&group("claimed"), None)).await;
    assert_eq!(evicted.unwrap(), 0);
    assert_eq!(profiled[1].plan, "IXSCAN { c.g: 1 }");
    assert_eq!(profiled[1].documents, 3);

    let (_, profiled) = mongo.profile(tier.count(Some(&group("few")))).await;
    assert_eq!((profiled[0].plan.as_str(), profiled[0].documents), ("IXSCAN { g: 1 }", 0));
    let (listed, profiled) = mongo.profile(backend.keys("k1")).await;
    assert_eq!(listed.unwrap().len(), 10);
    assert_eq!((profiled[0].plan.as_str(), profiled[0].documents), ("IXSCAN { _id: 1 }", 10));
    let (cleared, profiled) = mongo.profile(tier.clear(None)).await;
    assert_eq!(cleared.unwrap(), 30);
    for one in profiled {
        assert_eq!(one.plan, "IXSCAN { _id: 1 }");
        assert!(one.documents <= 33, "{one:?}");
    }
    assert_eq!(other.count(None).await.unwrap(), 40);
}

#[tokio::test]
async fn a_thousand_entries_go_at_once_whoever_else_evicts() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    let documents = (0..2_000).map(|number| {
        let later = DateTime::from_millis(DateTime::now().timestamp_millis() + 100_000);
        doc! { "_id": format!("app:{number}"), "v": mongodb::bson::Binary { subtype: 0.into(), bytes: vec![1; 100] }, "vx": later, "x": later, "g": ["app:g"] }
    });
    store(&tier, "made", &[]).await;
    mongo.documents.insert_many(documents).await.unwrap();
    // Each is counted by one of them.
    let evictions = (0..4).map(|_| {
        let tier = Arc::clone(&tier);
        tokio::spawn(async move { tier.evict_group(&group("g"), None).await.unwrap() })
    });
    let mut evicted = 0;
    for eviction in evictions.collect::<Vec<_>>() {
        evicted += eviction.await.unwrap();
    }
    assert_eq!(evicted, 2_000);
    assert_eq!(tier.count(None).await.unwrap(), 1);
}

/// What is removed at the primary alone may come back with another one, which its caller is told. Until then it is gone.
#[tokio::test]
async fn an_eviction_that_is_not_confirmed_in_time_is_an_error_and_done_at_the_primary() {
    let Some(mongo) = Fixture::alone_with(&["--setParameter", "enableTestCommands=1"]).await else { return };
    let admin = mongo.database.client().database("admin");
    let tier = mongo.tier("a");
    let (stored, computed) = (place("k", &["g"]), place("l", &["g"]));
    for is_everything in [false, true] {
        tier.set(&stored, new(b"old"), None).await.unwrap();
        let claim = tier.begin(&computed).await.unwrap();
        let late = doc! { "code": 64, "codeName": "WriteConcernFailed", "errmsg": "late" };
        let is_late = doc! {
            "configureFailPoint": "failCommand",
            "mode": { "times": 1 },
            "data": { "failCommands": ["delete"], "writeConcernError": late },
        };
        admin.run_command(is_late).await.unwrap();
        let evicted =
            if is_everything { tier.clear(None).await } else { tier.evict_group(&group("g"), None).await };
        let error = evicted.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert_eq!(value(&tier, "k").await, None);
        assert_eq!(tier.fill(&computed, new(b"old"), &claim).await.unwrap(), Filled::Fenced);
    }
}
