//! Single flight, contexts and near caches over a server.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use cacheado::backends::Memory;
use cacheado::prelude::*;
use cacheado::{Tier, observe, with_cache, with_cache_async};

use cacheado_tests::wait::until;

use crate::server::{Server, within};

cacheado::scopes! {
    mod scopes {
        organization(org) { user(user) }
    }
}

static BODIES: AtomicU32 = AtomicU32::new(0);

#[cached(ttl = 60, scope = "user", tags("of:{user}"))]
fn greeting(org: &str, user: &str) -> String {
    BODIES.fetch_add(1, Ordering::SeqCst);
    format!("Hello {user} of {org}")
}

static RELEASES: AtomicU32 = AtomicU32::new(0);

/// Each run gives a higher number.
#[cached(ttl = 60)]
fn release() -> u32 {
    RELEASES.fetch_add(1, Ordering::SeqCst)
}

#[cached(ttl = 60)]
async fn slow(n: u32) -> u32 {
    tokio::task::yield_now().await;
    BODIES.fetch_add(1, Ordering::SeqCst);
    n
}

crate::over_each_server!(
    a_stampede_runs_the_body_once,
    hazard_20_a_stampede_at_an_expired_entry_runs_the_body_once,
    hazard_24_sync_functions_work_in_every_context,
    hazard_32_two_nodes_with_near_caches,
    hazard_32_what_is_refreshed_replaces_copies,
    hazard_32_copies_are_dropped_when_the_server_was_away,
    evictions_count_exactly,
    hazard_11_the_server_alone_says_how_long_an_entry_lives,
);

fn a_stampede_runs_the_body_once(server: &Server) {
    let cache = server.cache();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let calls: Vec<_> = (0..1_000)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { with_cache_async(&cache, slow(3)).await })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), 3);
        }
    });
    assert_eq!(BODIES.load(Ordering::SeqCst), 1);
    let barrier = Barrier::new(64);
    thread::scope(|threads| {
        for _ in 0..64 {
            threads.spawn(|| {
                barrier.wait();
                with_cache(&cache, || assert_eq!(greeting("acme", "ada"), "Hello ada of acme"));
            });
        }
    });
    assert_eq!(BODIES.load(Ordering::SeqCst), 2);
    let stats = cache.stats();
    assert_eq!((stats.hits + stats.misses, stats.backend_errors), (1_064, 0), "{stats}");
}

/// The first value is gone soon, the second stays.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what `ttl_with` takes")]
fn soon_then_late(_: &u32) -> Duration {
    if BRIEF_BODIES.load(Ordering::SeqCst).is_multiple_of(2) {
        Duration::from_secs(60)
    } else {
        Duration::from_millis(200)
    }
}

static BRIEF_BODIES: AtomicU32 = AtomicU32::new(0);

#[cached(ttl_with = soon_then_late)]
async fn brief() -> u32 {
    tokio::task::yield_now().await;
    BRIEF_BODIES.fetch_add(1, Ordering::SeqCst)
}

#[cached(ttl_with = soon_then_late)]
fn brief_sync() -> u32 {
    BRIEF_BODIES.fetch_add(1, Ordering::SeqCst)
}

fn hazard_20_a_stampede_at_an_expired_entry_runs_the_body_once(server: &Server) {
    let cache = server.cache();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let before = BRIEF_BODIES.load(Ordering::SeqCst);
    assert_eq!(before % 2, 0, "each round is of two bodies");
    runtime.block_on(with_cache_async(&cache, async {
        brief().await;
        while brief_entry().peek().await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }));
    runtime.block_on(async {
        let calls: Vec<_> = (0..1_000)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { with_cache_async(&cache, brief()).await })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), before + 1);
        }
    });
    assert_eq!(BRIEF_BODIES.load(Ordering::SeqCst), before + 2, "one for each lifetime");
    with_cache(&cache, || {
        brief_sync();
        until("the entry has expired", || brief_sync_entry().peek().unwrap().is_none());
    });
    let barrier = Barrier::new(64);
    thread::scope(|threads| {
        for _ in 0..64 {
            threads.spawn(|| {
                barrier.wait();
                with_cache(&cache, || assert_eq!(brief_sync(), before + 3));
            });
        }
    });
    assert_eq!(BRIEF_BODIES.load(Ordering::SeqCst), before + 4, "one for each lifetime");
}

