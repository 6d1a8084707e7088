//! Reads at the same time, which share a command.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::Result;
use cacheado_backends::contract::{Entry, Tier, Wanted};
use cacheado_backends::redis::Redis;
use tokio::task::JoinSet;

use crate::{eventually, node, patient, place, server, store, value};

const KEYS: usize = 100;

/// Reads each key, `times` at the same time; what each of them was answered.
async fn ask_all(redis: &Arc<Redis>, times: usize) -> Vec<(usize, Result<Option<Entry>>)> {
    let mut reads = JoinSet::new();
    for key in (0..KEYS).cycle().take(KEYS * times) {
        let redis = Arc::clone(redis);
        let at = place(&key.to_string(), &[]);
        reads.spawn(async move { (key, Tier::get(&*redis, &at, Wanted::Value).await) });
    }
    reads.join_all().await
}

/// The same where each is answered: what it has found.
async fn read_all(redis: &Arc<Redis>, times: usize) -> Vec<(usize, Option<Vec<u8>>)> {
    let answers = ask_all(redis, times).await.into_iter();
    answers.map(|(key, read)| (key, read.expect("read").map(|entry| entry.value))).collect()
}

/// Every other key is stored.
async fn fill(redis: &Arc<Redis>) {
    for key in (0..KEYS).step_by(2) {
        store(redis, &place(&key.to_string(), &["g"]), key.to_string().as_bytes()).await;
    }
}

fn check(found: &[(usize, Option<Vec<u8>>)]) {
    for (key, value) in found {
        let stored = key.is_multiple_of(2).then(|| key.to_string().into_bytes());
        assert_eq!(*value, stored, "{key}");
    }
}

#[tokio::test]
async fn each_reader_gets_its_own_value() {
    let server = server!();
    let redis = node(&server);
    fill(&redis).await;
    let found = read_all(&redis, 4).await;
    assert_eq!(found.len(), 4 * KEYS);
    check(&found);
    let commands = server.calls("get") + server.calls("mget");
    assert!(commands < 40, "{commands} commands for {} reads", 4 * KEYS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_reader_gets_its_own_value_on_several_threads() {
    let server = server!();
    let redis = node(&server);
    fill(&redis).await;
    for _ in 0..20 {
        check(&read_all(&redis, 4).await);
    }
}

/// Whoever gives up harms neither those who queue with it nor those who come after.
#[tokio::test]
async fn hazard_19_a_reader_that_gives_up_takes_nobody_along() {
    let server = server!();
    let redis = node(&server);
    fill(&redis).await;
    for given_up in 0..KEYS {
        let mut reads: Vec<_> = (0..KEYS)
            .map(|key| {
                let redis = Arc::clone(&redis);
                tokio::spawn(async move { (key, value(&redis, &place(&key.to_string(), &[])).await) })
            })
            .collect();
        if given_up % 2 == 1 {
            // By now they wait for their answers.
            tokio::task::yield_now().await;
        }
        reads.remove(given_up).abort();
        for read in reads {
            check(&[read.await.expect("not given up")]);
        }
    }
}

/// A runtime takes the task that asks for all along when it ends; the next one starts its own.
#[test]
fn a_runtime_that_ends_in_the_middle() {
    let server = server!();
    let redis = node(&server);
    for _ in 0..20 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let reading = Arc::clone(&redis);
        runtime.block_on(async move {
            fill(&reading).await;
            for key in 0..KEYS {
                let redis = Arc::clone(&reading);
                tokio::spawn(async move { value(&redis, &place(&key.to_string(), &[])).await });
            }
            tokio::task::yield_now().await;
        });
    }
}

#[tokio::test]
async fn hazard_26_a_silent_server_keeps_no_reader_longer_than_two_time_limits() {
    let server = server!();
    let limit = Duration::from_millis(300);
    let redis = patient(&server, limit);
    fill(&node(&server)).await;
    let all_are_answered = async || {
        let answers = ask_all(&redis, 1).await.into_iter();
        let found: Result<Vec<_>> =
            answers.map(|(key, read)| Ok((key, read?.map(|entry| entry.value)))).collect();
        found.inspect(|found| check(found)).is_ok()
    };
    eventually("answers", all_are_answered).await;
    server.pause();
    let before = std::time::Instant::now();
    for (_, read) in ask_all(&redis, 1).await {
        read.expect_err("nobody answers");
    }
    // The limits themselves, and time to spare for a machine that has other things to do.
    assert!(before.elapsed() < 2 * limit + Duration::from_secs(5), "{:?}", before.elapsed());
    server.resume();
    eventually("answers", all_are_answered).await;
}
