//! What asks for the surroundings of a call, or for how it ends, together with what lets values be used past their time.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use cacheado::backends::{ErrorKind, Memory, SharedMemory};
use cacheado::key::Key;
use cacheado::rules::{Effect, EntryMeta, Rule};
use cacheado::testing::{Fault, FlakyBackend, ManualClock};
use cacheado::{Cache, Outcome, Stats, Tier, bypass, bypass_async, cached, observe_async, refresh_async};
use cacheado_tests::stage::{self, Failure, Stage, tiers};
use cacheado_tests::wait::{in_time, on_one_thread, others_wait, until, without_a_runtime};

cacheado::scopes! {
    pub mod scopes {
        organization(org_id)
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale_if_error = "1h")]
fn covered(stage: &Stage) -> stage::Outcome {
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, timeout = "50ms", stale_if_error = "1h")]
async fn hurried_and_covered(stage: &Stage) -> stage::Outcome {
    stage.body_async().await
}

/// Fills the entry by one body, whatever the machine has to do besides; what has been counted by then.
async fn filled(stage: &Stage) -> Stats {
    // A body that takes too long goes on.
    while hurried_and_covered(stage).await != Ok(0) {
        others_wait().await;
    }
    assert_eq!(stage.runs(), 1);
    stage.stats()
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 10, stale_if_error = "1h")]
fn stale_and_covered(stage: &Stage) -> stage::Outcome {
    stage.body()
}

type Counting = Result<u32, cacheado::Error>;

/// A future that calls itself has a name for its type.
fn boxed(
    future: impl Future<Output = Counting> + Send + 'static,
) -> Pin<Box<dyn Future<Output = Counting> + Send>> {
    Box::pin(future)
}

#[cached(skip(depth), timeout = "5s")]
async fn itself(depth: u32) -> Counting {
    if depth == 0 { Ok(0) } else { Ok(1 + itself_boxed(depth - 1).await?) }
}

fn itself_boxed(depth: u32) -> Pin<Box<dyn Future<Output = Counting> + Send>> {
    boxed(itself(depth))
}

#[cached(skip(depth), timeout = "5s")]
async fn ping(depth: u32) -> Counting {
    if depth == 0 { Ok(0) } else { Ok(1 + pong(depth - 1).await?) }
}

#[cached(skip(depth), timeout = "5s")]
async fn pong(depth: u32) -> Counting {
    if depth == 0 { Ok(0) } else { Ok(1 + ping_boxed(depth - 1).await?) }
}

fn ping_boxed(depth: u32) -> Pin<Box<dyn Future<Output = Counting> + Send>> {
    boxed(ping(depth))
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
            let before = filled(&stage).await;
            clock.advance(60 * SECOND);
            stage.shut();
            let (value, served) = observe_async(bypass_async(hurried_and_covered(&stage))).await;
            assert_eq!((value, served.outcome), (Err(Failure::Late), Outcome::Bypassed), "{tier}");
            let stats = stage.stats() - &before;
            assert_eq!((stats.hits, stats.misses, stats.bypassed), (0, 0, 1), "{tier}: {stats}");
            assert_eq!(stats.stale_hits, 0, "{tier}: {stats}");
        }
    });
}

#[test]
fn what_a_timed_body_calls_is_bypassed_and_refreshed_with_it() {
    #[cached(timeout = "60s")]
    async fn page(n: u32) -> Result<usize, cacheado::Error> {
        let _ = n;
        Ok(inner().await)
    }
    #[cached]
    async fn inner() -> usize {
        static PARTS: AtomicUsize = AtomicUsize::new(0);
        PARTS.fetch_add(1, Ordering::SeqCst)
    }
    on_one_thread(|| async {
        let (_, cache, _) = tiers().remove(0);
        cacheado::with_cache_async(&cache, async {
            assert_eq!(page(1).await.unwrap(), 0);
            assert_eq!(bypass_async(page(1)).await.unwrap(), 1, "directly or not");
            assert_eq!(inner().await, 0, "nothing has been stored");
            assert_eq!(refresh_async(page(1)).await.unwrap(), 2, "directly or not");
            assert_eq!(inner().await, 2);
        })
        .await;
    });
}

