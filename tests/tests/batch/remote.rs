//! Over a backend: one question for all elements, and its outages.

use cacheado::backends::{Backend, BackendStats, Entry, Result as BackendResult, SharedMemory};
use cacheado::prelude::*;
use cacheado::testing::{Fault, FlakyBackend};
use cacheado::{Outcome, Tier, observe};
use cacheado_tests::Counter;
use cacheado_tests::wait::on_one_thread;
use std::sync::Arc;
use std::time::Duration;

use crate::{Shop, doubled, later, later_entry};

/// A backend that counts how often it is asked.
#[derive(Clone, Default)]
struct Counted {
    inner: SharedMemory,
    asked: Arc<Counter>,
}

impl Backend for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }

    async fn get(&self, key: &str) -> BackendResult<Option<Entry>> {
        self.asked.next();
        Backend::get(&self.inner, key).await
    }

    async fn get_many(&self, keys: &[&str]) -> BackendResult<Vec<Option<Entry>>> {
        self.asked.next();
        Backend::get_many(&self.inner, keys).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> BackendResult<()> {
        self.asked.next();
        Backend::put(&self.inner, key, value, ttl).await
    }

    async fn remove(&self, key: &str) -> BackendResult<bool> {
        Backend::remove(&self.inner, key).await
    }

    async fn keys(&self, prefix: &str) -> BackendResult<Vec<String>> {
        Backend::keys(&self.inner, prefix).await
    }

    async fn clear(&self) -> BackendResult<u64> {
        Backend::clear(&self.inner).await
    }

    async fn stats(&self) -> BackendResult<BackendStats> {
        Backend::stats(&self.inner).await
    }
}

#[test]
fn hazard_29_a_backend_is_asked_once_for_all_elements() {
    let backend = Counted::default();
    let node = || Shop::over(Cache::builder().backend(backend.clone()).build().unwrap());
    let (one, two) = (node(), node());
    let all: Vec<u32> = (0..20).collect();
    doubled(&one, &all);
    backend.asked.take();
    assert_eq!(doubled(&two, &all[..2]), [0, 2]);
    let few = backend.asked.take();
    let (values, served) = observe(|| doubled(&two, &all));
    assert_eq!((values[19], served.outcome, served.tier), (38, Outcome::Hit, Tier::Remote));
    assert_eq!((backend.asked.take(), two.runs()), (few, 0), "as often for twenty as for two");
    assert_eq!(two.cache.stats().hits, 22);

    on_one_thread(move || async move {
        let three = Shop::over(Cache::builder().backend(backend.clone()).build().unwrap());
        later(&three, &[1, 2]).await.unwrap();
        assert_eq!(later(&three, &[1, 2, 3]).await, Ok(vec![2, 4, 6]));
        assert_eq!(three.asked(), [vec![1, 2], vec![3]]);
        assert!(later_entry(&three, &1).evict().await.unwrap());
        later(&three, &[1, 2, 3]).await.unwrap();
        assert_eq!(three.asked(), [[1]]);
    });
}

#[test]
fn an_outage_is_a_batch_of_misses() {
    let broken = FlakyBackend::new(SharedMemory::new());
    let shop = Shop::over(Cache::builder().backend(broken.clone()).build().unwrap());
    broken.inject(Fault::fail(cacheado::backends::ErrorKind::Unavailable));
    assert_eq!(doubled(&shop, &[1, 2]), [2, 4]);
    assert!(shop.cache.stats().backend_errors > 0);

    #[cached(cache = shop.cache, skip(shop), batch(ids), on_backend_error = "error")]
    fn strict(shop: &Shop, ids: &[u32]) -> Result<Vec<u32>, cacheado::Error> {
        shop.note(ids);
        Ok(ids.to_vec())
    }
    shop.asked();
    assert_eq!(strict(&shop, &[1, 2]).unwrap_err().kind(), cacheado::ErrorKind::Backend);
    assert_eq!(shop.runs(), 0);
}
