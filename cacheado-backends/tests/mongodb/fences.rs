//! Fences: after an eviction has returned, nothing is read whose claim was taken before it began.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use cacheado_backends::ErrorKind;
use cacheado_backends::contract::{Claim, FILL_WINDOW, Filled, Leased, Terms, Tier, Wanted};
use mongodb::bson::{Bson, DateTime, doc};

use crate::fixture::{Fixture, eventually, group, new, place, value};

/// A way to evict, as often as there are.
const EVICTIONS: [&str; 6] = ["evict", "evict and tell", "group", "group and tell", "clear", "set"];

async fn evict(tier: &Arc<dyn Tier>, how: &str) {
    let at = place("k", &["f", "s", "t"]);
    match how {
        "evict" => drop(tier.evict(&at, None).await.unwrap()),
        "evict and tell" => drop(tier.evict(&at, Some(b"n")).await.unwrap()),
        "group" => drop(tier.evict_group(&group("s"), None).await.unwrap()),
        "group and tell" => drop(tier.evict_group(&group("t"), Some(b"n")).await.unwrap()),
        "clear" => drop(tier.clear(None).await.unwrap()),
        "set" => tier.set(&at, new(b"set"), None).await.unwrap(),
        _ => unreachable!(),
    }
}

#[tokio::test]
async fn hazard_21_every_order_of_begin_evict_and_fill_over_two_nodes() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let (one, other) = (mongo.tier("app"), mongo.tier("app"));
        let at = place("k", &["f", "s", "t"]);
        for how in EVICTIONS {
            let after_eviction = (how == "set").then(|| b"set".to_vec());
            for held in [None, Some(b"held")] {
                let anew = async || {
                    one.clear(None).await.unwrap();
                    if let Some(held) = held {
                        one.set(&at, new(held), None).await.unwrap();
                    }
                };
                // begin, evict, fill
                anew().await;
                let claim = one.begin(&at).await.unwrap();
                evict(&other, how).await;
                assert_eq!(one.fill(&at, new(b"old"), &claim).await.unwrap(), Filled::Fenced, "{how}");
                assert_eq!(value(&other, "k").await, after_eviction, "{how}");
                // begin, fill, evict
                anew().await;
                let claim = one.begin(&at).await.unwrap();
                assert_eq!(one.fill(&at, new(b"old"), &claim).await.unwrap(), Filled::Stored, "{how}");
                evict(&other, how).await;
                assert_eq!(value(&one, "k").await, after_eviction, "{how}");
                // evict, begin, fill
                anew().await;
                evict(&other, how).await;
                let claim = one.begin(&at).await.unwrap();
                assert_eq!(one.fill(&at, new(b"new"), &claim).await.unwrap(), Filled::Stored, "{how}");
                assert_eq!(value(&other, "k").await.unwrap(), b"new", "{how}");
                // begin, evict, begin, fill of the second, fill of the first
                anew().await;
                let old = one.begin(&at).await.unwrap();
                evict(&other, how).await;
                let claim = other.begin(&at).await.unwrap();
                assert_eq!(other.fill(&at, new(b"new"), &claim).await.unwrap(), Filled::Stored, "{how}");
                assert_eq!(one.fill(&at, new(b"old"), &old).await.unwrap(), Filled::Fenced, "{how}");
                assert_eq!(value(&one, "k").await.unwrap(), b"new", "{how}");
                // A claim fills once.
                assert_eq!(other.fill(&at, new(b"again"), &claim).await.unwrap(), Filled::Fenced, "{how}");
                // begin, begin, fill, evict, fill
                anew().await;
                let (first, second) = (one.begin(&at).await.unwrap(), other.begin(&at).await.unwrap());
                assert_eq!(one.fill(&at, new(b"old"), &first).await.unwrap(), Filled::Stored, "{how}");
                evict(&other, how).await;
                assert_eq!(other.fill(&at, new(b"old"), &second).await.unwrap(), Filled::Fenced, "{how}");
                assert_eq!(value(&one, "k").await, after_eviction, "{how}");
            }
        }
    }
}

