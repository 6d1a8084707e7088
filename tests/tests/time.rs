//! Expiry (hazards 10, 12 and 13, invariant 5) and its sweep.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use cacheado::backends::{Memory, SharedMemory};
use cacheado::rules::{Lru, TtlRule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, ErrorKind, Ttl, cached};
use cacheado_tests::tenancy::scopes;
use cacheado_tests::wait::{others_wait, until};
use cacheado_tests::{Counter, clocked};

const SECOND: Duration = Duration::from_secs(1);
const NANO: Duration = Duration::from_nanos(1);

#[cached(cache = cache, skip(cache, runs, ttl), ttl = ttl)]
fn lives_for(cache: &Cache, runs: &Counter, ttl: Duration) -> usize {
    runs.next()
}

#[cached(cache = cache, skip(cache, runs), ttl = 0)]
fn not_at_all(cache: &Cache, runs: &Counter) -> usize {
    runs.next()
}

#[cached(cache = cache, skip(cache, runs), ttl = "1500us")]
fn for_1500_microseconds(cache: &Cache, runs: &Counter) -> usize {
    runs.next()
}

#[cached(cache = cache, skip(cache, runs))]
fn by_default(cache: &Cache, runs: &Counter) -> usize {
    runs.next()
}

#[cached(cache = cache, skip(cache, clock, runs), ttl = 10)]
fn slow(cache: &Cache, clock: &ManualClock, runs: &Counter) -> usize {
    clock.advance(60 * SECOND);
    runs.next()
}

#[test]
fn hazard_10_expired_is_never_served_whatever_the_rules() {
    for rules in 0..4 {
        let clock = ManualClock::new();
        let mut builder = Cache::builder().clock(clock.clone());
        if rules & 1 > 0 {
            builder = builder.rule(Lru::new(10));
        }
        if rules & 2 > 0 {
            builder = builder.rule(TtlRule::new());
        }
        let cache = builder.build().unwrap();
        let runs = Counter::new();
        let call = || lives_for(&cache, &runs, SECOND);
        let entry = || lives_for_entry(&cache, &runs, SECOND);
        assert_eq!((call(), call()), (0, 0));
        clock.advance(Duration::from_nanos(999_999_999));
        assert_eq!((call(), entry().remaining().unwrap()), (0, Some(NANO)));
        clock.advance(NANO);
        assert_eq!((entry().peek().unwrap(), entry().remaining().unwrap()), (None, None));
        assert!(!entry().evict().unwrap(), "what has expired is not there to evict");
        assert_eq!((call(), call()), (1, 1), "not even to the read that notices");

        cache.set("key", &1_u8, SECOND).unwrap();
        clock.advance(SECOND);
        assert_eq!(cache.get::<u8>("key").unwrap(), None);
        assert_eq!(cache.get_many::<u8>(["key"]).unwrap(), [None]);
        assert_eq!(cache.get_or_compute("key", SECOND, || 2_u8).unwrap(), 2);
    }
}

#[test]
fn hazard_12_a_time_of_zero_stores_nothing() {
    let (cache, _) = clocked();
    let runs = Counter::new();
    assert_eq!((not_at_all(&cache, &runs), not_at_all(&cache, &runs)), (0, 1));
    assert_eq!((lives_for(&cache, &runs, Duration::ZERO), lives_for(&cache, &runs, Duration::ZERO)), (2, 3));
    cache.set("key", &1_u8, Duration::ZERO).unwrap();
    assert_eq!(cache.get::<u8>("key").unwrap(), None);
    assert_eq!(cache.get_or_compute("key", Duration::ZERO, || 2_u8).unwrap(), 2);
    assert_eq!(cache.get_or_compute("key", Some(Duration::ZERO), || 3_u8).unwrap(), 3);
    assert_eq!(cache.stats().total_keys, 0);
    cache.set("key", &1_u8, Ttl::Never).unwrap();
    cache.set("key", &2_u8, Duration::ZERO).unwrap();
    assert_eq!(cache.get::<u8>("key").unwrap(), None, "nor is the old value left");
    assert_eq!(
        Cache::builder().default_ttl(Duration::ZERO).build().unwrap_err().kind(),
        ErrorKind::Configuration
    );
}

#[test]
fn hazard_12_times_below_a_second() {
    let (cache, clock) = clocked();
    let runs = Counter::new();
    assert_eq!(for_1500_microseconds(&cache, &runs), 0);
    clock.advance(Duration::from_micros(1_499));
    assert_eq!(for_1500_microseconds(&cache, &runs), 0);
    clock.advance(Duration::from_micros(1));
    assert_eq!(for_1500_microseconds(&cache, &runs), 1);
    assert_eq!(lives_for(&cache, &runs, NANO), 2);
    assert_eq!(lives_for(&cache, &runs, NANO), 2);
    clock.advance(NANO);
    assert_eq!(lives_for(&cache, &runs, NANO), 3);
}