#[test]
fn who_waits_for_a_renewal_that_fails_is_served_the_older_value() {
    in_time(|| {
        let (_, cache, clock) = tiers().remove(0);
        let stage = Stage::new(&cache);
        assert_eq!(stale_and_covered(&stage), Ok(0));
        clock.advance(60 * SECOND);
        stage.shut();
        assert_eq!(stale_and_covered(&stage), Ok(0));
        until("it is renewed", || stage.runs() == 2);
        // Past `stale`: a caller waits for the renewal.
        clock.advance(10 * SECOND);
        thread::scope(|threads| {
            let waits = threads.spawn(|| stale_and_covered(&stage));
            until("it waits", || stage.stats().misses == 2);
            for _ in 0..1_000 {
                thread::yield_now();
            }
            stage.fail(true);
            stage.open();
            assert_eq!(waits.join().unwrap(), Ok(0));
        });
        assert_eq!(stage.runs(), 2, "the body is left alone");
    });
}

#[test]
fn hazard_23_a_timed_body_that_calls_itself_does_not_wait_for_itself() {
    on_one_thread(|| async {
        let (_, cache, _) = tiers().remove(0);
        cacheado::with_cache_async(&cache, async {
            assert_eq!(itself(4).await.unwrap(), 4);
            assert_eq!(ping(4).await.unwrap(), 4);
        })
        .await;
    });
}

#[test]
fn hazard_24_without_a_runtime_a_timed_body_does_not_run_on_the_thread_for_io() {
    static WHERE: Mutex<Option<thread::ThreadId>> = Mutex::new(None);
    #[cached(timeout = "60s")]
    async fn timed(n: u32) -> Result<u32, cacheado::Error> {
        *WHERE.lock().unwrap() = Some(thread::current().id());
        Ok(n)
    }
    let (_, cache, _) = tiers().remove(0);
    assert_eq!(without_a_runtime(cacheado::with_cache_async(&cache, timed(7))).unwrap(), 7);
    assert_eq!(*WHERE.lock().unwrap(), Some(thread::current().id()));
}

#[test]
fn a_renewal_in_the_background_is_no_part_of_the_bounded_body_that_asked_for_it() {
    #[cached(cache = stage.cache(), skip(stage), scope = "organization", ttl = 60, stale = 30)]
    async fn part(stage: &Stage, org_id: &str) -> stage::Outcome {
        stage.body_async().await
    }
    #[cached(cache = stage.cache(), skip(stage, gate), scope = "organization", ttl = 60)]
    async fn page(stage: &Stage, gate: &tokio::sync::Notify, org_id: &str) -> stage::Outcome {
        let value = part(stage, org_id).await;
        gate.notified().await;
        value
    }
    on_one_thread(|| async {
        let clock = ManualClock::new();
        let builder = cacheado::Cache::builder().clock(clock.clone());
        let cache = builder.max_computations_per_scope("organization", 1).build().unwrap();
        let (stage, gate) = (Stage::new(&cache), tokio::sync::Notify::new());
        assert_eq!(part(&stage, "acme").await, Ok(0));
        clock.advance(60 * SECOND);
        let bounded = page(&stage, &gate, "acme");
        let meanwhile = async {
            others_wait().await;
            assert_eq!(stage.runs(), 1, "the place is taken");
            gate.notify_one();
        };
        assert_eq!(tokio::join!(bounded, meanwhile).0, Ok(0));
        while stage.ended() < 2 {
            others_wait().await;
        }
    });
}

#[cached(cache = stage.cache(), skip(stage), ttl = 60, stale = 30, cache_err = 5)]
fn stale_with_errors(stage: &Stage) -> stage::Outcome {
    stage.body()
}

#[cached(cache = stage.cache(), skip(stage, clock), ttl = 1_000, early = 1.0, cache_err = 5)]
fn early_with_errors(stage: &Stage, clock: &ManualClock) -> stage::Outcome {
    if stage.runs() == 0 {
        clock.advance(10 * SECOND);
    }
    stage.body()
}

