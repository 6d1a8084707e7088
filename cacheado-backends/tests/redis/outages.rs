//! A server that is killed, stopped, or begun anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cacheado_backends::contract::{Event, Leased, Terms, Tier, Wanted};
use cacheado_backends::redis::Redis;
use cacheado_backends::{Error, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::{builder, event, eventually, group, new, node, patient, place, server, store, value};

fn outage(error: &Error) -> bool {
    assert!(error.kind().is_outage(), "{error}");
    true
}

/// Nobody knows of it, so nobody is to wait for it.
#[tokio::test]
async fn hazard_25_a_lease_that_was_granted_too_late_is_given_up() {
    let server = server!();
    let (redis, other) = (patient(&server, Duration::from_millis(300)), node(&server));
    let terms = Terms { lasts: Duration::from_secs(500), look: true };
    // It is connected, and the server knows the script.
    redis.begin_leased(&place("first", &[]), terms).await.expect("the server is there");
    let at = place("k", &["g"]);
    server.pause();
    assert!(outage(&redis.begin_leased(&at, terms).await.expect_err("no answer")));
    server.resume();
    // What it was asked before it has answered by now.
    eventually("the server", async || Tier::get(&*redis, &at, Wanted::Value).await.is_ok()).await;
    eventually("the lease to be given up", async || {
        let leased = other.begin_leased(&at, terms).await.expect("the server is there");
        matches!(leased, Leased::Taken(_))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_12_a_limit_can_be_longer_than_any_time() {
    let server = server!();
    let redis = patient(&server, Duration::MAX);
    let at = place("k", &["g"]);
    store(&redis, &at, b"v").await;
    assert_eq!(value(&redis, &at).await.as_deref(), Some(&b"v"[..]));
    let read = Tier::get_blocking(&*redis, &at, Wanted::ValueAndLifetime).expect("has one").expect("read");
    assert_eq!(read.expect("there").value, b"v");
    let mut heard = Arc::clone(&redis).subscribe().expect("a bus");
    assert_eq!(event(&mut *heard).await, Event::Gap);
    Tier::evict(&*redis, &at, Some(b"n")).await.expect("evicted");
    assert_eq!(event(&mut *heard).await, Event::Notice(b"n".to_vec()));
}

#[tokio::test]
async fn building_connects_to_nothing() {
    let redis = builder("redis://127.0.0.1:1").build().expect("an address");
    let begin = Instant::now();
    let error = Tier::get(&redis, &place("k", &[]), Wanted::Value).await.expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(begin.elapsed() < Duration::from_secs(10), "no waiting for what refuses");
    let blocking = Tier::get_blocking(&redis, &place("k", &[]), Wanted::Value).expect("has one");
    assert_eq!(blocking.expect_err("nobody is there").kind(), ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_killed_and_begun_anew() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["g"]);
    for _ in 0..3 {
        store(&redis, &at, b"v").await;
        assert!(Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one").expect("read").is_some());
        server.kill();
        let begin = Instant::now();
        for _ in 0..200 {
            let error = Tier::get(&*redis, &at, Wanted::Value).await.expect_err("it is gone");
            outage(&error);
            let error =
                Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one").expect_err("it is gone");
            outage(&error);
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        server.restart();
        // Not one call fails, of whatever kind comes first.
        assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 0);
        assert_eq!(value(&redis, &at).await, None);
        assert_eq!(Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one").expect("read"), None);
    }
}

/// Whoever did not notice that the server was away has nothing to complain of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_a_restart_between_two_calls() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["g"]);
    for round in 0..6 {
        store(&redis, &at, b"v").await;
        Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one").expect("read");
        server.restart();
        assert_eq!(Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one").expect("read"), None);
        match round % 3 {
            0 => assert_eq!(value(&redis, &at).await, None),
            1 => store(&redis, &at, b"v").await, // and the script is not known any more
            _ => assert!(!Tier::evict(&*redis, &at, None).await.expect("evicted")),
        }
    }
}

#[tokio::test]
async fn scripts_that_the_server_forgot() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["g"]);
    for _ in 0..2 {
        let claim = Tier::begin(&*redis, &at).await.expect("begun");
        server.command(&["SCRIPT", "FLUSH"]);
        Tier::fill(&*redis, &at, new(b"v"), &claim).await.expect("filled");
        server.command(&["SCRIPT", "FLUSH"]);
        assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_a_server_that_does_not_answer_costs_a_limited_time() {
    let server = server!();
    let limit = Duration::from_millis(150);
    let redis = patient(&server, limit);
    let at = place("k", &["g"]);
    store(&node(&server), &at, b"v").await;
    let answers = async || {
        eventually("an answer", async || {
            Tier::get(&*redis, &at, Wanted::Value).await.is_ok_and(|found| found.is_some())
        })
        .await;
        eventually("an answer on a thread", async || {
            let found = Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one");
            found.is_ok_and(|found| found.is_some())
        })
        .await;
    };
    answers().await;
    server.pause();
    for _ in 0..3 {
        let begin = Instant::now();
        let error = Tier::get(&*redis, &at, Wanted::Value).await.expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        let error = Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one").expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        let error = Tier::evict(&*redis, &at, None).await.expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(begin.elapsed() < limit * 3 + Duration::from_secs(5), "{:?}", begin.elapsed());
    }
    server.resume();
    let begin = Instant::now();
    answers().await;
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

/// Many at once share one attempt to connect, and wait no longer than one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_many_callers_wait_for_one_connection() {
    let server = server!();
    let redis = node(&server);
    let before = connections(&server);
    let calls: Vec<_> = (0..64)
        .map(|number| {
            let redis = Arc::clone(&redis);
            tokio::spawn(
                async move { Tier::get(&*redis, &place(&number.to_string(), &[]), Wanted::Value).await },
            )
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect("read");
    }
    assert_eq!(connections(&server) - before, 1);

    let redis = patient(&server, Duration::from_millis(500));
    server.pause();
    let begin = Instant::now();
    for _ in 0..2 {
        let calls: Vec<_> = (0..64)
            .map(|_| {
                let redis = Arc::clone(&redis);
                tokio::spawn(async move { Tier::get(&*redis, &place("k", &[]), Wanted::Value).await })
            })
            .collect();
        for call in calls {
            outage(&call.await.expect("no panic").expect_err("no answer"));
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    server.resume();
}

fn connections(server: &cacheado_servers::Redis) -> u64 {
    let info = server.command(&["INFO", "stats"]);
    let line = info.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    line.expect("a counter").trim().parse().expect("a number")
}

/// Answers that come too late, calls that are given up: none is taken for that of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_no_answer_reaches_the_wrong_caller() {
    let server = server!();
    let limit = Duration::from_millis(30);
    let redis = Redis::builder(server.url()).namespace("t").timeout(limit).build().expect("an address");
    let redis = Arc::new(redis);
    let writer = node(&server);
    for number in 0..50 {
        store(&writer, &place(&number.to_string(), &[]), number.to_string().as_bytes()).await;
    }
    let callers: Vec<_> = (0..50_u64)
        .map(|number| {
            let redis = Arc::clone(&redis);
            tokio::spawn(async move {
                let at = place(&number.to_string(), &[]);
                let (mut right, mut failed) = (0, 0);
                for round in 0..400_u64 {
                    let patience = Duration::from_micros((number * 7 + round * 13) % 900);
                    let read = if number % 10 == 0 {
                        Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one")
                    } else if round % 3 == 0 {
                        match tokio::time::timeout(patience, Tier::get(&*redis, &at, Wanted::Value)).await {
                            Ok(read) => read,
                            Err(_) => continue,
                        }
                    } else {
                        Tier::get(&*redis, &at, Wanted::Value).await
                    };
                    match read {
                        Ok(Some(entry)) => {
                            assert_eq!(entry.value, number.to_string().as_bytes());
                            right += 1;
                        }
                        Ok(None) => panic!("{number} is there"),
                        Err(error) => failed += usize::from(outage(&error)),
                    }
                }
                (right, failed)
            })
        })
        .collect();
    while callers.iter().any(|caller| !caller.is_finished()) {
        server.pause();
        tokio::time::sleep(Duration::from_millis(60)).await;
        server.resume();
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    let mut sum = (0, 0);
    for caller in callers {
        let (right, failed) = caller.await.expect("no wrong answer");
        sum = (sum.0 + right, sum.1 + failed);
    }
    assert!(sum.0 > 1_000 && sum.1 > 10, "{sum:?}");
}

/// Killed in the midst of it: every call ends, what is stored has a lifetime, and hits come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_27_killed_under_load() {
    let server =
        server!(cacheado_servers::Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]));
    let redis = node(&server);
    let begin = Instant::now();
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let redis = Arc::clone(&redis);
            tokio::spawn(async move {
                let mut number = 0;
                while begin.elapsed() < Duration::from_secs(3) {
                    number += 1;
                    let at = place(&format!("{caller}:{}", number % 20), &["g", "fn"]);
                    if let Ok(claim) = Tier::begin(&*redis, &at).await {
                        let _ = Tier::fill(&*redis, &at, new(b"v"), &claim).await;
                    }
                    if number % 7 == 0 {
                        let _ = Tier::evict_group(&*redis, &group("g"), None).await;
                    }
                    let _ = Tier::get(&*redis, &at, Wanted::Value).await;
                }
            })
        })
        .collect();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        server.kill();
        server.restart();
    }
    for caller in callers {
        caller.await.expect("no panic");
    }
    let keys = server.keys();
    for key in &keys {
        let left: i64 = server.command(&["PTTL", key]).parse().expect("a number");
        assert!(left > 0 || left == -2, "{key} has no lifetime");
    }
    // Every entry is found by its groups.
    Tier::evict_group(&*redis, &group("fn"), None).await.expect("evicted");
    assert!(!server.keys().iter().any(|key| key.starts_with("{t}:e:")), "{keys:?}");
}

/// An address that leads from one server to another.
struct Detour {
    port: u16,
    to: Arc<AtomicU16>,
    /// How many refusals it has wrapped.
    wrapped: Arc<AtomicUsize>,
}

/// How a replica refuses a script that writes.
#[derive(Clone, Copy)]
enum Refusal {
    AsItIs,
    /// As a Redis 6.2 does.
    Wrapped,
}

impl Refusal {
    /// Hands on what a server answers, and counts what it wraps.
    async fn hand_on(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, wrapped: Arc<AtomicUsize>) {
        let mut read = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut read).await {
            let mut answer = &read[..length];
            if matches!(self, Self::Wrapped) && answer.starts_with(b"-READONLY ") {
                answer = b"-ERR Error running script (call to f_a45690b5d58cb892e6cc5e4dc9b9e20f5884daa2): \
                    @user_script:124: @user_script: 124: -READONLY You can't write against a read only replica.\r\n";
                wrapped.fetch_add(1, Ordering::SeqCst);
            }
            if to.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

impl Detour {
    async fn to(server: &cacheado_servers::Redis, refusal: Refusal) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let to = Arc::new(AtomicU16::new(server.port()));
        let (leads_to, wrapped) = (Arc::clone(&to), Arc::new(AtomicUsize::new(0)));
        let counts = Arc::clone(&wrapped);
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let (port, counts) = (leads_to.load(Ordering::SeqCst), Arc::clone(&counts));
                tokio::spawn(async move {
                    let there = TcpStream::connect(("127.0.0.1", port)).await.expect("a server");
                    let ((mut asked, answered), (answers, mut asks)) =
                        (from.into_split(), there.into_split());
                    tokio::spawn(refusal.hand_on(answers, answered, counts));
                    let _ = tokio::io::copy(&mut asked, &mut asks).await;
                });
            }
        });
        Self { port, to, wrapped }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_nothing_is_read_from_what_was_a_primary() {
    nothing_is_read_from_what_was_a_primary(Refusal::AsItIs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_nothing_is_read_from_what_was_a_primary_of_an_older_release() {
    nothing_is_read_from_what_was_a_primary(Refusal::Wrapped).await;
}

async fn nothing_is_read_from_what_was_a_primary(refusal: Refusal) {
    let (before, after) = (server!(), server!());
    let detour = Detour::to(&before, refusal).await;
    let redis =
        builder(format!("redis://127.0.0.1:{}", detour.port)).namespace("t").build().expect("an address");
    let at = place("k", &["g"]);
    store(&redis, &at, b"old").await;
    let elsewhere = Runtime::new().expect("a runtime");
    let read_elsewhere = async || {
        let (redis, at) = (redis.clone(), at.clone());
        elsewhere.spawn(async move { value(&redis, &at).await }).await.expect("no panic")
    };
    let read_blocking = || {
        let read = Tier::get_blocking(&redis, &at, Wanted::Value).expect("has one").expect("read");
        read.map(|entry| entry.value)
    };
    assert_eq!((read_elsewhere().await, read_blocking()), (Some(b"old".to_vec()), Some(b"old".to_vec())));
    // It follows one that it cannot reach, and still answers who reads.
    before.command(&["REPLICAOF", "127.0.0.1", "1"]);
    detour.to.store(after.port(), Ordering::SeqCst);
    let refused = Tier::evict(&redis, &at, None).await.expect_err("a replica takes no writes");
    assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
    let is_wrapped = detour.wrapped.load(Ordering::SeqCst) != 0;
    assert_eq!(
        is_wrapped,
        matches!(refusal, Refusal::Wrapped),
        "what the server has answered is what was tested"
    );
    Tier::evict(&redis, &at, None).await.expect("evicted at the primary");
    assert_eq!((read_elsewhere().await, read_blocking()), (None, None));
    elsewhere.shutdown_background();
}
