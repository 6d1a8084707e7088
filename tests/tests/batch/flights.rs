//! Each element is computed once, whoever asks for it, and nobody waits in vain.

use cacheado::prelude::*;
use cacheado::{Outcome, observe_async};
use cacheado_tests::Counter;
use cacheado_tests::wait::{in_time, on_one_thread, on_threads, others_wait, until};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use std::thread;
use tokio::task::yield_now;

use crate::{Shop, doubled, gated, later};

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
            observe_async(gated(shop, vec![1, 3, 3])),
            opened
        )
    });
    assert_eq!((done.0.0, done.1.0, done.2.0), (vec![2, 4], vec![4, 6], vec![2, 6, 6]));
    assert_eq!(shop.asked(), [vec![1, 2], vec![3]]);
    assert_eq!(done.2.1.outcome, Outcome::Coalesced);
    let stats = shop.cache.stats();
    assert_eq!((stats.misses, stats.coalesced), (7, 4), "one that is asked for twice is two lookups");
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
