//! `stale_if_error`: past its time a value is served where the body fails, and `timeout`: a caller waits so long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cacheado::backends::{Memory, SharedMemory};
use cacheado::rules::{Effect, EntryMeta, Rule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, Key, cached, refresh};
use cacheado_tests::stage::{Failure, Outcome, Stage, tiers};
use cacheado_tests::wait::{in_time, on_one_thread, on_threads, others_wait, until};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
/// Long enough for whatever does not wait.
const PATIENT: Duration = Duration::from_secs(20);

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = "1h", tags("all"))]
fn value(stage: &Stage, key: &str) -> Outcome {
    assert!(!key.is_empty());
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = "1h", tags("all"))]
async fn value_async(stage: &Stage, key: &str) -> Outcome {
    assert!(!key.is_empty());
    stage.body_async().await
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, timeout = "50ms")]
async fn hurried(stage: &Stage) -> Outcome {
    stage.body_async().await
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, timeout = "1h")]
async fn in_no_hurry(stage: &Stage) -> Outcome {
    stage.body_async().await
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, timeout = "50ms", stale_if_error = "1h")]
async fn hurried_and_covered(stage: &Stage) -> Outcome {
    stage.body_async().await
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = "90d")]
fn kept_for_months(stage: &Stage) -> Outcome {
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = "30000y")]
fn kept_for_millennia(stage: &Stage) -> Outcome {
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = 3_600, cache_err = 5)]
fn with_errors(stage: &Stage) -> Outcome {
    stage.body()
}

#[test]
fn an_older_value_is_served_where_the_body_fails() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
        stage.fail(true);
        clock.advance(60 * SECOND);
        assert_eq!(value_entry(&stage, "a").peek().unwrap(), None, "{tier}: it is no value to look at");
        assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
        for _ in 0..10 {
            assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
        }
        assert_eq!(stage.runs(), 2, "{tier}: the failing body is left alone");
        clock.advance(SECOND);
        assert_eq!((value(&stage, "a"), stage.runs()), (Ok(0), 3), "{tier}: and tried again after a while");
        let stats = stage.stats();
        let counted = (stats.hits, stats.misses, stats.stale_hits, stats.refresh_failures);
        assert_eq!(counted, (10, 3, 12, 2), "{tier}: {stats}");
        stage.fail(false);
        clock.advance(SECOND);
        assert_eq!((value(&stage, "a"), value(&stage, "a")), (Ok(3), Ok(3)), "{tier}");
    }
}

#[test]
fn hazard_14_failures_do_not_renew_the_older_value() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
        stage.fail(true);
        clock.advance(60 * SECOND);
        for _ in 0..59 {
            assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
            clock.advance(61 * SECOND);
        }
        assert_eq!(value(&stage, "a"), Ok(0), "{tier}: 59 min 59 s past its time");
        clock.advance(SECOND);
        assert_eq!(value(&stage, "a"), Err(Failure::Down), "{tier}: an hour past it");
        assert_eq!(value(&stage, "a"), Err(Failure::Down), "{tier}");
    }
}

#[test]
fn hazard_12_an_older_value_is_kept_for_longer_than_a_backend_keeps_anything() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        for call in [kept_for_months, kept_for_millennia] {
            let runs = stage.runs();
            assert_eq!(
                (call(&stage), call(&stage), stage.runs()),
                (Ok(runs), Ok(runs), runs + 1),
                "{tier}: fresh"
            );
            clock.advance(60 * SECOND);
            assert_eq!((call(&stage), stage.runs()), (Ok(runs + 1), runs + 2), "{tier}: its time is over");
            clock.advance(60 * SECOND);
            stage.fail(true);
            assert_eq!(call(&stage), Ok(runs + 1), "{tier}: covered");
            stage.fail(false);
            clock.advance(HOUR);
            assert_eq!(call(&stage), Ok(runs + 3), "{tier}");
        }
    }
}

