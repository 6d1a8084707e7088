//! Functions and keys over a remote backend: here one in memory, which two caches share as two processes would
//! share a server. What a server can do wrong is in `outages` and `servers`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::testing::ManualClock;
use cacheado::{refresh, with_cache, with_cache_async};
use cacheado_tests::Counter;
use serde::{Deserialize, Serialize};

cacheado::scopes! {
    mod scopes {
        organization(org) { user(user) }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Profile {
    name: String,
    age: u8,
}

#[cached(ttl = 60, scope = "user", tags("page:{page}"))]
fn profile(org: &str, user: &str, page: u8) -> Profile {
    Profile { name: format!("{user} of {org}"), age: page }
}

#[cached(ttl = 60, scope = "user", skip(bodies))]
async fn profile_async(
    bodies: &Counter,
    org: &str,
    user: &str,
) -> Result<Option<Arc<Profile>>, Box<dyn std::error::Error>> {
    bodies.next();
    Ok(Some(Arc::new(Profile { name: format!("{user} of {org}"), age: 1 })))
}

fn node(backend: &SharedMemory) -> Cache {
    Cache::builder().backend(backend.clone()).build().unwrap()
}

fn near_node(backend: &SharedMemory) -> Cache {
    Cache::builder()
        .backend(backend.clone())
        .near(Memory::builder().max_items(1_000).build())
        .build()
        .unwrap()
}

/// Polls until it is so.
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let until = std::time::Instant::now() + Duration::from_secs(5);
    while !is_so() {
        assert!(std::time::Instant::now() < until, "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn two_nodes_share_entries_both_ways() {
    #[cached(ttl = 60, scope = "user", skip(bodies))]
    fn counted(bodies: &Counter, org: &str, user: &str) -> Profile {
        bodies.next();
        Profile { name: format!("{user} of {org}"), age: 1 }
    }
    let bodies = Counter::new();
    let backend = SharedMemory::new();
    let (a, b) = (node(&backend), node(&backend));
    let ada = with_cache(&a, || counted(&bodies, "acme", "ada"));
    assert_eq!(with_cache(&b, || counted(&bodies, "acme", "ada")), ada);
    with_cache(&b, || counted(&bodies, "acme", "brian"));
    with_cache(&a, || counted(&bodies, "acme", "brian"));
    assert_eq!(bodies.get(), 2);
    for cache in [&a, &b] {
        let stats = with_cache(cache, || counted_cache().stats());
        assert_eq!((stats.hits, stats.misses), (1, 1), "{stats}");
        assert_eq!((stats.total_keys, stats.storage_type), (2, "in_memory"));
    }
}

#[tokio::test]
async fn async_functions_share_what_is_in_an_arc() {
    let backend = SharedMemory::new();
    let (a, b, bodies) = (node(&backend), node(&backend), Counter::new());
    let first = with_cache_async(&a, profile_async(&bodies, "acme", "ada")).await.unwrap();
    let second = with_cache_async(&b, profile_async(&bodies, "acme", "ada")).await.unwrap();
    assert_eq!((first, bodies.get()), (second, 1));
}

#[test]
fn a_future_over_a_remote_backend_can_be_sent_whatever_the_function_returns() {
    fn sent(_: impl Send) {}
    // The error is no `Send`: the outcome is not held while the backend is asked.
    sent(async { profile_async(&Counter::new(), "acme", "ada").await.is_ok() });
}

#[test]
fn an_eviction_on_one_node_holds_on_the_other() {
    let backend = SharedMemory::new();
    let (a, b) = (node(&backend), node(&backend));
    let fill = || {
        with_cache(&a, || {
            profile("acme", "ada", 1);
            profile("acme", "brian", 2);
            profile("globex", "ada", 1);
        });
    };
    let left = |cache| {
        with_cache(cache, || {
            [("acme", "ada", 1), ("acme", "brian", 2), ("globex", "ada", 1)]
                .map(|(org, user, page)| profile_entry(org, user, page).peek().unwrap().is_some())
        })
    };
    fill();
    assert_eq!(left(&b), [true; 3]);
    assert_eq!(b.evict_by_scope(&scopes::organization("acme")).unwrap(), 2);
    assert_eq!(left(&a), [false, false, true]);
    fill();
    assert_eq!(b.evict_by_tag("page:1").unwrap(), 2);
    assert_eq!(left(&a), [false, true, false]);
    fill();
    assert!(with_cache(&b, || profile_entry("acme", "ada", 1).evict()).unwrap());
    assert!(!with_cache(&b, || profile_entry("acme", "ada", 1).evict()).unwrap());
    assert_eq!(left(&a), [false, true, true]);
    assert_eq!(with_cache(&b, || profile_cache().evict_all()).unwrap(), 2);
    assert_eq!(left(&a), [false; 3]);
    fill();
    b.clear().unwrap();
    assert_eq!(left(&a), [false; 3]);
    assert_eq!(a.stats().total_keys, 0);
}

#[test]
fn what_began_before_an_eviction_on_another_node_is_not_served_after_it() {
    type Evict = fn(&Cache);
    let ways: [(&str, Evict); 6] = [
        ("key", |cache| assert!(!with_cache(cache, || slow_entry("acme", "x").evict()).unwrap())),
        ("scope", |cache| assert_eq!(cache.evict_by_scope(&scopes::organization("acme")).unwrap(), 0)),
        ("tag", |cache| assert_eq!(cache.evict_by_tag("slow").unwrap(), 0)),
        ("function", |cache| assert_eq!(with_cache(cache, || slow_cache().evict_all()).unwrap(), 0)),
        ("everything", |cache| cache.clear().unwrap()),
        ("set", |cache| with_cache(cache, || slow_entry("acme", "x").set(99)).unwrap()),
    ];
    static VALUE: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static MEANWHILE: std::cell::Cell<Option<(Cache, Evict)>> = const { std::cell::Cell::new(None) };
    }
    #[cached(ttl = 60, scope = "organization", tags("slow"))]
    fn slow(org: &str, key: &str) -> u32 {
        let _ = (org, key);
        let value = VALUE.fetch_add(1, Ordering::SeqCst);
        if let Some((cache, evict)) = MEANWHILE.take() {
            evict(&cache);
        }
        value
    }
    for (way, evict) in ways {
        for make in [node, near_node] {
            let backend = SharedMemory::new();
            let (a, b) = (make(&backend), make(&backend));
            for evictor in [&a, &b] {
                a.clear().unwrap();
                MEANWHILE.set(Some((evictor.clone(), evict)));
                let old = with_cache(&a, || slow("acme", "x"));
                for reader in [&a, &b] {
                    let seen = with_cache(reader, || slow("acme", "x"));
                    if way == "set" {
                        assert_eq!(seen, 99, "what was set stays");
                    } else {
                        assert!(seen > old, "{way}: an old value was served");
                    }
                }
            }
        }
    }
}

#[test]
fn programmatic_keys_are_remote_too() {
    let backend = SharedMemory::new();
    let (a, b) = (node(&backend), node(&backend));
    let ada = Profile { name: "Ada".into(), age: 36 };
    a.set(("user", 7), &ada, Duration::from_secs(60)).unwrap();
    assert_eq!(b.get::<Profile>(("user", 7)).unwrap(), Some(ada.clone()));
    assert_eq!(b.get::<String>(("user", 7)).unwrap(), None, "another type");
    assert!(b.remaining(("user", 7)).unwrap().unwrap() > Duration::from_secs(50));
    let many = b.get_many::<Profile>([("user", 7), ("user", 8), ("user", 7)]).unwrap();
    assert_eq!(many, [Some(ada.clone()), None, Some(ada)]);
    let stats = b.stats();
    assert_eq!((stats.hits, stats.misses), (3, 2), "{stats}");
    assert_eq!(b.get_or_compute("n", Ttl::Never, || 1_u8).unwrap(), 1);
    assert_eq!(a.get_or_compute("n", Ttl::Never, || 2_u8).unwrap(), 1);
    assert_eq!(a.remaining("n").unwrap(), None);
    let scoped = a.scoped(scopes::user("acme", "ada"));
    scoped.set("theme", &"dark".to_owned(), Ttl::Never).unwrap();
    assert_eq!(b.get::<String>("theme").unwrap(), None);
    assert_eq!(b.evict_by_scope(&scopes::organization("acme")).unwrap(), 1);
    assert_eq!(scoped.get::<String>("theme").unwrap(), None);
    assert!(b.evict("n").unwrap());
    assert_eq!(a.get::<u8>("n").unwrap(), None);
}

#[test]
fn a_near_cache_serves_without_asking_and_follows_other_nodes() {
    let backend = SharedMemory::new();
    let (a, b) = (near_node(&backend), near_node(&backend));
    with_cache(&a, || profile("acme", "ada", 1));
    with_cache(&b, || profile("acme", "ada", 1));
    let peek = |cache| with_cache(cache, || profile_entry("acme", "ada", 1).peek().unwrap());
    // It is there, whatever happens to the backend behind its back.
    assert!(peek(&a).is_some() && peek(&b).is_some());
    assert_eq!(a.evict_by_scope(&scopes::user("acme", "ada")).unwrap(), 1, "copies do not count");
    assert!(peek(&a).is_none());
    eventually("the other node hears of it", || peek(&b).is_none());

    with_cache(&a, || profile("acme", "ada", 1));
    with_cache(&b, || profile("acme", "ada", 1));
    let newer = Profile { name: "new".into(), age: 0 };
    with_cache(&a, || profile_entry("acme", "ada", 1).set(newer.clone())).unwrap();
    assert_eq!(peek(&a), Some(newer.clone()));
    eventually("what is set replaces copies", || peek(&b).as_ref() == Some(&newer));
}

#[test]
fn hazard_32_what_is_refreshed_replaces_copies_on_all_nodes() {
    static RELEASE: AtomicU32 = AtomicU32::new(1);
    #[cached(ttl = 60, remote)]
    fn release() -> u32 {
        RELEASE.load(Ordering::SeqCst)
    }
    let backend = SharedMemory::new();
    let (a, b) = (near_node(&backend), near_node(&backend));
    assert_eq!([&a, &b].map(|cache| with_cache(cache, release)), [1, 1]);
    for (number, is_entry) in [(2, true), (3, false)] {
        RELEASE.store(number, Ordering::SeqCst);
        let refreshed = || if is_entry { release_entry().refresh() } else { refresh(release) };
        assert_eq!(with_cache(&a, refreshed), number);
        assert_eq!(with_cache(&a, release), number);
        eventually("the other node hears of it", || with_cache(&b, release) == number);
    }
}

#[test]
fn hazard_32_a_missed_notice_is_noticed_when_the_bus_is_back() {
    let backend = SharedMemory::new();
    let (a, b) = (near_node(&backend), near_node(&backend));
    let call = |cache: &Cache| with_cache(cache, || profile("acme", "ada", 1));
    let peek = |cache| with_cache(cache, || profile_entry("acme", "ada", 1).peek().unwrap());
    call(&a);
    call(&b);
    backend.cut_bus();
    a.clear().unwrap();
    backend.mend_bus();
    eventually("all copies are dropped", || peek(&b).is_none());
}

#[test]
fn a_copy_lives_no_longer_than_its_entry_and_its_own_bound() {
    let clock = ManualClock::new();
    let backend = SharedMemory::with_clock(clock.clone());
    let near = |ttl: u64| {
        let near = Cache::builder().backend(backend.clone()).near(Memory::new()).clock(clock.clone());
        near.near_ttl(Duration::from_secs(ttl)).build().unwrap()
    };
    let (a, b) = (near(30), near(1_000));
    a.set("k", &1_u8, Duration::from_secs(60)).unwrap();
    assert_eq!((a.get::<u8>("k").unwrap(), b.get::<u8>("k").unwrap()), (Some(1), Some(1)));
    clock.advance(Duration::from_secs(59));
    assert_eq!(b.get::<u8>("k").unwrap(), Some(1));
    clock.advance(Duration::from_secs(1));
    assert_eq!((a.get::<u8>("k").unwrap(), b.get::<u8>("k").unwrap()), (None, None));
}

#[test]
fn values_without_serde_stay_here() {
    #[derive(Clone, PartialEq, Debug)]
    struct Local(u8);
    #[cached(skip(bodies))]
    fn local(bodies: &Counter) -> Local {
        bodies.next();
        Local(1)
    }
    #[cached(local, skip(bodies))]
    fn kept(bodies: &Counter) -> u8 {
        bodies.next();
        1
    }
    let bodies = Counter::new();
    let backend = SharedMemory::new();
    let (a, b) = (node(&backend), node(&backend));
    for cache in [&a, &a, &b] {
        with_cache(cache, || (local(&bodies), kept(&bodies)));
    }
    assert_eq!(bodies.get(), 4);
    assert_eq!(a.stats().total_keys, 2);
    assert_eq!(b.evict_by_scope(&Scope::global()).unwrap(), 2);
}

#[test]
fn hazard_05_another_version_or_type_never_reads_the_bytes() {
    mod old {
        #[cacheado::cached(name = "deploy", version = 1)]
        pub(super) fn value() -> (u8, u8) {
            (1, 2)
        }
    }
    mod new {
        #[cacheado::cached(name = "deploy", version = 2)]
        pub(super) fn value() -> (u8, u8) {
            (2, 1)
        }
    }
    mod other {
        #[cacheado::cached(name = "deploy", version = 2)]
        pub(super) fn value() -> (u16, u16) {
            (7, 7)
        }
    }
    let backend = SharedMemory::new();
    let (a, b) = (node(&backend), node(&backend));
    assert_eq!(with_cache(&a, old::value), (1, 2));
    assert_eq!(with_cache(&b, new::value), (2, 1));
    assert_eq!(with_cache(&a, other::value), (7, 7));
    assert_eq!(with_cache(&b, old::value), (1, 2));
}

#[test]
fn a_thousand_callers_ask_the_backend_once_and_the_body_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let backend = SharedMemory::new();
    let (cache, bodies) = (node(&backend), Arc::new(Counter::new()));
    runtime.block_on(async {
        let calls: Vec<_> = (0..1_000)
            .map(|_| {
                let (cache, bodies) = (cache.clone(), Arc::clone(&bodies));
                tokio::spawn(async move {
                    let key = "stampede";
                    let compute = || async {
                        tokio::task::yield_now().await;
                        bodies.next();
                        7_u8
                    };
                    cache.get_or_compute_async(key, Ttl::Never, compute).await.unwrap()
                })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), 7);
        }
    });
    assert_eq!(bodies.get(), 1);
    let stats = cache.stats();
    assert_eq!(stats.hits + stats.misses, 1_000, "{stats}");
}

