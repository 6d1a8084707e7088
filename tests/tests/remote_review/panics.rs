//! A backend with a defect.

use std::sync::atomic::Ordering;

use cacheado::ErrorKind;
use cacheado::prelude::*;

use crate::gated::Gated;
use crate::plain;

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
