//! Computations that end with nothing to store: what was there when they began is old, and goes. What has come since
//! is not theirs to take away (hazard 22).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cacheado::backends::{Memory, SharedMemory};
use cacheado::rules::{Effect, EntryMeta, Lru, Rule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, Key, cached};
use cacheado_tests::gate::Gated;
use cacheado_tests::stage::{Stage, tiers};
use cacheado_tests::wait::{in_time, on_one_thread, others_wait, until};

const SECOND: Duration = Duration::from_secs(1);

/// Its first body finds something.
#[cached(cache = stage.cache(), skip(stage), ttl = 60, name = "retraction.found")]
fn found(stage: &Stage) -> Option<usize> {
    stage.body().ok().filter(|run| *run == 0)
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30)]
async fn renewed(stage: &Stage) -> Option<usize> {
    stage.body_async().await.ok().filter(|run| *run == 0)
}

/// Its first body finds something that can be stored, others what cannot.
#[cached(cache = stage.cache(), skip(stage), ttl = 60, cache_if = is_first)]
fn accepted(stage: &Stage) -> usize {
    stage.body().expect("it does not fail")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as `cache_if` gives it")]
fn is_first(run: &usize) -> bool {
    *run == 0
}

/// Refreshes, and does something while the body runs.
fn refresh<R: Send>(stage: &Stage, run: impl FnOnce() -> R + Send, meanwhile: impl FnOnce()) -> R {
    let runs = stage.runs();
    stage.shut();
    thread::scope(|threads| {
        let refresh = threads.spawn(run);
        until("the body runs", || stage.runs() > runs);
        meanwhile();
        stage.open();
        refresh.join().expect("it does not panic")
    })
}

#[test]
fn a_refresh_that_finds_nothing_takes_the_old_value_away() {
    in_time(|| {
        for (tier, cache, _) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!((found(&stage), accepted(&Stage::new(&cache))), (Some(0), 0));
            assert_eq!(found_entry(&stage).refresh(), None);
            assert_eq!(found_entry(&stage).peek().unwrap(), None, "{tier}");
            assert_eq!(accepted_entry(&stage).refresh(), 2);
            assert_eq!(accepted_entry(&stage).peek().unwrap(), None, "{tier}");
        }
    });
}

#[test]
fn hazard_22_a_refresh_that_finds_nothing_leaves_what_was_set_meanwhile() {
    in_time(|| {
        for (tier, cache, _) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(found(&stage), Some(0));
            let set = || found_entry(&stage).set(77).unwrap();
            assert_eq!(refresh(&stage, || found_entry(&stage).refresh(), set), None, "{tier}");
            assert_eq!(found_entry(&stage).peek().unwrap(), Some(Some(77)), "{tier}");
            assert_eq!(found(&stage), Some(77), "{tier}");

            let set = || accepted_entry(&stage).set(0).unwrap();
            refresh(&stage, || accepted_entry(&stage).refresh(), set);
            assert_eq!(accepted_entry(&stage).peek().unwrap(), Some(0), "{tier}");
        }
    });
}

#[test]
fn hazard_22_a_refresh_that_finds_nothing_leaves_what_another_node_has_set_meanwhile() {
    in_time(|| {
        for near in [false, true] {
            let server = SharedMemory::new();
            let node = |near| {
                let builder = Cache::builder().backend(server.clone());
                if near { builder.near(Memory::new()) } else { builder }.build().unwrap()
            };
            let (stage, other) = (Stage::new(&node(near)), Stage::new(&node(false)));
            assert_eq!(found(&stage), Some(0));
            let set = || found_entry(&other).set(77).unwrap();
            assert_eq!(refresh(&stage, || found_entry(&stage).refresh(), set), None);
            assert_eq!(found_entry(&other).peek().unwrap(), Some(Some(77)), "with a near cache: {near}");
        }
    });
}

#[test]
fn hazard_22_a_renewal_that_finds_nothing_leaves_what_was_set_meanwhile() {
    on_one_thread(|| async {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(renewed(&stage).await, Some(0));
            clock.advance(60 * SECOND);
            stage.shut();
            assert_eq!(renewed(&stage).await, Some(0));
            while stage.runs() < 2 {
                others_wait().await;
            }
            renewed_entry(&stage).set(77).await.unwrap();
            stage.open();
            while stage.ended() < 2 || format!("{cache:?}").contains("under_way: 1") {
                others_wait().await;
            }
            assert_eq!(renewed_entry(&stage).peek().await.unwrap(), Some(Some(77)), "{tier}");
        }
    });
}

