//! Single flight of the verbs, for keys of one's own (hazards 19, 20 and 24): of threads and tasks.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::thread;

use cacheado::{Cache, Ttl};
use cacheado_tests::Counter;
use cacheado_tests::wait::{on_one_thread, others_wait, until};
use tokio::sync::Semaphore;

/// A cache, and bodies that wait until they may go on.
struct Stage {
    cache: Cache,
    runs: Counter,
    gate: Semaphore,
}

impl Stage {
    fn new() -> Arc<Self> {
        Arc::new(Self { cache: Cache::new(), runs: Counter::new(), gate: Semaphore::new(0) })
    }

    fn open(&self) {
        self.gate.add_permits(1_000);
    }

    async fn through_the_gate(&self) {
        self.gate.acquire().await.unwrap().forget();
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Copied(usize);

#[test]
fn hazard_24_sync_and_async_verbs_on_one_key_and_one_thread() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let task = tokio::spawn({
            let stage = Arc::clone(&stage);
            async move {
                let compute = || async {
                    stage.through_the_gate().await;
                    1_u8
                };
                stage.cache.get_or_compute_async("key", Ttl::Never, compute).await.unwrap()
            }
        });
        others_wait().await;
        // The task cannot go on while this thread is here.
        assert_eq!(stage.cache.get_or_compute("key", Ttl::Never, || 2_u8).unwrap(), 2);
        assert_eq!(stage.cache.get::<u8>("key").unwrap(), Some(2));
        stage.open();
        assert_eq!(task.await.unwrap(), 1);
    });
}

#[test]
fn hazard_24_a_task_waits_for_a_thread_without_blocking_its_own() {
    on_one_thread(|| async {
        let (cache, runs) = (Cache::new(), Arc::new(Counter::new()));
        let open = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (cache, runs, open) = (cache.clone(), Arc::clone(&runs), Arc::clone(&open));
            move || {
                let compute = || {
                    runs.next();
                    until("the gate opens", || open.load(Ordering::SeqCst));
                    1_u8
                };
                cache.get_or_compute("key", Ttl::Never, compute).unwrap()
            }
        });
        until("the thread leads", || runs.get() == 1);
        let mut waiter = pin!(cache.get_or_compute_async("key", Ttl::Never, || async { 2_u8 }));
        assert!(waiter.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        open.store(true, Ordering::SeqCst);
        assert_eq!(waiter.await.unwrap(), 1);
        assert_eq!((thread.join().unwrap(), cache.stats().coalesced), (1, 1));
    });
}

#[test]
fn an_error_under_a_key_of_ones_own_is_for_all_who_waited_and_is_not_stored() {
    on_one_thread(|| async {
        let stage = Stage::new();
        let fail = |stage: Arc<Stage>| async move {
            stage.through_the_gate().await;
            Err::<u8, _>(Copied(stage.runs.next()))
        };
        let call = || {
            let compute = || fail(Arc::clone(&stage));
            Box::pin(stage.cache.try_get_or_compute_async("key", Ttl::Never, compute))
        };
        let (mut leader, mut waiter) = (call(), call());
        let mut context = Context::from_waker(Waker::noop());
        assert!(leader.as_mut().poll(&mut context).is_pending());
        assert!(waiter.as_mut().poll(&mut context).is_pending());
        stage.open();
        let (first, second) = (leader.await, waiter.await);
        assert!(first.is_err());
        assert_eq!((&first, stage.runs.get(), stage.cache.stats().coalesced), (&second, 1, 1));
        assert_eq!(stage.cache.get::<u8>("key").unwrap(), None);
        let key = "key".to_owned();
        assert_eq!(stage.cache.try_get_or_compute(&key, Ttl::Never, || Ok::<_, Copied>(2_u8)), Ok(2));
        assert_eq!(
            stage.cache.get_or_compute(&key, Ttl::Never, || 3_u8).unwrap(),
            2,
            "the value alone is stored"
        );
        assert_eq!(call().await, Ok(2));
    });
}