#[test]
fn hazard_12_times_beyond_measure() {
    for ttl in [
        Duration::MAX,
        Duration::from_nanos(u64::MAX),
        Duration::from_nanos(u64::MAX - 1),
        Duration::from_secs(u64::MAX / 1_000_000_000),
        Duration::from_secs(u64::MAX),
    ] {
        let (cache, clock) = clocked();
        let runs = Counter::new();
        clock.advance(SECOND);
        for _ in 0..3 {
            assert_eq!(lives_for(&cache, &runs, ttl), 0);
            clock.advance(1_000_000_000 * SECOND);
        }
        let remaining = lives_for_entry(&cache, &runs, ttl).remaining().unwrap();
        assert!(remaining.is_none_or(|left| left > 1_000_000_000 * SECOND), "{ttl:?}: {remaining:?}");
        clock.advance(Duration::MAX);
        cache.set("at the end of time", &1_u8, SECOND).unwrap();
        let _ = (cache.get::<u8>("at the end of time").unwrap(), cache.stats());
    }
}

#[test]
fn hazard_12_the_system_clock_takes_any_time_too() {
    let cache = Cache::builder().rule(TtlRule::new()).build().unwrap();
    let runs = Counter::new();
    assert_eq!(lives_for(&cache, &runs, Duration::MAX), 0);
    assert_eq!(lives_for(&cache, &runs, Duration::MAX), 0);
    cache.set("key", &1_u8, Duration::MAX).unwrap();
    assert_eq!(cache.get::<u8>("key").unwrap(), Some(1));
}

#[test]
fn hazard_13_a_deadline_counts_from_the_end_of_the_body() {
    let (cache, clock) = clocked();
    let runs = Counter::new();
    assert_eq!(slow(&cache, &clock, &runs), 0);
    assert_eq!(slow_entry(&cache, &clock, &runs).remaining().unwrap(), Some(10 * SECOND));
    assert_eq!(slow(&cache, &clock, &runs), 0);
    let compute = || {
        clock.advance(60 * SECOND);
        1_u8
    };
    cache.get_or_compute("key", SECOND, compute).unwrap();
    assert_eq!(cache.remaining("key").unwrap(), Some(SECOND));
    // Of a refresh, too.
    clock.advance(5 * SECOND);
    assert_eq!(slow_entry(&cache, &clock, &runs).refresh(), 1);
    assert_eq!(slow_entry(&cache, &clock, &runs).remaining().unwrap(), Some(10 * SECOND));
}

#[test]
fn hazard_13_freshness_counts_from_the_beginning_of_the_body() {
    let (cache, clock) = clocked();
    let scope = scopes::organization("o");
    let got = cache.scoped(scope.clone()).get_or_compute("key", Ttl::Never, || {
        clock.advance(60 * SECOND);
        assert_eq!(cache.evict_by_scope(&scope).unwrap(), 0);
        clock.advance(60 * SECOND);
        1_u8
    });
    assert_eq!(got.unwrap(), 1);
    assert_eq!(cache.scoped(scope).get::<u8>("key").unwrap(), None);
}

#[test]
fn overwriting_starts_the_time_again() {
    let (cache, clock) = clocked();
    cache.set("key", &1_u8, 10 * SECOND).unwrap();
    clock.advance(9 * SECOND);
    cache.set("key", &2_u8, 10 * SECOND).unwrap();
    clock.advance(9 * SECOND);
    assert_eq!(cache.get::<u8>("key").unwrap(), Some(2));
    cache.set("key", &3_u8, SECOND).unwrap();
    clock.advance(SECOND);
    assert_eq!(cache.get::<u8>("key").unwrap(), None);
    cache.set("key", &4_u8, SECOND).unwrap();
    cache.set("key", &5_u8, Ttl::Never).unwrap();
    clock.advance(SECOND);
    assert_eq!((cache.get::<u8>("key").unwrap(), cache.remaining("key").unwrap()), (Some(5), None));
}

#[test]
fn the_default_time() {
    let clock = ManualClock::new();
    let cache = Cache::builder().clock(clock.clone()).default_ttl(5 * SECOND).build().unwrap();
    let runs = Counter::new();
    by_default(&cache, &runs);
    cache.set("default", &1_u8, Ttl::Default).unwrap();
    cache.set("never", &1_u8, Ttl::Never).unwrap();
    cache.set("own", &1_u8, 7 * SECOND).unwrap();
    clock.advance(5 * SECOND);
    assert_eq!(by_default(&cache, &runs), 1);
    assert_eq!(cache.get_many::<u8>(["default", "never", "own"]).unwrap(), [None, Some(1), Some(1)]);
    let (forever, clock) = clocked();
    by_default(&forever, &runs);
    clock.advance(Duration::from_secs(1_000_000_000));
    assert_eq!(by_default(&forever, &runs), 2);
}

