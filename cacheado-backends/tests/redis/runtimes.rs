//! From where it is called.

use std::future::Future;
use std::panic;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use cacheado_backends::contract::{Tier, Wanted};
use cacheado_backends::io;
use cacheado_backends::redis::Redis;
use tokio::runtime::{Builder, Runtime};

use crate::{eventually, new, node, patient, place, server, store, value};

/// An executor that is not tokio.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn works(redis: &Redis, key: &str) {
    let at = place(key, &["g"]);
    store(redis, &at, key.as_bytes()).await;
    assert_eq!(value(redis, &at).await.as_deref(), Some(key.as_bytes()));
}

fn clients(server: &cacheado_servers::Redis) -> usize {
    server
        .command(&["CLIENT", "LIST"])
        .lines()
        .filter(|line| line.contains("lib-name") || line.contains("cmd="))
        .count()
        - 1
}

#[test]
fn hazard_24_without_any_runtime() {
    let server = server!();
    let redis = node(&server);
    block_on(works(&redis, "a"));
    thread::scope(|scope| {
        for name in ["b", "c", "d"] {
            let redis = &redis;
            scope.spawn(move || block_on(works(redis, name)));
        }
    });
    assert_eq!(clients(&server), 1, "all on the I/O thread's connection");
    let read = Tier::get_blocking(&*redis, &place("a", &[]), Wanted::Value).expect("has one").expect("read");
    assert_eq!(read.expect("there").value, b"a");
}

#[test]
fn hazard_24_a_runtime_without_io_or_timers() {
    let server = server!();
    let redis = node(&server);
    for runtime in [
        Builder::new_current_thread().build(),
        Builder::new_current_thread().enable_io().build(),
        Builder::new_current_thread().enable_time().build(),
        Builder::new_multi_thread().worker_threads(1).build(),
    ] {
        let runtime = runtime.expect("a runtime");
        for key in ["a", "b"] {
            runtime.block_on(works(&redis, key));
        }
    }
    assert_eq!(clients(&server), 1, "all on the I/O thread's connection");
}

#[test]
fn a_runtime_that_ends_takes_its_own_connection_along() {
    let server = server!();
    let redis = node(&server);
    let lasting = current_thread();
    lasting.block_on(works(&redis, "lasting"));
    for number in 0..5 {
        let passing = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        passing.block_on(works(&redis, &number.to_string()));
        assert_eq!(clients(&server), 2, "one each");
        drop(passing);
        lasting.block_on(async {
            works(&redis, "lasting").await;
            eventually("the connection to go", async || clients(&server) == 1).await;
        });
    }
    // And one that ends while a call is under way.
    let hurried = patient(&server, Duration::from_millis(500));
    let passing = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    server.pause();
    let call = {
        let hurried = Arc::clone(&hurried);
        passing.spawn(async move { Tier::get(&*hurried, &place("k", &[]), Wanted::Value).await })
    };
    passing.shutdown_background();
    let ended = lasting.block_on(async { tokio::time::timeout(Duration::from_secs(10), call).await });
    assert!(ended.is_ok(), "it does not hang");
    server.resume();
    lasting.block_on(async {
        let at = place("hurried", &[]);
        eventually("a write", async || Tier::set(&*hurried, &at, new(b"v"), None).await.is_ok()).await;
        eventually("its value", async || {
            Tier::get(&*hurried, &at, Wanted::Value).await.is_ok_and(|found| found.is_some())
        })
        .await;
    });
}

#[test]
fn a_handle_that_ends_closes_its_connections() {
    let server = server!();
    let runtime = current_thread();
    for _ in 0..3 {
        let redis = node(&server);
        runtime.block_on(works(&redis, "k"));
        Tier::get_blocking(&*redis, &place("k", &[]), Wanted::Value).expect("has one").expect("read");
        assert_eq!(clients(&server), 2);
        drop(redis);
        runtime.block_on(async {
            eventually("the connections to go", async || clients(&server) == 0).await;
        });
    }
}

#[test]
fn hazard_24_a_call_that_is_given_up_does_no_harm() {
    let server = server!();
    let redis = node(&server);
    let runtime = current_thread();
    let at = place("k", &["g"]);
    // Given up at each await point, the first connection included.
    for polls in 0..12 {
        let redis = if polls % 2 == 0 { node(&server) } else { Arc::clone(&redis) };
        runtime.block_on(async {
            let mut call = pin!(Tier::set(&*redis, &at, new(b"v"), None));
            for _ in 0..polls {
                let once =
                    std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready()));
                if once.await {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
        runtime.block_on(works(&redis, "other"));
    }
}

#[test]
fn hazard_24_sync_callers_everywhere() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &[]);
    let multi = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    multi.block_on(works(&redis, "k"));
    let read = |redis: &Redis| {
        let read = Tier::get_blocking(redis, &at, Wanted::Value).expect("has one").expect("read");
        assert_eq!(read.expect("there").value, b"k");
        let write = {
            let (redis, at) = (redis.clone(), at.clone());
            async move { Tier::set(&redis, &at, new(b"k"), None).await }
        };
        io::block_on(write).expect("not ended").expect("stored");
    };
    read(&redis);
    multi.block_on(async { read(&redis) });
    current_thread().block_on(async { read(&redis) });
    multi.block_on(async {
        let calls: Vec<_> = (0..8)
            .map(|_| {
                let (redis, at) = (Arc::clone(&redis), at.clone());
                tokio::task::spawn_blocking(move || {
                    for _ in 0..50 {
                        let read = Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one");
                        assert!(read.expect("read").is_some());
                    }
                })
            })
            .collect();
        for call in calls {
            call.await.expect("no panic");
        }
    });
    // A worker that waits lets another take over: its tasks go on while the server does not answer.
    let hurried = patient(&server, Duration::from_secs(5));
    read(&hurried);
    server.pause();
    multi.block_on(async {
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let (redis, at) = (Arc::clone(&hurried), at.clone());
                tokio::spawn(async move { Tier::get_blocking(&*redis, &at, Wanted::Value) })
            })
            .collect();
        tokio::spawn(async {}).await.expect("no panic");
        let all_wait = waiting.iter().all(|call| !call.is_finished());
        assert!(all_wait, "a task that has nothing to do with it waited");
        for call in waiting {
            call.await.expect("no panic").expect("has one").expect_err("no answer");
        }
    });
    server.resume();
}

#[test]
fn a_runtime_without_timers_is_tried_once() {
    let server = server!();
    let redis = node(&server);
    // To try is to panic, in a task on this thread.
    let (here, tried) = (thread::current().id(), Arc::new(AtomicUsize::new(0)));
    let (counter, before) = (Arc::clone(&tried), panic::take_hook());
    panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == here && counter.fetch_add(1, Ordering::SeqCst) == 0 {
            return;
        }
        before(panic);
    }));
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    // More at a time than before, so that nobody leaves them a connection.
    for calls in [1, 4, 16, 64] {
        runtime.block_on(async {
            let calls: Vec<_> = (0..calls)
                .map(|_| {
                    let redis = Arc::clone(&redis);
                    tokio::spawn(async move { value(&redis, &place("k", &[])).await })
                })
                .collect();
            for call in calls {
                call.await.expect("no panic");
            }
        });
    }
    assert_eq!(tried.load(Ordering::SeqCst), 1);
}
