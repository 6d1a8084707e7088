//! What a caller says around a call: past the cache, anew, and how it was served.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::testing::ManualClock;
use cacheado::{
    Outcome, Served, Tier, bypass, bypass_async, observe, observe_async, refresh, refresh_async, with_cache,
};
use cacheado_tests::wait::{on_one_thread, others_wait, until};
use cacheado_tests::{Counter, clocked};
use tokio::sync::Notify;
use tokio::task::yield_now;

/// A cache, and how often the bodies over it have run.
#[derive(Default)]
struct Shop {
    cache: Cache,
    runs: Counter,
    gate: Notify,
}

impl Shop {
    fn over(cache: Cache) -> Self {
        Self { cache, ..Self::default() }
    }
}

#[cached(cache = shop.cache, skip(shop), ttl = 60)]
fn price(shop: &Shop, article: u32) -> usize {
    shop.runs.next() * 1_000 + article as usize
}

#[cached(cache = shop.cache, skip(shop), ttl = 60)]
fn invoice(shop: &Shop, article: u32) -> usize {
    price(shop, article) + 1
}

#[cached(cache = shop.cache, skip(shop), ttl = 60)]
async fn price_later(shop: &Shop, article: u32) -> usize {
    yield_now().await;
    shop.runs.next() * 1_000 + article as usize
}

#[cached(cache = shop.cache, skip(shop))]
async fn gated(shop: &Shop) -> usize {
    let run = shop.runs.next();
    shop.gate.notified().await;
    run
}

/// A function without `cache = …`.
#[cached]
fn ambient_price(article: usize) -> usize {
    article * 3
}

#[cached(cache = cache, skip(cache))]
fn failing(cache: &Cache) -> Result<u32, String> {
    let _ = cache;
    Err("out of order".to_owned())
}

#[test]
fn a_bypass_reads_and_stores_nothing() {
    let shop = Shop::default();
    assert_eq!(bypass(|| invoice(&shop, 7)), 8);
    assert_eq!(shop.cache.stats().total_keys, 0);
    assert_eq!(price(&shop, 7), 1_007);
    // Not the outer call's value, and not what it calls.
    assert_eq!(bypass(|| [price(&shop, 7), invoice(&shop, 7) - 1]), [2_007, 3_007]);
    assert_eq!(price(&shop, 7), 1_007);
    let stats = shop.cache.stats();
    assert_eq!((stats.bypassed, stats.hits, stats.misses), (5, 1, 1));
}

#[test]
fn a_refresh_overwrites_what_calls_inside_use() {
    let shop = Shop::default();
    assert_eq!(invoice(&shop, 7), 8);
    // Both the invoice and the price in it.
    assert_eq!(refresh(|| invoice(&shop, 7)), 1_008);
    assert_eq!((price(&shop, 7), invoice(&shop, 7)), (1_007, 1_008));
    assert_eq!(shop.runs.get(), 2);
}

#[test]
fn the_inner_wish_counts_and_ends_with_a_panic() {
    let shop = Shop::default();
    bypass(|| {
        refresh(|| price(&shop, 1));
        price(&shop, 1);
        let inner = AssertUnwindSafe(|| refresh(|| panic!("on purpose")));
        assert!(catch_unwind(inner).is_err());
        price(&shop, 1)
    });
    assert_eq!(shop.cache.stats().bypassed, 2);
    assert_eq!(price(&shop, 1), 1);
    assert_eq!(shop.cache.stats().hits, 1);
}

#[test]
fn entries_and_keys_of_ones_own_follow() {
    let shop = Shop::default();
    shop.cache.set("a", &1, Ttl::Never).unwrap();
    assert_eq!(bypass(|| shop.cache.get_or_compute("a", Ttl::Never, || 2)).unwrap(), 2);
    // What says by its name what it does, does it.
    assert_eq!(bypass(|| shop.cache.get::<i32>("a")).unwrap(), Some(1));
    assert_eq!(refresh(|| shop.cache.get_or_compute("a", Ttl::Never, || 3)).unwrap(), 3);
    assert_eq!(shop.cache.get::<i32>("a").unwrap(), Some(3));

    assert_eq!(bypass(|| price_entry(&shop, 7).get()), 7);
    assert_eq!(price_entry(&shop, 7).peek().unwrap(), None);
    assert_eq!(bypass(|| price_entry(&shop, 7).refresh()), 1_007);
    assert_eq!(price_entry(&shop, 7).peek().unwrap(), Some(1_007));
    assert_eq!(refresh(|| price_entry(&shop, 7).get()), 2_007);
}

