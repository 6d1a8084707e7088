//! Evictions and sets while a value is computed (hazards 21 and 22, invariant 3).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use cacheado::backends::SharedMemory;
use cacheado::rules::{Effect, EntryMeta, Rule};
use cacheado::{Cache, ErrorKind, Key, Scope, Ttl, cached, with_cache};
use cacheado_tests::Counter;
use cacheado_tests::tenancy::scopes;
use cacheado_tests::wait::{in_time, on_one_thread, others_wait, until};
use tokio::sync::Notify;

#[derive(Default)]
struct Stage {
    cache: Cache,
    runs: Counter,
    first: Notify,
    second: Notify,
}

#[cached(cache = stage.cache, skip(stage), scope = cacheado_tests::tenancy::scopes::user, tags("u:{user_id}"))]
async fn load(stage: &Stage, org_id: &str, user_id: &str) -> usize {
    let run = stage.runs.next();
    match run {
        0 => stage.first.notified().await,
        1 => stage.second.notified().await,
        _ => {}
    }
    run
}

type Evict = fn(&Stage);

const EVICTIONS: [(&str, Evict); 9] = [
    ("key", |stage| drop(futures_now(load_entry(stage, "o", "u").evict()))),
    ("whole key", |stage| drop(stage.cache.evict_key(&load_entry(stage, "o", "u").key()))),
    ("scope", |stage| drop(stage.cache.evict_by_scope(&scopes::user("o", "u")))),
    ("scope above", |stage| drop(stage.cache.evict_by_scope(&scopes::organization("o")))),
    ("root", |stage| drop(stage.cache.evict_by_scope(&Scope::global()))),
    ("handle of a scope", |stage| drop(stage.cache.scoped(scopes::organization("o")).evict_all())),
    ("tag", |stage| drop(stage.cache.evict_by_tag("u:u"))),
    ("function", |stage| drop(futures_now(load_cache(stage).evict_all()))),
    ("clear", |stage| stage.cache.clear().unwrap()),
];

fn futures_now<T>(future: impl Future<Output = T>) -> T {
    match cacheado_tests::wait::poll_times(future, 1) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("memory does not wait"),
    }
}

#[test]
fn hazard_21_an_eviction_during_a_load_wins() {
    for (name, evict) in EVICTIONS {
        on_one_thread(move || async move {
            let stage = Arc::new(Stage::default());
            let spawn = || {
                let stage = Arc::clone(&stage);
                tokio::spawn(async move { load(&stage, "o", "u").await })
            };
            let leader = spawn();
            others_wait().await;
            let waiter = spawn();
            others_wait().await;
            assert_eq!(stage.runs.get(), 1);
            evict(&stage);
            let later = spawn();
            others_wait().await;
            assert_eq!(stage.runs.get(), 2, "{name}: who comes after it does not join the old computation");
            stage.first.notify_one();
            assert_eq!(leader.await.unwrap(), 0, "{name}: the leader has what it computed");
            others_wait().await;
            assert_eq!(stage.cache.stats().total_keys, 0, "{name}: it is not stored");
            stage.second.notify_one();
            assert_eq!(later.await.unwrap(), 1, "{name}");
            assert_eq!(waiter.await.unwrap(), 1, "{name}: who waited is not given it either");
            assert_eq!((load(&stage, "o", "u").await, stage.runs.get()), (1, 2), "{name}");
        });
    }
}

#[test]
fn hazard_21_an_eviction_elsewhere_does_not_disturb_a_load() {
    on_one_thread(|| async {
        let stage = Arc::new(Stage::default());
        let leader = tokio::spawn({
            let stage = Arc::clone(&stage);
            async move { load(&stage, "o", "u").await }
        });
        others_wait().await;
        stage.cache.evict_by_scope(&scopes::session("o", "u", "s")).unwrap();
        stage.cache.evict_by_tag("other").unwrap();
        stage.first.notify_one();
        assert_eq!(leader.await.unwrap(), 0);
        assert_eq!(load(&stage, "o", "u").await, 0);
    });
}

#[test]
fn hazard_21_an_eviction_during_a_refresh_wins() {
    for (name, evict) in EVICTIONS {
        on_one_thread(move || async move {
            let stage = Arc::new(Stage::default());
            load_entry(&stage, "o", "u").set(100).await.unwrap();
            let refresh = tokio::spawn({
                let stage = Arc::clone(&stage);
                async move { load_entry(&stage, "o", "u").refresh().await }
            });
            others_wait().await;
            assert_eq!(load(&stage, "o", "u").await, 100, "{name}: the old value is there meanwhile");
            evict(&stage);
            stage.first.notify_one();
            assert_eq!(refresh.await.unwrap(), 0);
            assert_eq!(load_entry(&stage, "o", "u").peek().await.unwrap(), None, "{name}");
        });
    }
}

