//! Values past their time, in memory: `stale` and `stale_if_error` (hazards 10, 21 and 22).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use cacheado::testing::ManualClock;
use cacheado::{Cache, cached};
use cacheado_tests::wait::{in_time, until};
use cacheado_tests::{Counter, clocked};

const SECOND: Duration = Duration::from_secs(1);

/// What bodies do: count, wait for a gate, fail or panic.
struct Stage {
    cache: Cache,
    clock: ManualClock,
    runs: Counter,
    open: Mutex<bool>,
    opened: Condvar,
    fails: AtomicBool,
    panics: AtomicBool,
}

impl Stage {
    fn new() -> Arc<Self> {
        let (cache, clock) = clocked();
        Arc::new(Self {
            cache,
            clock,
            runs: Counter::new(),
            open: Mutex::new(true),
            opened: Condvar::new(),
            fails: AtomicBool::new(false),
            panics: AtomicBool::new(false),
        })
    }

    fn shut(&self) {
        *self.open.lock().unwrap() = false;
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn body(&self) -> Result<usize, &'static str> {
        let run = self.runs.next();
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
        assert!(!self.panics.load(Ordering::SeqCst), "the body panics");
        if self.fails.load(Ordering::SeqCst) { Err("down") } else { Ok(run) }
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

#[cached(cache = stage.cache, skip(stage), ttl = 60, stale = 30)]
fn stale(stage: &Arc<Stage>, key: &str) -> Result<usize, &'static str> {
    assert!(!key.is_empty());
    stage.body()
}

#[cached(cache = stage.cache, skip(stage), ttl = 60, stale_if_error = 600)]
fn covered(stage: &Stage, key: &str) -> Result<usize, &'static str> {
    assert!(!key.is_empty());
    stage.body()
}

#[test]
fn a_stale_value_is_served_while_it_is_renewed() {
    in_time(|| {
        let stage = Stage::new();
        assert_eq!(stale(&stage, "a"), Ok(0));
        stage.clock.advance(59 * SECOND);
        assert_eq!(stale(&stage, "a"), Ok(0));
        stage.shut();
        stage.clock.advance(SECOND);
        for _ in 0..3 {
            assert_eq!(stale(&stage, "a"), Ok(0));
        }
        until("one renewal runs", || stage.runs.get() == 2);
        let stats = stage.cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.stale_hits), (4, 1, 3), "{stats}");
        stage.open();
        until("the new value is there", || stale(&stage, "a") == Ok(1));
        assert_eq!(stage.runs.get(), 2);
    });
}

#[test]
fn hazard_10_past_its_grace_a_value_is_not_served() {
    let stage = Stage::new();
    assert_eq!(stale(&stage, "a"), Ok(0));
    stage.clock.advance(90 * SECOND);
    assert_eq!(stale_entry(&stage, "a").peek().unwrap(), None);
    assert_eq!(stale(&stage, "a"), Ok(1), "computed while the caller waits");
}

#[test]
fn an_older_value_is_served_where_the_body_fails() {
    let stage = Stage::new();
    assert_eq!(covered(&stage, "a"), Ok(0));
    stage.fail(true);
    stage.clock.advance(60 * SECOND);
    assert_eq!(covered(&stage, "a"), Ok(0));
    assert_eq!(stage.runs.get(), 2);
    for _ in 0..10 {
        assert_eq!(covered(&stage, "a"), Ok(0), "the body is left alone");
    }
    assert_eq!(stage.runs.get(), 2);
    stage.clock.advance(SECOND);
    assert_eq!((covered(&stage, "a"), stage.runs.get()), (Ok(0), 3), "and called again after a while");
    let stats = stage.cache.stats();
    assert_eq!(
        (stats.hits, stats.misses, stats.stale_hits, stats.refresh_failures),
        (10, 3, 12, 2),
        "{stats}"
    );
    stage.fail(false);
    stage.clock.advance(SECOND);
    assert_eq!(covered(&stage, "a"), Ok(3));
}
