//! Where a function can be called from.

use std::sync::Mutex;
use std::thread;

use cacheado::{Cache, cached};
use cacheado_tests::Counter;
use cacheado_tests::wait::{Watched, in_time, until};

#[test]
fn hazard_24_sync_functions_wait_for_a_thread_anywhere() {
    static LEADERS: Counter = Counter::new();
    static WAITER: Mutex<Option<Watched>> = Mutex::new(None);

    #[cached(cache = cache, skip(cache))]
    fn square(cache: &Cache, n: u64) -> u64 {
        LEADERS.next();
        let sleeps = || WAITER.lock().unwrap().as_ref().is_some_and(Watched::sleeps);
        until("another waits", || cache.stats().misses == 2 * n && sleeps());
        n * n
    }

    in_time(|| {
        let cache = Cache::new();
        let waits = |n: usize| {
            let cache = cache.clone();
            move || {
                let (to_lead, n_th) = (cache.clone(), n as u64);
                let leader = thread::spawn(move || square(&to_lead, n_th));
                until("the other leads", || LEADERS.get() == n);
                *WAITER.lock().unwrap() = Some(Watched::this());
                assert_eq!(square(&cache, n_th), n_th * n_th);
                *WAITER.lock().unwrap() = None;
                assert_eq!(leader.join().unwrap(), n_th * n_th);
            }
        };
        let several = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let one = tokio::runtime::Builder::new_current_thread().build().unwrap();
        waits(1)();
        one.block_on(async { waits(2)() });
        one.block_on(one.spawn_blocking(waits(3))).unwrap();
        several.block_on(async { waits(4)() });
        let worker = waits(5);
        several.block_on(several.spawn(async move { worker() })).unwrap();
        several.block_on(tokio::task::LocalSet::new().run_until(async { waits(6)() }));
        assert_eq!((cache.stats().coalesced, LEADERS.get()), (6, 6));
    });
}