#[test]
fn a_panic_is_contained_where_there_is_an_older_value() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        let call = || catch_unwind(AssertUnwindSafe(|| value(&stage, "a")));
        stage.panic(true);
        assert!(call().is_err(), "{tier}: without one it is the caller's");
        stage.panic(false);
        assert_eq!(call().unwrap(), Ok(1), "{tier}");
        stage.panic(true);
        clock.advance(60 * SECOND);
        assert_eq!(call().unwrap(), Ok(1), "{tier}");
        assert_eq!(stage.stats().refresh_failures, 1, "{tier}");
        clock.advance(HOUR);
        assert!(call().is_err(), "{tier}");
        stage.panic(false);
        assert_eq!(call().unwrap(), Ok(4), "{tier}: nothing is left behind");
    }
}

#[test]
fn tasks_are_served_the_older_value_too() {
    on_one_thread(|| async {
        for panics in [false, true] {
            for (tier, cache, clock) in tiers() {
                let stage = Stage::new(&cache);
                assert_eq!(value_async(&stage, "a").await, Ok(0), "{tier}");
                stage.fail(true);
                stage.panic(panics);
                clock.advance(60 * SECOND);
                stage.shut();
                let calls: Vec<_> = (0..100)
                    .map(|_| {
                        let stage = stage.clone();
                        tokio::spawn(async move { value_async(&stage, "a").await })
                    })
                    .collect();
                others_wait().await;
                stage.open();
                for call in calls {
                    assert_eq!(call.await.unwrap(), Ok(0), "{tier}");
                }
                assert_eq!(stage.runs(), 2, "{tier}: those who waited are given what the leader is");
                let stats = stage.stats();
                assert_eq!((stats.hits + stats.misses, stats.stale_hits), (101, 100), "{tier}: {stats}");
            }
        }
    });
}

type Evict = fn(&Stage);

const WAYS: [(&str, Evict); 5] = [
    ("key", |stage| assert!(value_entry(stage, "a").evict().unwrap())),
    ("tag", |stage| assert_eq!(stage.cache().evict_by_tag("all").unwrap(), 1)),
    ("function", |stage| assert_eq!(value_cache(stage).evict_all().unwrap(), 1)),
    ("scope", |stage| assert_eq!(stage.cache().evict_by_scope(&cacheado::Scope::global()).unwrap(), 1)),
    ("everything", |stage| stage.cache().clear().unwrap()),
];

#[test]
fn hazard_21_what_is_evicted_while_the_body_fails_is_not_served_instead() {
    in_time(|| {
        for (way, evict) in WAYS {
            for (tier, cache, clock) in tiers() {
                let stage = Stage::new(&cache);
                assert_eq!(value(&stage, "a"), Ok(0));
                clock.advance(60 * SECOND);
                stage.shut();
                stage.fail(true);
                let failing = {
                    let stage = stage.clone();
                    thread::spawn(move || value(&stage, "a"))
                };
                until("the body runs", || stage.runs() == 2);
                evict(&stage);
                stage.open();
                assert_eq!(failing.join().unwrap(), Err(Failure::Down), "{way} on {tier}");
                assert_eq!(value(&stage, "a"), Err(Failure::Down), "{way} on {tier}");
            }
        }
    });
}

#[test]
fn hazard_22_what_was_set_while_the_body_failed_is_served_instead() {
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(value(&stage, "a"), Ok(0));
            clock.advance(60 * SECOND);
            stage.shut();
            stage.fail(true);
            let failing = {
                let stage = stage.clone();
                thread::spawn(move || value(&stage, "a"))
            };
            until("the body runs", || stage.runs() == 2);
            value_entry(&stage, "a").set(77).unwrap();
            stage.open();
            assert_eq!(failing.join().unwrap(), Ok(77), "{tier}");
            assert_eq!(value(&stage, "a"), Ok(77), "{tier}");
        }
    });
}