#[test]
fn hazard_21_a_body_that_evicts_itself() {
    on_one_thread(|| async {
        let cache = Cache::new();
        let scope = scopes::organization("o");
        let scoped = cache.scoped(scope.clone());
        let got = scoped.get_or_compute_async("key", Ttl::Never, || async {
            assert_eq!(cache.evict_by_scope(&scope).unwrap(), 0);
            1_u8
        });
        assert_eq!(got.await.unwrap(), 1);
        assert_eq!(scoped.get::<u8>("key").unwrap(), None);
    });
}

#[test]
fn hazard_22_a_set_during_a_load_wins() {
    on_one_thread(|| async {
        let stage = Arc::new(Stage::default());
        let spawn = || {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move { load(&stage, "o", "u").await })
        };
        let (leader, waiter) = (spawn(), spawn());
        others_wait().await;
        load_entry(&stage, "o", "u").set(100).await.unwrap();
        assert_eq!(load(&stage, "o", "u").await, 100);
        stage.first.notify_one();
        assert_eq!((leader.await.unwrap(), waiter.await.unwrap()), (0, 100));
        assert_eq!((load(&stage, "o", "u").await, stage.runs.get()), (100, 1));
    });
}

#[test]
fn hazard_22_of_two_refreshes_the_one_that_began_later_stays() {
    on_one_thread(|| async {
        let stage = Arc::new(Stage::default());
        let refresh = || {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move { load_entry(&stage, "o", "u").refresh().await })
        };
        let older = refresh();
        others_wait().await;
        let newer = refresh();
        others_wait().await;
        stage.second.notify_one();
        assert_eq!(newer.await.unwrap(), 1);
        stage.first.notify_one();
        assert_eq!(older.await.unwrap(), 0);
        assert_eq!(load(&stage, "o", "u").await, 1, "the older one has not overwritten it");
    });
}

/// Holds up the first store that it is asked about.
#[derive(Clone, Default)]
struct HoldsUp {
    asked: Arc<Counter>,
    open: Arc<AtomicBool>,
    reject: bool,
}

impl Rule for HoldsUp {
    fn on_set(&self, _: &Key, _: &EntryMeta) -> Effect {
        if self.asked.next() == 0 {
            until("the gate opens", || self.open.load(Ordering::SeqCst));
            if self.reject {
                return Effect::Reject;
            }
        }
        Effect::Continue
    }
}

#[test]
fn hazard_22_a_set_that_is_overtaken_does_not_remove_what_overtook_it() {
    for reject in [false, true] {
        in_time(move || {
            let rule = HoldsUp { reject, ..HoldsUp::default() };
            let cache = Cache::builder().rule(rule.clone()).build().unwrap();
            thread::scope(|scope| {
                let older = scope.spawn(|| cache.set("key", &1_u8, Ttl::Never).unwrap());
                until("it is held up", || rule.asked.get() == 1);
                cache.set("key", &2_u8, Ttl::Never).unwrap();
                assert_eq!(cache.get::<u8>("key").unwrap(), Some(2));
                rule.open.store(true, Ordering::SeqCst);
                older.join().unwrap();
            });
            assert_eq!(cache.get::<u8>("key").unwrap(), Some(2), "the older set rejected: {reject}");
        });
    }
}

#[test]
fn hazard_22_of_concurrent_sets_one_stays() {
    in_time(|| {
        let cache = Cache::new();
        let barrier = std::sync::Barrier::new(4);
        for round in 0..2_000_u32 {
            thread::scope(|scope| {
                for value in 0..4_u32 {
                    let (cache, barrier) = (&cache, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        cache.set(round, &value, Ttl::Never).unwrap();
                    });
                }
            });
            assert!(cache.get::<u32>(round).unwrap().is_some(), "round {round}: all sets are gone");
        }
    });
}

#[test]
fn hazard_21_under_load_nothing_older_than_an_eviction_is_served() {
    use std::sync::atomic::AtomicU64;

    in_time(|| {
        let cache = Cache::new();
        let source = AtomicU64::new(0);
        let done = AtomicBool::new(false);
        let scope_of = |n: u64| scopes::user(if n.is_multiple_of(2) { "even" } else { "odd" }, n % 3);
        thread::scope(|scope| {
            for reader in 0..6_u64 {
                let (cache, source, done) = (&cache, &source, &done);
                scope.spawn(move || {
                    let mut n = reader;
                    while !done.load(Ordering::SeqCst) {
                        n += 1;
                        let scoped = cache.scoped(scope_of(n % 4));
                        let got = scoped.get_or_compute("v", Ttl::Never, || source.load(Ordering::SeqCst));
                        got.unwrap();
                    }
                });
            }
            for round in 0..2_000_u64 {
                let new = source.fetch_add(1, Ordering::SeqCst) + 1;
                let evicted = scope_of(round % 4);
                match round % 3 {
                    0 => drop(cache.evict_by_scope(&evicted)),
                    1 => drop(cache.evict_by_scope(&evicted.parent().unwrap())),
                    _ => drop(cache.scoped(evicted.clone()).evict("v")),
                }
                let seen = cache
                    .scoped(evicted)
                    .get_or_compute("v", Ttl::Never, || source.load(Ordering::SeqCst))
                    .unwrap();
                assert!(seen >= new, "round {round}: {seen} is older than the eviction at {new}");
            }
            done.store(true, Ordering::SeqCst);
        });
    });
}

