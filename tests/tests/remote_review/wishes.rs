//! What a rule wants of an entry that it has seen: when it is done, and of what.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::rules::{Effect, EntryMeta, Rule};
use cacheado::testing::ManualClock;
use cacheado::{Key, Outcome, observe};

use cacheado_tests::wait::until;

use crate::gated::{Gated, Point, Says};
use crate::{MINUTE, Seen, Watch, eventually, plain, yield_often};

/// Gives each entry that is found another minute.
struct Slide;

impl Rule for Slide {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        Effect::SetTtl(MINUTE.into())
    }
}

/// Evicts each entry that is found.
struct Once;

impl Rule for Once {
    fn on_get(&self, key: &Key, _: &EntryMeta) -> Effect {
        Effect::Evict(vec![key.clone()])
    }
}

/// Other nodes read it, and this one may have nothing else to ask for a long time. The caller does not wait for it.
#[tokio::test]
async fn what_a_rule_wants_is_done_in_the_background_when_a_hit_has_been_served() {
    #[cached(cache = cache, skip(cache), ttl = 30, name = "remote_review.seen")]
    fn seen(cache: &Cache, n: u8) -> u8 {
        n
    }
    #[cached(cache = cache, skip(cache), ttl = 30, name = "remote_review.seen")]
    async fn seen_async(cache: &Cache, n: u8) -> u8 {
        n
    }
    #[cached(cache = cache, skip(cache), ttl = 30, batch(ids), name = "remote_review.seen")]
    fn seen_many(cache: &Cache, ids: &[u8]) -> Vec<u8> {
        ids.to_vec()
    }
    #[cached(cache = cache, skip(cache), ttl = 30, batch(ids), name = "remote_review.seen")]
    async fn seen_many_async(cache: &Cache, ids: &[u8]) -> Vec<u8> {
        ids.to_vec()
    }
    for way in 0..4 {
        let (clock, backend) = (ManualClock::new(), SharedMemory::new());
        let node = || Cache::builder().backend(backend.clone()).clock(clock.clone());
        let plain = node().build().unwrap();
        let remaining = || seen_entry(&plain, 1).remaining().unwrap();
        let find = async |cache: &Cache| match way {
            0 => assert_eq!(seen(cache, 1), 1),
            1 => assert_eq!(seen_async(cache, 1).await, 1),
            2 => assert_eq!(seen_many(cache, &[1, 2]), [1, 2]),
            _ => assert_eq!(seen_many_async(cache, &[1, 2]).await, [1, 2]),
        };
        find(&plain).await;
        assert!(remaining() <= Some(MINUTE / 2), "{way}");
        let node = || node().background(|task| drop(tokio::spawn(task)));
        find(&node().rule(Slide).build().unwrap()).await;
        eventually(|| remaining() > Some(MINUTE / 2)).await;
        find(&node().rule(Once).build().unwrap()).await;
        eventually(|| remaining().is_none()).await;
    }
}

/// The last of them is found while the first one's wish is being done, and nobody asks after it.
#[tokio::test]
async fn hits_at_the_same_time_leave_each_others_wishes_to_whoever_is_at_them() {
    #[cached(cache = cache, skip(cache), name = "remote_review.many")]
    async fn seen(cache: &Cache, n: u32) -> u32 {
        n
    }
    #[cached(cache = cache, skip(cache), batch(ids), name = "remote_review.many")]
    async fn seen_together(cache: &Cache, ids: &[u32]) -> Vec<u32> {
        ids.to_vec()
    }
    const MANY: u32 = 32;
    let backend = Gated::default();
    let filler = plain(&backend);
    for n in 0..MANY {
        seen(&filler, n).await;
    }
    let builder = Cache::builder().backend(backend.clone()).rule(Once);
    let cache = builder.background(|task| drop(tokio::spawn(task))).build().unwrap();
    let mut held = backend.hold(Point::BeforeEvict);
    seen(&cache, 0).await;
    held.is_reached().await;
    for n in 1..MANY / 2 {
        seen(&cache, n).await;
    }
    seen_together(&cache, &(MANY / 2..MANY).collect::<Vec<_>>()).await;
    assert_eq!(seen_entry(&filler, 0).peek().await.unwrap(), Some(0));
    held.release();
    // Without asking the backend, as whoever does sees to what is left.
    let stats = || cache.stats_by_function()[seen_cache(&cache).name()].clone();
    eventually(|| stats().evictions == u64::from(MANY)).await;
    assert_eq!(stats().misses, 0);
    assert_eq!(backend.evictions.load(Ordering::SeqCst), MANY, "each was done once");
}