#[test]
fn a_renewal_that_fails_stores_no_error_over_the_older_value() {
    in_time(|| {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            assert_eq!(stale_with_errors(&stage), Ok(0), "{tier}");
            clock.advance(60 * SECOND);
            stage.fail(true);
            assert_eq!(stale_with_errors(&stage), Ok(0), "{tier}");
            until("its renewal has failed", || stage.stats().refresh_failures == 1);
            for _ in 0..1_000 {
                assert_eq!(stale_with_errors(&stage), Ok(0), "{tier}");
            }
            clock.advance(30 * SECOND);
            let runs = stage.runs();
            assert_eq!(stale_with_errors(&stage), Err(Failure::Down), "{tier}");
            stage.fail(false);
            assert_eq!(
                stale_with_errors(&stage),
                Err(Failure::Down),
                "{tier}: without a value, it is stored"
            );
            assert_eq!(stage.runs(), runs + 1, "{tier}");
        }
    });
}

#[test]
fn an_early_renewal_that_fails_stores_no_error_over_the_live_value() {
    in_time(|| {
        let (_, cache, clock) = tiers().remove(0);
        let stage = Stage::new(&cache);
        assert_eq!(early_with_errors(&stage, &clock), Ok(0));
        clock.advance(Duration::from_millis(999_998));
        stage.fail(true);
        assert_eq!(early_with_errors(&stage, &clock), Ok(0));
        until("its renewal has failed", || stage.stats().refresh_failures == 1);
        for _ in 0..1_000 {
            assert_eq!(early_with_errors(&stage, &clock), Ok(0));
        }
    });
}

#[test]
fn without_a_runtime_an_outage_during_the_renewal_is_served_the_stale_value() {
    #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Down;
    impl From<cacheado::Error> for Down {
        fn from(_: cacheado::Error) -> Self {
            Self
        }
    }
    #[cached(cache = cache, skip(cache), ttl = 60, stale = 30, on_backend_error = "error")]
    async fn value(cache: &cacheado::Cache) -> Result<u32, Down> {
        Ok(7)
    }
    let clock = ManualClock::new();
    let backend = FlakyBackend::new(SharedMemory::with_clock(clock.clone()));
    let cache = cacheado::Cache::builder().clock(clock.clone()).backend(backend.clone()).build().unwrap();
    assert_eq!(without_a_runtime(value(&cache)), Ok(7));
    clock.advance(60 * SECOND);
    let before = backend.operations();
    assert_eq!(without_a_runtime(value_entry(&cache).peek()).unwrap(), Some(Ok(7)));
    let read = backend.operations() - before;
    backend.inject(Fault::fail(ErrorKind::Unavailable).after(read));
    let (value, served) = without_a_runtime(observe_async(value(&cache)));
    assert_eq!((value, served.outcome), (Ok(7), Outcome::Stale));
}

/// Writes down for how long the entries live that it is shown.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<Option<Duration>>>>);

impl Rule for Shown {
    fn on_get(&self, _: &Key, entry: &EntryMeta) -> Effect {
        self.0.lock().unwrap().push(entry.ttl());
        Effect::Continue
    }
}

#[test]
fn rules_are_shown_the_time_of_an_entry_without_its_grace() {
    for tier in ["memory", "backend", "near"] {
        let (clock, shown) = (ManualClock::new(), Shown::default());
        let server = SharedMemory::with_clock(clock.clone());
        let builder = cacheado::Cache::builder().clock(clock.clone()).rule(shown.clone());
        let builder = match tier {
            "memory" => builder,
            "backend" => builder.backend(server),
            _ => builder.backend(server).near(Memory::new()),
        };
        let stage = Stage::new(&builder.build().unwrap());
        assert_eq!(covered(&stage), Ok(0), "{tier}");
        clock.advance(10 * SECOND);
        assert_eq!(covered(&stage), Ok(0), "{tier}");
        assert_eq!(covered(&stage), Ok(0), "{tier}");
        let shown = shown.0.lock().unwrap().clone();
        assert_eq!(shown, [Some(50 * SECOND), Some(50 * SECOND)], "{tier}");
    }
}