/// In an outage a refresh is not announced, so that the backend does not know what has come since: it goes by what this
/// node has heard, and takes nothing away where it may not have heard all.
#[test]
fn hazard_22_a_refresh_in_an_outage_that_finds_nothing_leaves_what_this_node_may_not_have_heard_of() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, cache_if = is_first)]
    async fn accepted(stage: &Stage) -> usize {
        stage.body_async().await.expect("it does not fail")
    }
    #[derive(Debug, PartialEq)]
    enum Other {
        Rests,
        Sets,
        SetsUnheard,
    }
    on_one_thread(|| async {
        for other_node in [Other::Rests, Other::Sets, Other::SetsUnheard] {
            let server = SharedMemory::new();
            let gated = Gated::new(server.clone());
            let builder = Cache::builder().backend(gated.clone()).near(Memory::new());
            let near = builder.background(|task| drop(tokio::spawn(task))).build().unwrap();
            let stage = Stage::new(&near);
            let other = Stage::new(&Cache::builder().backend(server.clone()).build().unwrap());
            assert_eq!(accepted_entry(&stage).peek().await.unwrap(), None);
            others_wait().await; // until the node listens
            assert_eq!(accepted(&stage).await, 0);

            gated.take_claims(false);
            stage.shut();
            let refreshed = stage.clone();
            let refresh = tokio::spawn(async move { accepted_entry(&refreshed).refresh().await });
            while stage.runs() < 2 {
                others_wait().await;
            }
            if other_node == Other::SetsUnheard {
                server.cut_bus();
            }
            if other_node != Other::Rests {
                accepted_entry(&other).set(0).await.unwrap();
            }
            if other_node == Other::SetsUnheard {
                server.mend_bus();
            }
            others_wait().await;
            stage.open();
            assert_eq!(refresh.await.unwrap(), 1);
            let left = accepted_entry(&other).peek().await.unwrap();
            assert_eq!(left, (other_node != Other::Rests).then_some(0), "{other_node:?}");
        }
    });
}

/// Lets nothing pass while it is on.
#[derive(Clone, Default)]
struct Strict(Arc<AtomicBool>);

impl Rule for Strict {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        if self.0.load(Ordering::SeqCst) { Effect::Reject } else { Effect::Continue }
    }
}

#[test]
fn hazard_15_of_what_a_rule_rejects_only_a_fresh_value_stays_where_the_body_finds_nothing() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30)]
    fn ages(stage: &Stage) -> Option<usize> {
        stage.body().ok().filter(|run| *run == 0)
    }
    in_time(|| {
        for is_remote in [false, true] {
            let (clock, rule) = (ManualClock::new(), Strict::default());
            let builder = Cache::builder().clock(clock.clone()).rule(rule.clone());
            let server = SharedMemory::with_clock(clock.clone());
            let builder = if is_remote { builder.backend(server) } else { builder };
            let stage = Stage::new(&builder.build().unwrap());
            assert_eq!(ages(&stage), Some(0));
            rule.0.store(true, Ordering::SeqCst);
            assert_eq!((ages(&stage), stage.runs()), (None, 2));
            rule.0.store(false, Ordering::SeqCst);
            assert_eq!((ages(&stage), stage.runs()), (Some(0), 2), "remote: {is_remote}");
            clock.advance(60 * SECOND);
            rule.0.store(true, Ordering::SeqCst);
            assert_eq!((ages(&stage), stage.runs()), (None, 3));
            rule.0.store(false, Ordering::SeqCst);
            assert_eq!(
                (ages(&stage), stage.runs()),
                (None, 4),
                "what was past its time is gone: {is_remote}"
            );
        }
    });
}

/// What this process knows of a remote entry is of the one that is there.
#[test]
fn a_rule_knows_of_what_was_set_while_a_refresh_found_nothing() {
    in_time(|| {
        let cache = Cache::builder().backend(SharedMemory::new()).rule(Lru::new(1)).build().unwrap();
        let stage = Stage::new(&cache);
        assert_eq!(found(&stage), Some(0));
        let set = || found_entry(&stage).set(77).unwrap();
        assert_eq!(refresh(&stage, || found_entry(&stage).refresh(), set), None);
        assert_eq!(found_entry(&stage).peek().unwrap(), Some(Some(77)));
        cache.set("another", &1_u32, 60 * SECOND).unwrap();
        assert_eq!(found_entry(&stage).peek().unwrap(), None, "the other drives it out");
    });
}
