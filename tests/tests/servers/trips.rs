//! How often a server is asked, by its own count.

use std::time::Duration;

use cacheado::backends::Memory;
use cacheado::prelude::*;
use cacheado::with_cache;

use crate::server::{self, Server, within};

cacheado::scopes! {
    mod scopes {
        organization(org) { user(user) }
    }
}

#[cached(ttl = 60, scope = "user", tags("a", "b"))]
fn value(org: &str, user: &str) -> String {
    format!("{user} of {org}")
}

#[cached(ttl = 60, batch(ids))]
fn values(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

/// How many commands clients send to Redis while `what` runs.
fn trips(server: &cacheado_servers::Redis, what: impl FnOnce()) -> u64 {
    let before = server.reads_processed();
    what();
    server.reads_processed() - before
}

#[test]
fn redis_is_asked_once_a_hit_once_a_put_and_once_a_scope() {
    let Some(server) = server::redis() else { return };
    let cache = server.cache();
    let Server::Redis(redis) = &server else { return };
    let call = |cache: &Cache| with_cache(cache, || drop(value("acme", "ada")));
    let get = || assert_eq!(cache.get::<u8>("k").unwrap(), Some(1));
    // Connections and scripts are there.
    call(&cache);
    cache.set("k", &1_u8, Duration::from_secs(60)).unwrap();
    get();
    cache.evict_by_scope(&scopes::user("acme", "x")).unwrap();

    assert_eq!(trips(redis, || call(&cache)), 1, "a hit");
    assert_eq!(trips(redis, get), 1, "a hit by key");
    assert_eq!(trips(redis, || cache.set("k", &1_u8, Ttl::Never).unwrap()), 1, "a put");
    assert_eq!(trips(redis, || drop(cache.get_many::<u8>(["k", "l", "m"]).unwrap())), 1, "a batch");
    let all: Vec<u32> = (0..50).collect();
    let elements = || with_cache(&cache, || assert_eq!(values(&all), all));
    elements();
    assert_eq!(trips(redis, elements), 1, "hits in a batch function");
    for user in 0..100 {
        with_cache(&cache, || drop(value("acme", &user.to_string())));
    }
    let evict = || assert_eq!(cache.evict_by_scope(&scopes::organization("acme")).unwrap(), 101);
    assert_eq!(trips(redis, evict), 1, "a scope");
    // Read, announce, write.
    assert_eq!(trips(redis, || with_cache(&cache, || drop(value("acme", "new")))), 3, "a miss");

    let near = server.builder().near(Memory::new()).build().unwrap();
    within(Duration::from_secs(5), "a hit on a copy asks nobody, once the bus is listened to", || {
        trips(redis, || call(&near)) == 0
    });
}

#[test]
fn hazard_29_redis_is_never_scanned() {
    let Some(server) = server::redis() else { return };
    let cache = server.cache();
    for user in 0..100 {
        with_cache(&cache, || drop(value("acme", &user.to_string())));
    }
    cache.evict_by_scope(&scopes::organization("acme")).unwrap();
    cache.evict_by_tag("a").unwrap();
    cache.clear().unwrap();
    assert_eq!(cache.stats().total_keys, 0);
    let Server::Redis(redis) = &server else { return };
    for command in ["keys", "scan", "sscan", "hscan", "zscan", "flushdb", "flushall"] {
        assert_eq!(redis.calls(command), 0, "{command}");
    }
}
