//! Fills and evictions, on two nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cacheado_backends::contract::{Claim, FILL_WINDOW, Filled, Place, Tier};
use cacheado_backends::redis::Redis;

use crate::{MINUTE, group, new, node, place, server, store, value};

async fn begin(redis: &Redis, at: &Place) -> Claim {
    Tier::begin(redis, at).await.expect("begun")
}

async fn fill(redis: &Redis, at: &Place, value: &[u8], claim: &Claim) -> Filled {
    Tier::fill(redis, at, new(value), claim).await.expect("an answer")
}

async fn evict_group(redis: &Redis, name: &str) -> u64 {
    Tier::evict_group(redis, &group(name), None).await.expect("evicted")
}

#[tokio::test]
async fn hazard_21_every_eviction_on_another_node_forbids_a_fill() {
    let server = server!();
    let (here, there) = (node(&server), node(&server));
    let at = place("k", &["a", "b"]);
    // What must forbid, and what must not, one after the other on the same fences.
    for number in 0..9 {
        let claim = begin(&here, &at).await;
        let forbidden = match number {
            0 => Tier::evict(&*there, &at, None).await.map(|_| true),
            1 => Tier::evict_group(&*there, &group("a"), None).await.map(|_| true),
            2 => Tier::evict_group(&*there, &group("b"), None).await.map(|_| true),
            3 => Tier::clear(&*there, None).await.map(|_| true),
            4 => Tier::set(&*there, &at, new(b"newer"), None).await.map(|()| true),
            5 => Tier::evict_group(&*there, &group("c"), None).await.map(|_| false),
            6 => Tier::evict(&*there, &place("other", &["a", "b"]), None).await.map(|_| false),
            7 => Tier::set(&*there, &place("other", &["a"]), new(b"v"), None).await.map(|()| false),
            _ => Tier::begin(&*there, &at).await.map(|_| false),
        };
        let forbidden = forbidden.expect("done");
        let filled = fill(&here, &at, b"computed", &claim).await;
        let newer = (number == 4).then(|| b"newer".to_vec());
        if forbidden {
            assert_eq!((filled, value(&there, &at).await), (Filled::Fenced, newer), "{number}");
        } else {
            assert_eq!(
                (filled, value(&there, &at).await),
                (Filled::Stored, Some(b"computed".to_vec())),
                "{number}"
            );
        }
        // A fill that begins after an eviction is stored.
        let claim = begin(&there, &at).await;
        assert_eq!(fill(&there, &at, b"again", &claim).await, Filled::Stored, "{number}");
    }
}

#[tokio::test]
async fn a_claim_serves_more_than_once_until_it_is_forbidden() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["a"]);
    let claim = begin(&redis, &at).await;
    assert_eq!(fill(&redis, &at, b"1", &claim).await, Filled::Stored);
    assert_eq!(fill(&redis, &at, b"2", &claim).await, Filled::Stored);
    evict_group(&redis, "a").await;
    assert_eq!(fill(&redis, &at, b"3", &claim).await, Filled::Fenced);
    assert_eq!(value(&redis, &at).await, None);
}

#[tokio::test]
async fn two_evictions_at_one_moment_are_two() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["a"]);
    for _ in 0..200 {
        // Within one microsecond of the server's clock, some of them.
        evict_group(&redis, "a").await;
        let claim = begin(&redis, &at).await;
        evict_group(&redis, "a").await;
        assert_eq!(fill(&redis, &at, b"v", &claim).await, Filled::Fenced);
    }
}

#[tokio::test]
async fn a_claim_that_is_too_old_is_fenced_without_asking() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &[]);
    let claim = begin(&redis, &at).await;
    let Some(taken) = Instant::now().checked_sub(FILL_WINDOW + Duration::from_millis(1)) else {
        return; // a machine that was started less than ten minutes ago has no such moment
    };
    server.kill();
    assert_eq!(fill(&redis, &at, b"v", &Claim { taken, ..claim }).await, Filled::Fenced);
}

#[tokio::test]
async fn a_server_that_lost_everything_lets_no_old_claim_in() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["a"]);
    let claim = begin(&redis, &at).await;
    evict_group(&redis, "a").await;
    server.restart();
    crate::eventually("the server", async || Tier::begin(&*redis, &at).await.is_ok()).await;
    assert_eq!(fill(&redis, &at, b"old", &claim).await, Filled::Fenced);
    server.command(&["FLUSHALL"]);
    assert_eq!(fill(&redis, &at, b"old", &claim).await, Filled::Fenced, "without a generation");
    let claim = begin(&redis, &at).await;
    assert_eq!(fill(&redis, &at, b"new", &claim).await, Filled::Stored);
}

