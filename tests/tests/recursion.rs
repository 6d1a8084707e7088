//! Bodies that call cached functions, their own among them (hazard 23), and user code that the cache runs and
//! that uses the cache. Rules that do are in `rules_that_call`.

use std::cell::Cell;
use std::sync::Arc;

use cacheado::key::{KeyPart, KeySink};
use cacheado::rules::Lru;
use cacheado::{Cache, ErrorKind, Ttl, cached, with_cache, with_cache_async};
use cacheado_tests::Counter;
use cacheado_tests::wait::{in_time, on_one_thread, on_threads, others_wait, poll_times};
use tokio::sync::Notify;

#[cached]
fn fibonacci(n: u64) -> u64 {
    if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
}

#[cached]
fn is_even(n: u32) -> bool {
    n == 0 || is_odd(n - 1)
}

#[cached]
fn is_odd(n: u32) -> bool {
    n != 0 && is_even(n - 1)
}

#[cached]
async fn fibonacci_async(n: u64) -> u64 {
    if n < 2 { n } else { Box::pin(fibonacci_async(n - 1)).await + Box::pin(fibonacci_async(n - 2)).await }
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

#[cached]
fn same_arguments(n: u32) -> u32 {
    let depth = DEPTH.replace(DEPTH.get() + 1);
    if depth < 3 { same_arguments(n) + 1 } else { 0 }
}

#[cached]
async fn same_arguments_async(n: u32) -> u32 {
    let depth = DEPTH.replace(DEPTH.get() + 1);
    tokio::task::yield_now().await;
    if depth < 3 { Box::pin(same_arguments_async(n)).await + 1 } else { 0 }
}

#[test]
fn hazard_23_a_function_that_calls_itself() {
    in_time(|| {
        let cache = Cache::new();
        with_cache(&cache, || assert_eq!(fibonacci(90), 2_880_067_194_370_816_120));
        let stats = cache.stats();
        assert_eq!((stats.misses, stats.hits, stats.total_keys), (91, 88, 91));
    });
}

#[test]
fn hazard_23_a_function_that_calls_itself_on_many_threads() {
    in_time(|| {
        let cache = Cache::new();
        std::thread::scope(|scope| {
            for n in 0..16 {
                let cache = &cache;
                let (of, expected) =
                    if n % 2 == 0 { (75, 2_111_485_077_978_050) } else { (76, 3_416_454_622_906_707) };
                scope.spawn(move || with_cache(cache, || assert_eq!(fibonacci(of), expected)));
            }
        });
        assert_eq!(cache.stats().total_keys, 77);
    });
}

#[test]
fn hazard_23_functions_that_call_each_other() {
    in_time(|| with_cache(&Cache::new(), || assert_eq!((is_even(100), is_odd(100)), (true, false))));
}

#[test]
fn hazard_23_with_the_same_arguments() {
    in_time(|| {
        let cache = Cache::new();
        with_cache(&cache, || {
            assert_eq!(same_arguments(1), 3);
            // The innermost began last, so what it stored is the newest.
            assert_eq!(same_arguments(1), 0);
        });
    });
}

#[test]
fn hazard_23_async_functions_that_call_themselves() {
    on_one_thread(|| async {
        with_cache_async(&Cache::new(), async {
            assert_eq!(fibonacci_async(60).await, 1_548_008_755_920);
            assert_eq!(same_arguments_async(1).await, 3);
            assert_eq!(same_arguments_async(1).await, 0);
        })
        .await;
    });
    on_threads(4, || async {
        let cache = Cache::new();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let cache = cache.clone();
            tasks.spawn(async move { with_cache_async(&cache, fibonacci_async(40)).await });
        }
        assert!(tasks.join_all().await.into_iter().all(|value| value == 102_334_155));
    });
}

#[test]
fn hazard_23_sync_inside_async_inside_sync_on_one_key() {
    in_time(|| {
        let cache = Cache::new();
        let runs = Counter::new();
        let value = cache.get_or_compute("key", Ttl::Never, || {
            runs.next();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let inner = cache.get_or_compute_async("key", Ttl::Never, || async {
                runs.next();
                cache.get_or_compute("key", Ttl::Never, || runs.next()).unwrap()
            });
            runtime.block_on(inner).unwrap()
        });
        assert_eq!((value.unwrap(), runs.get()), (2, 3));
    });
}

#[test]
fn hazard_23_two_calls_in_one_task_share_one_body() {
    on_one_thread(|| async {
        let (cache, runs) = (Cache::new(), Counter::new());
        let call = || {
            cache.get_or_compute_async("key", Ttl::Never, || async {
                let run = runs.next();
                tokio::task::yield_now().await;
                run
            })
        };
        let (a, b, c) = tokio::join!(call(), call(), call());
        assert_eq!((a.unwrap(), b.unwrap(), c.unwrap(), runs.get()), (0, 0, 0, 1));
    });
}

/// Does something with the cache whenever it is cloned.
struct Meddling {
    cache: Cache,
    doing: fn(&Cache),
}

impl Clone for Meddling {
    fn clone(&self) -> Self {
        (self.doing)(&self.cache);
        Self { cache: self.cache.clone(), doing: self.doing }
    }
}

impl Drop for Meddling {
    fn drop(&mut self) {
        (self.doing)(&self.cache);
    }
}

impl std::fmt::Debug for Meddling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meddling")
    }
}

