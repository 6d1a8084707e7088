//! `stale`: past its time a value is served for a while, as it is computed anew in the background.

use std::future::Future;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use cacheado::backends::SharedMemory;
use cacheado::rules::{Effect, EntryMeta, Rule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, Key, Ttl, cached};
use cacheado_tests::Counter;
use cacheado_tests::stage::{Failure, Outcome, Stage, tiers};
use cacheado_tests::tenancy::scopes;
use cacheado_tests::wait::{in_time, on_one_thread, on_threads, others_wait, until};

const SECOND: Duration = Duration::from_secs(1);

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30, tags("all"))]
fn value(stage: &Stage, key: &str) -> Outcome {
    assert!(!key.is_empty());
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30, tags("all"))]
async fn value_async(stage: &Stage, key: &str) -> Outcome {
    assert!(!key.is_empty());
    stage.body_async().await
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30, scope = "user")]
fn of_a_tenant(stage: &Stage, org_id: Option<&'static str>, user_id: u32) -> Outcome {
    assert!(user_id < 1_000 && org_id != Some(""));
    stage.body()
}

/// The same entry as `value`'s, on a node that has not been told of `stale`.
mod before {
    use super::{Outcome, Stage, cached};

    #[cached(cache = stage.cache(), skip(stage), ttl = 60, name = "shared")]
    pub(crate) fn plain(stage: &Stage) -> Outcome {
        stage.body()
    }

    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30, name = "shared")]
    pub(crate) fn stale(stage: &Stage) -> Outcome {
        stage.body()
    }

    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 3_000, name = "shared")]
    pub(crate) fn staler(stage: &Stage) -> Outcome {
        stage.body()
    }
}

#[test]
fn a_stale_value_is_served_while_one_caller_renews_it() {
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
            clock.advance(59 * SECOND);
            assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
            stage.shut();
            clock.advance(SECOND);
            for _ in 0..3 {
                assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
                assert_eq!(value_entry(&stage, "a").peek().unwrap(), Some(Ok(0)), "{tier}");
                assert_eq!(value_entry(&stage, "a").remaining().unwrap(), Some(Duration::ZERO), "{tier}");
            }
            until("one renewal runs", || stage.runs() == 2);
            let stats = stage.stats();
            assert_eq!((stats.hits, stats.misses, stats.stale_hits), (4, 1, 3), "{tier}: {stats}");
            assert_eq!(stats.total_keys, 1, "{tier}: {stats}");
            stage.open();
            until("the new value is there", || value(&stage, "a") == Ok(1));
            clock.advance(59 * SECOND);
            assert_eq!((value(&stage, "a"), stage.runs()), (Ok(1), 2), "{tier}: with a time of its own");
        }
    });
}

#[test]
fn a_stale_value_is_served_while_a_task_renews_it() {
    on_one_thread(|| async {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(value_async(&stage, "a").await, Ok(0), "{tier}");
            stage.shut();
            clock.advance(60 * SECOND);
            for _ in 0..3 {
                assert_eq!(value_async(&stage, "a").await, Ok(0), "{tier}");
                others_wait().await;
            }
            assert_eq!(stage.runs(), 2, "{tier}");
            let stats = stage.stats();
            assert_eq!((stats.hits, stats.misses, stats.stale_hits), (3, 1, 3), "{tier}: {stats}");
            stage.open();
            while value_async(&stage, "a").await != Ok(1) {
                others_wait().await;
            }
            assert_eq!(stage.runs(), 2, "{tier}");
        }
    });
}

#[test]
fn hazard_10_past_its_grace_a_value_is_not_served() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
        clock.advance(90 * SECOND);
        assert_eq!(value_entry(&stage, "a").peek().unwrap(), None, "{tier}");
        assert!(!value_entry(&stage, "a").evict().unwrap(), "{tier}: there is nothing to evict");
        assert_eq!(value(&stage, "a"), Ok(1), "{tier}: computed while the caller waits");
        assert_eq!(stage.stats().stale_hits, 0, "{tier}");
    }
}

