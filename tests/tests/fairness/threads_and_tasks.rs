//! Bounds of computations, where threads and tasks want the same places.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cacheado::prelude::*;
use cacheado_tests::Counter;
use cacheado_tests::wait::{Watched, in_time, poll_times, until};

use crate::scopes;

/// Bodies of threads that end one after the other.
#[derive(Default)]
struct Stage {
    cache: Cache,
    runs: Counter,
    /// Those below it may end.
    ends: AtomicUsize,
}

#[cached(cache = stage.cache, skip(stage), scope = "organization")]
fn in_turn(stage: &Stage, org_id: &str, n: usize) -> usize {
    let _ = org_id;
    stage.runs.next();
    until("it may end", || stage.ends.load(Ordering::SeqCst) > n);
    n
}

#[cached(cache = stage.cache, skip(stage), scope = "organization")]
async fn task(stage: &Stage, org_id: &str) -> usize {
    let _ = org_id;
    stage.runs.next()
}

#[test]
fn threads_that_come_after_a_task_do_not_hold_it_up() {
    in_time(|| {
        let cache = Cache::builder().max_computations_per_scope("organization", 1).build().unwrap();
        let stage = Arc::new(Stage { cache, ..Stage::default() });
        let spawn = |n| {
            let (told, who) = std::sync::mpsc::channel();
            let stage = Arc::clone(&stage);
            let thread = thread::spawn(move || {
                told.send(Watched::this()).unwrap();
                assert_eq!(in_turn(&stage, "acme", n), n);
            });
            (thread, who.recv().unwrap())
        };
        let first = spawn(0);
        until("the first runs", || stage.runs.get() == 1);
        let second = spawn(1);
        until("the second waits", || stage.cache.stats().misses == 2 && second.1.sleeps());
        let mut task = Box::pin(task(&stage, "acme"));
        assert!(poll_times(&mut task, 1).is_pending(), "the first runs");
        let third = spawn(2);
        until("the third waits", || stage.cache.stats().misses == 4 && third.1.sleeps());
        stage.ends.store(1, Ordering::SeqCst);
        until("the second runs", || stage.runs.get() == 2);
        assert!(poll_times(&mut task, 1).is_pending(), "the second came before it");
        stage.ends.store(2, Ordering::SeqCst);
        until("the third runs", || stage.runs.get() == 3);
        assert!(poll_times(&mut task, 1).is_ready(), "the third came after it");
        stage.ends.store(3, Ordering::SeqCst);
        for (thread, _) in [first, second, third] {
            thread.join().unwrap();
        }
    });
}
