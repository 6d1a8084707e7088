//! A backend with a defect.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cacheado::ErrorKind;
use cacheado::backends::Memory;
use cacheado::prelude::*;
use cacheado::testing::ManualClock;

use crate::gated::Gated;
use crate::wishes::Outdates;
use crate::{Depends, MINUTE, plain};

#[tokio::test]
async fn hazard_26_calls_go_on_without_a_backend_that_panics() {
    #[cached(cache = cache, skip(cache))]
    fn one(cache: &Cache) -> u8 {
        1
    }
    #[cached(cache = cache, skip(cache))]
    async fn two(cache: &Cache) -> u8 {
        2
    }
    let backend = Gated::default();
    let cache = plain(&backend);
    backend.panics.store(true, Ordering::SeqCst);
    assert_eq!((one(&cache), two(&cache).await), (1, 2));
    assert_eq!(cache.get::<u8>("k").unwrap_err().kind(), ErrorKind::Backend);
    assert_eq!(cache.get_async::<u8>("k").await.unwrap_err().kind(), ErrorKind::Backend);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.backend_errors), (0, 4, 4), "{stats}");

    backend.panics.store(false, Ordering::SeqCst);
    for hits in 0..2 {
        assert_eq!((one(&cache), two(&cache).await), (1, 2));
        assert_eq!(cache.stats().hits, 2 * hits);
    }
}

#[tokio::test]
async fn a_rule_s_eviction_survives_a_panic() {
    for is_async in [false, true] {
        let backend = Gated::default();
        let cache = Depends::cache(Cache::builder().backend(backend.clone()));
        cache.set_async("b", &1_u8, MINUTE).await.unwrap();
        backend.panics.store(true, Ordering::SeqCst);
        if is_async {
            cache.set_async("a", &1_u8, MINUTE).await.unwrap();
        } else {
            cache.set("a", &1_u8, MINUTE).unwrap();
        }
        assert!(backend.evictions.load(Ordering::SeqCst) > 0, "it was tried");
        backend.panics.store(false, Ordering::SeqCst);
        assert_eq!(plain(&backend).get_async::<u8>("b").await.unwrap(), Some(1));
        assert_eq!(cache.stats().evictions, 0, "nothing was evicted");
        assert_eq!(cache.get_async::<u8>("b").await.unwrap(), None);
        assert_eq!(cache.stats().evictions, 1);
    }
}

/// It is tried before them each time.
#[tokio::test]
async fn an_eviction_at_which_the_backend_panics_does_not_keep_others_from_being_done() {
    let backend = Gated::default();
    let cache = Outdates::cache(&backend);
    for key in ["b", "c"] {
        cache.set_async(key, &1_u8, MINUTE).await.unwrap();
    }
    *backend.panics_at.lock().unwrap() = Some("(\"b\")");
    cache.set_async("a", &1_u8, MINUTE).await.unwrap();
    let left = async || {
        let other = plain(&backend);
        [other.get_async::<u8>("b").await.unwrap(), other.get_async::<u8>("c").await.unwrap()]
    };
    assert_eq!(left().await, [Some(1), None]);
    *backend.panics_at.lock().unwrap() = None;
    assert_eq!(cache.get_async::<u8>("other").await.unwrap(), None);
    assert_eq!(left().await, [None, None]);
}

/// It says nothing of the server.
#[tokio::test]
async fn hazard_26_a_panic_is_no_sign_that_the_server_is_back() {
    for is_async in [false, true] {
        let (clock, backend) = (ManualClock::new(), Gated::default());
        let cache = Cache::builder().backend(backend.clone()).clock(clock.clone());
        let cache = cache.breaker(1, MINUTE).build().unwrap();
        let get = async || {
            if is_async { cache.get_async::<u8>("k").await } else { cache.get::<u8>("k") }
        };
        backend.is_down.store(true, Ordering::SeqCst);
        get().await.unwrap_err();
        backend.is_down.store(false, Ordering::SeqCst);
        clock.advance(MINUTE);
        backend.panics.store(true, Ordering::SeqCst);
        let error = get().await.unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
        backend.panics.store(false, Ordering::SeqCst);
        let error = get().await.unwrap_err();
        assert!(error.to_string().contains("left in peace"), "{error}");
        clock.advance(MINUTE);
        assert_eq!(get().await.unwrap(), None);
        assert_eq!(get().await.unwrap(), None);
    }
}

#[tokio::test]
async fn hazard_26_calls_go_on_without_a_bus_that_panics() {
    let (clock, backend) = (ManualClock::new(), Gated::default());
    let cache = Cache::builder().backend(backend.clone()).near(Memory::new()).clock(clock.clone());
    let cache = cache.build().unwrap();
    backend.bus_panics.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        cache.set("k", &1_u8, MINUTE).unwrap();
        assert_eq!(cache.get::<u8>("k").unwrap(), Some(1));
        assert_eq!(cache.get_async::<u8>("k").await.unwrap(), Some(1));
        // It is tried again then.
        clock.advance(Duration::from_secs(1));
    }
    assert!(backend.subscriptions.load(Ordering::SeqCst) > 1);
}