#[test]
fn hazard_20_64_threads_at_a_stale_value_call_the_body_once() {
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let (stage, barrier) = (Stage::new(&cache), Barrier::new(64));
            assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
            clock.advance(60 * SECOND);
            stage.shut();
            thread::scope(|threads| {
                for _ in 0..64 {
                    threads.spawn(|| {
                        barrier.wait();
                        assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
                    });
                }
            });
            until("the body runs", || stage.runs() == 2);
            stage.open();
            until("it is stored", || value(&stage, "a") == Ok(1));
            assert_eq!(stage.runs(), 2, "{tier}");
        }
    });
}

#[test]
fn hazard_20_a_thousand_tasks_at_a_stale_value_call_the_body_once() {
    on_threads(2, || async {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(value_async(&stage, "a").await, Ok(0), "{tier}");
            clock.advance(60 * SECOND);
            let calls: Vec<_> = (0..1_000)
                .map(|_| {
                    let stage = stage.clone();
                    tokio::spawn(async move { value_async(&stage, "a").await })
                })
                .collect();
            for call in calls {
                assert!(matches!(call.await.unwrap(), Ok(0 | 1)), "{tier}");
            }
            while value_async(&stage, "a").await != Ok(1) {
                tokio::task::yield_now().await;
            }
            assert_eq!(stage.runs(), 2, "{tier}");
            let stats = stage.stats();
            assert_eq!((stats.misses, stats.backend_errors), (1, 0), "{tier}: {stats}");
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
fn hazard_21_what_is_evicted_during_its_renewal_is_neither_served_nor_stored() {
    in_time(|| {
        for (way, evict) in WAYS {
            for (tier, cache, clock) in tiers() {
                let stage = Stage::new(&cache);
                assert_eq!(value(&stage, "a"), Ok(0));
                clock.advance(60 * SECOND);
                stage.shut();
                assert_eq!(value(&stage, "a"), Ok(0));
                until("the renewal runs", || stage.runs() == 2);
                evict(&stage);
                assert_eq!(value_entry(&stage, "a").peek().unwrap(), None, "{way} on {tier}");
                stage.open();
                assert_eq!(value(&stage, "a"), Ok(2), "{way} on {tier}: what began before is not joined");
                until("the renewal has ended", || stage.ended() == 3);
                for _ in 0..10 {
                    thread::yield_now();
                    assert_eq!(value(&stage, "a"), Ok(2), "{way} on {tier}");
                }
            }
        }
    });
}

#[test]
fn hazard_22_a_renewal_overwrites_nothing_newer() {
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(value(&stage, "a"), Ok(0));
            clock.advance(60 * SECOND);
            stage.shut();
            assert_eq!(value(&stage, "a"), Ok(0));
            until("the renewal runs", || stage.runs() == 2);
            value_entry(&stage, "a").set(77).unwrap();
            stage.open();
            until("the renewal has ended", || stage.ended() == 2);
            for _ in 0..100 {
                thread::yield_now();
                assert_eq!(value(&stage, "a"), Ok(77), "{tier}");
            }
        }
    });
}

#[test]
fn hazard_19_a_renewal_that_fails_or_panics_lets_go_and_is_tried_again() {
    in_time(|| {
        for panics in [false, true] {
            for (tier, cache, clock) in tiers() {
                let stage = Stage::new(&cache);
                assert_eq!(value(&stage, "a"), Ok(0));
                clock.advance(60 * SECOND);
                stage.fail(true);
                stage.panic(panics);
                assert_eq!(value(&stage, "a"), Ok(0));
                until("the failure is known", || stage.stats().refresh_failures == 1);
                for _ in 0..10 {
                    assert_eq!(value(&stage, "a"), Ok(0), "{tier}");
                }
                assert_eq!(stage.runs(), 2, "{tier}: a failing body is left alone for a while");
                clock.advance(SECOND);
                stage.fail(false);
                stage.panic(false);
                until("it is tried again", || value(&stage, "a") == Ok(2));
                assert_eq!(stage.runs(), 3, "{tier}");
            }
        }
    });
}

