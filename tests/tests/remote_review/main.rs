//! What must hold between the steps of remote operations: each test stops one operation where it hurts most, and
//! lets another go by.

mod gated;
mod panics;
mod wishes;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::rules::{Effect, EntryMeta, Lru, MaxItems, Rule};
use cacheado::testing::ManualClock;
use cacheado::{ErrorKind, Key, with_cache, with_cache_async};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use gated::{Gated, Point};

const MINUTE: Duration = Duration::from_secs(60);

fn plain(backend: &Gated) -> Cache {
    Cache::builder().backend(backend.clone()).build().unwrap()
}

fn near(backend: &Gated) -> Cache {
    Cache::builder().backend(backend.clone()).near(Memory::new()).build().unwrap()
}

async fn yield_often() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn eventually(is_so: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "never");
        tokio::task::yield_now().await;
    }
}

#[derive(Default)]
struct Seen {
    keys: Mutex<Vec<Key>>,
    gets: AtomicU32,
}

struct Watch(Arc<Seen>);

impl Rule for Watch {
    fn on_set(&self, key: &Key, _: &EntryMeta) -> Effect {
        self.0.keys.lock().unwrap().push(key.clone());
        Effect::Continue
    }
}

#[test]
fn statistics_of_a_function_say_where_its_values_are() {
    #[cached(cache = cache, skip(cache), local)]
    fn stays(cache: &Cache, n: u8) -> u8 {
        n
    }
    #[cached(cache = cache, skip(cache), remote)]
    fn leaves(cache: &Cache, n: u8) -> u8 {
        n
    }
    let cache = plain(&Gated::default());
    let stored = || {
        [stays_cache(&cache).stats(), leaves_cache(&cache).stats(), cache.stats()].map(|it| it.storage_type)
    };
    assert_eq!(stored(), ["gated"; 3], "nothing is anywhere yet");
    assert_eq!((stays(&cache, 1), leaves(&cache, 1)), (1, 1));
    assert_eq!(stored(), ["in_memory", "gated", "gated"]);
    let by_function = cache.stats_by_function();
    assert_eq!(by_function[stays_cache(&cache).name()].storage_type, "in_memory");
    assert_eq!(by_function[leaves_cache(&cache).name()].storage_type, "gated");
}

#[tokio::test]
async fn a_slow_answer_does_not_prolong_a_copy() {
    for point in [Point::AfterGet, Point::AfterFill] {
        let clock = ManualClock::new();
        let backend = Gated::by(&clock);
        let cache = Cache::builder().backend(backend.clone()).near(Memory::new()).clock(clock.clone());
        let cache = cache.build().unwrap();
        let ten = Duration::from_secs(10);
        if point == Point::AfterGet {
            plain(&backend).set_async("k", &1_u8, ten).await.unwrap();
        }
        let mut held = backend.hold(point);
        let node = cache.clone();
        let call = tokio::spawn(async move { node.get_or_compute_async("k", ten, || async { 1_u8 }).await });
        held.is_reached().await;
        clock.advance(Duration::from_secs(6));
        held.release();
        assert_eq!(call.await.unwrap().unwrap(), 1);
        clock.advance(Duration::from_secs(4));
        assert_eq!(cache.get_async::<u8>("k").await.unwrap(), None, "{point:?}: its entry is over");
    }
}

#[tokio::test]
async fn whoever_waits_for_what_another_node_has_evicted_gets_a_newer_value() {
    for make in [plain, near] {
        let backend = Gated::default();
        let (a, b) = (make(&backend), make(&backend));
        let (go, gone) = oneshot::channel::<()>();
        let node = a.clone();
        let leader = tokio::spawn(async move {
            let compute = || async {
                let _ = gone.await;
                1_u8
            };
            node.get_or_compute_async("k", MINUTE, compute).await.unwrap()
        });
        yield_often().await;
        assert!(!b.evict_async("k").await.unwrap());
        let node = a.clone();
        let late =
            tokio::spawn(
                async move { node.get_or_compute_async("k", MINUTE, || async { 2_u8 }).await.unwrap() },
            );
        yield_often().await;
        go.send(()).unwrap();
        assert_eq!((leader.await.unwrap(), late.await.unwrap()), (1, 2));
        let stats = a.stats();
        assert_eq!(stats.hits + stats.misses, 2, "{stats}");
    }
}

