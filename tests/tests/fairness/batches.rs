//! Bounds of computations, where a body computes several elements.

use cacheado::prelude::*;
use cacheado_tests::wait::{Watched, in_time, on_one_thread, others_wait, until};
use std::thread;

use crate::computations::{Stage, quick, slow, slow_task};
use crate::scopes;

#[cached(cache = stage.cache, skip(stage), scope = "organization", batch(ids))]
async fn slow_batch(stage: &Stage, org_id: &str, ids: &[usize]) -> Vec<usize> {
    let _ = org_id;
    stage.enter();
    stage.through_the_gate().await;
    stage.inside.leave();
    ids.to_vec()
}

#[test]
fn a_batch_takes_one_place() {
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        let first = tokio::spawn(slow_batch(stage, "acme", &[1, 2, 3]));
        others_wait().await;
        let second = tokio::spawn(slow_batch(stage, "acme", &[3, 4]));
        others_wait().await;
        assert_eq!(stage.runs.get(), 1);
        stage.open();
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (vec![1, 2, 3], vec![3, 4]));
        assert_eq!((stage.runs.get(), stage.most.get()), (2, 1));
    });
}

/// Leaves 5 out, so that it runs again for all ids where another was cached; waits there.
#[cached(cache = stage.cache, skip(stage), scope = "organization", batch(ids))]
fn short_batch(stage: &Stage, org_id: &str, ids: &[usize]) -> Vec<usize> {
    if ids.contains(&1) && ids.contains(&5) {
        stage.enter();
        stage.wait_for_the_gate();
        stage.inside.leave();
        quick(stage, org_id, 7);
    }
    ids.iter().copied().filter(|id| *id != 5).collect()
}

#[cached(cache = stage.cache, skip(stage), scope = "organization", batch(ids))]
async fn short_batch_task(stage: &Stage, org_id: &str, ids: &[usize]) -> Vec<usize> {
    if ids.contains(&1) && ids.contains(&5) {
        stage.enter();
        stage.through_the_gate().await;
        stage.inside.leave();
        slow_task(stage, org_id, 7).await;
    }
    ids.iter().copied().filter(|id| *id != 5).collect()
}

#[test]
fn a_batch_whose_body_runs_again_takes_a_place_for_that_too() {
    in_time(|| {
        let stage = Stage::new(1);
        short_batch(&stage, "acme", &[1]);
        thread::scope(|threads| {
            let stage = &stage;
            threads.spawn(|| assert_eq!(short_batch(stage, "acme", &[1, 5, 6]), [1, 6]));
            until("the body runs again", || stage.runs.get() == 1);
            let (told, who) = std::sync::mpsc::channel();
            threads.spawn(move || {
                told.send(Watched::this()).unwrap();
                slow(stage, "acme", 1);
            });
            let other = who.recv().unwrap();
            until("the other waits, or runs", || other.sleeps() || stage.runs.get() == 2);
            let runs = stage.runs.get();
            stage.open();
            assert_eq!(runs, 1, "there was one place");
        });
        assert_eq!((stage.runs.get(), stage.most.get()), (2, 1));
    });
}

#[test]
fn so_does_one_that_is_a_task() {
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        short_batch_task(stage, "acme", &[1]).await;
        let again = tokio::spawn(short_batch_task(stage, "acme", &[1, 5, 6]));
        others_wait().await;
        let other = tokio::spawn(slow_task(stage, "acme", 1));
        others_wait().await;
        assert_eq!(stage.runs.get(), 1);
        stage.open();
        assert_eq!((again.await.unwrap(), other.await.unwrap()), (vec![1, 6], 1));
        assert_eq!((stage.runs.get(), stage.most.get()), (3, 1));
    });
}
