//! What lets values be used past their time, where nobody drives the runtime, where it goes, and where there is none.

use std::task::Poll;
use std::thread;
use std::time::Duration;

use cacheado::testing::ManualClock;
use cacheado::{Outcome, cached, observe_async};
use cacheado_tests::stage::{self, Failure, Stage, tiers};
use cacheado_tests::wait::{in_time, poll_times, until, without_a_runtime};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn hazard_19_nobody_waits_for_a_renewal_whose_task_has_not_begun() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30)]
    async fn value(stage: &Stage) -> stage::Outcome {
        stage.body_async().await
    }
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (one, other) = (runtime(), runtime());
        assert_eq!(one.block_on(value(&stage)), Ok(0), "{tier}");
        clock.advance(61 * SECOND);
        // The renewal is a task of this runtime, which nobody drives from here on.
        assert_eq!(one.block_on(value(&stage)), Ok(0), "{tier}");
        clock.advance(30 * SECOND);
        let called = other.block_on(async { poll_times(value(&stage), 100) });
        assert_eq!(called, Poll::Ready(Ok(1)), "{tier}");
    }
}

#[test]
fn without_a_runtime_a_value_is_served_whose_renewal_takes_too_long() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30, timeout = "50ms")]
    async fn stale(stage: &Stage) -> stage::Outcome {
        stage.body_async().await
    }
    #[cached(cache = stage.cache(), skip(stage, clock), ttl = 60, early = 1.0, timeout = "50ms")]
    async fn early(stage: &Stage, clock: &ManualClock) -> stage::Outcome {
        let outcome = stage.body_async().await;
        clock.advance(SECOND);
        outcome
    }
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            // On a busy machine it may take too long.
            while without_a_runtime(stale(&stage)).is_err() {}
            while without_a_runtime(early(&stage, &clock)).is_err() {}
            let before = stage.stats();
            clock.advance(Duration::from_nanos(59_999_999_999));
            stage.shut();
            let (value, served) = without_a_runtime(observe_async(early(&stage, &clock)));
            assert!(value.is_ok(), "{tier}: {value:?}");
            assert_eq!(served.outcome, Outcome::Hit, "{tier}");
            clock.advance(SECOND);
            let (value, served) = without_a_runtime(observe_async(stale(&stage)));
            assert!(value.is_ok(), "{tier}: {value:?}");
            assert_eq!(served.outcome, Outcome::Stale, "{tier}");
            let stats = stage.stats() - &before;
            let counted = (stats.hits, stats.misses, stats.stale_hits, stats.refresh_failures);
            assert_eq!(counted, (2, 0, 1, 2), "{tier}: {stats}");
        }
    });
}

#[test]
fn hazard_19_who_waits_for_a_body_whose_runtime_is_shut_down_is_told_at_once() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, timeout = "1h", stale_if_error = "1h")]
    async fn value(stage: &Stage, n: u32) -> stage::Outcome {
        let _ = n;
        stage.body_async().await
    }
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(without_a_runtime(value(&stage, 0)), Ok(0), "{tier}");
            clock.advance(60 * SECOND);
            stage.shut();
            for (n, expected) in [(0, Ok(0)), (1, Err(Failure::Late))] {
                let runs = stage.runs();
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
                let (handle, stage_of_it) = (runtime.handle().clone(), stage.clone());
                let caller = thread::spawn(move || {
                    let _entered = handle.enter();
                    without_a_runtime(value(&stage_of_it, n))
                });
                until("the body runs", || stage.runs() > runs);
                drop(runtime);
                assert_eq!(caller.join().unwrap(), expected, "{tier}");
            }
        }
    });
}