#[test]
fn hazard_19_a_caller_that_goes_away_takes_its_renewal_not_with_it() {
    on_one_thread(|| async {
        for (tier, cache, clock) in tiers() {
            for polls in 0..8 {
                let (stage, key) = (Stage::new(&cache), &*polls.to_string());
                assert_eq!(value_async(&stage, key).await, Ok(0));
                clock.advance(60 * SECOND);
                {
                    let mut call = Box::pin(value_async(&stage, key));
                    for _ in 0..polls {
                        if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                            break;
                        }
                        others_wait().await;
                    }
                }
                loop {
                    others_wait().await;
                    if value_async(&stage, key).await != Ok(0) {
                        break;
                    }
                }
                assert!(stage.runs() <= 3, "{tier}, dropped after {polls} polls: {} runs", stage.runs());
            }
        }
    });
}

#[test]
fn hazard_23_a_body_that_calls_itself_gets_the_stale_value() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30)]
    fn itself(stage: &Stage) -> Outcome {
        let run = stage.body()?;
        if run == 1 { Ok(10 + itself(stage)?) } else { Ok(run) }
    }
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(itself(&stage), Ok(0), "{tier}");
            clock.advance(60 * SECOND);
            until("the new value is there", || itself(&stage) == Ok(10));
        }
    });
}

#[test]
fn hazard_09_without_a_tenant_nothing_stale_is_served() {
    let (_, cache, clock) = tiers().remove(0);
    let stage = Stage::new(&cache);
    assert_eq!(of_a_tenant(&stage, Some("acme"), 7), Ok(0));
    clock.advance(60 * SECOND);
    assert_eq!(of_a_tenant(&stage, None, 7), Ok(1));
    assert_eq!(of_a_tenant(&stage, Some("globex"), 7), Ok(2));
    let stats = stage.stats();
    assert_eq!((stats.bypassed, stats.stale_hits), (1, 0), "{stats}");
    assert_eq!(cache.evict_by_scope(&scopes::organization("acme")).unwrap(), 1, "in its grace, it is there");
}

#[test]
fn hazard_13_the_grace_begins_where_the_time_of_the_value_ends() {
    #[cached(cache = stage.cache(), skip(stage, clock), ttl = 60, stale = 30)]
    fn slow(stage: &Stage, clock: &ManualClock) -> Outcome {
        clock.advance(100 * SECOND);
        stage.body()
    }
    let (_, cache, clock) = tiers().remove(0);
    let stage = Stage::new(&cache);
    assert_eq!(slow(&stage, &clock), Ok(0));
    clock.advance(59 * SECOND);
    assert_eq!((slow(&stage, &clock), stage.runs()), (Ok(0), 1));
    clock.advance(30 * SECOND);
    stage.fail(true);
    assert_eq!(slow_entry(&stage, &clock).peek().unwrap(), Some(Ok(0)));
    clock.advance(SECOND);
    assert_eq!(slow_entry(&stage, &clock).peek().unwrap(), None);
}

#[test]
fn a_renewal_with_nothing_to_store_takes_the_old_value_away() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30)]
    fn first_only(stage: &Stage) -> Option<usize> {
        stage.body().ok().filter(|run| *run == 0)
    }
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(first_only(&stage), Some(0), "{tier}");
            clock.advance(60 * SECOND);
            assert_eq!(first_only(&stage), Some(0), "{tier}");
            until("it is gone", || first_only_entry(&stage).peek().unwrap().is_none());
            assert_eq!(first_only(&stage), None, "{tier}");
        }
    });
}

#[test]
fn each_node_goes_by_its_own_stale_and_none_past_it() {
    in_time(|| {
        let clock = ManualClock::new();
        let backend = SharedMemory::with_clock(clock.clone());
        let node =
            || Stage::new(&Cache::builder().backend(backend.clone()).clock(clock.clone()).build().unwrap());
        let (plain, stale, staler) = (node(), node(), node());
        for stage in [&plain, &stale, &staler] {
            stage.fail(true);
        }
        staler.fail(false);
        assert_eq!(before::staler(&staler), Ok(0));
        staler.fail(true);
        assert_eq!((before::plain(&plain), before::stale(&stale)), (Ok(0), Ok(0)), "they share the entry");
        clock.advance(60 * SECOND);
        assert_eq!(before::plain(&plain), Err(Failure::Down), "without `stale` it is past its time");
        assert_eq!(before::stale(&stale), Ok(0));
        clock.advance(30 * SECOND);
        assert_eq!((before::stale(&stale), before::staler(&staler)), (Err(Failure::Down), Ok(0)));
        clock.advance(2_970 * SECOND);
        assert_eq!(before::staler(&staler), Err(Failure::Down));
    });
}

