//! Bodies that call cached functions, their own among them (hazard 23), and user code that the cache runs and
//! that uses the cache.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cacheado::backends::SharedMemory;
use cacheado::key::{KeyPart, KeySink};
use cacheado::rules::{Cause, Effect, EntryMeta, Lru, Rule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, ErrorKind, Key, Ttl, cached, with_cache, with_cache_async};
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

/// A rule that uses the cache that it is a rule of.
#[derive(Clone, Default)]
struct Inner(Arc<OnceLock<Cache>>, Arc<Counter>);

impl Inner {
    fn meddle(&self) {
        thread_local! {
            static BUSY: Cell<bool> = const { Cell::new(false) };
        }
        let (Some(cache), false) = (self.0.get(), BUSY.replace(true)) else { return };
        self.1.next();
        for n in 0..50_u32 {
            cache.set(n, &n, Ttl::Never).unwrap();
            cache.get::<u32>(n).unwrap();
            cache.evict(n).unwrap();
        }
        let _ = cache.stats();
        BUSY.set(false);
    }
}

impl Rule for Inner {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        self.meddle();
        Effect::Continue
    }
    fn on_set(&self, _: &Key, _: &EntryMeta) -> Effect {
        self.meddle();
        Effect::Continue
    }
    fn on_evict(&self, _: &Key, _: Cause) -> Effect {
        self.meddle();
        Effect::Continue
    }
    fn on_clear(&self) {
        self.meddle();
    }
}

#[test]
fn hazard_23_a_rule_may_use_its_cache() {
    in_time(|| {
        let rule = Inner::default();
        let cache = Cache::builder().rule(rule.clone()).rule(Lru::new(2)).build().unwrap();
        rule.0.set(cache.clone()).unwrap();
        for n in 0..5_u32 {
            cache.set(("own", n), &n, Ttl::Never).unwrap();
            cache.get::<u32>(("own", n)).unwrap();
        }
        cache.evict_by_scope(&cacheado::Scope::global()).unwrap();
        cache.clear().unwrap();
        assert!(rule.1.get() > 10);
    });
}

type Calls = fn(&Cache);

/// A rule that calls a function of its cache.
#[derive(Clone)]
struct Calling {
    cache: Arc<OnceLock<Cache>>,
    get: Calls,
    evict: Calls,
    calls: Arc<Counter>,
}

impl Calling {
    const NOTHING: Calls = |_| {};

    fn new(get: Calls, evict: Calls) -> Self {
        Self { cache: Arc::default(), get, evict, calls: Arc::default() }
    }

    fn call(&self, calls: Calls) {
        thread_local! {
            static BUSY: Cell<bool> = const { Cell::new(false) };
        }
        let (Some(cache), false) = (self.cache.get(), BUSY.replace(true)) else { return };
        self.calls.next();
        calls(cache);
        BUSY.set(false);
    }
}

impl Rule for Calling {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        self.call(self.get);
        Effect::Continue
    }
    fn on_evict(&self, _: &Key, _: Cause) -> Effect {
        self.call(self.evict);
        Effect::Continue
    }
}

/// In memory, and in a backend.
fn caches_with(rule: &Calling) -> [(Cache, ManualClock); 2] {
    let clocks = [ManualClock::new(), ManualClock::new()];
    let builder = |clock: &ManualClock| Cache::builder().clock(clock.clone());
    let backend = SharedMemory::with_clock(clocks[1].clone());
    let caches = [builder(&clocks[0]), builder(&clocks[1]).backend(backend)].map(|builder| {
        let rule = Calling { cache: Arc::default(), ..rule.clone() };
        let cache = builder.rule(rule.clone()).build().unwrap();
        rule.cache.set(cache.clone()).unwrap();
        cache
    });
    let [a, b] = clocks;
    let [in_memory, remote] = caches;
    [(in_memory, a), (remote, b)]
}

#[cached(ttl = 60, stale_if_error = "1h", cache = cache, skip(cache, there))]
fn perhaps(cache: &Cache, there: bool) -> Result<Option<u32>, String> {
    Ok(there.then_some(1))
}

#[test]
fn hazard_23_a_rule_may_call_the_function_whose_body_has_taken_the_entry_away() {
    in_time(|| {
        let rule = Calling::new(Calling::NOTHING, |cache| drop(perhaps(cache, false)));
        let [(cache, clock), _] = caches_with(&rule);
        assert_eq!(perhaps(&cache, true), Ok(Some(1)));
        clock.advance(Duration::from_secs(61));
        assert_eq!(perhaps(&cache, false), Ok(None));
        assert!(rule.calls.get() > 0);
    });
}

#[cached(ttl = 60, cache = cache, skip(cache))]
fn ten(cache: &Cache) -> u32 {
    10
}

#[test]
fn hazard_23_a_rule_may_call_the_function_whose_hit_it_sees() {
    in_time(|| {
        let rule = Calling::new(|cache| assert_eq!(ten(cache), 10), Calling::NOTHING);
        for (cache, _) in caches_with(&rule) {
            assert_eq!((ten(&cache), ten(&cache)), (10, 10));
        }
        assert_eq!(rule.calls.get(), 2);
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

#[cached(batch(ids), cache = cache, skip(cache))]
fn squares(cache: &Cache, ids: &[u32]) -> Vec<u32> {
    ids.iter().map(|id| id * id).collect()
}

#[test]
fn hazard_23_a_rule_may_call_the_batch_that_it_is_told_of() {
    in_time(|| {
        let call: Calls = |cache| assert_eq!(squares(cache, &[3, 2, 1]), [9, 4, 1]);
        let rule = Calling::new(call, call);
        for (cache, _) in caches_with(&rule) {
            squares(&cache, &[2]);
            // The rule sees the hit among them, in the backend while the others are asked for.
            assert_eq!(squares(&cache, &[1, 2, 3]), [1, 4, 9]);
        }
        assert!(rule.calls.get() >= 2);

        let rule = Calling::new(Calling::NOTHING, call);
        let cache = Cache::builder().rule(rule.clone()).rule(Lru::new(3)).build().unwrap();
        rule.cache.set(cache.clone()).unwrap();
        squares(&cache, &[10, 11, 12]);
        // The rule is told of what these have driven out.
        assert_eq!(squares(&cache, &[1, 2, 3]), [1, 4, 9]);
        assert!(rule.calls.get() > 0);
    });
}