#[test]
fn who_asks_for_a_fresh_value_is_told_of_the_failure() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        assert_eq!(value(&stage, "a"), Ok(0));
        clock.advance(60 * SECOND);
        stage.fail(true);
        assert_eq!(value_entry(&stage, "a").refresh(), Err(Failure::Down), "{tier}");
        assert_eq!(value_entry(&stage, "a").bypass(), Err(Failure::Down), "{tier}");
        assert_eq!(value_entry(&stage, "a").get(), Ok(0), "{tier}: the older value is still there");
    }
}

#[test]
fn an_error_of_a_refresh_takes_the_place_of_no_value() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        assert_eq!(with_errors(&stage), Ok(0), "{tier}");
        stage.fail(true);
        assert_eq!(with_errors_entry(&stage).refresh(), Err(Failure::Down), "{tier}");
        assert_eq!(with_errors(&stage), Ok(0), "{tier}");
        clock.advance(60 * SECOND);
        assert_eq!(refresh(|| with_errors(&stage)), Err(Failure::Down), "{tier}");
        assert_eq!(with_errors(&stage), Ok(0), "{tier}: it is still there for a failure");
        stage.fail(false);
        assert_eq!(with_errors_entry(&stage).refresh(), Ok(4), "{tier}");
        assert_eq!(with_errors(&stage), Ok(4), "{tier}");
        cache.clear().unwrap();
        stage.fail(true);
        assert_eq!(with_errors_entry(&stage).refresh(), Err(Failure::Down), "{tier}");
        assert_eq!(with_errors_entry(&stage).peek().unwrap(), None, "{tier}: it has not asked what there is");
    }
}

#[test]
fn an_error_that_is_stored_takes_the_place_of_no_value() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        assert_eq!(with_errors(&stage), Ok(0), "{tier}");
        stage.fail(true);
        clock.advance(60 * SECOND);
        assert_eq!(with_errors(&stage), Ok(0), "{tier}");
        cache.clear().unwrap();
        assert_eq!(with_errors(&stage), Err(Failure::Down), "{tier}: with no older value it is stored");
        let runs = stage.runs();
        clock.advance(4 * SECOND);
        assert_eq!(
            (with_errors(&stage), stage.runs()),
            (Err(Failure::Down), runs),
            "{tier}: for its own time"
        );
        clock.advance(SECOND);
        stage.fail(false);
        assert_eq!(
            with_errors(&stage),
            Ok(runs),
            "{tier}: and not a moment longer: it is no value to fall back on"
        );
    }
}

#[test]
fn a_caller_waits_no_longer_than_its_timeout_and_the_body_goes_on() {
    on_one_thread(|| async {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            stage.shut();
            let begun = Instant::now();
            let other = tokio::spawn({
                let stage = stage.clone();
                async move { hurried(&stage).await }
            });
            assert_eq!(hurried(&stage).await, Err(Failure::Late), "{tier}");
            assert_eq!(other.await.unwrap(), Err(Failure::Late), "{tier}: neither does who waits for it");
            assert!(begun.elapsed() < PATIENT);
            assert_eq!(stage.runs(), 1, "{tier}");
            stage.open();
            while hurried_entry(&stage).peek().await.unwrap().is_none() {
                others_wait().await;
            }
            assert_eq!((hurried(&stage).await, stage.runs()), (Ok(0), 1), "{tier}: its result is stored");
            let stats = stage.stats();
            assert_eq!((stats.hits, stats.misses), (1, 2), "{tier}: {stats}");
            clock.advance(60 * SECOND);
            assert_eq!(in_no_hurry(&stage).await, Ok(1), "{tier}: what is in time is returned");
        }
    });
}