#[cached]
async fn doubled(n: u32) -> u32 {
    n * 2
}

#[cached]
fn tripled(n: u32) -> u32 {
    n * 3
}

#[test]
fn hazard_08_evicting_a_function_leaves_another_whose_name_goes_on_in_brackets() {
    #[cached(name = "orders", remote)]
    fn orders(n: u32) -> u32 {
        n
    }
    #[cached(name = "orders<eu>", remote)]
    fn orders_eu(n: u32) -> u32 {
        n
    }
    #[cached(name = "orders.of")]
    fn orders_of<T: Into<u64> + Copy + cacheado::KeyPart + 'static>(n: T) -> u64 {
        n.into()
    }
    let server = SharedMemory::new();
    let over_server = || Cache::builder().backend(server.clone()).build().unwrap();
    for (cache, other) in [(Cache::new(), None), (over_server(), Some(over_server()))] {
        let fill = || (orders(1), orders_eu(1), orders_of(1_u8), orders_of(1_u32));
        let sizes =
            || [orders_cache(), orders_eu_cache(), orders_of_cache()].map(|own| own.stats().total_keys);
        with_cache(&cache, || {
            fill();
            assert_eq!(sizes(), [1, 1, 2]);
            assert_eq!(orders_cache().evict_all().unwrap(), 1);
            assert_eq!((sizes(), orders_eu_entry(1).peek().unwrap()), ([0, 1, 2], Some(1)));
            assert!(cache.evict_key(&orders_eu_entry(1).key()).unwrap());
            fill();
            assert_eq!(orders_eu_cache().evict_all().unwrap(), 1);
            assert_eq!(orders_of_cache().evict_all().unwrap(), 2, "both instances");
            assert_eq!(sizes(), [1, 0, 0]);
        });
        // A node that has called none of them evicts alike.
        if let Some(other) = other {
            with_cache(&cache, fill);
            with_cache(&other, || assert_eq!(orders_cache().evict_all().unwrap(), 1));
            with_cache(&cache, || assert_eq!(sizes(), [0, 1, 2]));
        }
    }
}

#[test]
fn one_entry_can_be_asked_several_times() {
    let cache = Cache::new();
    with_cache(&cache, || {
        let entry = tripled_entry(1);
        assert_eq!(entry.peek().unwrap(), None);
        entry.set(7).unwrap();
        assert_eq!((entry.peek().unwrap(), entry.remaining().unwrap(), tripled(1)), (Some(7), None, 7));
        assert!(entry.evict().unwrap());
        assert!(!entry.evict().unwrap());
        assert_eq!((entry.get(), tripled(1)), (3, 3));
        assert_eq!((cache.stats().hits, cache.stats().misses), (2, 1));
    });
}

#[test]
fn what_an_entry_is_asked_borrows_nothing_of_it() {
    on_one_thread(async || {
        let (peek, set, evict) = {
            let entry = doubled_entry(1);
            (entry.peek(), entry.set(7), entry.evict())
        };
        set.await.unwrap();
        assert_eq!(peek.await.unwrap(), Some(7));
        assert!(evict.await.unwrap());
        assert_eq!(doubled(1).await, 2);
    });
}

#[test]
fn a_scope_is_cleared_with_all_below_it() {
    let cache = Cache::new();
    let scope = |text: &str| text.parse::<Scope>().unwrap();
    let (acme, ada, globex) =
        (scope("organization:acme"), scope("organization:acme/user:ada"), scope("organization:globex"));
    for scope in [&acme, &ada, &globex] {
        cache.scoped(scope.clone()).set("key", &1_u8, Ttl::Never).unwrap();
    }
    let within = cache.scoped(acme.clone());
    assert_eq!(within.evict_by_scope(&globex).unwrap_err().kind(), ErrorKind::Scope);
    assert_eq!(within.evict_by_scope(&ada).unwrap(), 1);
    within.clear().unwrap();
    let left = |scope: &Scope| cache.scoped(scope.clone()).get::<u8>("key").unwrap();
    assert_eq!((left(&acme), left(&ada), left(&globex)), (None, None, Some(1)));
}