/// Puts entries into every shard, of this function's region and of others, and takes them out.
fn churn(cache: &Cache) {
    thread_local! {
        static BUSY: Cell<bool> = const { Cell::new(false) };
    }
    // Its own values meddle too.
    if BUSY.replace(true) {
        return;
    }
    for n in 0..200_u32 {
        cache.set(n, &n, Ttl::Never).unwrap();
        cache.evict(n).unwrap();
        drop(meddling(cache, n + 1));
    }
    cache.evict_by_tag("meddling").unwrap();
    BUSY.set(false);
}

#[cached(cache = cache, skip(cache), tags("meddling"))]
fn meddling(cache: &Cache, _n: u32) -> Meddling {
    Meddling { cache: cache.clone(), doing: churn }
}

/// Stores into every shard of the region that it lies in.
fn crowd_in(cache: &Cache) {
    thread_local! {
        static BUSY: Cell<bool> = const { Cell::new(false) };
    }
    if BUSY.replace(true) {
        return;
    }
    for n in 1..200_u32 {
        let _ = meddling_error_entry(cache, n).refresh();
    }
    BUSY.set(false);
}

#[cached(cache = cache, skip(cache), cache_err = "1m")]
fn meddling_error(cache: &Cache, n: u32) -> Result<u32, Meddling> {
    if n == u32::MAX { Ok(n) } else { Err(Meddling { cache: cache.clone(), doing: crowd_in }) }
}

#[test]
fn hazard_23_clone_and_drop_of_a_value_may_use_the_cache() {
    for rules in [None, Some(3)] {
        in_time(move || {
            let cache = match rules {
                None => Cache::new(),
                Some(n) => Cache::builder().rule(Lru::new(n)).build().unwrap(),
            };
            for _ in 0..3 {
                drop(meddling(&cache, 0));
                meddling_entry(&cache, 0).evict().unwrap();
            }
        });
    }
}

#[test]
fn hazard_23_clone_of_a_stored_error_may_use_the_cache() {
    in_time(|| {
        let cache = Cache::new();
        for _ in 0..3 {
            assert!(meddling_error(&cache, 0).is_err());
        }
    });
}

/// A part of a key of one cache that uses another to write itself.
struct Looked<'c>(&'c Cache, &'c Cache);

/// Among those that the other cache is asked for.
const NUMBER: u32 = 7;

impl KeyPart for Looked<'_> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        for n in 0..200_u32 {
            self.1.set(n, &n, Ttl::Never).unwrap();
            self.1.evict(n).unwrap();
        }
        NUMBER.encode(sink);
    }
}

#[cached(cache = looked.0)]
fn by_looked(looked: &Looked<'_>) -> u32 {
    NUMBER
}

/// The key is written to look it up and, while a part of the store is locked, to compare it.
#[test]
fn hazard_23_encoding_a_key_may_use_another_cache() {
    in_time(|| {
        for other in [Cache::builder().rule(Lru::new(1)).build().unwrap(), Cache::new()] {
            let cache = Cache::new();
            for hits in 0..3 {
                let looked = Looked(&cache, &other);
                assert_eq!(by_looked(&looked), NUMBER);
                assert_eq!(cache.get_or_compute(looked, Ttl::Never, || 8_u32).unwrap(), 8);
                assert_eq!(cache.stats().hits, 2 * hits);
            }
        }
    });
}

#[cached(cache = cache, skip(cache, runs))]
async fn never(cache: &Cache, runs: &Arc<Counter>, n: u32) -> u32 {
    runs.next();
    std::future::pending::<()>().await;
    n
}

/// It goes on when its caller is told that it takes too long, and asks for what others compute by then.
#[cached(timeout = "20ms", cache = cache, skip(cache, runs, gate))]
async fn goes_on(cache: &Cache, runs: &Arc<Counter>, gate: &Arc<Notify>) -> cacheado::Result<u32> {
    gate.notified().await;
    let mut calls: Vec<_> = (0..FLIGHTS).map(|n| Box::pin(never(cache, runs, n))).collect();
    for call in &mut calls {
        assert!(poll_times(call.as_mut(), 1).is_pending());
    }
    Ok(0)
}

#[cached(cache = cache, skip(cache, runs, gate))]
async fn calls_what_goes_on(cache: &Cache, runs: &Arc<Counter>, gate: &Arc<Notify>) -> cacheado::Result<u32> {
    goes_on(cache, runs, gate).await
}

const FLIGHTS: u32 = 256;

#[test]
fn hazard_23_a_computation_that_is_over_is_led_by_nobody() {
    on_one_thread(|| async {
        let (cache, runs, gate) = (Cache::new(), Arc::new(Counter::default()), Arc::new(Notify::new()));
        let late = calls_what_goes_on(&cache, &runs, &gate).await;
        assert!(late.is_err_and(|error| error.kind() == ErrorKind::Timeout));
        // One of these is where the computation of `calls_what_goes_on` was, which is over.
        let mut leaders: Vec<_> = (0..FLIGHTS).map(|n| Box::pin(never(&cache, &runs, n))).collect();
        for leader in &mut leaders {
            assert!(poll_times(leader.as_mut(), 1).is_pending());
        }
        gate.notify_one();
        while goes_on_entry(&cache, &runs, &gate).peek().await.unwrap().is_none() {
            others_wait().await;
        }
        assert_eq!(runs.get(), FLIGHTS as usize, "each is computed once");
    });
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "`cache_if` asks for a reference")]
fn calls_for_itself(value: &u32) -> bool {
    DEPTH.replace(1) > 0 || checked(*value) == *value
}

#[cached(cache_if = calls_for_itself)]
fn checked(n: u32) -> u32 {
    n
}

#[test]
fn hazard_23_cache_if_may_call_the_function() {
    in_time(|| with_cache(&Cache::new(), || assert_eq!(checked(1), 1)));
}