/// Shows whether it is still held.
fn held(cache: &Cache, key: u8, ttl: Duration) -> std::sync::Weak<u8> {
    #[cached(cache = cache, skip(cache, ttl), ttl = ttl)]
    fn hold(cache: &Cache, key: u8, ttl: Duration) -> Arc<u8> {
        Arc::new(key)
    }
    Arc::downgrade(&hold(cache, key, ttl))
}

#[test]
fn hazard_18_the_ttl_rule_gives_memory_back_without_a_read() {
    let clock = ManualClock::new();
    let cache = Cache::builder().rule(TtlRule::new()).clock(clock.clone()).build().unwrap();
    let values: Vec<_> = (0..100).map(|n| held(&cache, n, u32::from(n + 1) * SECOND)).collect();
    for n in 0..100 {
        assert_eq!(values.iter().filter(|value| value.strong_count() > 0).count(), 100 - n);
        clock.advance(SECOND);
    }
    assert_eq!(values.iter().filter(|value| value.strong_count() > 0).count(), 0);
    assert_eq!(cache.stats().expirations, 100);
}

/// A text that counts how many of its kind there are.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
struct Counted(String);

static ALIVE: AtomicUsize = AtomicUsize::new(0);

impl From<String> for Counted {
    fn from(text: String) -> Self {
        ALIVE.fetch_add(1, SeqCst);
        Self(text)
    }
}

impl From<Counted> for String {
    fn from(counted: Counted) -> Self {
        counted.0.clone()
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.clone().into()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, SeqCst);
    }
}

#[test]
fn hazard_18_the_ttl_rule_gives_the_memory_of_copies_back_too() {
    let clock = ManualClock::new();
    let server = SharedMemory::with_clock(clock.clone());
    let node = || Cache::builder().backend(server.clone()).clock(clock.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let executor = runtime.handle().clone();
    let near = node().near(Memory::new()).rule(TtlRule::new()).background(move |task| {
        drop(executor.spawn(task));
    });
    let (other, near) = (node().build().unwrap(), near.build().unwrap());
    // It begins to listen, for which it drops all copies, now and not later.
    assert_eq!(near.get::<u8>("none").unwrap(), None);
    runtime.block_on(others_wait());
    other.set("key", &Counted::from("value".to_owned()), 60 * SECOND).unwrap();
    runtime.block_on(others_wait());
    assert_eq!(ALIVE.load(SeqCst), 0);
    assert!(near.get::<Counted>("key").unwrap().is_some());
    assert_eq!(ALIVE.load(SeqCst), 1, "a copy is kept");
    clock.advance(29 * SECOND);
    assert_eq!(ALIVE.load(SeqCst), 1);
    clock.advance(SECOND);
    assert_eq!(ALIVE.load(SeqCst), 0, "its life is over");
    assert!(near.get::<Counted>("key").unwrap().is_some(), "that of the entry is not");
}

#[test]
fn hazard_18_the_sweeper_needs_no_operation() {
    let cache = Cache::builder().rule(TtlRule::new()).build().unwrap();
    let long = held(&cache, 0, Duration::from_secs(3_600));
    let start = Instant::now(); // before the fill: a wait between the two must not look like an early sweep
    let short = held(&cache, 1, Duration::from_millis(30));
    while short.strong_count() > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "not swept");
        std::thread::yield_now();
    }
    assert!(start.elapsed() >= Duration::from_millis(29), "swept too early");
    assert_eq!(long.strong_count(), 1);
    drop(cache);
    // It may be looking at it right now.
    until("the sweeper lets go of the cache", || long.strong_count() == 0);
}

#[test]
fn hazard_18_a_longer_lived_overwrite_survives_the_sweep() {
    let clock = ManualClock::new();
    let cache = Cache::builder().rule(TtlRule::new()).clock(clock.clone()).build().unwrap();
    for ttl in [1, 5, 2, 9] {
        cache.set("key", &ttl, ttl * SECOND).unwrap();
    }
    clock.advance(8 * SECOND);
    assert_eq!(cache.get::<u32>("key").unwrap(), Some(9));
    clock.advance(SECOND);
    assert_eq!((cache.stats().total_keys, cache.stats().expirations), (0, 1));
}
