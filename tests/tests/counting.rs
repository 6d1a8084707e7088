//! How many entries there are: `total_keys` for async code, and the entries of a scope.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cacheado::backends::{ErrorKind as Failure, Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::testing::{Fault, FlakyBackend, ManualClock};
use cacheado::{ErrorKind, with_cache, with_cache_async};
use cacheado_tests::wait::on_one_thread;

cacheado::scopes! {
    mod scopes {
        organization(org) { user(user) }
    }
}

#[cached(ttl = 60, scope = "user")]
fn page(org: &str, user: &str, number: u32) -> String {
    format!("{number} of {user} of {org}")
}

#[cached(ttl = 60, scope = "organization")]
async fn plan(org: &str) -> String {
    org.to_owned()
}

#[cached(ttl = 60, scope = "organization", local)]
fn kept_here(org: &str) -> usize {
    org.len()
}

/// Three entries of one tenant, and one of another.
fn fill(cache: &Cache) {
    with_cache(cache, || {
        page("acme", "ada", 1);
        page("acme", "ada", 2);
        page("acme", "brian", 1);
        page("globex", "ada", 1);
    });
}

#[test]
fn the_entries_of_a_scope_are_those_that_its_eviction_takes() {
    let clock = ManualClock::new();
    let server = SharedMemory::with_clock(clock.clone());
    let near = || Memory::builder().max_items(100).build();
    let caches = [
        Cache::builder().clock(clock.clone()),
        Cache::builder().clock(clock.clone()).backend(server.clone()).near(near()),
    ];
    for cache in caches.map(|builder| builder.build().unwrap()) {
        let count = |scope: &Scope| cache.count_by_scope(scope).unwrap();
        let (acme, ada) = (scopes::organization("acme"), scopes::user("acme", "ada"));
        assert_eq!((count(&acme), count(&Scope::global())), (0, 0));
        fill(&cache);
        with_cache(&cache, || kept_here("acme"));
        cache.scoped(ada.clone()).set("theme", &1, Duration::from_secs(10)).unwrap();
        cache.set("outside", &1, Ttl::Never).unwrap();
        assert_eq!((count(&ada), count(&acme), count(&scopes::organization("globex"))), (3, 5, 1));
        assert_eq!((count(&Scope::global()), cache.stats().total_keys), (7, 7));
        assert_eq!(count(&scopes::organization("nobody")), 0);
        clock.advance(Duration::from_secs(10));
        assert_eq!((count(&ada), count(&acme)), (2, 4), "what has expired is not counted");
        assert_eq!(cache.evict_by_scope(&ada).unwrap(), 2);
        assert_eq!((count(&ada), count(&acme), count(&Scope::global())), (0, 2, 4));
    }
}

#[test]
fn the_entries_of_a_scope_are_those_of_all_processes_but_for_what_each_keeps() {
    on_one_thread(|| async {
        let server = SharedMemory::new();
        let node = || Cache::builder().backend(server.clone()).build().unwrap();
        let (one, two) = (node(), node());
        fill(&one);
        with_cache(&one, || kept_here("acme"));
        let acme = scopes::organization("acme");
        assert_eq!(one.count_by_scope_async(&acme).await.unwrap(), 4);
        assert_eq!(two.count_by_scope_async(&acme).await.unwrap(), 3);
    });
}

#[test]
fn where_the_backend_is_away_a_count_fails_and_statistics_go_without() {
    on_one_thread(|| async {
        let server = FlakyBackend::new(SharedMemory::new());
        let cache = Cache::builder().backend(server.clone()).breaker(u32::MAX, Duration::from_secs(60));
        let cache = cache.build().unwrap();
        fill(&cache);
        server.inject(Fault::fail(Failure::Unavailable));
        let acme = scopes::organization("acme");
        for failed in [cache.count_by_scope(&acme), cache.count_by_scope_async(&acme).await] {
            let error = failed.unwrap_err();
            assert_eq!((error.kind(), error.operation()), (ErrorKind::Backend, "count_by_scope"));
        }
        let stats = cache.stats_async().await;
        assert_eq!((stats.total_keys, stats.misses), (0, 4));
    });
}

#[test]
fn statistics_for_async_code_are_the_same() {
    on_one_thread(|| async {
        let server = SharedMemory::new();
        let remote = Cache::builder().backend(server).build().unwrap();
        for cache in [Cache::new(), remote] {
            fill(&cache);
            with_cache_async(&cache, plan("acme")).await;
            with_cache_async(&cache, plan("acme")).await;
            let of_pages = with_cache(&cache, page_cache);
            let of_plans = with_cache(&cache, plan_cache);
            assert_eq!(cache.stats_async().await, cache.stats());
            assert_eq!(of_pages.stats_async().await, of_pages.stats());
            assert_eq!(of_plans.stats_async().await, of_plans.stats());
            assert_eq!(cache.stats_async().await.total_keys, 5);
            assert_eq!(of_pages.stats_async().await.total_keys, 4);
            let stats = of_plans.stats_async().await;
            assert_eq!((stats.total_keys, stats.hits, stats.misses), (1, 1, 1));
        }
    });
}

#[test]
fn statistics_for_async_code_block_nobody() {
    fn waits_for<F: Future>(server: &FlakyBackend<SharedMemory>, future: F) -> F::Output {
        server.inject(Fault::hang());
        let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
        assert!(future.as_mut().poll(&mut context).is_pending(), "the thread goes on");
        server.heal();
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            std::thread::yield_now();
        }
    }
    on_one_thread(|| async {
        let server = FlakyBackend::new(SharedMemory::new());
        let cache = Cache::builder().backend(server.clone()).build().unwrap();
        fill(&cache);
        with_cache_async(&cache, plan("acme")).await;
        assert_eq!(waits_for(&server, cache.stats_async()).total_keys, 5);
        assert_eq!(waits_for(&server, with_cache(&cache, page_cache).stats_async()).total_keys, 4);
        assert_eq!(waits_for(&server, with_cache(&cache, plan_cache).stats_async()).total_keys, 1);
        assert_eq!(waits_for(&server, cache.count_by_scope_async(&scopes::organization("acme"))).unwrap(), 4);
    });
}