#[tokio::test]
async fn a_function_that_is_first_called_while_it_is_evicted_keeps_no_old_copy() {
    static VALUE: AtomicU32 = AtomicU32::new(0);
    #[cached(ttl = 60)]
    async fn value() -> u32 {
        VALUE.fetch_add(1, Ordering::SeqCst)
    }
    let backend = Gated::default();
    let (a, b) = (near(&backend), near(&backend));
    let old = with_cache_async(&b, value()).await;

    let mut held = backend.hold(Point::BeforeEvictGroup);
    let evict = with_cache(&a, value_cache);
    let evicting = tokio::spawn(async move { evict.evict_all().await.unwrap() });
    held.is_reached().await;
    assert_eq!(with_cache_async(&a, value()).await, old);
    held.release();
    assert_eq!(evicting.await.unwrap(), 1);
    let new = with_cache_async(&a, value()).await;
    assert!(new > old);

    let c = near(&backend);
    let mut held = backend.hold(Point::BeforeEvict);
    let (node, key) = (c.clone(), with_cache(&b, value_entry).key());
    let evicting = tokio::spawn(async move { node.evict_key_async(&key).await.unwrap() });
    held.is_reached().await;
    assert_eq!(with_cache_async(&c, value()).await, new);
    held.release();
    assert!(evicting.await.unwrap());
    assert!(with_cache_async(&c, value()).await > new);
}

/// What is stored under "a" makes "b" out of date.
struct Depends(Mutex<Option<Key>>);

impl Depends {
    /// A cache with the rule, and whatever `make` adds.
    fn cache(builder: cacheado::CacheBuilder) -> Cache {
        let seen = Arc::new(Seen::default());
        let reader = Cache::builder().rule(Watch(Arc::clone(&seen))).build().unwrap();
        reader.set("b", &0_u8, MINUTE).unwrap();
        let key = seen.keys.lock().unwrap().pop();
        builder.rule(Self(Mutex::new(key))).build().unwrap()
    }
}

impl Rule for Depends {
    fn on_set(&self, key: &Key, _: &EntryMeta) -> Effect {
        let b = self.0.lock().unwrap().clone().unwrap();
        if *key == b { Effect::Continue } else { Effect::Evict(vec![b]) }
    }
}

#[tokio::test]
async fn what_a_rule_has_evicted_is_not_served_from_a_refill_that_came_between() {
    let backend = Gated::default();
    let cache = Depends::cache(Cache::builder().backend(backend.clone()).near(Memory::new()));
    cache.set_async("b", &1_u8, MINUTE).await.unwrap();

    let mut held = backend.hold(Point::BeforeEvict);
    let node = cache.clone();
    let setting = tokio::spawn(async move { node.set_async("a", &1_u8, MINUTE).await.unwrap() });
    held.is_reached().await;
    // The rule has spoken, and the server has not heard of it yet.
    let mut reply = backend.hold(Point::AfterGet);
    let node = cache.clone();
    let reading =
        tokio::spawn(async move { node.get_or_compute_async("b", MINUTE, || async { 2_u8 }).await });
    // It reads at once, or evicts first.
    yield_often().await;
    held.release();
    setting.await.unwrap();
    reply.is_reached().await;
    let node = cache.clone();
    let late = tokio::spawn(async move { node.get_or_compute_async("b", MINUTE, || async { 3_u8 }).await });
    yield_often().await;
    reply.release();
    reading.await.unwrap().unwrap();
    assert_ne!(late.await.unwrap().unwrap(), 1, "it asked after the rule's eviction");
    assert_ne!(cache.get_async::<u8>("b").await.unwrap(), Some(1), "neither is it in a copy");
}

#[tokio::test]
async fn a_rule_s_eviction_survives_the_call_that_was_to_do_it() {
    let backend = Gated::default();
    let cache = Cache::builder().backend(backend.clone()).rule(Lru::new(1)).build().unwrap();
    cache.set_async("a", &1_u8, MINUTE).await.unwrap();
    let mut held = backend.hold(Point::BeforeEvict);
    let node = cache.clone();
    let setting = tokio::spawn(async move { node.set_async("b", &1_u8, MINUTE).await });
    held.is_reached().await;
    setting.abort();
    assert!(setting.await.unwrap_err().is_cancelled());
    cache.get_async::<u8>("b").await.unwrap();
    assert_eq!(plain(&backend).get_async::<u8>("a").await.unwrap(), None, "driven out, here and there");
}