/// Until it is done, whoever wants the entry does it as well.
#[tokio::test]
async fn what_a_rule_wants_gone_is_not_found_while_another_is_at_it() {
    let backend = Gated::default();
    let builder = Cache::builder().backend(backend.clone()).rule(Once);
    let cache = builder.build().unwrap();
    cache.set_async("k", &1_u8, MINUTE).await.unwrap();
    cache.set_async("other", &1_u8, MINUTE).await.unwrap();
    let mut held = backend.hold(Point::BeforeEvict);
    let node = cache.clone();
    let finding = tokio::spawn(async move { node.get_async::<u8>("k").await });
    held.is_reached().await;
    assert_eq!(cache.get_async::<u8>("other").await.unwrap(), Some(1));
    assert_eq!(backend.evictions.load(Ordering::SeqCst), 2, "its own");
    assert_eq!(cache.get_async::<u8>("k").await.unwrap(), None);
    assert_eq!(backend.evictions.load(Ordering::SeqCst), 3);
    held.release();
    assert_eq!(finding.await.unwrap().unwrap(), Some(1));
}

/// What is stored under "a" makes "b" and "c" out of date.
pub(crate) struct Outdates {
    by: Key,
    what: Vec<Key>,
}

impl Outdates {
    pub(crate) fn cache(backend: &Gated) -> Cache {
        let keys = Arc::new(Seen::default());
        let watched = Cache::builder().rule(Watch(Arc::clone(&keys))).build().unwrap();
        for key in ["a", "b", "c"] {
            watched.set(key, &0_u8, MINUTE).unwrap();
        }
        let mut what = std::mem::take(&mut *keys.keys.lock().unwrap());
        let by = what.remove(0);
        Cache::builder().backend(backend.clone()).rule(Self { by, what }).build().unwrap()
    }
}

impl Rule for Outdates {
    fn on_set(&self, key: &Key, _: &EntryMeta) -> Effect {
        if *key == self.by { Effect::Evict(self.what.clone()) } else { Effect::Continue }
    }
}

/// Another has taken it by the time that the value is about to be written.
#[tokio::test]
async fn what_a_rule_wants_of_a_set_is_done_when_that_returns_whoever_is_at_it() {
    let backend = Gated::default();
    let cache = Outdates::cache(&backend);
    for key in ["b", "c"] {
        cache.set_async(key, &1_u8, MINUTE).await.unwrap();
    }
    let mut first = backend.hold(Point::BeforeEvict);
    let node = cache.clone();
    let setting = tokio::spawn(async move { node.set_async("a", &1_u8, MINUTE).await });
    first.is_reached().await;
    let mut second = backend.hold(Point::BeforeEvict);
    let node = cache.clone();
    let reading = tokio::spawn(async move { node.get_async::<u8>("other").await });
    second.is_reached().await;
    first.release();
    setting.await.unwrap().unwrap();
    for key in ["b", "c"] {
        assert_eq!(plain(&backend).get_async::<u8>(key).await.unwrap(), None, "{key}");
    }
    second.release();
    assert_eq!(reading.await.unwrap().unwrap(), None);
}

/// Lets nothing pass that is found.
struct Refuse;

impl Rule for Refuse {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        Effect::Reject
    }
}

/// Evicts these whenever an entry is found.
struct Topples(Vec<Key>);

impl Rule for Topples {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        Effect::Evict(self.0.clone())
    }
}