fn hazard_24_sync_functions_work_in_every_context(server: &Server) {
    let cache = server.cache();
    let call = |user: &'static str| {
        let cache = cache.clone();
        move || {
            for _ in 0..2 {
                assert_eq!(with_cache(&cache, || greeting("acme", user)), format!("Hello {user} of acme"));
            }
        }
    };
    let multi =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let single = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    call("no runtime")();
    let worker = call("worker");
    multi().block_on(async { tokio::spawn(async move { worker() }).await.unwrap() });
    let main = call("multi-thread runtime");
    multi().block_on(async move { main() });
    let blocking = call("spawn_blocking");
    multi().block_on(async { tokio::task::spawn_blocking(blocking).await.unwrap() });
    let current = call("current-thread runtime");
    single().block_on(async move { current() });
    let bare = call("runtime without I/O");
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async move { bare() });
    assert_eq!(BODIES.load(Ordering::SeqCst), 6);
    assert_eq!(cache.stats().hits, 6);
    // Each runtime is gone by now, and took nothing along that the next one needs.
    for _ in 0..3 {
        let value = single().block_on(with_cache_async(&cache, slow(9)));
        assert_eq!(value, 9);
    }
    let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(bare.block_on(with_cache_async(&cache, slow(9))), 9);
    assert_eq!(BODIES.load(Ordering::SeqCst), 7);
    assert_eq!(cache.stats().backend_errors, 0);
}

fn near(server: &Server) -> Cache {
    server.builder().near(Memory::builder().max_items(1_000).build()).build().unwrap()
}

fn hazard_32_two_nodes_with_near_caches(server: &Server) {
    let (a, b) = (near(server), near(server));
    let call = |cache: &Cache| with_cache(cache, || greeting("acme", "ada"));
    let has = |cache: &Cache| with_cache(cache, || greeting_entry("acme", "ada").peek()).unwrap().is_some();
    let ways: [(&str, &dyn Fn()); 5] = [
        ("key", &|| assert!(with_cache(&a, || greeting_entry("acme", "ada").evict()).unwrap())),
        ("scope", &|| assert_eq!(a.evict_by_scope(&scopes::organization("acme")).unwrap(), 1)),
        ("tag", &|| assert_eq!(a.evict_by_tag("of:ada").unwrap(), 1)),
        ("function", &|| assert_eq!(with_cache(&a, || greeting_cache().evict_all()).unwrap(), 1)),
        ("clear", &|| a.clear().unwrap()),
    ];
    for (way, evict) in ways {
        call(&a);
        call(&b);
        assert!(has(&a) && has(&b));
        evict();
        assert!(!has(&a), "{way}: gone at once on the node that evicts");
        // The stated bound with a bus that works: moments. It is far below the life of a copy.
        within(Duration::from_secs(5), way, || !has(&b));
    }
}

fn hazard_32_what_is_refreshed_replaces_copies(server: &Server) {
    let (a, b) = (near(server), near(server));
    let call = |cache: &Cache| with_cache(cache, release);
    let first = call(&a);
    assert_eq!(call(&b), first);
    for _ in 0..3 {
        let refreshed = with_cache(&a, || release_entry().refresh());
        assert!(refreshed > first);
        assert_eq!(call(&a), refreshed);
        within(Duration::from_secs(5), "the other node hears of it", || call(&b) == refreshed);
    }
}