#[tokio::test]
async fn a_rule_s_eviction_survives_an_outage() {
    let backend = Gated::default();
    let builder = Cache::builder().backend(backend.clone()).breaker(1, Duration::ZERO);
    let cache = Depends::cache(builder);
    cache.set_async("b", &1_u8, MINUTE).await.unwrap();
    backend.is_down.store(true, Ordering::SeqCst);
    let _ = cache.set_async("a", &1_u8, MINUTE).await;
    backend.is_down.store(false, Ordering::SeqCst);
    assert_eq!(cache.get_async::<u8>("b").await.unwrap(), None);
}

#[test]
fn a_fill_that_lost_to_a_set_leaves_the_bound_as_it_is() {
    let backend = Gated::default();
    let cache = Cache::builder().backend(backend.clone()).rule(Lru::new(2)).build().unwrap();
    for key in 0..10_u8 {
        let compute = || {
            cache.set(key, &1_u8, MINUTE).unwrap();
            2_u8
        };
        cache.get_or_compute(key, MINUTE, compute).unwrap();
    }
    let left = plain(&backend).get_many::<u8>(0..10_u8).unwrap();
    assert_eq!(left.iter().flatten().count(), 2, "{left:?}");
}

#[test]
fn evictions_are_counted_however_they_come() {
    let backend = Gated::default();
    let cache = Depends::cache(Cache::builder().backend(backend));
    cache.set("b", &1_u8, MINUTE).unwrap();
    cache.set("a", &1_u8, MINUTE).unwrap();
    assert_eq!(cache.stats().evictions, 1, "by a rule");
    #[cached(ttl = 60)]
    fn one() -> u8 {
        1
    }
    let key = with_cache(&cache, || {
        one();
        one_entry().key()
    });
    assert!(cache.evict_key(&key).unwrap());
    assert_eq!(cache.stats().evictions, 2, "by its whole key");
}

#[test]
fn a_rule_is_asked_once_about_a_lookup() {
    struct Refuse(Arc<Seen>);
    impl Rule for Refuse {
        fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
            if self.0.gets.fetch_add(1, Ordering::SeqCst) == 0 { Effect::Continue } else { Effect::Reject }
        }
    }
    let seen = Arc::new(Seen::default());
    let cache = Cache::builder().backend(Gated::default()).near(Memory::new());
    let cache = cache.rule(Refuse(Arc::clone(&seen))).build().unwrap();
    cache.set("k", &1_u8, MINUTE).unwrap();
    assert_eq!(cache.get::<u8>("k").unwrap(), Some(1));
    assert_eq!(cache.get::<u8>("k").unwrap(), None);
    assert_eq!(seen.gets.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_value_of_another_type_is_no_hit_for_whoever_waits() {
    let backend = Gated::default();
    let cache = plain(&backend);
    cache.set_async("k", &1_u8, MINUTE).await.unwrap();
    let mut held = backend.hold(Point::AfterGet);
    let node = cache.clone();
    let first = tokio::spawn(async move { node.get_or_compute_async("k", MINUTE, || async { 2_u8 }).await });
    held.is_reached().await;
    let node = cache.clone();
    let second =
        tokio::spawn(
            async move { node.get_or_compute_async("k", MINUTE, || async { "text".to_owned() }).await },
        );
    yield_often().await;
    held.release();
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(second.await.unwrap().unwrap(), "text");
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (1, 1), "{stats}");
}

#[tokio::test]
async fn a_claim_is_given_up_whatever_ends_the_computation() {
    let backend = Gated::default();
    let cache = plain(&backend);
    let abandoned = || backend.abandoned.load(Ordering::SeqCst);
    // A body that panics.
    let call = || cache.get_or_compute("k", MINUTE, || -> u8 { panic!("body") });
    assert!(std::panic::catch_unwind(AssertUnwindSafe(call)).is_err());
    eventually(|| abandoned() == 1).await;
    // A future that is dropped.
    let node = cache.clone();
    let call =
        tokio::spawn(async move { node.get_or_compute_async("k", MINUTE, std::future::pending::<u8>).await });
    yield_often().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    eventually(|| abandoned() == 2).await;
    // No room.
    let full = Cache::builder().backend(backend.clone()).rule(MaxItems::new(0)).build().unwrap();
    full.get_or_compute_async("k", MINUTE, || async { 1_u8 }).await.unwrap();
    eventually(|| abandoned() == 3).await;
}

