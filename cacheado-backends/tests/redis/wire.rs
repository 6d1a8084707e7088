//! Connections over plain sockets: what is sent together, in pieces, or for nobody any more.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use cacheado_backends::contract::{Tier, Wanted};
use tokio::io::copy;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{PATIENCE, builder, eventually, node, patient, place, server, store, value};

/// The name of a socket. A server that is killed leaves it.
#[cfg(unix)]
struct Socket(std::path::PathBuf);

#[cfg(unix)]
impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn over_a_unix_socket() {
    let name = format!("cacheado-{}.sock", std::process::id());
    // Before the server, so that it goes after it.
    let socket = Socket(std::env::temp_dir().join(name));
    let path = socket.0.to_str().expect("a name");
    let _server = server!(cacheado_servers::Redis::start_with(&["--unixsocket", path]));
    let redis = builder(format!("redis+unix://{path}")).namespace("t").build().expect("an address");
    let at = place("k", &["g"]);
    store(&redis, &at, b"v").await;
    assert_eq!(value(&redis, &at).await.as_deref(), Some(&b"v"[..]));
    let read = Tier::get_blocking(&redis, &at, Wanted::Value).expect("has one").expect("read");
    assert_eq!(read.expect("there").value, b"v");
}

/// More than a socket takes at once, both ways, while others ask for little.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_values_among_small_ones() {
    const LARGE: usize = 3 << 20;
    let server = server!();
    let redis = node(&server);
    store(&redis, &place("small", &[]), b"v").await;
    server.pause();
    let mut calls = JoinSet::new();
    for number in 0..8_u8 {
        let redis = Arc::clone(&redis);
        calls.spawn(async move {
            let at = place(&format!("large {number}"), &["g"]);
            let large = vec![number; LARGE + usize::from(number)];
            store(&redis, &at, &large).await;
            assert!(value(&redis, &at).await.is_some_and(|found| found == large), "{number}");
        });
    }
    for _ in 0..64 {
        let redis = Arc::clone(&redis);
        calls.spawn(async move {
            for _ in 0..8 {
                assert_eq!(value(&redis, &place("small", &[])).await.as_deref(), Some(&b"v"[..]));
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.resume();
    while let Some(call) = calls.join_next().await {
        call.expect("the right value");
    }
}

/// Reads, reads that are two commands, and writes, each answered with its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_of_all_kinds_at_the_same_time() {
    let server = server!();
    let redis = node(&server);
    let mut calls = JoinSet::new();
    for number in 0..64_u32 {
        let redis = Arc::clone(&redis);
        calls.spawn(async move {
            let at = place(&number.to_string(), &["g"]);
            for round in 0..30_u32 {
                let stored = format!("{number} {round}");
                store(&redis, &at, stored.as_bytes()).await;
                assert_eq!(value(&redis, &at).await.as_deref(), Some(stored.as_bytes()));
                let read = Tier::get(&*redis, &at, Wanted::ValueAndLifetime).await.expect("read");
                let entry = read.expect("there");
                assert_eq!(entry.value, stored.as_bytes());
                assert!(entry.remaining.is_some());
                let both = [at.clone(), place("none", &[])];
                let many = Tier::get_many(&*redis, &both, Wanted::Value).await.expect("read");
                assert_eq!(many[0].as_ref().map(|entry| &*entry.value), Some(stored.as_bytes()));
                assert_eq!(many[1], None);
            }
        });
    }
    while let Some(call) = calls.join_next().await {
        call.expect("its own answers");
    }
}

/// One that has asked and is not polled any more is in nobody's way, though the task is woken for it.
#[tokio::test]
async fn hazard_24_a_call_that_is_not_polled_holds_nobody_up() {
    let server = server!();
    let redis = patient(&server, Duration::from_secs(5));
    for key in ["a", "b"] {
        store(&redis, &place(key, &[]), key.as_bytes()).await;
    }
    let (a, b) = (place("a", &[]), place("b", &[]));
    let mut first = pin!(value(&redis, &a));
    poll_fn(|context| {
        assert!(first.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    for _ in 0..10 {
        assert_eq!(value(&redis, &b).await.as_deref(), Some(&b"b"[..]));
        store(&redis, &b, b"b").await;
    }
    assert_eq!(first.await.as_deref(), Some(&b"a"[..]));
}

/// Another client can have a server tell a connection what it has not asked for, which is no answer.
#[tokio::test]
async fn what_is_told_unasked_is_passed_over() {
    let server = server!();
    let (redis, writer) = (node(&server), node(&server));
    let (at, none) = (place("k", &[]), place("none", &[]));
    store(&redis, &at, b"v").await;
    let connections = || {
        let list = server.command(&["CLIENT", "LIST", "TYPE", "NORMAL"]);
        let ids = list.lines().filter_map(|line| line.strip_prefix("id=")?.split_once(' '));
        ids.map(|(id, _)| id.to_owned()).collect::<Vec<_>>()
    };
    let own = server.command(&["CLIENT", "ID"]);
    let id = connections().into_iter().find(|id| *id != own).expect("the node's");
    server.command(&["CLIENT", "TRACKING", "ON", "REDIRECT", &id, "BCAST"]);
    for number in 0..100_u32 {
        // It is told of what the other writes while it asks.
        let value_of = number.to_string();
        tokio::join!(store(&writer, &at, value_of.as_bytes()), value(&redis, &none));
        assert_eq!(value(&redis, &at).await, Some(value_of.into_bytes()));
    }
    assert!(connections().contains(&id), "the connection is as good as before");
}

/// A connection that stays silent is given up; what it answers later is taken for nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_a_silent_connection_is_left_for_another() {
    let server = server!();
    let limit = Duration::from_millis(200);
    let redis = patient(&server, limit);
    let (a, b) = (place("a", &[]), place("b", &[]));
    let writer = node(&server);
    for at in [&a, &b] {
        store(&writer, at, at.key.as_bytes()).await;
    }
    let answers = async || match Tier::get(&*redis, &a, Wanted::Value).await {
        Ok(read) => {
            assert_eq!(read.expect("there").value, b"a");
            true
        }
        Err(_) => false,
    };
    eventually("a connection", answers).await;
    server.pause();
    Tier::get(&*redis, &a, Wanted::Value).await.expect_err("nobody answers");
    // It begins while the silence lasts, on a new connection, which the server takes up in time.
    let later = {
        let (redis, b) = (Arc::clone(&redis), b.clone());
        tokio::spawn(async move { Tier::get(&*redis, &b, Wanted::Value).await })
    };
    tokio::time::sleep(limit / 4).await;
    server.resume();
    // A busy machine may be too slow; it is never given another's value.
    if let Ok(read) = later.await.expect("no panic") {
        assert_eq!(read.expect("there").value, b"b");
    }
    eventually("an answer", answers).await;
}

/// A server that has fallen silent may be gone, and never close it.
#[tokio::test]
async fn hazard_26_a_silent_connection_is_closed_when_nobody_waits_for_it() {
    let server = server!();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (url, port) = (format!("redis://{}", listener.local_addr().expect("an address")), server.port());
    let (fall_silent, silent) = oneshot::channel::<()>();
    let relay = tokio::spawn(async move {
        let (from, _) = listener.accept().await.expect("a node");
        let there = TcpStream::connect(("127.0.0.1", port)).await.expect("a server");
        let ((mut asked, mut answered), (mut answers, mut asks)) = (from.into_split(), there.into_split());
        let answering = tokio::spawn(async move {
            tokio::select! {
                _ = copy(&mut answers, &mut answered) => {}
                _ = silent => {}
            }
            // Open all the same.
            (answers, answered)
        });
        // Until the node closes it.
        let _ = copy(&mut asked, &mut asks).await;
        drop(answering);
    });
    let redis = builder(url).namespace("t").timeout(Duration::from_secs(2)).build().expect("an address");
    assert_eq!(value(&redis, &place("k", &[])).await, None);
    fall_silent.send(()).expect("it answers");
    Tier::get(&redis, &place("k", &[]), Wanted::Value).await.expect_err("nobody answers");
    timeout(PATIENCE, relay).await.expect("it is closed").expect("no panic");
}
