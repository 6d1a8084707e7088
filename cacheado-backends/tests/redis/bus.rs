//! What other nodes are told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cacheado_backends::contract::{Event, Filled, Subscription, Tier};
use cacheado_backends::redis::Redis;

use crate::{builder, event, group, new, node, patient, place, server, store, value};

fn subscribe(redis: &Arc<Redis>) -> Box<dyn Subscription> {
    Arc::clone(redis).subscribe().expect("there is a bus")
}

fn notice(bytes: &[u8]) -> Event {
    Event::Notice(bytes.to_vec())
}

#[tokio::test]
async fn notices_come_in_order_once_and_whole() {
    let server = server!();
    let (here, there) = (node(&server), node(&server));
    let mut subscriptions = [subscribe(&here), subscribe(&there)];
    for subscription in &mut subscriptions {
        assert_eq!(event(&mut **subscription).await, Event::Gap, "the first");
    }
    let at = place("k", &["g"]);
    let binary: Vec<u8> = (0..=255).collect();
    Tier::evict(&*there, &at, Some(b"1:2:3")).await.expect("evicted");
    Tier::evict(&*there, &at, None).await.expect("evicted");
    Tier::set(&*here, &at, new(b"v"), Some(&binary)).await.expect("set");
    Tier::evict_group(&*there, &group("g"), Some(b"")).await.expect("evicted");
    Tier::clear(&*here, Some(b"cleared")).await.expect("cleared");
    for subscription in &mut subscriptions {
        for expected in [&b"1:2:3"[..], &binary, b"", b"cleared"] {
            assert_eq!(event(&mut **subscription).await, notice(expected));
        }
    }
    // Nobody in another namespace hears of it.
    let other = builder(server.url()).namespace("other").build().expect("a namespace");
    let mut elsewhere = subscribe(&Arc::new(other));
    assert_eq!(event(&mut *elsewhere).await, Event::Gap);
    Tier::evict(&*here, &at, Some(b"here")).await.expect("evicted");
    let heard = tokio::time::timeout(Duration::from_millis(200), elsewhere.next()).await;
    assert!(heard.is_err(), "{heard:?}");
}

#[tokio::test]
async fn a_fill_that_replaces_a_value_is_told_if_it_is_stored() {
    let server = server!();
    let (here, there) = (node(&server), node(&server));
    let mut subscription = subscribe(&here);
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    let at = place("k", &["g"]);
    let (early, late) =
        (Tier::begin(&*there, &at).await.expect("begun"), Tier::begin(&*there, &at).await.expect("begun"));
    let replaced = Tier::replace(&*there, &at, new(b"v"), &early, b"replaced").await.expect("an answer");
    assert_eq!(replaced, Filled::Stored);
    assert_eq!(event(&mut *subscription).await, notice(b"replaced"));
    assert_eq!(value(&here, &at).await.as_deref(), Some(&b"v"[..]));
    Tier::evict(&*here, &at, Some(b"evicted")).await.expect("evicted");
    let fenced = Tier::replace(&*there, &at, new(b"v"), &late, b"not told").await.expect("an answer");
    assert_eq!(fenced, Filled::Fenced);
    Tier::evict(&*here, &at, Some(b"last")).await.expect("evicted");
    for told in [&b"evicted"[..], b"last"] {
        assert_eq!(event(&mut *subscription).await, notice(told));
    }
}

#[tokio::test]
async fn a_notice_comes_after_what_it_tells() {
    let server = server!();
    let (here, there) = (node(&server), node(&server));
    let mut subscription = subscribe(&here);
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    for number in 0..2_500 {
        store(&there, &place(&number.to_string(), &["g"]), b"v").await;
    }
    let evicting = tokio::spawn(async move { Tier::evict_group(&*there, &group("g"), Some(b"gone")).await });
    assert_eq!(event(&mut *subscription).await, notice(b"gone"));
    assert_eq!(Tier::count(&*here, None).await.expect("counted"), 0);
    assert_eq!(evicting.await.expect("no panic").expect("evicted"), 2_500);
}