#[tokio::test]
async fn what_does_not_concern_a_claim_leaves_it() {
    let Some(mongo) = Fixture::set().await else { return };
    let (tier, other) = (mongo.tier("app"), mongo.tier("other"));
    let at = place("k", &["f", "s"]);
    tier.set(&at, new(b"held"), None).await.unwrap();
    let claims = [tier.begin(&at).await.unwrap(), tier.begin(&at).await.unwrap()];
    tier.evict(&place("l", &["f"]), Some(b"n")).await.unwrap();
    tier.evict_group(&group("s/k"), None).await.unwrap();
    tier.evict_group(&group("k"), Some(b"n")).await.unwrap();
    tier.set_ttl(&at, None).await.unwrap();
    tier.abandon(&at, &tier.begin(&at).await.unwrap()).await.unwrap();
    other.evict(&at, None).await.unwrap();
    other.evict_group(&group("s"), None).await.unwrap();
    other.clear(Some(b"n")).await.unwrap();
    assert_eq!(value(&tier, "k").await.unwrap(), b"held");
    for claim in &claims {
        assert_eq!(tier.fill(&at, new(b"v"), claim).await.unwrap(), Filled::Stored);
    }
    assert_eq!(mongo.document("app:k").await.unwrap().get("c"), None);
}

#[tokio::test]
async fn an_abandoned_claim_leaves_nothing_and_a_forgotten_one_ends() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    let at = place("k", &["g"]);
    let claim = tier.begin(&at).await.unwrap();
    let document = mongo.document("app:k").await.unwrap();
    let left = document.get_datetime("x").unwrap().timestamp_millis() - DateTime::now().timestamp_millis();
    let window = i64::try_from(FILL_WINDOW.as_millis()).unwrap();
    assert!((window - 60_000..=window).contains(&left), "{left}");
    tier.abandon(&at, &claim).await.unwrap();
    tier.abandon(&at, &claim).await.unwrap();
    assert_eq!(tier.fill(&at, new(b"v"), &claim).await.unwrap(), Filled::Fenced);
    eventually("the TTL monitor", async || mongo.size().await == 0).await;

    // One whose node has died: as if its time were over.
    let claim = tier.begin(&at).await.unwrap();
    let past = Bson::DateTime(DateTime::from_millis(DateTime::now().timestamp_millis() - 1));
    mongo.documents.update_one(doc! {}, doc! { "$set": { "c.0.x": &past, "x": &past } }).await.unwrap();
    eventually("the TTL monitor", async || mongo.size().await == 0).await;
    assert_eq!(tier.fill(&at, new(b"v"), &claim).await.unwrap(), Filled::Fenced);

    // On a document that stays, the next claim clears it away.
    let forever = cacheado_backends::contract::New { value: b"v", ttl: None };
    tier.set(&at, forever, None).await.unwrap();
    tier.begin(&at).await.unwrap();
    mongo.documents.update_one(doc! {}, doc! { "$set": { "c.0.x": &past } }).await.unwrap();
    tier.begin(&at).await.unwrap();
    let document = mongo.document("app:k").await.unwrap();
    assert_eq!(document.get_array("c").unwrap().len(), 1);
    assert_eq!(document.get("x"), None, "it stays");
}

#[tokio::test]
async fn a_document_outlives_its_value_while_it_is_claimed() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    let at = place("k", &["g"]);
    let short = cacheado_backends::contract::New { value: b"v", ttl: Some(Duration::from_millis(1)) };
    let (first, second) = (tier.begin(&at).await.unwrap(), tier.begin(&at).await.unwrap());
    assert_eq!(tier.fill(&at, short, &first).await.unwrap(), Filled::Stored);
    tier.set(&place("dead", &[]), short, None).await.unwrap();
    // The TTL monitor has been at work.
    eventually("the TTL monitor", async || mongo.document("app:dead").await.is_none()).await;
    assert_eq!(value(&tier, "k").await, None);
    assert_eq!(tier.fill(&at, new(b"v"), &second).await.unwrap(), Filled::Stored);
}

#[tokio::test]
async fn claims_on_a_key_are_bounded_and_the_first_ones_fill() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    let at = place("k", &["g"]);
    let mut claims = Vec::new();
    for _ in 0..130 {
        claims.push(tier.begin(&at).await.unwrap());
    }
    assert_eq!(mongo.document("app:k").await.unwrap().get_array("c").unwrap().len(), 128);
    assert_eq!(tier.fill(&at, new(b"v"), &claims[129]).await.unwrap(), Filled::Fenced);
    assert_eq!(tier.fill(&at, new(b"v"), &claims[0]).await.unwrap(), Filled::Stored);
    let next = tier.begin(&at).await.unwrap();
    assert_eq!(tier.fill(&at, new(b"v"), &next).await.unwrap(), Filled::Stored);
}