#[tokio::test]
async fn what_a_rule_wants_is_done_though_another_is_at_it_and_the_body_ends_with_nothing_to_write() {
    fn never<T>(_: &T) -> bool {
        false
    }
    #[cached(cache = cache, skip(cache), name = "remote_review.kept")]
    async fn kept(cache: &Cache, n: u8) -> u8 {
        n
    }
    #[cached(cache = cache, skip(cache), name = "remote_review.kept", cache_if = never)]
    async fn unkept(cache: &Cache, n: u8) -> u8 {
        n
    }
    let backend = Gated::default();
    let filler = plain(&backend);
    for n in 1..4 {
        kept(&filler, n).await;
    }
    let rule = Topples([2, 3].map(|n| kept_entry(&filler, n).key()).into());
    let builder = Cache::builder().backend(backend.clone()).rule(rule).rule(Refuse);
    let cache = builder.background(|task| drop(tokio::spawn(task))).build().unwrap();
    let mut first = backend.hold(Point::BeforeEvict);
    let node = cache.clone();
    let call = tokio::spawn(async move { unkept(&node, 1).await });
    first.is_reached().await;
    let mut second = backend.hold(Point::BeforeEvict);
    let reading = tokio::spawn(async move { cache.get_async::<u8>("other").await });
    second.is_reached().await;
    first.release();
    assert_eq!(call.await.unwrap(), 1);
    yield_often().await;
    for n in [2, 3] {
        assert_eq!(kept_entry(&filler, n).peek().await.unwrap(), None, "{n}");
    }
    second.release();
    assert_eq!(reading.await.unwrap().unwrap(), None);
}

#[test]
fn a_rule_that_prolongs_entries_does_not_prolong_their_copies() {
    let clock = ManualClock::new();
    let backend = Gated::by(&clock);
    let cache = Cache::builder().backend(backend.clone()).near(Memory::new()).clock(clock.clone());
    let cache = cache.near_ttl(Duration::from_secs(10)).rule(Slide).build().unwrap();
    cache.set("k", &1_u8, MINUTE).unwrap();
    assert_eq!(cache.get::<u8>("k").unwrap(), Some(1));
    plain(&backend).set("k", &2_u8, MINUTE).unwrap();
    for _ in 0..4 {
        clock.advance(Duration::from_secs(3));
        cache.get::<u8>("k").unwrap();
    }
    assert_eq!(cache.get::<u8>("k").unwrap(), Some(2), "twelve seconds on, the copy is over");
}

/// As Redis may, which tells the lifetime first, and then the value that another node has set in between.
#[test]
fn hazard_10_a_copy_does_not_outlive_what_its_value_was_granted() {
    #[cached(cache = cache, skip(cache), ttl = 10, stale = "10s")]
    fn aging(cache: &Cache) -> u8 {
        1
    }
    for says in [None, Some(Duration::from_secs(3_600))] {
        let clock = ManualClock::new();
        let backend = Gated::by(&clock);
        let ten = Duration::from_secs(10);
        plain(&backend).set("k", &1_u8, ten).unwrap();
        aging(&plain(&backend));
        let near = Cache::builder().backend(backend.clone()).near(Memory::new()).clock(clock.clone());
        let near = near.near_ttl(Duration::from_secs(3_600)).build().unwrap();
        *backend.says.lock().unwrap() = Says::Lives(says);
        assert_eq!(near.get::<u8>("k").unwrap(), Some(1));
        assert_eq!(aging(&near), 1);
        *backend.says.lock().unwrap() = Says::WhatIsTrue;
        clock.advance(ten);
        assert_eq!(near.get::<u8>("k").unwrap(), None, "{says:?}");
        assert_eq!(observe(|| aging(&near)).1.outcome, Outcome::Stale, "{says:?}");
    }
}

#[test]
fn a_rule_that_prolongs_an_error_gives_it_no_grace() {
    #[cached(cache = cache, skip(cache), ttl = 30, stale_if_error = "1h", cache_err = 30)]
    fn checked(cache: &Cache, n: i8) -> Result<i8, String> {
        if n < 0 { Err(n.to_string()) } else { Ok(n) }
    }
    for is_near in [false, true] {
        let clock = ManualClock::new();
        let builder = Cache::builder().backend(Gated::by(&clock)).clock(clock.clone()).rule(Slide);
        let builder = if is_near { builder.near(Memory::new()) } else { builder };
        let cache = builder.build().unwrap();
        for n in [-1, 1] {
            let outcome = checked(&cache, n);
            // Kept here, where there is a near cache, and found.
            assert_eq!((checked(&cache, n), checked(&cache, n)), (outcome.clone(), outcome));
            let is_prolonged = || checked_entry(&cache, n).remaining().unwrap() > Some(MINUTE / 2);
            until("it is prolonged", is_prolonged);
            assert_eq!(checked_entry(&cache, n).remaining().unwrap(), Some(MINUTE), "{n} near: {is_near}");
        }
    }
}
