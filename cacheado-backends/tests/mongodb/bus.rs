//! The bus: what one node evicts, the others hear.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::{Event, Filled, Subscription, Tier};
use mongodb::bson::doc;
use tokio::time::timeout;

use crate::fixture::{Fixture, eventually, group, new, place};

type Heard = Box<dyn Subscription>;

fn listen(tier: &Arc<dyn Tier>) -> Heard {
    Arc::clone(tier).subscribe().unwrap()
}

async fn next(heard: &mut Heard) -> Event {
    timeout(Duration::from_secs(20), heard.next()).await.expect("an event within 20 s")
}

async fn nothing_more(heard: &mut Heard) {
    let more = timeout(Duration::from_millis(300), heard.next()).await;
    assert!(more.is_err(), "{more:?}");
}

fn notice(text: &str) -> Event {
    Event::Notice(text.as_bytes().to_vec())
}

#[tokio::test]
async fn each_eviction_is_told_once_in_order_to_all_of_its_namespace() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let (one, other, stranger) = (mongo.tier("app"), mongo.tier("app"), mongo.tier("app#"));
        let mut heard = [listen(&one), listen(&other), listen(&mongo.tier("ap"))];
        for heard in &mut heard {
            assert_eq!(next(heard).await, Event::Gap, "the first");
        }
        let at = place("k", &["g"]);
        one.set(&at, new(b"secret value"), Some(b"set")).await.unwrap();
        one.set(&at, new(b"secret value"), None).await.unwrap();
        one.evict(&at, Some(b"evict")).await.unwrap();
        // Nothing is there, and others may have copies.
        one.evict(&at, Some(b"evict")).await.unwrap();
        stranger.evict(&at, Some(b"of another namespace")).await.unwrap();
        // What uses the document again does not tell it again.
        let claim = other.begin(&at).await.unwrap();
        other.fill(&at, new(&vec![1; 100_000]), &claim).await.unwrap();
        other.set_ttl(&at, None).await.unwrap();
        one.evict(&at, None).await.unwrap();
        let claims = [other.begin(&at).await.unwrap(), other.begin(&at).await.unwrap()];
        let filled = other.replace(&at, new(b"v"), &claims[0], b"replace").await.unwrap();
        assert_eq!(filled, Filled::Stored);
        one.evict(&at, None).await.unwrap();
        let filled =
            other.replace(&at, new(b"v"), &claims[1], b"of a fill that is fenced off").await.unwrap();
        assert_eq!(filled, Filled::Fenced);
        other.evict_group(&group("g"), Some(b"group")).await.unwrap();
        other.evict_group(&group("g"), Some(b"")).await.unwrap();
        one.clear(Some(b"clear")).await.unwrap();
        for heard in &mut heard[..2] {
            for expected in ["set", "evict", "evict", "replace", "group", "", "clear"] {
                assert_eq!(next(heard).await, notice(expected));
            }
            nothing_more(heard).await;
        }
        nothing_more(&mut heard[2]).await;
    }
}

#[tokio::test]
async fn a_notice_comes_after_what_it_tells() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let (one, other) = (mongo.tier("app"), mongo.tier("app"));
        let mut heard = listen(&other);
        assert_eq!(next(&mut heard).await, Event::Gap);
        let at = place("k", &["g"]);
        for round in 0..12 {
            one.set(&at, new(b"old"), None).await.unwrap();
            let eviction = {
                let (one, at) = (Arc::clone(&one), at.clone());
                tokio::spawn(async move {
                    match round % 3 {
                        0 => drop(one.evict(&at, Some(b"n")).await.unwrap()),
                        1 => drop(one.evict_group(&group("g"), Some(b"n")).await.unwrap()),
                        _ => drop(one.clear(Some(b"n")).await.unwrap()),
                    }
                })
            };
            assert_eq!(next(&mut heard).await, notice("n"));
            assert_eq!(crate::fixture::value(&other, "k").await, None);
            eviction.await.unwrap();
        }
    }
}

