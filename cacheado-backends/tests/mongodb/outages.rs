//! Servers that are gone, slow or back; executors and threads of any kind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cacheado_backends::contract::Filled;
use cacheado_backends::{Backend, ErrorKind, MongoDb, io};
use mongodb::bson::doc;

use crate::fixture::{Fixture, eventually, group, new, place, value};

fn quick(mongo: &Fixture) -> MongoDb {
    mongo.builder("app").timeout(Duration::from_millis(500)).build().unwrap()
}

/// How soon a server that is back is used again: before the driver would look for it by itself, every ten seconds.
const AT_ONCE: Duration = Duration::from_secs(8);

/// Whether the backend serves what was put.
async fn hits(backend: &MongoDb) -> bool {
    backend.get("k").await.is_ok_and(|entry| entry.is_some_and(|entry| entry.value == b"v"))
}

#[tokio::test]
async fn hazard_26_no_server_is_an_outage_in_half_a_second_and_then_no_more() {
    let Some(mongo) = Fixture::set().await else { return };
    mongo.server.kill();
    let backend = quick(&mongo);
    // On a busy machine the caller's time may be up before the driver has said so.
    eventually("it to be said that there is no server", async || {
        backend.get("k").await.unwrap_err().kind() == ErrorKind::Unavailable
    })
    .await;
    for _ in 0..3 {
        let begun = Instant::now();
        let error = backend.get("k").await.unwrap_err();
        assert!(error.kind().is_outage(), "{error}");
        let error = backend.put("k", b"v", None).await.unwrap_err();
        assert!(error.kind().is_outage(), "{error}");
        let error = backend.clear().await.unwrap_err();
        assert!(error.kind().is_outage(), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
    mongo.server.restart();
    let back = Instant::now();
    eventually("the first operation", async || backend.put("k", b"v", None).await.is_ok()).await;
    assert!(back.elapsed() < AT_ONCE, "{:?}", back.elapsed());
}

#[tokio::test]
async fn hazard_26_a_server_that_was_killed_is_used_again_at_once() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let (backend, tier) = (quick(&mongo), mongo.tier("app"));
        eventually("the set-up", async || backend.put("k", b"v", None).await.is_ok()).await;
        for _ in 0..2 {
            mongo.server.kill();
            for _ in 0..3 {
                let begun = Instant::now();
                let error = backend.get("k").await.unwrap_err();
                assert!(error.kind().is_outage(), "{error}");
                assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
            }
            mongo.server.restart();
            let back = Instant::now();
            eventually("a hit", async || hits(&backend).await).await;
            assert!(back.elapsed() < AT_ONCE, "{:?}", back.elapsed());
            tier.set(&place("l", &["g"]), new(b"v"), None).await.unwrap();
            assert_eq!(tier.evict_group(&group("g"), None).await.unwrap(), 1);
        }
    }
}