#[test]
fn it_concerns_functions_without_a_cache_of_their_own() {
    let cache = Cache::new();
    with_cache(&cache, || {
        bypass(|| ambient_price(7));
        assert_eq!(cache.stats().total_keys, 0);
        assert_eq!(observe(|| ambient_price(7)).1.outcome, Outcome::Miss);
        assert_eq!(observe(|| ambient_price(7)).1.outcome, Outcome::Hit);
        bypass(|| with_cache(&Cache::new(), || ambient_price(7)));
    });
    assert_eq!((cache.stats().hits, cache.stats().bypassed), (1, 1));
}

#[test]
fn other_threads_are_not_concerned() {
    let shop = Shop::default();
    price(&shop, 7);
    bypass(|| {
        thread::scope(|threads| {
            threads.spawn(|| assert_eq!(price(&shop, 7), 7));
            threads.spawn(|| assert_eq!(ambient_price(1), 3));
        });
    });
    assert_eq!((shop.cache.stats().hits, shop.cache.stats().bypassed), (1, 0));
}

#[test]
fn a_refresh_waits_for_nobody() {
    on_one_thread(|| async {
        let shop = Shop::default();
        let first = gated(&shop);
        let second = async {
            yield_now().await;
            refresh_async(gated(&shop)).await
        };
        let opened = async {
            until_runs(&shop, 2).await;
            shop.gate.notify_waiters();
        };
        assert_eq!(tokio::join!(first, second, opened), (0, 1, ()));
    });
}

async fn until_runs(shop: &Shop, runs: usize) {
    while shop.runs.get() < runs {
        yield_now().await;
    }
    others_wait().await;
}

#[test]
fn async_wishes_stay_with_their_task() {
    on_one_thread(|| async {
        let shop = Shop::default();
        price_later(&shop, 7).await;
        let (bypassed, refreshed, usual) = tokio::join!(
            bypass_async(price_later(&shop, 7)),
            async {
                yield_now().await;
                refresh_async(price_later(&shop, 7)).await
            },
            price_later(&shop, 7),
        );
        assert_eq!((bypassed, refreshed, usual), (1_007, 2_007, 7));
        assert_eq!(price_later(&shop, 7).await, 2_007);
        assert_eq!(shop.cache.stats().bypassed, 1);
    });
}

fn how(served: &Served) -> (Outcome, Tier) {
    (served.outcome, served.tier)
}

#[test]
fn observed_calls_say_how_they_were_served() {
    let (cache, clock) = clocked();
    let shop = Shop::over(cache);
    let (value, served) = observe(|| price(&shop, 7));
    assert_eq!((value, how(&served), served.age), (7, (Outcome::Miss, Tier::None), Some(Duration::ZERO)));
    clock.advance(Duration::from_secs(5));
    let (value, served) = observe(|| price(&shop, 7));
    assert_eq!((value, how(&served)), (7, (Outcome::Hit, Tier::Memory)));
    assert_eq!(served.age, Some(Duration::from_secs(5)));
    assert_eq!(served.to_string(), "hit (memory, 5 s)");
    assert_eq!(observe(|| bypass(|| price(&shop, 7))).1.outcome, Outcome::Bypassed);
    assert_eq!(observe(|| price_entry(&shop, 7).bypass()).1.outcome, Outcome::Bypassed);
    assert_eq!(observe(|| refresh(|| price(&shop, 7))).1.outcome, Outcome::Miss);
    assert_eq!(observe(|| price(&shop, 7)).1.age, Some(Duration::ZERO));
    assert_eq!(observe(|| price_entry(&shop, 7).get()).1.outcome, Outcome::Hit);
    assert_eq!(observe(|| failing(&shop.cache)).1.outcome, Outcome::Miss);
    assert_eq!(observe(|| ()).1.outcome, Outcome::Uncalled);
    assert_eq!(observe(|| price(&Shop::over(Cache::disabled()), 1)).1.outcome, Outcome::Bypassed);
    let computed = observe(|| shop.cache.get_or_compute("a", Ttl::Never, || 1).unwrap());
    assert_eq!(computed.1.outcome, Outcome::Miss);
}

