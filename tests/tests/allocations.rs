//! What a hit allocates: nothing. And what stays allocated: only what is stored.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use cacheado::rules::{Effect, EntryMeta, Lru, Rule, TtlRule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, Key, Ttl, cached, with_cache};
use cacheado_tests::tenancy::scopes;
use cacheado_tests::wait::poll_times;

struct Profile {
    _name: String,
}

#[cached(cache = cache, skip(cache), ttl = 300, scope = cacheado_tests::tenancy::scopes::user, tags("user:{user_id}"))]
fn profile(cache: &Cache, org_id: &str, user_id: &str, page: u64) -> Arc<Profile> {
    Arc::new(Profile { _name: format!("{org_id}{user_id}{page}") })
}

#[cached(cache = cache, skip(cache), ttl = 300, scope = cacheado_tests::tenancy::scopes::user, tags("user:{user_id}"))]
async fn profile_async(
    cache: &Cache,
    org_id: &str,
    user_id: &str,
    page: u64,
) -> Result<Arc<Profile>, String> {
    Ok(Arc::new(Profile { _name: format!("{org_id}{user_id}{page}") }))
}

#[cached]
fn product(a: u64, b: u64) -> u64 {
    a * b
}

#[cached(cache = cache, skip(cache), ttl = 300, stale = 60, stale_if_error = 600, early = 1, jitter = 0.1)]
fn aging(cache: &Cache, text: &str, list: &[u64]) -> Arc<str> {
    format!("{text} {list:?} {}", cache.stats().misses).into()
}

#[cached(skip(of))]
fn generic<T: Into<u64> + Copy>(
    of: T,
    text: &[String],
    some: Option<&str>,
    (a, b): (u8, char),
) -> Option<u64> {
    Some(of.into() + text.len() as u64 + some.map_or(0, str::len) as u64 + u64::from(a) + u64::from(b))
}

#[cached(cache = cache, skip(cache), ttl = 300, scope = cacheado_tests::tenancy::scopes::user)]
fn page(cache: &Cache, org_id: &str, user_id: &str, page: u64) -> Arc<str> {
    Arc::from(if page == 0 { "the first" } else { "another" })
}

fn bounded() -> Cache {
    Cache::builder().rule(Lru::new(1_000)).rule(TtlRule::new()).build().unwrap()
}

/// How many allocations `hit` makes, once everything is warm.
fn allocations(mut hit: impl FnMut()) -> u64 {
    hit();
    hit();
    measure(|| (0..100).for_each(|_| hit())).count_total
}

#[test]
fn a_sync_hit_allocates_nothing() {
    let long =
        "a name that is longer than any buffer that one would put on the stack, and then some".repeat(8);
    for cache in [Cache::new(), bounded()] {
        assert_eq!(allocations(|| drop(profile(&cache, "o1", "u7", 3))), 0);
        assert_eq!(allocations(|| drop(profile(&cache, &long, &long, 3))), 0, "however long the key");
        let hits = cache.stats().hits;
        assert!(hits >= 200);
        with_cache(&cache, || {
            assert_eq!(allocations(|| assert_eq!(product(6, 7), 42)), 0);
            let text = [String::from("a"), String::from("b")];
            assert_eq!(allocations(|| assert_eq!(generic(1_u8, &text, Some("x"), (1, 'c')), Some(104))), 0);
            assert_eq!(allocations(|| assert_eq!(generic(1_u32, &text, None, (1, 'c')), Some(103))), 0);
        });
    }
    assert_eq!(allocations(|| assert_eq!(product(6, 7), 42)), 0, "in the global cache");
}

#[test]
fn a_hit_of_a_value_that_ages_copies_no_argument_and_allocates_nothing() {
    let cache = bounded();
    assert_eq!(allocations(|| drop(aging(&cache, "text", &[1, 2, 3]))), 0);
}

#[test]
fn an_async_hit_allocates_nothing() {
    for cache in [Cache::new(), bounded()] {
        let hit = || match poll_times(profile_async(&cache, "o1", "u7", 3), 1) {
            Poll::Ready(profile) => drop(profile),
            Poll::Pending => panic!("it is stored"),
        };
        assert_eq!(allocations(hit), 0);
    }
}

#[test]
fn a_programmatic_hit_inside_a_scope_allocates_nothing() {
    let cache = bounded();
    let scoped = cache.scoped(scopes::user("o1", "u7"));
    scoped.set(("settings", 3_u8), &7_u64, Ttl::Never).unwrap();
    assert_eq!(allocations(|| assert_eq!(scoped.get::<u64>(("settings", 3_u8)).unwrap(), Some(7))), 0);
}

#[test]
fn a_miss_in_a_scope_makes_two_allocations_besides_its_value() {
    let cache = bounded();
    let miss = |number| drop(page(&cache, "o1", "u7", number));
    (0..2_000).for_each(miss);
    // Some miss grows a table of the store.
    let fewest = (2_000..2_100).map(|number| measure(|| miss(number)).count_total).min();
    assert_eq!(fewest, Some(3), "the call, its ticket with the flight, and the value");
    assert_eq!(cache.stats().misses, 2_100);
}

