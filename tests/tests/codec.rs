//! What generated code says of the types that a function may return: whatever they are, it compiles, and the
//! function is cached. Which of them leave the process is decided by type; over memory it makes no difference.

use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cacheado::backends::SharedMemory;
use cacheado::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Calls twice, and sees one computation.
#[track_caller]
fn check<R>(call: impl Fn() -> R) {
    let cache = Cache::new();
    cacheado::with_cache(&cache, || {
        drop(call());
        drop(call());
    });
    let stats = cache.stats();
    assert_eq!((stats.misses, stats.hits), (1, 1));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Named {
    name: String,
}

#[derive(Clone)]
struct NoSerde;

#[derive(Clone, Serialize)]
struct OneWay;

#[derive(Clone, Serialize, Deserialize)]
struct Borrowing<'a> {
    name: &'a str,
}

#[derive(Clone, Serialize, Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

#[cached]
fn named() -> Named {
    Named { name: "Ada".to_owned() }
}

#[cached]
fn no_serde() -> NoSerde {
    NoSerde
}

#[cached]
fn one_way() -> OneWay {
    OneWay
}

#[cached]
fn shared() -> Arc<NoSerde> {
    Arc::new(NoSerde)
}

#[cached]
fn function() -> fn(&str) -> usize {
    str::len
}

#[test]
fn serde_or_not() {
    check(named);
    check(no_serde);
    check(one_way);
    check(shared);
    check(function);
}

#[cached]
fn text() -> &'static str {
    "text"
}

#[cached(cache_none)]
fn some_text() -> Option<&'static str> {
    None
}

#[cached(cache_err)]
fn text_or_text() -> Result<&'static str, &'static str> {
    Err("none")
}

#[cached]
fn pairs() -> Vec<(&'static str, u64)> {
    vec![("a", 1)]
}

#[cached]
fn by_text() -> HashMap<&'static str, Named> {
    HashMap::new()
}

#[cached]
fn borrowing() -> Borrowing<'static> {
    Borrowing { name: "Ada" }
}

#[cached]
fn page_of_texts() -> Page<&'static str> {
    Page { items: vec!["a"] }
}

#[cached]
fn page_of_borrowing() -> Page<Borrowing<'static>> {
    Page { items: vec![Borrowing { name: "Ada" }] }
}

#[cached]
fn cow() -> Cow<'static, str> {
    Cow::Borrowed("a")
}

#[test]
fn references() {
    check(text);
    check(some_text);
    check(|| text_or_text().is_err());
    check(pairs);
    check(by_text);
    check(|| borrowing().name);
    check(|| page_of_texts().items);
    check(|| page_of_borrowing().items);
    check(cow);
}

#[cached(local)]
fn kept() -> Named {
    Named { name: "Ada".to_owned() }
}

#[cached(local)]
fn kept_text() -> &'static str {
    "text"
}

#[cached(remote)]
fn sent() -> Option<Vec<Named>> {
    Some(Vec::new())
}

/// Its error is not stored, and need be nothing.
#[cached(remote)]
fn sent_or_failed() -> Result<Named, Rc<NoSerde>> {
    Ok(named())
}

#[cached(remote, cache_err = "5s", cache_none)]
fn sent_with_error() -> Result<Option<Named>, String> {
    Err("none".to_owned())
}

#[test]
fn said_by_the_attribute() {
    check(kept);
    check(kept_text);
    check(sent);
    check(sent_with_error);
}

#[test]
fn an_error_that_is_not_stored_need_not_be_sent() {
    let cache = Cache::new();
    let first = cacheado::with_cache(&cache, || sent_or_failed().ok());
    assert_eq!(first, cacheado::with_cache(&cache, || sent_or_failed().ok()));
    assert_eq!(cache.stats_by_function()["codec::sent_or_failed"].hits, 1);
}

#[cached(key(n))]
fn unbounded<T: Clone + Send + Sync + 'static>(n: u8, make: fn(u8) -> T) -> T {
    make(n)
}

#[cached(key(n), remote)]
fn bounded<T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static>(
    n: u8,
    make: fn(u8) -> T,
) -> Page<T> {
    Page { items: vec![make(n)] }
}

#[test]
fn generic_code_is_cached_whatever_its_bounds_say() {
    check(|| unbounded(1, |_| NoSerde));
    check(|| unbounded(1, u64::from));
    check(|| unbounded(1, |_| "text"));
    check(|| bounded(1, u64::from).items);
}

#[derive(Debug, PartialEq)]
enum Failure {
    Cache,
    NoUser,
}

impl From<cacheado::Error> for Failure {
    fn from(_: cacheado::Error) -> Self {
        Self::Cache
    }
}

#[cached(on_backend_error = "error")]
fn or_error(n: u8) -> Result<u8, Failure> {
    if n == 0 { Err(Failure::NoUser) } else { Ok(n) }
}

#[cached(on_backend_error = "error")]
async fn or_the_caches_own(n: u8) -> cacheado::Result<Option<u8>> {
    Ok(Some(n))
}

#[cached(on_backend_error = "error", key(n))]
fn or_any<E: From<cacheado::Error>>(n: u8, _: fn() -> E) -> Result<u8, E> {
    Ok(n)
}

#[cached(on_backend_error = "error")]
fn or_boxed(n: u8) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    Ok(n)
}

#[cached(on_backend_error = "compute")]
fn or_computed(n: u8) -> u8 {
    n
}

#[tokio::test]
async fn what_a_failing_backend_means_makes_no_difference_over_memory() {
    let cache = Cache::new();
    cacheado::with_cache_async(&cache, async {
        for _ in 0..2 {
            assert_eq!(or_error(1), Ok(1));
            assert_eq!(or_error(0), Err(Failure::NoUser));
            assert_eq!(or_the_caches_own(1).await.ok(), Some(Some(1)));
            assert_eq!(or_any(1, || Failure::Cache), Ok(1));
            assert_eq!(or_boxed(1).ok(), Some(1));
            assert_eq!(or_computed(1), 1);
        }
    })
    .await;
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (5, 7));
}

/// An id that says what it is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
struct Id<T> {
    number: u64,
    #[serde(skip)]
    of: PhantomData<T>,
}

#[test]
fn a_value_leaves_the_process_whatever_its_type_is_called() {
    fn shared<T: Clone + Send + Sync + 'static>() -> [Option<u64>; 2] {
        let server = SharedMemory::new();
        let node = || Cache::builder().backend(server.clone()).build().unwrap();
        let (a, b) = (node(), node());
        a.set("key", &Id::<T> { number: 1, of: PhantomData }, Duration::from_secs(60)).unwrap();
        let seen = |node: &Cache| node.get::<Id<T>>("key").unwrap().map(|id| id.number);
        let there = seen(&b);
        b.clear().unwrap();
        [there, seen(&a)]
    }
    assert_eq!(shared::<u8>(), [Some(1), None]);
    assert_eq!(shared::<&'static str>(), [Some(1), None]);
}