/// A claim takes one of the places that there are for an entry.
#[tokio::test]
async fn hazard_19_a_batch_that_is_dropped_gives_up_what_it_has_announced() {
    #[cached(cache = cache, skip(cache), batch(ids), ttl = 60)]
    async fn doubled(cache: &Cache, ids: &[u32]) -> Vec<u32> {
        ids.iter().map(|id| 2 * id).collect()
    }
    // So many requests are under way at a time, and the others wait.
    const AT_ONCE: u32 = 64;
    // Of two announcements one has been answered; of many fills some have not begun.
    for (point, elements, held, given_up) in
        [(Point::AfterBegin, 2, 1, 1), (Point::AfterFill, AT_ONCE + 6, AT_ONCE, AT_ONCE + 6)]
    {
        let backend = Gated::default();
        let cache = plain(&backend);
        let mut held: Vec<_> = (0..held).map(|_| backend.hold(point)).collect();
        let batch = tokio::spawn(async move { doubled(&cache, &(0..elements).collect::<Vec<_>>()).await });
        for held in &mut held {
            held.is_reached().await;
        }
        yield_often().await;
        batch.abort();
        assert!(batch.await.unwrap_err().is_cancelled());
        eventually(|| backend.abandoned.load(Ordering::SeqCst) == given_up).await;
    }
}

#[test]
fn a_refresh_whose_value_has_no_bytes_leaves_no_old_one() {
    #[derive(Debug, Clone, PartialEq, Deserialize)]
    struct Odd(u8);
    impl Serialize for Odd {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            if self.0 == 13 {
                return Err(serde::ser::Error::custom("no bytes"));
            }
            serializer.serialize_newtype_struct("Odd", &self.0)
        }
    }
    static VALUE: AtomicU32 = AtomicU32::new(12);
    #[cached(ttl = 60)]
    fn odd() -> Odd {
        Odd(u8::try_from(VALUE.fetch_add(1, Ordering::SeqCst)).unwrap())
    }
    for make in [plain, near] {
        VALUE.store(12, Ordering::SeqCst);
        let cache = make(&Gated::default());
        with_cache(&cache, || {
            assert_eq!(odd(), Odd(12));
            assert_eq!(odd(), Odd(12));
            assert_eq!(odd_entry().refresh(), Odd(13));
            assert_eq!(odd_entry().peek().unwrap(), None);
        });
    }
}

#[tokio::test]
async fn a_set_that_fails_leaves_no_old_value() {
    let (some, none) = (Some(Some(1_u8)), Some(None::<u8>));
    for make in [plain, near] {
        let backend = Gated::default();
        let (cache, other) = (make(&backend), plain(&backend));
        cache.set_async("k", &some, MINUTE).await.unwrap();
        assert_eq!(cache.get_async("k").await.unwrap(), Some(some));
        // Its bytes would be those of `None`.
        let error = cache.set_async("k", &none, MINUTE).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec);
        for node in [&cache, &other] {
            assert_eq!(node.get_async::<Option<Option<u8>>>("k").await.unwrap(), None);
        }
    }
}

#[test]
fn a_value_that_is_too_large_for_the_backend_leaves_no_old_one() {
    #[cached(ttl = 60, skip(size))]
    fn text(size: usize) -> String {
        "x".repeat(size)
    }
    #[cached(ttl = 60, skip(size))]
    async fn text_async(size: usize) -> String {
        "x".repeat(size)
    }
    let (small, large) = (10, 5_000);
    for is_near in [false, true] {
        let bounded = Memory::builder().max_weight(1_000).build();
        let server = SharedMemory::open(&bounded, ManualClock::new());
        let other = Cache::builder().backend(server.clone()).build().unwrap();
        let cache = Cache::builder().backend(server);
        let cache = if is_near { cache.near(Memory::new()) } else { cache }.build().unwrap();
        with_cache(&cache, || {
            assert_eq!(text(small).len(), small);
            assert_eq!(text_entry(large).refresh().len(), large);
            let left = with_cache(&other, || text_entry(small).peek().unwrap());
            assert_eq!((text_entry(small).peek().unwrap(), left), (None, None), "near: {is_near}");
            assert_eq!(text(large).len(), large);

            text_entry(small).set("old".to_owned()).unwrap();
            let error = text_entry(small).set("x".repeat(large)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Backend);
            let left = with_cache(&other, || text_entry(small).peek().unwrap());
            assert_eq!((text_entry(small).peek().unwrap(), left), (None, None), "near: {is_near}");
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(with_cache_async(&cache, async {
            assert_eq!(text_async(small).await.len(), small);
            assert_eq!(text_async_entry(large).refresh().await.len(), large);
            assert_eq!(text_async_entry(small).peek().await.unwrap(), None, "near: {is_near}");
        }));
    }
}