#[tokio::test]
async fn claims_that_are_none_are_fenced() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["a"]);
    let good = begin(&redis, &at).await;
    let generation = String::from_utf8(good.token.clone()).expect("text");
    for token in ["", " ", "0", "x y", "-1 g:", "1e300 g:0", &generation[1..], &format!("{generation}0")] {
        let claim = Claim::now(token.as_bytes().to_vec());
        assert_eq!(fill(&redis, &at, b"v", &claim).await, Filled::Fenced, "{token:?}");
    }
    assert_eq!(fill(&redis, &at, b"v", &good).await, Filled::Stored);
}

/// What is forgotten of the fences is forbidden altogether.
#[tokio::test]
async fn fences_are_bounded_and_forgetting_them_forbids() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["a"]);
    let old = begin(&redis, &at).await;
    evict_group(&redis, "a").await;
    let young = begin(&redis, &at).await;
    // Eleven minutes ago, as far as the server can tell.
    let of = |score: &str, name: &str| server.command(&["ZADD", "{t}:f", "XX", score, name]);
    of("1000", "i:a");
    for number in 0..300 {
        server.command(&["ZADD", "{t}:f", &(2000 + number).to_string(), &format!("e:{number}")]);
    }
    let kept = || server.command(&["ZCARD", "{t}:f"]).parse::<u32>().expect("a number");
    assert_eq!(kept(), 302);
    evict_group(&redis, "b").await;
    assert_eq!(kept(), 203, "a bit at a time");
    assert!(server.command(&["ZRANGE", "{t}:f", "0", "0", "WITHSCORES"]).ends_with("-2098"));
    assert_eq!(fill(&redis, &at, b"v", &old).await, Filled::Fenced, "its fence is forgotten");
    for _ in 0..3 {
        evict_group(&redis, "b").await;
    }
    assert_eq!(kept(), 2, "the generation and the last");
    assert_eq!(fill(&redis, &at, b"v", &young).await, Filled::Stored, "it has seen all that was forgotten");
}

#[tokio::test]
async fn a_server_whose_clock_goes_back_forbids_nevertheless() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["a"]);
    begin(&redis, &at).await;
    // A fence of next year: the clock has been set back since.
    let future = "9007199254000000";
    server.command(&["ZADD", "{t}:f", future, "i:x"]);
    let claim = begin(&redis, &at).await;
    evict_group(&redis, "a").await;
    assert_eq!(fill(&redis, &at, b"v", &claim).await, Filled::Fenced);
    let claim = begin(&redis, &at).await;
    assert_eq!(fill(&redis, &at, b"v", &claim).await, Filled::Stored);
}

/// The whole at once: nothing that was computed before an eviction is read after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evictions_beside_fills() {
    let server = server!();
    let at = Arc::new(place("k", &["a"]));
    let is_over = Arc::new(AtomicBool::new(false));
    let fillers: Vec<_> = (0..4)
        .map(|_| {
            let (redis, at, is_over) = (node(&server), Arc::clone(&at), Arc::clone(&is_over));
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let claim = Tier::begin(&*redis, &at).await.expect("begun");
                    let computed = begin_of(Instant::now());
                    tokio::task::yield_now().await;
                    Tier::fill(&*redis, &at, new(&computed), &claim).await.expect("an answer");
                }
            })
        })
        .collect();
    let redis = node(&server);
    let (begin, mut evicted) = (Instant::now(), 0);
    while begin.elapsed() < Duration::from_secs(1) || evicted <= 10 {
        assert!(begin.elapsed() < MINUTE, "{evicted} times there was something to evict");
        let before = begin_of(Instant::now());
        evicted += Tier::evict_group(&*redis, &group("a"), None).await.expect("evicted");
        if let Some(read) = value(&redis, &at).await {
            assert!(*read >= before[..], "computed before the eviction began");
        }
    }
    is_over.store(true, Ordering::Relaxed);
    for filler in fillers {
        filler.await.expect("no panic");
    }
    store(&redis, &at, b"v").await;
}

/// A moment, as bytes that order as moments do.
fn begin_of(now: Instant) -> [u8; 16] {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    now.saturating_duration_since(*START).as_nanos().to_be_bytes()
}