#[test]
fn an_older_value_is_observed_as_stale_by_all_who_are_served_with_it() {
    for (tier, cache, clock) in tiers() {
        let stage = Stage::new(&cache);
        assert_eq!(covered(&stage), Ok(0), "{tier}");
        clock.advance(61 * SECOND);
        stage.fail(true);
        stage.shut();
        let observed = thread::scope(|threads| {
            let calls = [(); 2].map(|()| threads.spawn(|| cacheado::observe(|| covered(&stage))));
            until("the body runs", || stage.runs() == 2);
            // Whether or not the other has joined by now: it is served with the same.
            for _ in 0..10_000 {
                thread::yield_now();
            }
            stage.open();
            calls.map(|call| call.join().unwrap())
        });
        let place = if tier == "memory" { Tier::Memory } else { Tier::Remote };
        for (value, served) in observed {
            assert_eq!((value, served.outcome, served.tier), (Ok(0), Outcome::Stale, place), "{tier}");
            assert!(served.age.is_none_or(|age| age.as_secs() == 61), "{tier}: {served}");
        }
        assert_eq!(stage.runs(), 2, "{tier}");
    }
}

#[test]
fn a_lookup_that_takes_too_long_and_then_fails_is_one_stale_hit() {
    on_one_thread(|| async {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            let before = filled(&stage).await;
            clock.advance(60 * SECOND);
            stage.shut();
            stage.fail(true);
            assert_eq!(hurried_and_covered(&stage).await, Ok(0), "{tier}");
            assert_eq!(stage.stats().stale_hits, 1, "{tier}");
            stage.open();
            while stage.ended() < 2 {
                others_wait().await;
            }
            others_wait().await;
            let stats = stage.stats() - &before;
            assert_eq!((stats.hits, stats.misses, stats.stale_hits), (0, 1, 1), "{tier}: {stats}");
            assert_eq!(stats.refresh_failures, 1, "{tier}: {stats}");
        }
    });
}

#[test]
fn a_body_that_takes_too_long_for_several_is_one_failure() {
    on_one_thread(|| async {
        for (tier, cache, clock) in tiers() {
            let stage = Stage::new(&cache);
            let before = filled(&stage).await;
            stage.shut();
            for failures in 1..3 {
                // The last one has ended, and is not tried again too soon.
                clock.advance(60 * SECOND);
                let call = || hurried_and_covered(&stage);
                let served = tokio::join!(call(), call(), call());
                assert_eq!(served, (Ok(0), Ok(0), Ok(0)), "{tier}");
                let stats = stage.stats() - &before;
                assert_eq!(
                    (stats.stale_hits, stats.refresh_failures),
                    (3 * failures, failures),
                    "{tier}: {stats}"
                );
                stage.fail(true);
                stage.open();
                while stage.ended() <= usize::try_from(failures).unwrap() {
                    others_wait().await;
                }
                others_wait().await;
                stage.shut();
                let stats = stage.stats() - &before;
                assert_eq!(stats.refresh_failures, failures, "{tier}: it has failed, too: {stats}");
            }
        }
    });
}

#[test]
fn hazard_24_a_timed_body_runs_where_the_runtime_around_its_call_is_shut_down() {
    #[cached(cache = cache, skip(cache), timeout = "1h")]
    async fn timed(cache: &Cache, n: u32) -> Result<u32, cacheado::Error> {
        assert_ne!(n, 13, "the body's own panic");
        Ok(n)
    }
    in_time(|| {
        let cache = Cache::new();
        // Nobody ever drives it.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (handle, waker) = (runtime.handle().clone(), Waker::noop());
        let _entered = handle.enter();
        let mut queued = pin!(timed(&cache, 1));
        assert!(queued.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        drop(runtime);
        assert_eq!(without_a_runtime(queued).unwrap(), 1, "its task went with the runtime");
        assert_eq!(without_a_runtime(timed(&cache, 2)).unwrap(), 2);
        assert_eq!((without_a_runtime(timed(&cache, 1)).unwrap(), cache.stats().hits), (1, 1));
        let panicking = AssertUnwindSafe(|| without_a_runtime(timed(&cache, 13)));
        let panic = catch_unwind(panicking).unwrap_err();
        assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("the body's own panic")));
    });
}