/// What is still allocated after `f`.
fn kept(f: impl FnMut()) -> i64 {
    measure(f).bytes_current
}

#[test]
fn hazard_18_flights_leave_nothing_behind() {
    let cache = Cache::new();
    let compute = |n: u32| cache.get_or_compute(n, Duration::ZERO, || n).unwrap();
    (0..1_000).for_each(|n| assert_eq!(compute(n), n));
    let kept = kept(|| (0..50_000).for_each(|n| assert_eq!(compute(n), n)));
    assert!(kept < 10_000, "{kept} bytes of 50,000 computations");
}

#[test]
fn hazard_18_dropped_and_panicked_flights_leave_nothing_behind() {
    let cache = Cache::new();
    let waste = |n: u32| {
        let pending = cache.get_or_compute_async(n, Ttl::Never, std::future::pending::<u32>);
        assert!(poll_times(pending, 1).is_pending());
        // Without the panic hook, whose captured output would be counted.
        let compute = || -> u32 { std::panic::resume_unwind(Box::new("the body panics")) };
        let panicking = std::panic::AssertUnwindSafe(|| cache.get_or_compute(n, Ttl::Never, compute));
        assert!(std::panic::catch_unwind(panicking).is_err());
    };
    (0..100).for_each(waste);
    let kept = kept(|| (0..5_000).for_each(waste));
    assert!(kept < 10_000, "{kept} bytes of 5,000 dropped computations");
}

#[test]
fn hazard_18_evicted_and_expired_entries_leave_nothing_behind() {
    let clock = ManualClock::new();
    for rule in [false, true] {
        let mut builder = Cache::builder().clock(clock.clone()).rule(Lru::new(1_000));
        if rule {
            builder = builder.rule(TtlRule::new());
        }
        let cache = builder.build().unwrap();
        let round = |round: u32| {
            for n in 0..200_u32 {
                let scoped = cache.scoped(scopes::user(round, n));
                scoped.set("key", &n, Duration::from_secs(1)).unwrap();
                drop(profile(&cache, &round.to_string(), &n.to_string(), 1));
            }
            match round % 4 {
                0 => clock.advance(Duration::from_secs(301)),
                1 => cache.clear().unwrap(),
                2 => drop(cache.evict_by_scope(&scopes::organization(round)).unwrap()),
                _ => (0..200).for_each(|n| assert_eq!(cache.evict_by_tag(&format!("user:{n}")).unwrap(), 1)),
            }
        };
        (0..40).for_each(round);
        let kept = kept(|| (40..400).for_each(round));
        assert!(kept < 200_000, "{kept} bytes more after 360 rounds of 400 entries");
    }
}

/// Each hit renews the entry.
struct Sliding;

impl Rule for Sliding {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        Effect::SetTtl(Duration::from_secs(3_600).into())
    }
}

#[test]
fn hazard_18_renewing_an_entry_leaves_nothing_behind() {
    let clock = ManualClock::new();
    let cache = Cache::builder().rule(Sliding).clock(clock).build().unwrap();
    cache.set("key", &1_u8, Duration::from_secs(3_600)).unwrap();
    let kept = kept(|| (0..50_000).for_each(|_| assert_eq!(cache.get::<u8>("key").unwrap(), Some(1))));
    assert!(kept < 100_000, "{kept} bytes for 50,000 hits of one entry");
}

#[test]
fn hazard_18_overwriting_an_entry_leaves_nothing_behind() {
    let clock = ManualClock::new();
    let cache = Cache::builder().rule(Lru::new(10)).clock(clock).build().unwrap();
    let set = |_| cache.set("key", &1_u8, Duration::from_secs(3_600)).unwrap();
    (0..10_000).for_each(set);
    let kept = kept(|| (0..50_000).for_each(set));
    assert!(kept < 100_000, "{kept} bytes for 50,000 overwrites of one entry");
}

#[test]
fn a_dropped_cache_gives_everything_back() {
    let make = || {
        let cache = bounded();
        for n in 0..1_000_u64 {
            drop(profile(&cache, "o", "u", n));
            cache.set(n, &n, Ttl::Never).unwrap();
        }
    };
    make();
    // The sweeper is a thread of its own, whose frees this thread does not see.
    let kept = kept(|| (0..20).for_each(|_| make()));
    assert!(kept < 100_000, "{kept} bytes of 20 caches");
}

#[test]
fn hazard_19_callers_that_give_up_leave_nothing_in_the_flight_that_they_waited_for() {
    let cache = Cache::new();
    let call = || cache.get_or_compute_async("key", Ttl::Never, std::future::pending::<u32>);
    let mut context = Context::from_waker(Waker::noop());
    let mut leader = pin!(call());
    assert!(leader.as_mut().poll(&mut context).is_pending());
    // Some stay, as others come and go.
    let mut waiters: Vec<_> = (0..10).map(|_| Box::pin(call())).collect();
    for waiter in &mut waiters {
        assert!(waiter.as_mut().poll(&mut context).is_pending());
    }
    let come_and_go = |times| {
        for _ in 0..times {
            assert!(poll_times(call(), 2).is_pending());
        }
    };
    come_and_go(100);
    assert_eq!(measure(|| come_and_go(10_000)).bytes_current, 0);
}