#[test]
fn a_near_cache_needs_something_to_be_near_to() {
    let error = Cache::builder().near(Memory::new()).build().unwrap_err();
    assert_eq!(error.kind(), cacheado::ErrorKind::Configuration);
}

#[test]
fn hazard_11_nodes_whose_clocks_differ_share_entries() {
    // Each node's own clock moves its own copies; how long an entry lives is the backend's business.
    let (early, late) = (ManualClock::new(), ManualClock::new());
    late.advance(Duration::from_secs(50 * 365 * 24 * 3_600));
    let backend = SharedMemory::new();
    let near = |clock: &ManualClock| {
        let node = Cache::builder().backend(backend.clone()).near(Memory::new()).clock(clock.clone());
        node.build().unwrap()
    };
    for (writer, reader) in [(near(&early), near(&late)), (near(&late), near(&early))] {
        writer.set("k", &1_u8, Duration::from_secs(60)).unwrap();
        for _ in 0..2 {
            assert_eq!(reader.get::<u8>("k").unwrap(), Some(1));
        }
        assert!(reader.remaining("k").unwrap().is_some_and(|left| left <= Duration::from_secs(60)));
        assert!(writer.evict("k").unwrap());
    }
}

#[cached]
fn squared(n: u32) -> u32 {
    n * n
}

#[test]
fn what_a_function_has_lost_is_counted_for_it() {
    let backend = SharedMemory::new();
    for cache in [Cache::new(), node(&backend), near_node(&backend)] {
        with_cache(&cache, || {
            for n in 0..3 {
                squared(n);
            }
            assert_eq!(squared_cache().evict_all().unwrap(), 3);
            let of_all = cache.stats_by_function().into_values().map(|stats| stats.evictions).sum::<u64>();
            assert_eq!((squared_cache().stats().evictions, of_all, cache.stats().evictions), (3, 3, 3));
        });
    }
}
