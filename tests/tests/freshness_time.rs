//! `early` and `jitter` (hazards 13 and 14), and the times of `cache_none` and `cache_err`.

use std::time::Duration;

use cacheado::cached;
use cacheado::rules::Lru;
use cacheado::testing::{ManualClock, seed};
use cacheado::{Cache, Ttl};
use cacheado_tests::stage::{Outcome, Stage, tiers};
use cacheado_tests::wait::{in_time, on_one_thread, others_wait, until};

const SECOND: Duration = Duration::from_secs(1);

/// Costs ten seconds, so that it can be computed anew from 222 seconds before its expiry on.
#[cached(cache = stage.cache(), skip(stage, clock), ttl = 1_000, early = 1.0)]
async fn costly(stage: &Stage, clock: &ManualClock) -> Outcome {
    let outcome = stage.body_async().await;
    clock.advance(10 * SECOND);
    outcome
}

#[cached(cache = stage.cache(), skip(stage), ttl = 1_000, early = 1.0)]
fn cheap(stage: &Stage) -> Outcome {
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage), ttl = 1_000, early = 1e12)]
async fn eager(stage: &Stage) -> Outcome {
    stage.body_async().await
}

#[cached(cache = stage.cache(), skip(stage), ttl = 1_000, jitter = 0.1)]
fn jittered(stage: &Stage, n: u32) -> Outcome {
    stage.body().map(|run| run + n as usize)
}

#[cached(cache = stage.cache(), skip(stage), ttl = 1_000, jitter = 1)]
fn jittered_wholly(stage: &Stage, n: u32) -> Outcome {
    stage.body().map(|run| run + n as usize)
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, cache_none = "30s", stale = 10)]
fn nothing(stage: &Stage) -> Option<usize> {
    stage.body().ok()
}

#[test]
fn hazard_14_early_refresh_comes_before_the_expiry_and_lengthens_nothing() {
    on_one_thread(|| async {
        let (_, cache, clock) = tiers().remove(0);
        let stage = Stage::new(&cache);
        seed(7);
        assert_eq!(costly(&stage, &clock).await, Ok(0));
        let left = async || costly_entry(&stage, &clock).remaining().await.unwrap().unwrap();
        assert_eq!(left().await, 1_000 * SECOND, "the entry's own time is what was granted");
        clock.advance(778 * SECOND);
        for _ in 0..1_000 {
            assert_eq!(costly(&stage, &clock).await, Ok(0));
        }
        others_wait().await;
        assert_eq!((stage.runs(), left().await), (1, 222 * SECOND), "too early even for chance");
        stage.shut();
        let mut lookups = 1_001;
        while stage.runs() == 1 {
            clock.advance(SECOND);
            assert!(left().await > Duration::ZERO, "it was not computed anew before its expiry");
            assert_eq!(costly(&stage, &clock).await, Ok(0));
            lookups += 1;
            others_wait().await;
        }
        let stats = stage.stats();
        assert_eq!((stats.hits + 1, stats.misses, stats.stale_hits), (lookups, 1, 0), "{stats}");
        stage.open();
        others_wait().await;
        assert_eq!((costly(&stage, &clock).await, left().await), (Ok(1), 1_000 * SECOND));
    });
}

#[test]
fn hazard_13_what_costs_nothing_is_not_computed_early() {
    let (_, cache, clock) = tiers().remove(0);
    let stage = Stage::new(&cache);
    assert_eq!(cheap(&stage), Ok(0));
    clock.advance(999 * SECOND + Duration::from_nanos(999_999_999));
    for _ in 0..1_000 {
        assert_eq!(cheap(&stage), Ok(0));
    }
    clock.advance(Duration::from_nanos(1));
    assert_eq!(cheap(&stage), Ok(1), "and past its time it is not served");
}

#[test]
fn early_refresh_is_one_callers_in_the_background_on_each_tier() {
    on_one_thread(|| async {
        for (tier, cache, clock) in tiers() {
            // In memory, the cost is that by the cache's clock: none.
            if tier == "memory" {
                continue;
            }
            let stage = Stage::new(&cache);
            assert_eq!(eager(&stage).await, Ok(0), "{tier}");
            // Behind a near cache, a copy is served until it ends; then the backend's entry is read again.
            clock.advance(999 * SECOND);
            stage.shut();
            for _ in 0..100 {
                assert_eq!(eager(&stage).await, Ok(0), "{tier}");
                others_wait().await;
            }
            assert_eq!(stage.runs(), 2, "{tier}");
            assert_eq!((stage.stats().stale_hits, stage.stats().misses), (0, 1), "{tier}");
            stage.open();
            while stage.ended() < 2 {
                others_wait().await;
            }
            while eager_entry(&stage).remaining().await.unwrap().is_none_or(|left| left <= 500 * SECOND) {
                others_wait().await;
            }
            assert_eq!(stage.runs(), 2, "{tier}");
        }
    });
}

#[test]
fn hazard_14_jitter_shortens_each_time_and_lengthens_none() {
    for (tier, cache, _) in tiers() {
        let stage = Stage::new(&cache);
        seed(7);
        let mut times: Vec<_> = (0..200)
            .map(|n| {
                jittered(&stage, n).unwrap();
                jittered_wholly(&stage, n).unwrap();
                let whole = jittered_wholly_entry(&stage, n).remaining().unwrap();
                assert!(whole.is_none_or(|whole| whole <= 1_000 * SECOND), "{tier}: {whole:?}");
                jittered_entry(&stage, n).remaining().unwrap().expect("a time")
            })
            .collect();
        times.sort();
        let (first, last) = (times[0], times[199]);
        assert!(first >= 900 * SECOND && last <= 1_000 * SECOND, "{tier}: {first:?} to {last:?}");
        assert!(first < 910 * SECOND && last > 990 * SECOND, "{tier}: {first:?} to {last:?}");
        times.dedup();
        assert!(times.len() > 190, "{tier}: they differ");
    }
}

#[test]
fn hazard_13_nothing_has_a_time_and_a_grace_of_its_own() {
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            stage.fail(true);
            assert_eq!((nothing(&stage), nothing(&stage), stage.runs()), (None, None, 1), "{tier}");
            clock.advance(30 * SECOND);
            stage.fail(false);
            assert_eq!(nothing(&stage), None, "{tier}: an answer as good as any");
            until("the new value is there", || nothing(&stage) == Some(1));
            assert_eq!(nothing_entry(&stage).remaining().unwrap(), Some(60 * SECOND), "{tier}");
        }
    });
}

#[test]
fn hazard_17_an_entry_in_its_grace_is_one_of_those_that_a_bound_counts() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = 600)]
    fn bounded(stage: &Stage, n: u32) -> Outcome {
        stage.body().map(|run| run + n as usize)
    }
    let clock = ManualClock::new();
    let cache = Cache::builder().clock(clock.clone()).rule(Lru::new(2)).build().unwrap();
    let stage = Stage::new(&cache);
    for n in 0..2 {
        bounded(&stage, n).unwrap();
    }
    clock.advance(60 * SECOND);
    cache.set("key", &1_u8, Ttl::Never).unwrap();
    assert_eq!(cache.stats().total_keys, 2);
    stage.fail(true);
    assert!(bounded(&stage, 0).is_err(), "it has been driven out");
    assert_eq!(bounded(&stage, 1), Ok(2));
    clock.advance(600 * SECOND);
    cache.set("other", &1_u8, Ttl::Never).unwrap();
    assert_eq!(cache.stats().total_keys, 2, "what is gone leaves first");
    assert_eq!(cache.get::<u8>("key").unwrap(), Some(1));
}
