//! Servers that die, stop and come back, under load. Every call returns the right value, soon; and when the
//! server is back, so are the hits.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cacheado::prelude::*;
use cacheado::{with_cache, with_cache_async};

use crate::server::{Server, within};

#[cached(ttl = 60)]
fn square(n: u64) -> u64 {
    n * n
}

#[cached(ttl = 60)]
async fn cube(n: u64) -> u64 {
    n * n * n
}

crate::over_each_server!(
    hazard_26_a_server_that_is_killed_under_load,
    hazard_26_a_server_that_stops_under_load,
    hazard_26_a_server_that_is_down_at_the_start,
    hazard_27_no_entry_without_a_lifetime_is_left_by_a_kill,
);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn hurried(server: &Server) -> Cache {
    server.hurried().build().unwrap()
}

/// Sync and async callers, for as long as `meanwhile` takes. Each result is checked.
fn under_load(cache: &Cache, meanwhile: impl FnOnce()) -> u64 {
    let stop = AtomicBool::new(false);
    let calls = AtomicU64::new(0);
    thread::scope(|threads| {
        for caller in 0..2_u64 {
            let (stop, calls) = (&stop, &calls);
            threads.spawn(move || {
                with_cache(cache, || {
                    for round in 0.. {
                        let n = caller * 1_000_000 + round % 50;
                        assert_eq!(square(n), n * n);
                        calls.fetch_add(1, Ordering::Relaxed);
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                    }
                });
            });
        }
        threads.spawn(|| {
            runtime().block_on(with_cache_async(cache, async {
                for round in 0.. {
                    let n = round % 50;
                    assert_eq!(cube(n).await, n * n * n);
                    calls.fetch_add(1, Ordering::Relaxed);
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }));
        });
        meanwhile();
        stop.store(true, Ordering::Relaxed);
    });
    calls.into_inner()
}

/// How long 200 calls take.
fn two_hundred_calls(cache: &Cache) -> Duration {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begun = Instant::now();
    with_cache(cache, || {
        for _ in 0..200 {
            let n = 7_000 + u64::from(NEXT.fetch_add(1, Ordering::Relaxed));
            assert_eq!(square(n), n * n);
        }
    });
    begun.elapsed()
}

/// Whether an entry is stored and found again: what one call stores, another node finds.
fn hits_again(server: &Server, cache: &Cache) {
    let n = 9_999;
    let other = hurried(server);
    let took = within(Duration::from_secs(5), "hits after the server's return", || {
        assert_eq!(with_cache(cache, || square(n)), n * n);
        with_cache(&other, || square_entry(n).peek()).is_ok_and(|found| found == Some(n * n))
    });
    println!("hits were back after {took:?}");
}

fn hazard_26_a_server_that_is_killed_under_load(server: &Server) {
    let cache = hurried(server);
    let calls = under_load(&cache, || {
        hits_again(server, &cache);
        server.kill();
        let took = two_hundred_calls(&cache);
        assert!(took < Duration::from_secs(5), "200 calls took {took:?} in an outage");
        server.restart();
        hits_again(server, &cache);
    });
    let stats = cache.stats();
    println!("{calls} calls; {stats}");
    assert!(stats.backend_errors > 0, "{stats}");
}

fn hazard_26_a_server_that_stops_under_load(server: &Server) {
    let cache = hurried(server);
    under_load(&cache, || {
        hits_again(server, &cache);
        server.pause();
        let took = two_hundred_calls(&cache);
        server.resume();
        assert!(took < Duration::from_secs(5), "200 calls took {took:?} while the server had stopped");
        hits_again(server, &cache);
    });
    assert!(cache.stats().backend_errors > 0);
}

fn hazard_26_a_server_that_is_down_at_the_start(server: &Server) {
    server.kill();
    let cache = hurried(server);
    let took = two_hundred_calls(&cache);
    assert!(took < Duration::from_secs(5), "200 calls took {took:?}");
    server.restart();
    hits_again(server, &cache);
}

fn hazard_27_no_entry_without_a_lifetime_is_left_by_a_kill(server: &Server) {
    let cache = hurried(server);
    under_load(&cache, || {
        hits_again(server, &cache);
        for _ in 0..3 {
            server.kill();
            server.restart();
            hits_again(server, &cache);
        }
    });
    if let Server::Redis(redis) = server {
        for key in redis.keys() {
            assert_ne!(redis.command(&["PTTL", &key]), "-1", "{key}");
        }
    }
}