#[tokio::test]
async fn hazard_19_a_claim_whose_caller_has_gone_is_given_up() {
    let Some(mongo) = Fixture::set().await else { return };
    let (tier, at) = (mongo.tier("app"), place("k", &["g"]));
    tier.set(&at, new(b"old"), None).await.unwrap();
    // More than there can be.
    for _ in 0..200 {
        let mut begin = tier.begin(&at);
        let is_ready = poll_fn(|context| Poll::Ready(begin.as_mut().poll(context).is_ready())).await;
        assert!(!is_ready);
    }
    eventually("all are given up", async || {
        let claim = tier.begin(&at).await.unwrap();
        let is_stored = tier.fill(&at, new(b"new"), &claim).await.unwrap() == Filled::Stored;
        is_stored && !mongo.document("app:k").await.unwrap().contains_key("c")
    })
    .await;
}

/// There can be only so many on a key.
#[tokio::test]
async fn a_claim_is_given_up_whose_value_does_not_fit() {
    let Some(mongo) = Fixture::set().await else { return };
    let (tier, at) = (mongo.tier("app"), place("k", &["g"]));
    let large = vec![0; 16 << 20];
    for _ in 0..130 {
        let claim = tier.begin(&at).await.unwrap();
        let error = tier.fill(&at, new(&large), &claim).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
    eventually("another fills", async || {
        let claim = tier.begin(&at).await.unwrap();
        tier.fill(&at, new(b"v"), &claim).await.unwrap() == Filled::Stored
    })
    .await;
}

#[tokio::test]
async fn hazard_25_a_lease_whose_caller_has_gone_is_given_up() {
    let Some(mongo) = Fixture::set().await else { return };
    let (tier, at) = (mongo.tier("app"), place("k", &["g"]));
    let terms = Terms { lasts: Duration::from_secs(500), look: true };
    tier.get(&at, Wanted::Value).await.unwrap();
    for _ in 0..20 {
        let mut lease = tier.begin_leased(&at, terms);
        let is_ready = poll_fn(|context| Poll::Ready(lease.as_mut().poll(context).is_ready())).await;
        assert!(!is_ready);
    }
    eventually("all are given up", async || {
        let Leased::Taken(claim) = tier.begin_leased(&at, terms).await.unwrap() else { return false };
        assert_eq!(tier.fill(&at, new(b"v"), &claim).await.unwrap(), Filled::Stored);
        true
    })
    .await;
    eventually("none is left", async || !mongo.document("app:k").await.unwrap().contains_key("c")).await;
}

#[tokio::test]
async fn a_claim_that_is_too_old_or_not_ours_does_not_fill() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    let at = place("k", &[]);
    let mut claim = tier.begin(&at).await.unwrap();
    let foreign = Claim::now(b"not ours".to_vec());
    assert!(tier.fill(&at, new(b"v"), &foreign).await.is_err());
    let Some(taken) = claim.taken.checked_sub(FILL_WINDOW) else { return };
    claim.taken = taken;
    assert_eq!(tier.fill(&at, new(b"v"), &claim).await.unwrap(), Filled::Fenced);
}

/// Nodes claim, read the generation, and fill with it; an eviction follows each new generation. Whatever is read
/// after an eviction is of its generation or a later one.
async fn race(mongo: &Fixture, how: &'static str) {
    let generation = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let at = place("k", &["f", "s", "t"]);
    let fillers: Vec<_> = (0..4)
        .map(|_| {
            let (tier, at) = (mongo.tier("app"), at.clone());
            let (generation, done) = (Arc::clone(&generation), Arc::clone(&done));
            tokio::spawn(async move {
                let mut stored = 0;
                while !done.load(Ordering::SeqCst) {
                    let claim = tier.begin(&at).await.unwrap();
                    let value = generation.load(Ordering::SeqCst).to_be_bytes();
                    if tier.fill(&at, new(&value), &claim).await.unwrap() == Filled::Stored {
                        stored += 1;
                    }
                }
                stored
            })
        })
        .collect();
    let tier = mongo.tier("app");
    for _ in 0..60 {
        let now = generation.fetch_add(1, Ordering::SeqCst) + 1;
        evict(&tier, how).await;
        for _ in 0..3 {
            if let Some(value) = value(&tier, "k").await {
                let read = u64::from_be_bytes(value.try_into().unwrap());
                assert!(read >= now, "{how}: read {read} after the eviction of {now}");
            }
        }
    }
    done.store(true, Ordering::SeqCst);
    let mut stored = 0;
    for filler in fillers {
        stored += filler.await.unwrap();
    }
    assert!(stored > 0, "{how}: nothing was filled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_21_32_fills_race_with_evictions() {
    let Some(mongo) = Fixture::set().await else { return };
    for how in ["evict", "evict and tell", "group", "group and tell", "clear"] {
        race(&mongo, how).await;
    }
}
