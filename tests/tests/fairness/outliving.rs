//! Bounds of computations, where a body outlives the one that has called it.

use cacheado::prelude::*;
use cacheado_tests::wait::{on_one_thread, others_wait};

use crate::computations::{Stage, quick};
use crate::scopes;

#[cached(cache = stage.cache, skip(stage), scope = "organization", timeout = "20ms")]
async fn part(stage: &'static Stage, org_id: &str, n: usize) -> Result<usize, cacheado::Error> {
    let _ = org_id;
    stage.enter();
    stage.through_the_gate().await;
    stage.inside.leave();
    Ok(n)
}

#[cached(cache = stage.cache, skip(stage), scope = "organization")]
async fn whole(stage: &'static Stage, org_id: &str, n: usize) -> Result<usize, cacheado::Error> {
    part(stage, org_id, n).await
}

#[test]
fn a_part_that_goes_on_without_its_body_keeps_the_place() {
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        assert!(whole(stage, "acme", 0).await.is_err(), "the part has taken too long, and goes on");
        let next = tokio::spawn(whole(stage, "acme", 1));
        others_wait().await;
        assert_eq!(stage.runs.get(), 1, "the next one waits for the part");
        assert!(whole(stage, "globex", 0).await.is_err(), "another tenant does not");
        stage.open();
        // On a busy machine it may take too long, too.
        let _ = next.await.unwrap();
        others_wait().await;
        assert_eq!((stage.runs.get(), stage.inside.get()), (3, 0));
        assert_eq!(stage.most.get(), 2, "one of each tenant");
        assert_eq!(quick(stage, "acme", 2), 2);
    });
}

#[test]
fn a_renewal_in_the_background_keeps_no_place_of_the_body_that_was_served() {
    #[cached(cache = cache, skip(cache, stage), scope = "organization", ttl = 60, stale = 60)]
    fn stale(cache: &Cache, stage: &'static Stage, org_id: &str) -> usize {
        let _ = org_id;
        let run = stage.runs.next();
        if run > 0 {
            stage.wait_for_the_gate();
        }
        run
    }
    #[cached(cache = cache, skip(cache, stage), scope = "organization")]
    async fn page(cache: &Cache, stage: &'static Stage, org_id: &str, n: usize) -> usize {
        let _ = n;
        stale(cache, stage, org_id)
    }
    let stage = Stage::leaked(1);
    on_one_thread(move || async move {
        let clock = cacheado::testing::ManualClock::new();
        let builder = Cache::builder().clock(clock.clone()).max_computations_per_scope("organization", 1);
        let cache = builder.build().unwrap();
        assert_eq!(page(&cache, stage, "acme", 0).await, 0);
        clock.advance(std::time::Duration::from_secs(61));
        assert_eq!(page(&cache, stage, "acme", 1).await, 0);
        assert_eq!(page(&cache, stage, "acme", 2).await, 0, "the renewal waits at the gate");
        stage.open();
    });
}