#[tokio::test]
async fn notices_that_are_not_read_wait() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let tier = mongo.tier("app");
        let mut heard = listen(&tier);
        assert_eq!(next(&mut heard).await, Event::Gap);
        let mut told = Vec::new();
        for number in 0..40 {
            tier.evict(&place("k", &[]), Some(number.to_string().as_bytes())).await.unwrap();
            // A future that is dropped takes nothing with it.
            told.extend(timeout(Duration::ZERO, heard.next()).await);
        }
        while told.len() < 40 {
            told.push(next(&mut heard).await);
        }
        assert_eq!(told, (0..40).map(|number| notice(&number.to_string())).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn hazard_32_what_may_have_been_missed_is_told_as_a_gap() {
    // More notices between two looks than the document keeps.
    let Some(mongo) = Fixture::alone().await else { return };
    let tier = mongo.tier("app");
    let mut heard = listen(&tier);
    assert_eq!(next(&mut heard).await, Event::Gap);
    tier.evict(&place("k", &[]), Some(b"first")).await.unwrap();
    assert_eq!(next(&mut heard).await, notice("first"));
    mongo.documents.update_one(doc! { "_id": "app;notices" }, doc! { "$set": { "r": [] } }).await.unwrap();
    assert_eq!(next(&mut heard).await, Event::Gap);
    tier.evict(&place("k", &[]), Some(b"second")).await.unwrap();
    assert_eq!(next(&mut heard).await, notice("second"));
    mongo.documents.drop().await.unwrap();
    assert_eq!(next(&mut heard).await, Event::Gap);

    // The collection goes, and everything in it without a notice.
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    let mut heard = listen(&tier);
    assert_eq!(next(&mut heard).await, Event::Gap);
    mongo.documents.drop().await.unwrap();
    assert_eq!(next(&mut heard).await, Event::Gap);
    tier.evict(&place("k", &[]), Some(b"after")).await.unwrap();
    assert_eq!(next(&mut heard).await, notice("after"));
}

#[tokio::test]
async fn it_goes_on_where_it_was_after_the_server_was_gone() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let (one, other) = (mongo.tier("app"), mongo.tier("app"));
        let mut heard = listen(&one);
        assert_eq!(next(&mut heard).await, Event::Gap);
        let at = place("k", &[]);
        other.evict(&at, Some(b"before")).await.unwrap();
        assert_eq!(next(&mut heard).await, notice("before"));
        mongo.server.kill();
        mongo.server.restart();
        eventually("evicting again", async || other.evict(&at, Some(b"again")).await.is_ok()).await;
        // Where it cannot go on, it says so; at once, or with the notice after it.
        let event = next(&mut heard).await;
        assert!(event == Event::Gap || event == notice("again"), "{event:?}");
        other.evict(&at, Some(b"last")).await.unwrap();
        while next(&mut heard).await != notice("last") {}
    }
}

#[tokio::test]
async fn it_may_begin_before_the_server_does() {
    let Some(mongo) = Fixture::set().await else { return };
    mongo.server.kill();
    let tier = mongo.tier("app");
    let mut heard = listen(&tier);
    nothing_more(&mut heard).await;
    mongo.server.restart();
    assert_eq!(next(&mut heard).await, Event::Gap);
    tier.evict(&place("k", &[]), Some(b"n")).await.unwrap();
    assert_eq!(next(&mut heard).await, notice("n"));
}

#[tokio::test]
async fn hazard_31_no_value_travels_on_the_bus() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    let mut heard = listen(&tier);
    assert_eq!(next(&mut heard).await, Event::Gap);
    mongo.database.run_command(doc! { "profile": 2 }).await.unwrap();
    let value = vec![7; 1_000_000];
    for _ in 0..6 {
        tier.set(&place("k", &[]), new(&value), Some(b"n")).await.unwrap();
        assert_eq!(next(&mut heard).await, notice("n"));
    }
    mongo.database.run_command(doc! { "profile": 0 }).await.unwrap();
    let profile = mongo.database.collection::<mongodb::bson::Document>("system.profile");
    let mut found = profile.find(doc! { "op": "getmore" }).await.unwrap();
    let mut told = 0;
    while found.advance().await.unwrap() {
        let one = found.deserialize_current().unwrap();
        assert!(one.get_i32("responseLength").unwrap() < 2_000, "{one}");
        told += one.get_i32("nreturned").unwrap();
    }
    assert!(told >= 3, "{told}");
}