#[tokio::test]
async fn hazard_26_a_server_that_does_not_answer_is_waited_for_no_longer_than_said() {
    let Some(mongo) = Fixture::set().await else { return };
    let backend = quick(&mongo);
    eventually("the set-up", async || backend.put("k", b"v", None).await.is_ok()).await;
    // Before the monitor of the driver finds out, and after it. Many more than there are connections.
    for silence in [Duration::ZERO, Duration::from_secs(4)] {
        mongo.server.pause();
        let fell_silent = Instant::now();
        let all = (0..50).map(|_| {
            let backend = backend.clone();
            tokio::spawn(async move {
                loop {
                    let begun = Instant::now();
                    let error = backend.get("k").await.unwrap_err();
                    assert!(error.kind().is_outage(), "{error}");
                    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
                    if fell_silent.elapsed() > silence {
                        return;
                    }
                }
            })
        });
        for one in all.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        // Those that may take a minute notice that nothing else is answered either.
        let begun = Instant::now();
        let error = backend.clear().await.unwrap_err();
        assert!(error.kind().is_outage(), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        mongo.server.resume();
        let back = Instant::now();
        eventually("a hit", async || hits(&backend).await).await;
        assert!(back.elapsed() < AT_ONCE, "{:?}", back.elapsed());
        eventually("one hit after another", async || {
            for _ in 0..50 {
                if !hits(&backend).await {
                    return false;
                }
            }
            true
        })
        .await;
        eventually("a write", async || backend.put("k", b"v", None).await.is_ok()).await;
    }
}

#[tokio::test]
async fn hazard_21_what_was_acknowledged_outlives_a_kill() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let tier = mongo.tier("app");
        for round in 0..4 {
            let at = place("k", &["g"]);
            tier.set(&at, new(b"old"), None).await.unwrap();
            let claim = tier.begin(&at).await.unwrap();
            match round {
                0 => assert!(tier.evict(&at, None).await.unwrap()),
                1 => assert_eq!(tier.evict_group(&group("g"), None).await.unwrap(), 1),
                2 => assert_eq!(tier.clear(None).await.unwrap(), 1),
                _ => tier.set(&at, new(b"new"), None).await.unwrap(),
            }
            mongo.server.kill();
            mongo.server.restart();
            eventually("reading", async || tier.count(None).await.is_ok()).await;
            let value = value(&tier, "k").await;
            assert_eq!(value, (round == 3).then(|| b"new".to_vec()), "{round}");
            assert_eq!(tier.fill(&at, new(b"old"), &claim).await.unwrap(), Filled::Fenced, "{round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_27_a_kill_amid_writes_leaves_no_entry_without_its_end() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    tier.set(&place("warm", &["g"]), new(b"v"), None).await.unwrap();
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let tier = mongo.tier("app");
            tokio::spawn(async move {
                for number in 0.. {
                    let at = place(&format!("{writer}/{number}"), &["g"]);
                    let Ok(claim) = tier.begin(&at).await else { break };
                    let Ok(_) = tier.fill(&at, new(b"v"), &claim).await else { break };
                    let Ok(()) = tier.set(&at, new(b"v"), Some(b"n")).await else { break };
                }
            })
        })
        .collect();
    eventually("some writes", async || mongo.size().await > 100).await;
    mongo.server.kill();
    for writer in writers {
        writer.await.unwrap();
    }
    mongo.server.restart();
    eventually("reading", async || tier.count(None).await.is_ok()).await;
    assert!(tier.count(None).await.unwrap() > 50);
    let endless = doc! { "x": { "$exists": false } };
    assert_eq!(mongo.documents.count_documents(endless).await.unwrap(), 0);
    let loose = doc! { "v": { "$exists": true }, "$or": [{ "vx": { "$exists": false } }, { "g": { "$ne": "app:g" } }] };
    assert_eq!(mongo.documents.count_documents(loose).await.unwrap(), 0);
}

#[test]
fn hazard_24_on_any_executor_and_after_a_runtime_has_ended() {
    let Some(server) = cacheado_servers::MongoDb::start() else { return };
    let backend =
        MongoDb::builder(server.uri()).database("app").timeout(Duration::from_secs(5)).build().unwrap();
    let current = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    // A runtime without a timer or I/O, which goes right after.
    current().block_on(backend.put("k", b"v", None)).unwrap();
    current().block_on(async { assert!(backend.get("k").await.unwrap().is_some()) });
    // No tokio at all.
    assert!(futures_executor::block_on(backend.get("k")).unwrap().is_some());
    // A thread that waits, outside of a runtime and on a worker of one.
    let wait =
        |backend: MongoDb| io::block_on(async move { backend.get("k").await }).unwrap().unwrap().is_some();
    assert!(wait(backend.clone()));
    current().block_on(async { assert!(wait(backend.clone())) });
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let twin = backend.clone();
    many.block_on(async move { tokio::spawn(async move { assert!(wait(twin)) }).await.unwrap() });
    // One that is dropped is done or not, and in nobody's way.
    current().block_on(async {
        for number in 0..20 {
            let key = number.to_string();
            let put = backend.put(&key, b"v", None);
            let _ = tokio::select! { biased; done = put => done, () = tokio::task::yield_now() => Ok(()) };
        }
        assert!(backend.get("k").await.unwrap().is_some());
    });
    drop(backend);
}

#[tokio::test]
async fn hazard_12_a_limit_can_be_longer_than_any_time() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = Arc::new(mongo.builder("app").timeout(Duration::MAX).build().unwrap()).tier();
    let at = place("k", &["g"]);
    let claim = tier.begin(&at).await.unwrap();
    assert_eq!(tier.fill(&at, new(b"v"), &claim).await.unwrap(), Filled::Stored);
    assert_eq!(value(&tier, "k").await.as_deref(), Some(&b"v"[..]));
    tier.set(&at, new(b"w"), None).await.unwrap();
    assert_eq!(tier.evict_group(&group("g"), None).await.unwrap(), 1);
}
