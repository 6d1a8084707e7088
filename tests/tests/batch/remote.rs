//! Over a backend: one question for all elements, and its outages.

use cacheado::backends::{
    Backend, BackendStats, Entry, Error, ErrorKind, Result as BackendResult, SharedMemory,
};
use cacheado::prelude::*;
use cacheado::testing::{Fault, FlakyBackend};
use cacheado::{Outcome, Tier, Ttl, observe};
use cacheado_tests::Counter;
use cacheado_tests::gate::Gated;
use cacheado_tests::wait::{in_time, on_one_thread};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::yield_now;

use crate::{Shop, doubled, later, later_entry};

/// A backend that counts how often it is asked, and has no time where it is asked for too much at once.
#[derive(Clone, Default)]
struct Counted {
    inner: SharedMemory,
    asked: Arc<Counter>,
    under_way: Arc<Counter>,
    /// How many answers it gives at least, whatever it is asked for.
    answers: Arc<AtomicUsize>,
}

impl Counted {
    async fn ask(&self, keys: usize) -> BackendResult<()> {
        self.asked.next();
        let others = self.under_way.next();
        yield_now().await;
        self.under_way.leave();
        if others < 128 && keys < 4_000 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Timeout, "count", "too much at once"))
    }
}

impl Backend for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }

    async fn get(&self, key: &str) -> BackendResult<Option<Entry>> {
        self.ask(1).await?;
        Backend::get(&self.inner, key).await
    }

    async fn get_many(&self, keys: &[&str]) -> BackendResult<Vec<Option<Entry>>> {
        self.ask(keys.len()).await?;
        let mut entries = Backend::get_many(&self.inner, keys).await?;
        entries.resize(entries.len().max(self.answers.load(Ordering::SeqCst)), None);
        Ok(entries)
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> BackendResult<()> {
        self.ask(1).await?;
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

/// A server bounds each question in time, and does a few of them at once.
#[test]
fn of_a_large_batch_not_all_is_asked_at_once() {
    let many: Vec<u32> = (0..5_000).collect();
    on_one_thread(|| async move {
        let backend = Counted::default();
        let node = || Shop::over(Cache::builder().backend(backend.clone()).build().unwrap());
        let (one, two) = (node(), node());
        later(&one, &many).await.unwrap();
        assert_eq!(later(&two, &many).await.unwrap()[4_999], 9_998);
        assert_eq!((two.runs(), two.cache.stats().hits), (0, 5_000));
        assert_eq!(one.cache.stats().backend_errors + two.cache.stats().backend_errors, 0);
        two.cache.set_async("last", &1_u32, Ttl::Never).await.unwrap();
        let keys = (0..5_000).map(|key| key.to_string()).chain(["last".to_owned()]);
        let found = two.cache.get_many_async::<u32>(keys).await.unwrap();
        assert_eq!((found.len(), found[5_000]), (5_001, Some(1)));
    });
    in_time(|| {
        let many: Vec<u32> = (0..5_000).collect();
        let shop = Shop::over(Cache::builder().backend(Counted::default()).build().unwrap());
        doubled(&shop, &many);
        assert_eq!((doubled(&shop, &many)[4_999], shop.runs()), (9_998, 1));
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

#[test]
fn hazard_30_another_number_of_answers_than_of_keys_is_an_error_and_nobodys_answer() {
    /// Asks for the elements and for some keys, first as there are answers to them, then as there are too many or too few.
    fn check(cache: Cache, answers: &[usize], answer: &dyn Fn(usize)) {
        let shop = Shop::over(cache);
        for key in 1..=3_u32 {
            shop.cache.set(key, &key, Ttl::Never).unwrap();
        }
        assert_eq!(doubled(&shop, &[1, 2, 3]), [2, 4, 6]);
        assert_eq!(shop.asked(), [[1, 2, 3]]);
        for (errors, &number) in answers.iter().enumerate() {
            answer(number);
            let read = shop.cache.get_many::<u32>(1..=3_u32);
            assert_eq!(read.unwrap_err().kind(), cacheado::ErrorKind::Backend, "{number} answers");
            assert_eq!(doubled(&shop, &[1, 2, 3]), [2, 4, 6], "{number} answers");
            assert_eq!(shop.asked(), [[1, 2, 3]], "{number} answers: the body decides");
            assert!(shop.cache.stats().backend_errors > errors as u64);
        }
    }
    in_time(|| {
        let tier = Gated::new(SharedMemory::new());
        let cache = Cache::builder().backend(tier.clone()).build().unwrap();
        check(cache, &[0, 2, 4, 100], &|number| tier.answer(Some(number)));

        let backend = Counted::default();
        let cache = Cache::builder().backend(backend.clone()).build().unwrap();
        check(cache, &[100], &|number| backend.answers.store(number, Ordering::SeqCst));
    });
}
