//! Values past their time over a server, by the server's clock.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use cacheado::cached;
use cacheado_tests::stage::{Failure, Outcome, Stage};

use crate::server::{Server, within};

const PATIENCE: Duration = Duration::from_secs(20);

#[cached(cache = stage.cache(), skip(stage), ttl = "500ms", stale = "10m", name = "value")]
fn value(stage: &Stage) -> Outcome {
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage), ttl = "500ms", stale = "10m")]
async fn value_async(stage: &Stage) -> Outcome {
    stage.body_async().await
}

#[cached(cache = stage.cache(), skip(stage), ttl = "500ms", name = "value")]
fn value_of_a_node_without_stale(stage: &Stage) -> Outcome {
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage), ttl = "500ms", stale_if_error = "10m", tags("all"))]
fn covered(stage: &Stage) -> Outcome {
    stage.body()
}

crate::over_each_server!(
    hazard_20_a_stampede_at_a_stale_value_calls_the_body_once,
    hazard_11_the_server_says_what_is_past_its_time,
    hazard_21_what_is_evicted_on_another_node_covers_no_failure,
);

/// Waits until the value's time is over, as the server counts it.
fn until_it_is_stale(stage: &Stage) {
    within(PATIENCE, "it is past its time", || {
        value_entry(stage).remaining().unwrap() == Some(Duration::ZERO)
    });
}

fn hazard_20_a_stampede_at_a_stale_value_calls_the_body_once(server: &Server) {
    let (stage, barrier) = (Stage::new(&server.cache()), Barrier::new(64));
    assert_eq!(value(&stage), Ok(0));
    until_it_is_stale(&stage);
    stage.shut();
    thread::scope(|threads| {
        for _ in 0..64 {
            threads.spawn(|| {
                barrier.wait();
                assert_eq!(value(&stage), Ok(0));
            });
        }
    });
    within(PATIENCE, "the renewal runs", || stage.runs() == 2);
    stage.open();
    within(PATIENCE, "the new value is there", || value(&stage) == Ok(1));
    assert_eq!(stage.stats().backend_errors, 0);

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let stage = Stage::new(stage.cache());
        assert_eq!(value_async(&stage).await, Ok(0));
        let begun = std::time::Instant::now();
        while value_async_entry(&stage).remaining().await.unwrap() != Some(Duration::ZERO) {
            assert!(begun.elapsed() < PATIENCE);
            tokio::task::yield_now().await;
        }
        stage.shut();
        let calls: Vec<_> = (0..1_000)
            .map(|_| {
                let stage = stage.clone();
                tokio::spawn(async move { value_async(&stage).await })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(0));
        }
        while stage.runs() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(stage.runs(), 2);
        stage.open();
    });
}

fn hazard_11_the_server_says_what_is_past_its_time(server: &Server) {
    let (with, without) = (Stage::new(&server.cache()), Stage::new(&server.cache()));
    assert_eq!(value(&with), Ok(0));
    without.fail(true);
    until_it_is_stale(&with);
    with.shut();
    assert_eq!(value(&with), Ok(0), "past its time it is served");
    assert_eq!(value_of_a_node_without_stale(&without), Err(Failure::Down), "and not where nothing says so");
    with.open();
}

fn hazard_21_what_is_evicted_on_another_node_covers_no_failure(server: &Server) {
    let (stage, other) = (Stage::new(&server.cache()), server.cache());
    assert_eq!(covered(&stage), Ok(0));
    within(PATIENCE, "it is past its time", || covered_entry(&stage).peek().unwrap().is_none());
    stage.fail(true);
    assert_eq!(covered(&stage), Ok(0), "an older value covers the failure");
    within(PATIENCE, "the body is tried again", || {
        assert_eq!(covered(&stage), Ok(0));
        stage.runs() == 3
    });
    // Another node's callers know nothing of the failure.
    let third = Stage::new(&server.cache());
    third.shut();
    third.fail(true);
    let failing = {
        let third = third.clone();
        thread::spawn(move || covered(&third))
    };
    within(PATIENCE, "the body runs", || third.runs() == 1);
    assert_eq!(other.evict_by_tag("all").unwrap(), 1);
    third.open();
    assert_eq!(failing.join().unwrap(), Err(Failure::Down));
}