#[tokio::test]
async fn hazard_32_what_is_missed_is_noticed() {
    let server = server!();
    let redis = node(&server);
    let mut subscription = subscribe(&redis);
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    let at = place("k", &[]);
    let evict = async |notice: &[u8]| {
        Tier::evict(&*redis, &at, Some(notice)).await.expect("evicted");
    };
    evict(b"1").await;
    assert_eq!(event(&mut *subscription).await, notice(b"1"));
    // A notice that never arrived: its number is missing.
    server.command(&["INCR", "{t}:s"]);
    evict(b"3").await;
    assert_eq!(event(&mut *subscription).await, Event::Gap, "by the next one");
    evict(b"4").await;
    assert_eq!(event(&mut *subscription).await, notice(b"4"));
    server.command(&["INCR", "{t}:s"]);
    let begin = Instant::now();
    assert_eq!(event(&mut *subscription).await, Event::Gap, "without a next one");
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    evict(b"6").await;
    assert_eq!(event(&mut *subscription).await, notice(b"6"));
    // Everything is deleted, and the numbers begin anew.
    server.command(&["FLUSHALL"]);
    assert_eq!(event(&mut *subscription).await, Event::Gap, "without a next one");
    for number in [b"1", b"2"] {
        evict(number).await;
        assert_eq!(event(&mut *subscription).await, notice(number));
    }
    // Somebody else on our channel.
    server.command(&["PUBLISH", "{t}:bus", "hello"]);
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    server.command(&["PUBLISH", "{t}:bus", "99:1:hello"]);
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    evict(b"3").await;
    assert_eq!(event(&mut *subscription).await, notice(b"3"));
}

#[tokio::test]
async fn hazard_32_a_lost_connection_is_a_gap_once_it_is_back() {
    let server = server!();
    let redis = node(&server);
    let mut subscription = subscribe(&redis);
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    for kill in [true, false] {
        if kill {
            server.kill();
            server.restart();
        } else {
            server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        }
        let begin = Instant::now();
        assert_eq!(event(&mut *subscription).await, Event::Gap);
        assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
        Tier::evict(&*redis, &place("k", &[]), Some(b"again")).await.expect("evicted");
        assert_eq!(event(&mut *subscription).await, notice(b"again"));
    }
}

#[tokio::test]
async fn hazard_32_a_server_that_does_not_answer_is_noticed() {
    let server = server!();
    let redis = patient(&server, Duration::from_millis(500));
    let mut subscription = subscribe(&redis);
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    server.pause();
    tokio::time::sleep(Duration::from_secs(5)).await; // the server sleeps, not the test
    server.resume();
    let begin = Instant::now();
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    crate::eventually("the server", async || {
        Tier::evict(&*redis, &place("k", &[]), Some(b"again")).await.is_ok()
    })
    .await;
    while event(&mut *subscription).await != notice(b"again") {}
}

#[tokio::test]
async fn who_does_not_listen_is_told_of_a_gap_and_not_of_everything() {
    let server = server!();
    let redis = node(&server);
    let mut subscription = subscribe(&redis);
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    let publish = |number: usize| {
        server.command(&["PUBLISH", "{t}:bus", &format!("0:{number}:n")]);
    };
    server.command(&["SET", "{t}:s", "4200"]);
    (1..=4_200).for_each(publish);
    // It asks for the last number again when it has read the answer before, and all that came before that.
    let asked = server.calls("get") + 2;
    crate::eventually("all of it to arrive", async || server.calls("get") >= asked).await;
    let mut notices = 0;
    assert_eq!(event(&mut *subscription).await, Event::Gap, "more than wait");
    Tier::evict(&*redis, &place("k", &[]), Some(b"last")).await.expect("evicted");
    while event(&mut *subscription).await != notice(b"last") {
        notices += 1;
    }
    assert!(notices < 4_096, "{notices}");
}

#[tokio::test]
async fn a_next_that_is_given_up_loses_nothing_and_an_end_ends() {
    let server = server!();
    let redis = node(&server);
    let mut subscription = subscribe(&redis);
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    for number in 0..50_u8 {
        let given_up = tokio::time::timeout(Duration::from_micros(50), subscription.next()).await;
        assert!(given_up.is_err(), "{given_up:?}");
        Tier::evict(&*redis, &place("k", &[]), Some(&[number])).await.expect("evicted");
        assert_eq!(event(&mut *subscription).await, notice(&[number]));
    }
    let listeners = || server.command(&["PUBSUB", "NUMSUB", "{t}:bus"]).ends_with("\n1");
    assert!(listeners());
    drop(subscription);
    crate::eventually("the subscription to end", async || !listeners()).await;
}