#[test]
fn the_call_that_returns_last_counts() {
    let shop = Shop::default();
    price(&shop, 7);
    // The price in it is a hit, the invoice is not.
    assert_eq!(observe(|| invoice(&shop, 7)).1.outcome, Outcome::Miss);
    assert_eq!(observe(|| [invoice(&shop, 8), price(&shop, 7)]).1.outcome, Outcome::Hit);
    let (((), inner), outer) = observe(|| {
        observe(|| {
            price(&shop, 9);
        })
    });
    assert_eq!((inner.outcome, outer), (Outcome::Miss, inner));
    let ((_, inner), outer) = observe(|| (price(&shop, 9), observe(|| ()).1));
    assert_eq!((inner.outcome, outer.outcome), (Outcome::Uncalled, Outcome::Hit));
}

#[test]
fn async_observers_see_their_own_task() {
    on_one_thread(|| async {
        let shop = Shop::default();
        price_later(&shop, 1).await;
        let (hit, miss) = tokio::join!(
            observe_async(async {
                yield_now().await;
                yield_now().await;
                price_later(&shop, 1).await
            }),
            observe_async(price_later(&shop, 2)),
        );
        assert_eq!((hit.1.outcome, miss.1.outcome), (Outcome::Hit, Outcome::Miss));
    });
}

#[test]
fn who_waits_is_coalesced() {
    on_one_thread(|| async {
        let shop = Shop::default();
        let opened = async {
            until_runs(&shop, 1).await;
            shop.gate.notify_waiters();
        };
        let (leader, waiter, ()) =
            tokio::join!(observe_async(gated(&shop)), observe_async(gated(&shop)), opened);
        assert_eq!((leader.1.outcome, waiter.1.outcome), (Outcome::Miss, Outcome::Coalesced));
        assert_eq!(leader.0, waiter.0);
    });
}

#[test]
fn a_thread_that_waits_is_coalesced() {
    #[cached(cache = shop.cache, skip(shop))]
    fn slow(shop: &Shop) -> usize {
        let run = shop.runs.next();
        until("another waits", || shop.cache.stats().misses == 2);
        run
    }
    let shop = Shop::default();
    let mut outcomes = thread::scope(|threads| {
        let both = [(); 2].map(|()| threads.spawn(|| observe(|| slow(&shop)).1.outcome.to_string()));
        both.map(|thread| thread.join().unwrap())
    });
    outcomes.sort();
    // The second has been counted a miss before it waits, or after the landing looked again and hit.
    assert_eq!(outcomes[1], "miss");
    assert!(["coalesced", "hit"].contains(&outcomes[0].as_str()), "{outcomes:?}");
}

#[test]
fn remote_and_near_hits_are_told_apart() {
    let clock = ManualClock::new();
    let backend = SharedMemory::with_clock(clock.clone());
    let node = |near: bool| {
        let builder = Cache::builder().backend(backend.clone()).clock(clock.clone());
        let builder = if near { builder.near(Memory::new()) } else { builder };
        Shop::over(builder.build().unwrap())
    };
    let (one, two) = (node(false), node(true));
    assert_eq!(how(&observe(|| price(&one, 7)).1), (Outcome::Miss, Tier::None));
    clock.advance(Duration::from_secs(3));
    let (_, served) = observe(|| price(&two, 7));
    assert_eq!((how(&served), served.age), ((Outcome::Hit, Tier::Remote), Some(Duration::from_secs(3))));
    // Copies are kept from when the node listens to the others' evictions.
    until("a copy is kept", || {
        let (_, served) = observe(|| price(&two, 7));
        (how(&served), served.age) == ((Outcome::Hit, Tier::Near), None)
    });
    // Past the cache is past the backend.
    assert_eq!(bypass(|| price(&two, 8)), 8);
    assert_eq!(price_entry(&one, 8).peek().unwrap(), None);
    assert_eq!(refresh(|| price(&two, 7)), 1_007);
    assert_eq!(price(&one, 7), 1_007);
}

#[test]
fn the_wish_of_another_task_is_not_a_leaders() {
    on_one_thread(|| async {
        let shop = Arc::new(Shop::default());
        let opened = async {
            until_runs(&shop, 2).await;
            shop.gate.notify_waiters();
        };
        // Who goes past the cache leads nobody.
        let (past, usual, ()) = tokio::join!(bypass_async(gated(&shop)), gated(&shop), opened);
        assert_eq!((past, usual), (0, 1));
        assert_eq!(shop.cache.stats().coalesced, 0);
    });
}