fn hazard_32_copies_are_dropped_when_the_server_was_away(server: &Server) {
    let (a, b) = (near(server), server.cache());
    let call = || with_cache(&a, || greeting("acme", "ada"));
    let has = || with_cache(&a, || greeting_entry("acme", "ada").peek()).is_ok_and(|found| found.is_some());
    // What is kept before the bus is listened to goes once it is: wait for that, by the copy of another entry, so
    // that no notice which is still on its way concerns this one.
    let other = || with_cache(&a, || greeting("acme", "brian"));
    let is_other = || with_cache(&a, || greeting_entry("acme", "brian").peek()).unwrap().is_some();
    within(Duration::from_secs(5), "a copy is kept", || observe(other).1.tier == Tier::Near);
    with_cache(&b, || greeting_entry("acme", "brian").evict()).unwrap();
    within(Duration::from_secs(5), "the bus is listened to", || !is_other());
    call();
    server.kill();
    // Copies carry over the outage.
    let bodies = BODIES.load(Ordering::SeqCst);
    call();
    assert_eq!(BODIES.load(Ordering::SeqCst), bodies);
    server.restart();
    within(Duration::from_secs(5), "the server is back", || b.clear().is_ok());
    within(Duration::from_secs(10), "the copy is dropped", || !has());
}

fn evictions_count_exactly(server: &Server) {
    let (a, b) = (server.cache(), server.cache());
    for user in 0..50 {
        with_cache(&a, || greeting("acme", &user.to_string()));
        with_cache(&a, || greeting("globex", &user.to_string()));
    }
    assert_eq!(b.stats().total_keys, 100);
    assert_eq!(b.evict_by_tag("of:7").unwrap(), 2);
    assert_eq!(b.evict_by_scope(&scopes::user("acme", "8")).unwrap(), 1);
    assert_eq!(b.evict_by_scope(&scopes::organization("acme")).unwrap(), 48);
    assert_eq!(a.evict_by_scope(&scopes::organization("acme")).unwrap(), 0);
    // Also where it has not been called.
    assert_eq!(with_cache(&b, || greeting_cache().stats().total_keys), 49);
    assert_eq!(with_cache(&a, || greeting_cache().stats().total_keys), 49);
    assert_eq!(with_cache(&b, || greeting_cache().evict_all()).unwrap(), 49);
    assert_eq!(a.stats().total_keys, 0);
}

fn hazard_11_the_server_alone_says_how_long_an_entry_lives(server: &Server) {
    use cacheado::testing::ManualClock;
    let future = ManualClock::new();
    future.advance(Duration::from_secs(50 * 365 * 24 * 3_600));
    let (here, there) = (server.cache(), server.builder().clock(future).build().unwrap());
    for (writer, reader) in [(&here, &there), (&there, &here)] {
        writer.set("long", &1_u8, Duration::from_secs(3_600)).unwrap();
        assert_eq!(reader.get::<u8>("long").unwrap(), Some(1));
        let left = reader.remaining("long").unwrap().unwrap();
        assert!(left <= Duration::from_secs(3_600) && left > Duration::from_secs(3_500), "{left:?}");
        writer.set("short", &1_u8, Duration::from_millis(50)).unwrap();
        within(Duration::from_secs(5), "it expires", || reader.get::<u8>("short").unwrap().is_none());
    }
}

/// A MongoDB alone keeps the last notices in one document, which has a bound.
#[test]
fn hazard_32_entries_with_long_keys_are_set_and_evicted() {
    let Some(server) = cacheado_servers::MongoDb::standalone() else { return };
    let server = Server::MongoDb(server);
    let cache = server.cache();
    // Those that are told as they are, and more of them than it keeps; and those that are not.
    let long = [(128 << 10) - 100; 40].into_iter().chain([1 << 20; 10]);
    for (number, length) in (0..50_u8).zip(long) {
        let key = format!("{number}{}", "x".repeat(length));
        cache.set(&key, &number, Duration::from_secs(60)).unwrap();
        assert!(cache.evict(&key).unwrap(), "{number}");
    }
}
