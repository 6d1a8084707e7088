//! What asks for the surroundings of a call, or for how it ends, together with what lets values be used past their time.

use std::time::Duration;

use cacheado::{bypass, bypass_async, cached};
use cacheado_tests::stage::{Failure, Outcome, Stage, tiers};
use cacheado_tests::wait::on_one_thread;

const SECOND: Duration = Duration::from_secs(1);

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = "1h")]
fn covered(stage: &Stage) -> Outcome {
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, timeout = "50ms", stale_if_error = "1h")]
async fn hurried_and_covered(stage: &Stage) -> Outcome {
    stage.body_async().await
}

#[test]
fn a_bypass_is_told_of_the_failure() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        assert_eq!(covered(&stage), Ok(0), "{tier}");
        stage.fail(true);
        clock.advance(60 * SECOND);
        assert_eq!(bypass(|| covered(&stage)), Err(Failure::Down), "{tier}: nothing is read");
        let stats = stage.stats();
        assert_eq!((stats.hits, stats.misses, stats.stale_hits), (0, 1, 0), "{tier}: {stats}");
        assert_eq!((stats.bypassed, stats.refresh_failures), (1, 0), "{tier}: {stats}");
    }
}

#[test]
fn a_bypass_that_takes_too_long_is_no_miss_and_reads_nothing() {
    on_one_thread(|| async {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(hurried_and_covered(&stage).await, Ok(0), "{tier}");
            clock.advance(60 * SECOND);
            stage.shut();
            assert_eq!(bypass_async(hurried_and_covered(&stage)).await, Err(Failure::Late), "{tier}");
            let stats = stage.stats();
            assert_eq!((stats.hits, stats.misses, stats.bypassed), (0, 1, 1), "{tier}: {stats}");
            assert_eq!(stats.stale_hits, 0, "{tier}: {stats}");
        }
    });
}