#[test]
fn a_caller_that_has_waited_long_enough_is_served_an_older_value() {
    on_one_thread(|| async {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            // On a busy machine it may take too long; its body goes on.
            while hurried_and_covered(&stage).await != Ok(0) {
                others_wait().await;
            }
            let before = stage.stats();
            clock.advance(60 * SECOND);
            stage.shut();
            assert_eq!(hurried_and_covered(&stage).await, Ok(0), "{tier}");
            let begun = Instant::now();
            for _ in 0..1_000 {
                assert_eq!(hurried_and_covered(&stage).await, Ok(0), "{tier}");
            }
            assert!(begun.elapsed() < PATIENT, "{tier}: who comes after it does not wait");
            others_wait().await;
            assert_eq!(stage.runs(), 2, "{tier}");
            let stats = stage.stats() - &before;
            assert_eq!((stats.hits, stats.misses, stats.stale_hits), (1_000, 1, 1_001), "{tier}: {stats}");
            stage.open();
            clock.advance(SECOND);
            while hurried_and_covered(&stage).await != Ok(1) {
                others_wait().await;
            }
            assert_eq!(stage.runs(), 2, "{tier}: what came late is stored");
        }
    });
}

#[test]
fn a_panic_in_time_is_the_callers_own() {
    on_threads(2, || async {
        let (_, cache, _) = tiers().remove(0);
        let stage = Stage::new(&cache);
        stage.panic(true);
        let call = tokio::spawn({
            let stage = stage.clone();
            async move { in_no_hurry(&stage).await }
        });
        assert!(call.await.unwrap_err().is_panic());
        stage.panic(false);
        assert_eq!(in_no_hurry(&stage).await, Ok(1));
    });
}

/// Rejects every get, once it is told to.
#[derive(Clone, Default)]
struct Refusing(Arc<AtomicBool>);

impl Rule for Refusing {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        if self.0.load(Ordering::SeqCst) { Effect::Reject } else { Effect::Continue }
    }
}

/// A cache on this tier with such a rule.
fn refusing(tier: &str) -> (Cache, Refusing, ManualClock) {
    let (rule, clock) = (Refusing::default(), ManualClock::new());
    let builder = Cache::builder().clock(clock.clone()).rule(rule.clone());
    let server = SharedMemory::with_clock(clock.clone());
    let builder = match tier {
        "memory" => builder,
        "backend" => builder.backend(server),
        _ => builder.backend(server).near(Memory::new()),
    };
    (builder.build().unwrap(), rule, clock)
}

#[test]
fn hazard_15_no_error_takes_the_place_of_what_a_rule_rejects() {
    for tier in ["memory", "backend", "near"] {
        let (cache, rule, clock) = refusing(tier);
        let stage = Stage::new(&cache);
        assert_eq!(with_errors(&stage), Ok(0), "{tier}");
        stage.fail(true);
        rule.0.store(true, Ordering::SeqCst);
        for age in ["fresh", "old"] {
            assert_eq!(with_errors(&stage), Err(Failure::Down), "{age} {tier}");
            assert_eq!(with_errors(&stage), Err(Failure::Down), "{age} {tier}");
            clock.advance(60 * SECOND);
        }
        rule.0.store(false, Ordering::SeqCst);
        assert_eq!(with_errors(&stage), Ok(0), "{tier}: it is there, for whom a rule lets it pass");
    }
}

#[test]
fn hazard_15_what_a_rule_rejects_is_not_served_where_the_body_fails() {
    on_one_thread(|| async {
        for tier in ["memory", "backend", "near"] {
            let (cache, rule, clock) = refusing(tier);
            let stage = Stage::new(&cache);
            assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
            while hurried_and_covered(&stage).await.is_err() {
                others_wait().await;
            }
            stage.fail(true);
            for age in ["fresh", "old"] {
                rule.0.store(true, Ordering::SeqCst);
                assert_eq!(value(&stage, "a"), Err(Failure::Down), "{age} {tier}");
                assert_eq!(value_async(&stage, "a").await, Err(Failure::Down), "{age} {tier}");
                stage.shut();
                assert_eq!(hurried_and_covered(&stage).await, Err(Failure::Late), "{age} {tier}");
                stage.open();
                others_wait().await;
                rule.0.store(false, Ordering::SeqCst);
                clock.advance(60 * SECOND);
            }
            assert_eq!(value(&stage, "a"), Ok(0), "{tier}: it is there, for whom a rule lets it pass");
        }
    });
}