#[test]
fn rules_see_what_is_served_past_its_time_and_do_not_bring_it_back() {
    struct Watching(Arc<Counter>);
    impl Rule for Watching {
        fn on_get(&self, key: &Key, entry: &EntryMeta) -> Effect {
            self.0.next();
            assert!(key.to_string().contains("value"), "{key}");
            assert!(entry.ttl().is_some_and(|left| left <= 60 * SECOND));
            Effect::SetTtl(Ttl::Never)
        }
    }
    in_time(|| {
        let (seen, clock) = (Arc::new(Counter::new()), ManualClock::new());
        let rule = Watching(Arc::clone(&seen));
        // The second is told of no lifetime that the first has set: there will be none.
        let cache = Cache::builder().rule(rule).rule(Watching(Arc::new(Counter::new())));
        let cache = cache.clock(clock.clone()).build().unwrap();
        let stage = Stage::new(&cache);
        assert_eq!(value(&stage, "a"), Ok(0));
        clock.advance(60 * SECOND);
        stage.shut();
        for n in 1..4 {
            assert_eq!((value(&stage, "a"), seen.get()), (Ok(0), n));
        }
        clock.advance(30 * SECOND);
        assert_eq!(value_entry(&stage, "a").peek().unwrap(), None);
        assert_eq!(cache.stats().rule_panics, 0);
        stage.open();
    });
}

#[test]
fn a_renewal_takes_its_turn_among_processes() {
    #[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30, single_flight = "distributed")]
    fn in_turn(stage: &Stage) -> Outcome {
        stage.body()
    }
    in_time(|| {
        let clock = ManualClock::new();
        let backend = SharedMemory::with_clock(clock.clone());
        let node =
            || Stage::new(&Cache::builder().backend(backend.clone()).clock(clock.clone()).build().unwrap());
        let (one, two) = (node(), node());
        assert_eq!(in_turn(&one), Ok(0));
        clock.advance(60 * SECOND);
        one.shut();
        assert_eq!(in_turn(&one), Ok(0));
        until("one node renews it", || one.runs() == 2);
        for _ in 0..20 {
            assert_eq!(in_turn(&two), Ok(0));
            thread::yield_now();
        }
        one.open();
        until("the new value is on both", || in_turn(&one) == Ok(1) && in_turn(&two) == Ok(1));
        assert_eq!((one.runs(), two.runs()), (2, 0));
        assert_eq!(two.stats().misses, 0);
    });
}

#[test]
fn without_a_runtime_a_stale_value_is_renewed_by_its_caller() {
    let (_, cache, clock) = tiers().remove(0);
    let stage = Stage::new(&cache);
    let call = || {
        let mut call = Box::pin(value_async(&stage, "a"));
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("there is nothing to wait for"),
        }
    };
    assert_eq!(call(), Ok(0));
    clock.advance(60 * SECOND);
    assert_eq!((call(), stage.runs()), (Ok(1), 2));
    clock.advance(60 * SECOND);
    stage.fail(true);
    assert_eq!((call(), stage.runs()), (Ok(1), 3), "where it fails, the stale value is served");
}

#[test]
fn the_background_has_the_cache_of_its_caller() {
    #[cached]
    fn inner(n: u32) -> u32 {
        n
    }
    #[cached(skip(stage), ttl = 60, stale = 30)]
    fn outer(stage: &Stage, n: u32) -> Outcome {
        inner(n);
        stage.body()
    }
    in_time(|| {
        let (_, cache, clock) = tiers().remove(0);
        let stage = Stage::new(&cache);
        cacheado::with_cache(&cache, || {
            assert_eq!(outer(&stage, 1), Ok(0));
            assert!(inner_entry(1).evict().unwrap());
            clock.advance(60 * SECOND);
            assert_eq!(outer(&stage, 1), Ok(0));
            until("the renewal has ended", || stage.ended() == 2);
            assert_eq!(inner_entry(1).peek().unwrap(), Some(1));
        });
    });
}
