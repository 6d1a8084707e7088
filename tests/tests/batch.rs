//! `batch(ids)`: a function of many elements, each cached for itself.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use cacheado::backends::{Backend, BackendStats, Entry, Result as BackendResult, SharedMemory};
use cacheado::prelude::*;
use cacheado::testing::{Fault, FlakyBackend};
use cacheado::{Outcome, Tier, bypass, in_scope, observe, observe_async, refresh};
use cacheado_tests::wait::{in_time, on_one_thread, on_threads, others_wait, until};
use cacheado_tests::{Counter, clocked};
use tokio::sync::Notify;
use tokio::task::yield_now;

cacheado::scopes! {
    mod scopes {
        organization(org_id)
    }
}

/// A cache, and which ids the bodies over it have been asked for.
#[derive(Default)]
struct Shop {
    cache: Cache,
    asked: Mutex<Vec<Vec<u32>>>,
    gate: Notify,
}

impl Shop {
    fn over(cache: Cache) -> Self {
        Self { cache, ..Self::default() }
    }

    fn note(&self, ids: &[u32]) {
        self.asked.lock().unwrap().push(ids.to_vec());
    }

    /// The ids of each run of a body, since this was called last.
    fn asked(&self) -> Vec<Vec<u32>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn runs(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[cached(cache = shop.cache, skip(shop), ttl = 60, batch(ids))]
fn doubled(shop: &Shop, ids: &[u32]) -> Vec<u32> {
    shop.note(ids);
    ids.iter().map(|id| id * 2).collect()
}

#[cached(cache = shop.cache, skip(shop), batch(ids), tags("id:{ids}"))]
fn named(shop: &Shop, ids: Vec<u32>, language: String) -> HashMap<u32, String> {
    shop.note(&ids);
    let mut names = HashMap::new();
    // What the body is given is its own.
    for id in ids {
        if id < 100 {
            names.insert(id, format!("{id} in {language}"));
        }
    }
    drop(language);
    names
}

#[cached(cache = shop.cache, skip(shop), batch(ids), cache_none)]
fn known(shop: &Shop, ids: &[u32]) -> HashMap<u32, bool> {
    shop.note(ids);
    ids.iter().filter(|id| **id < 100).map(|id| (*id, true)).collect()
}

#[cached(cache = shop.cache, skip(shop), batch(ids))]
fn fallible(shop: &Shop, ids: &[u32]) -> Result<Vec<u32>, String> {
    shop.note(ids);
    if ids.contains(&13) {
        return Err("unlucky".to_owned());
    }
    Ok(ids.to_vec())
}

/// An error that nobody can copy.
#[derive(Debug, PartialEq)]
struct Unique(&'static str);

#[cached(cache = shop.cache, skip(shop), batch(ids))]
fn maybe(shop: &Shop, ids: &[u32]) -> Result<HashMap<u32, u32>, Unique> {
    shop.note(ids);
    if ids.contains(&13) { Err(Unique("unlucky")) } else { Ok(ids.iter().map(|id| (*id, id * 2)).collect()) }
}

#[cached(cache = shop.cache, skip(shop), batch(ids))]
async fn later(shop: &Shop, ids: &[u32]) -> Result<Vec<u32>, String> {
    shop.note(ids);
    yield_now().await;
    Ok(ids.iter().map(|id| id * 2).collect())
}

#[cached(cache = shop.cache, skip(shop), batch(ids))]
async fn gated(shop: &Shop, ids: Vec<u32>) -> Vec<u32> {
    shop.note(&ids);
    shop.gate.notified().await;
    ids.into_iter().map(|id| id * 2).collect()
}

#[cached(cache = shop.cache, skip(shop), batch(ids))]
fn without_odd(shop: &Shop, ids: &[u32]) -> Vec<u32> {
    shop.note(ids);
    ids.iter().copied().filter(|id| id % 2 == 0).collect()
}

#[test]
fn the_body_is_asked_once_for_what_is_missing_in_order() {
    let shop = Shop::default();
    assert_eq!(doubled(&shop, &[3, 1, 2]), [6, 2, 4]);
    assert_eq!(doubled(&shop, &[5, 3, 4, 1]), [10, 6, 8, 2]);
    assert_eq!(doubled(&shop, &[4, 5]), [8, 10]);
    assert_eq!(doubled(&shop, &[]), [0; 0]);
    assert_eq!(shop.asked(), [vec![3, 1, 2], vec![5, 4]]);
    let stats = doubled_cache(&shop).stats();
    assert_eq!((stats.hits, stats.misses, stats.total_keys), (4, 5, 5));
}

#[test]
fn an_id_that_is_asked_for_twice_is_computed_once() {
    let shop = Shop::default();
    assert_eq!(doubled(&shop, &[7, 8, 7, 7]), [14, 16, 14, 14]);
    assert_eq!(shop.asked(), [vec![7, 8]]);
    assert_eq!(doubled(&shop, &[7, 7]), [14, 14]);
    assert_eq!(fallible(&shop, &[1, 1]), Ok(vec![1, 1]));
}

#[test]
fn the_other_arguments_are_part_of_each_key() {
    let shop = Shop::default();
    let name = |ids: &[u32], language: &str| named(&shop, ids.to_vec(), language.to_owned());
    assert_eq!(name(&[1, 2], "en"), HashMap::from([(1, "1 in en".to_owned()), (2, "2 in en".to_owned())]));
    assert_eq!(name(&[2], "de"), HashMap::from([(2, "2 in de".to_owned())]));
    assert_eq!(name(&[2, 3], "en").len(), 2);
    assert_eq!(shop.asked(), [vec![1, 2], vec![2], vec![3]]);
}

#[test]
fn an_id_that_a_map_leaves_out_is_not_stored_unless_it_is_to_be() {
    let shop = Shop::default();
    assert_eq!(named(&shop, vec![1, 200], "en".to_owned()).len(), 1);
    assert_eq!(named(&shop, vec![1, 200], "en".to_owned()).len(), 1);
    assert_eq!(shop.asked(), [vec![1, 200], vec![200]]);

    assert_eq!(known(&shop, &[1, 200]), HashMap::from([(1, true)]));
    assert_eq!(known(&shop, &[1, 200]), HashMap::from([(1, true)]));
    assert_eq!(shop.asked(), [vec![1, 200]]);
    assert_eq!(known_entry(&shop, &200).peek().unwrap(), Some(None));
}

#[test]
fn an_error_is_of_the_whole_call_and_stored_for_none() {
    let shop = Shop::default();
    assert_eq!(fallible(&shop, &[1]), Ok(vec![1]));
    assert_eq!(fallible(&shop, &[1, 13, 2]), Err("unlucky".to_owned()));
    assert_eq!(fallible(&shop, &[1, 2]), Ok(vec![1, 2]));
    assert_eq!(shop.asked(), [vec![1], vec![13, 2], vec![2]]);

    assert_eq!(maybe(&shop, &[1, 2, 1]), Ok(HashMap::from([(1, 2), (2, 4)])));
    assert_eq!(maybe(&shop, &[2, 13, 13]), Err(Unique("unlucky")));
    assert_eq!(shop.asked(), [vec![1, 2], vec![13]]);
}

#[test]
fn a_list_of_another_length_is_not_stored() {
    let shop = Shop::default();
    // Nothing was cached: as it is.
    assert_eq!(without_odd(&shop, &[1, 2, 3, 4]), [2, 4]);
    assert_eq!(shop.cache.stats().total_keys, 0);
    // Where something was, the body has to say it for all.
    assert_eq!(without_odd(&shop, &[2, 4]), [2, 4]);
    shop.asked();
    assert_eq!(without_odd(&shop, &[1, 2, 6]), [2, 6]);
    assert_eq!(shop.asked(), [vec![1, 6], vec![1, 2, 6]]);
    // Also where an id stands twice.
    assert_eq!(without_odd(&shop, &[9, 9, 8]), [8]);
    assert_eq!(shop.cache.stats().total_keys, 2);
}

#[test]
fn one_elements_entry_can_be_read_replaced_and_evicted() {
    let shop = Shop::default();
    doubled(&shop, &[1, 2]);
    assert_eq!(doubled_entry(&shop, &1).peek().unwrap(), Some(2));
    doubled_entry(&shop, &1).set(99).unwrap();
    assert!(doubled_entry(&shop, &2).evict().unwrap());
    assert!(doubled_entry(&shop, &1).remaining().unwrap().is_some());
    assert_eq!(doubled(&shop, &[1, 2]), [99, 4]);
    assert_eq!(shop.asked(), [vec![1, 2], vec![2]]);
    named_entry(&shop, &7, "en".to_owned()).set("seven".to_owned()).unwrap();
    assert_eq!(named(&shop, vec![7], "en".to_owned())[&7], "seven");
    assert_eq!(doubled_cache(&shop).evict_all().unwrap(), 2);
}

#[test]
fn options_see_one_id_under_the_name_of_the_parameter() {
    let (cache, clock) = clocked();
    let shop = Shop::over(cache);
    named(&shop, vec![1, 2], "en".to_owned());
    assert_eq!(shop.cache.evict_by_tag("id:2").unwrap(), 1);
    named(&shop, vec![1, 2], "en".to_owned());
    assert_eq!(shop.asked(), [vec![1, 2], vec![2]]);

    #[cached(cache = shop.cache, ttl = Duration::from_secs(u64::from(*ids)), key = *ids, batch(ids), cache_if = is_even)]
    fn timed(shop: &Shop, mut ids: Vec<u32>) -> Vec<u32> {
        shop.note(&ids);
        ids.reverse();
        ids.reverse();
        ids
    }
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "`cache_if` asks for a reference")]
    fn is_even(n: &u32) -> bool {
        n.is_multiple_of(2)
    }
    timed(&shop, vec![2, 3, 4]);
    clock.advance(Duration::from_secs(3));
    shop.asked();
    timed(&shop, vec![2, 3, 4]);
    assert_eq!(shop.asked(), [vec![2, 3]]);
}

#[test]
fn hazard_09_each_element_is_in_the_scope() {
    #[cached(cache = shop.cache, skip(shop), scope = "organization", batch(ids))]
    fn of_org(shop: &Shop, org_id: &str, ids: &[u32]) -> Vec<u32> {
        shop.note(ids);
        ids.iter().map(|id| id + u32::try_from(org_id.len()).unwrap()).collect()
    }
    #[cached(cache = shop.cache, skip(shop), scope = ambient, batch(ids))]
    fn of_context(shop: &Shop, ids: &[u32]) -> Vec<u32> {
        shop.note(ids);
        ids.to_vec()
    }
    let shop = Shop::default();
    of_org(&shop, "acme", &[1, 2]);
    of_org(&shop, "globex", &[1, 2]);
    assert_eq!(shop.cache.evict_by_scope(&scopes::organization("acme")).unwrap(), 2);
    assert_eq!(of_org(&shop, "globex", &[1, 2]), [7, 8]);
    assert_eq!(shop.asked().len(), 2);

    of_context(&shop, &[1]);
    in_scope(scopes::organization("acme"), || of_context(&shop, &[1]));
    in_scope(scopes::organization("acme"), || of_context(&shop, &[1]));
    assert_eq!((shop.asked().len(), shop.cache.stats().bypassed), (2, 1));
}

#[test]
fn what_is_said_around_a_call_holds_for_each_element() {
    let shop = Shop::default();
    assert_eq!(observe(|| doubled(&shop, &[1, 2])).1.outcome, Outcome::Miss);
    let (_, served) = observe(|| doubled(&shop, &[1, 2]));
    assert_eq!((served.outcome, served.tier), (Outcome::Hit, Tier::Memory));
    assert_eq!(observe(|| doubled(&shop, &[3, 2])).1.outcome, Outcome::Miss);
    assert_eq!(observe(|| bypass(|| doubled(&shop, &[1, 2]))).1.outcome, Outcome::Bypassed);
    assert_eq!(refresh(|| doubled(&shop, &[2, 1])), [4, 2]);
    assert_eq!(shop.asked(), [vec![1, 2], vec![3], vec![1, 2], vec![2, 1]]);
}

#[test]
fn a_disabled_cache_runs_the_body_for_all() {
    let shop = Shop::over(Cache::disabled());
    assert_eq!(doubled(&shop, &[1, 2]), [2, 4]);
    assert_eq!(doubled(&shop, &[1, 2]), [2, 4]);
    assert_eq!(shop.asked(), [[1, 2], [1, 2]]);
}

#[test]
fn overlapping_batches_compute_each_element_once() {
    let shop: &'static Shop = Box::leak(Box::default());
    let done = on_one_thread(move || async move {
        let opened = async {
            while shop.runs() < 2 {
                yield_now().await;
            }
            others_wait().await;
            shop.gate.notify_waiters();
        };
        tokio::join!(
            observe_async(gated(shop, vec![1, 2])),
            observe_async(gated(shop, vec![2, 3])),
            observe_async(gated(shop, vec![1, 3])),
            opened
        )
    });
    assert_eq!((done.0.0, done.1.0, done.2.0), (vec![2, 4], vec![4, 6], vec![2, 6]));
    assert_eq!(shop.asked(), [vec![1, 2], vec![3]]);
    assert_eq!(done.2.1.outcome, Outcome::Coalesced);
}

#[test]
fn hazard_23_batches_that_wait_for_each_other_land_their_own_first() {
    #[cached(cache = shop.cache, skip(shop, meet), batch(ids))]
    fn met(shop: &Shop, meet: &Barrier, ids: &[u32]) -> Vec<u32> {
        shop.note(ids);
        // Both lead before either ends.
        meet.wait();
        ids.iter().map(|id| id * 2).collect()
    }
    let asked = in_time(|| {
        let (shop, meet, begin) = (Shop::default(), Barrier::new(2), Barrier::new(2));
        thread::scope(|threads| {
            let (shop, meet, begin) = (&shop, &meet, &begin);
            threads.spawn(move || {
                // One leads 1, the other 2; then each wants both.
                begin.wait();
                assert_eq!(met(shop, meet, &[1, 3]), [2, 6]);
            });
            threads.spawn(move || {
                begin.wait();
                assert_eq!(met(shop, meet, &[2, 4]), [4, 8]);
            });
        });
        shop.asked();
        // Now with an overlap: whoever comes second has nothing to lead but what the first has not.
        shop.cache.clear().unwrap();
        thread::scope(|threads| {
            let (shop, meet) = (&shop, &meet);
            threads.spawn(move || assert_eq!(met(shop, meet, &[1, 2, 3]), [2, 4, 6]));
            threads.spawn(move || assert_eq!(met(shop, meet, &[3, 2, 4]), [6, 4, 8]));
        });
        let mut asked: Vec<u32> = shop.asked().concat();
        asked.sort_unstable();
        asked
    });
    assert_eq!(asked, [1, 2, 3, 4]);
}

#[test]
fn hazard_20_a_failure_is_handed_to_those_who_wait() {
    #[cached(cache = shop.cache, skip(shop), batch(ids))]
    async fn failing(shop: &Shop, ids: &[u32]) -> Result<Vec<u32>, String> {
        shop.note(ids);
        shop.gate.notified().await;
        Err(format!("{ids:?}"))
    }
    let shop: &'static Shop = Box::leak(Box::default());
    let (one, two) = on_one_thread(move || async move {
        let opened = async {
            others_wait().await;
            shop.gate.notify_waiters();
        };
        let (one, two, ()) = tokio::join!(failing(shop, &[1, 2]), failing(shop, &[2]), opened);
        (one, two)
    });
    assert_eq!((one.clone(), two), (Err("[1, 2]".to_owned()), one));
    assert_eq!(shop.asked(), [[1, 2]]);
}

#[test]
fn hazard_19_what_a_dropped_batch_leaves_is_computed_by_another() {
    on_one_thread(|| async {
        let shop: &'static Shop = Box::leak(Box::default());
        let first = tokio::spawn(gated(shop, vec![1, 2]));
        others_wait().await;
        let second = tokio::spawn(gated(shop, vec![2, 3]));
        others_wait().await;
        assert_eq!(shop.runs(), 2);
        first.abort();
        others_wait().await;
        shop.gate.notify_waiters();
        others_wait().await;
        // The second has landed 3, and now leads what the first has left behind.
        assert_eq!(shop.runs(), 3);
        shop.gate.notify_waiters();
        assert_eq!(second.await.unwrap(), [4, 6]);
        assert_eq!(shop.asked(), [vec![1, 2], vec![3], vec![2]]);
    });
}

#[test]
fn hazard_19_a_batch_that_is_dropped_at_any_await_leaves_nobody_waiting() {
    for polls in 0..6 {
        on_one_thread(move || async move {
            let shop: &'static Shop = Box::leak(Box::default());
            let mut first = Box::pin(later(shop, &[1, 2]));
            for _ in 0..polls {
                let done = std::future::poll_fn(|context| {
                    std::task::Poll::Ready(first.as_mut().poll(context).is_ready())
                });
                if done.await {
                    break;
                }
            }
            let second = tokio::spawn(later(shop, &[2, 1]));
            others_wait().await;
            drop(first);
            assert_eq!(second.await.unwrap(), Ok(vec![4, 2]));
        });
    }
}

#[test]
fn a_panic_lets_those_go_who_wait() {
    #[cached(cache = shop.cache, skip(shop, runs), batch(ids))]
    fn panics_once(shop: &Shop, runs: &Counter, ids: &[u32]) -> Vec<u32> {
        shop.note(ids);
        if runs.next() == 0 {
            until("the other has asked", || shop.cache.stats().misses == 3);
            panic!("on purpose");
        }
        ids.to_vec()
    }
    in_time(|| {
        let (shop, runs) = (Arc::new(Shop::default()), Arc::new(Counter::new()));
        let first = {
            let (shop, runs) = (Arc::clone(&shop), Arc::clone(&runs));
            thread::spawn(move || {
                catch_unwind(AssertUnwindSafe(|| panics_once(&shop, &runs, &[1, 2]))).is_err()
            })
        };
        until("the first runs", || runs.get() == 1);
        assert_eq!(panics_once(&shop, &runs, &[2]), [2]);
        assert!(first.join().unwrap());
        assert_eq!(shop.asked(), [vec![1, 2], vec![2]]);
    });
}

#[test]
fn hazard_23_a_batch_may_call_itself() {
    #[cached(cache = shop.cache, skip(shop), batch(ids))]
    fn counted(shop: &Shop, ids: &[u32]) -> Vec<u32> {
        shop.note(ids);
        ids.iter().map(|id| if *id == 0 { 0 } else { id + counted(shop, &[id - 1])[0] }).collect()
    }
    let values = in_time(|| {
        let shop = Shop::default();
        counted(&shop, &[3, 2, 4])
    });
    assert_eq!(values, [6, 3, 10]);
}

#[test]
fn many_threads_over_few_elements_compute_each_once() {
    in_time(|| {
        let shop = Shop::default();
        thread::scope(|threads| {
            for seed in 0..8_u32 {
                let shop = &shop;
                threads.spawn(move || {
                    for step in 0..50_u32 {
                        let ids: Vec<u32> = (0..5).map(|n| (seed * 7 + step * 3 + n * 5) % 40).collect();
                        let expected: Vec<u32> = ids.iter().map(|id| id * 2).collect();
                        assert_eq!(doubled(shop, &ids), expected);
                    }
                });
            }
        });
        let mut asked = shop.asked().concat();
        asked.sort_unstable();
        assert_eq!(asked, (0..40).collect::<Vec<_>>());
    });
}

#[test]
fn async_batches_can_be_spawned() {
    let shop: &'static Shop = Box::leak(Box::default());
    let values = on_threads(2, move || async move {
        let tasks: Vec<_> =
            (0..4_u32).map(|n| tokio::spawn(async move { later(shop, &[n, 1, 2]).await })).collect();
        let mut values = Vec::new();
        for task in tasks {
            values.push(task.await.unwrap());
        }
        values
    });
    assert_eq!(values[3], Ok(vec![6, 2, 4]));
    let mut asked = shop.asked().concat();
    asked.sort_unstable();
    assert_eq!(asked, [0, 1, 2, 3]);
}

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

#[test]
fn methods_can_be_batches() {
    struct Repo {
        cache: Cache,
        runs: Counter,
    }
    impl Repo {
        #[cached(cache = self.cache, skip(self), batch(ids))]
        async fn find<T: KeyPart + Clone + Send + Sync + 'static>(&self, ids: &[T]) -> Vec<T> {
            self.runs.next();
            yield_now().await;
            ids.to_vec()
        }

        #[cached(cache = self.cache, skip(self), batch(names))]
        fn lengths(&self, names: &[&str], (add, _): (usize, u8)) -> Vec<usize> {
            self.runs.next();
            names.iter().map(|name| name.len() + add).collect()
        }
    }
    on_one_thread(|| async {
        let repo = Repo { cache: Cache::new(), runs: Counter::new() };
        assert_eq!(repo.find(&["a".to_owned()]).await, ["a"]);
        assert_eq!(repo.find(&["a".to_owned()]).await, ["a"]);
        assert_eq!(repo.find(&[1_u8]).await, [1]);
        assert!(repo.find_entry(&1_u8).evict().await.unwrap());
        assert_eq!(repo.lengths(&["one", "three"], (1, 0)), [4, 6]);
        assert_eq!(repo.lengths(&["three", "one"], (1, 0)), [6, 4]);
        assert_eq!(repo.runs.get(), 3);
    });
}
