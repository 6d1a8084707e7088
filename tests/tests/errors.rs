//! What errors say: the verb that failed, and each cause once.

use std::error::Error as _;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use cacheado::backends::{Error as Cause, ErrorKind as Failure, SharedMemory};
use cacheado::prelude::*;
use cacheado::testing::{Fault, FlakyBackend};
use cacheado::{Error, ErrorKind, Result, with_cache, with_cache_async};
use cacheado_tests::Counter;
use cacheado_tests::wait::{on_one_thread, others_wait};
use tokio::sync::Notify;
use tokio::task::JoinSet;

const FAULT: &str = "a fault that was injected";

#[cached(ttl = 60)]
#[expect(dead_code, reason = "its siblings are called")]
fn double(n: u32) -> u32 {
    n * 2
}

#[cached(ttl = 60, on_backend_error = "error")]
fn strict(n: u32) -> Result<u32> {
    Ok(n * 2)
}

/// A cache whose backend does nothing but fail.
fn away() -> Cache {
    let backend = FlakyBackend::new(SharedMemory::new());
    let cache = Cache::builder().backend(backend.clone()).breaker(u32::MAX, Duration::from_secs(60));
    backend.inject(Fault::fail(Failure::Unavailable));
    cache.build().unwrap()
}

/// An error with its sources, as reports print it.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(" <- ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[test]
fn an_error_names_the_verb_that_failed() {
    let cache = away();
    let (scope, tag) = (scope(), "tag");
    let scoped = cache.scoped(scope.clone());
    let in_cache = |verb: &dyn Fn() -> Error| with_cache(&cache, verb);
    let failed = [
        ("get", cache.get::<u32>(1).unwrap_err()),
        ("get", scoped.get::<u32>(1).unwrap_err()),
        ("get_many", cache.get_many::<u32>([1, 2]).unwrap_err()),
        ("set", cache.set(1, &1, Ttl::Never).unwrap_err()),
        ("evict", cache.evict(1).unwrap_err()),
        ("remaining", cache.remaining(1).unwrap_err()),
        ("evict_key", cache.evict_key(&double_entry(1).key()).unwrap_err()),
        ("evict_by_scope", cache.evict_by_scope(&scope).unwrap_err()),
        ("evict_by_scope", cache.evict_by_scope(&Scope::global()).unwrap_err()),
        ("evict_by_tag", cache.evict_by_tag(tag).unwrap_err()),
        ("clear", cache.clear().unwrap_err()),
        ("evict_all", in_cache(&|| double_cache().evict_all().unwrap_err())),
        ("peek", in_cache(&|| double_entry(1).peek().unwrap_err())),
        ("set", in_cache(&|| double_entry(1).set(1).unwrap_err())),
        ("evict", in_cache(&|| double_entry(1).evict().unwrap_err())),
        ("remaining", in_cache(&|| double_entry(1).remaining().unwrap_err())),
        ("call", in_cache(&|| strict(1).unwrap_err())),
    ];
    for (verb, error) in failed {
        assert_eq!((error.operation(), error.kind()), (verb, ErrorKind::Backend), "{error}");
        let text = error.to_string();
        assert!(text.starts_with(&format!("{verb}: ")) && text.ends_with(FAULT), "{text}");
        // Once each: the verb, what the backend was asked, and why it failed.
        let cause = error.cause().downcast_ref::<Cause>().expect("the backend's");
        assert_eq!(cause.kind(), Failure::Unavailable);
        let asked = if cause.operation() == verb { "" } else { &format!("{}: ", cause.operation()) };
        assert_eq!(chain(&error), format!("{verb}: {asked}{FAULT}"));
    }
}

fn scope() -> Scope {
    let tree = ScopeTree::builder().level("organization", "org_id").build().unwrap();
    tree.resolve("organization", [("org_id", "o1")]).unwrap()
}

#[test]
fn an_error_about_scopes_says_what_was_being_done() {
    let unknown = ScopeTree::builder().child("nowhere", "user", "user_id").build().unwrap_err();
    assert_eq!(Error::from(unknown).operation(), "build");
    let tree = ScopeTree::builder().level("organization", "org_id").build().unwrap();
    let missing = tree.resolve("organization", [("", "")]).unwrap_err();
    assert_eq!(Error::from(missing).operation(), "resolve");
    let malformed = "organization".parse::<Scope>().unwrap_err();
    let error = Error::from(malformed);
    assert_eq!(error.operation(), "parse");
    assert_eq!(chain(&error), error.to_string());
}

#[cached(ttl = 60, timeout = "1ms")]
async fn endless(n: u32) -> Result<u32> {
    pending::<()>().await;
    Ok(n)
}

#[cached(ttl = 60, timeout = "1ms", name = "billing.invoice")]
async fn endless_and_named(n: u32) -> Result<u32> {
    pending::<()>().await;
    Ok(n)
}

#[test]
fn an_error_of_a_timeout_names_the_function() {
    on_one_thread(|| async {
        let cache = Cache::new();
        let error = with_cache_async(&cache, endless(1)).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Timeout, "call"));
        assert_eq!(error.to_string(), "call: `errors::endless`: no result within 1ms");
        let error = with_cache_async(&cache, endless_and_named(1)).await.unwrap_err();
        assert_eq!(error.to_string(), "call: `billing.invoice`: no result within 1ms");
        // What never stores does not know names.
        let error = with_cache_async(&Cache::disabled(), endless(1)).await.unwrap_err();
        assert_eq!(error.to_string(), "call: no result within 1ms");
    });
}

/// A cause that has a cause, and does not say it.
#[derive(Debug)]
struct Handshake(std::num::ParseIntError);

impl std::fmt::Display for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no handshake")
    }
}

impl std::error::Error for Handshake {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn each_cause_is_printed_once_however_deep_it_lies() {
    let parse = "x".parse::<u8>().unwrap_err();
    let text = format!("get: no handshake <- {parse}");
    let error = Error::from(Cause::new(Failure::Unavailable, "get", Handshake(parse)));
    assert_eq!(chain(&error), text);
    assert_eq!(chain(&error.clone()), text, "a clone has the same");
}

/// What the tests of one error for many callers share.
struct Stage {
    cache: Cache,
    away: Cache,
    runs: Counter,
    gate: Notify,
}

#[cached(cache = stage.cache, skip(stage))]
async fn fails(stage: &Stage, n: u32) -> Result<u32> {
    stage.runs.next();
    stage.gate.notified().await;
    stage.away.get_async::<u32>(n).await.map(Option::unwrap_or_default)
}

#[test]
fn hazard_19_an_error_of_ours_is_shared_by_all_who_wait() {
    on_one_thread(|| async {
        let (cache, away) = (Cache::new(), away());
        let stage = Arc::new(Stage { cache, away, runs: Counter::new(), gate: Notify::new() });
        let mut tasks = JoinSet::new();
        for _ in 0..50 {
            let stage = Arc::clone(&stage);
            tasks.spawn(async move { fails(&stage, 1).await });
        }
        others_wait().await;
        // For each body that has begun or will.
        for _ in 0..50 {
            stage.gate.notify_one();
            others_wait().await;
        }
        while let Some(result) = tasks.join_next().await {
            let error = result.unwrap().unwrap_err();
            assert_eq!(error.operation(), "get");
            assert!(error.cause().is::<Cause>(), "the same, and not its text: {error:?}");
        }
        assert_eq!(stage.runs.get(), 1);
        assert_eq!(stage.cache.stats().coalesced, 49);
    });
}
