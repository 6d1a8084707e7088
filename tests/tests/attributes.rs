//! Each argument of `#[cached]`, at run time, and the siblings.

use std::sync::Arc;
use std::time::Duration;

use cacheado::Stats;
use cacheado::prelude::*;
use cacheado::rules::Lru;
use cacheado_tests::wait::on_one_thread;
use cacheado_tests::{Counter, clocked};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq)]
struct Fault(u32);

#[cached(cache = cache, skip(cache, runs), ttl = 100, cache_none = "3s")]
fn none_for_3(cache: &Cache, runs: &Counter, n: u32) -> Option<usize> {
    let run = runs.next();
    (n > 0).then_some(run)
}

#[cached(cache = cache, skip(cache, runs), ttl = 100, cache_none)]
fn none_too(cache: &Cache, runs: &Counter) -> Option<usize> {
    runs.next();
    None
}

#[cached(cache = cache, skip(cache, runs), ttl = 100)]
fn none_not(cache: &Cache, runs: &Counter) -> Option<usize> {
    runs.next();
    None
}

#[cached(cache = cache, skip(cache, runs), ttl = 100, cache_err = "3s", cache_none = "5s")]
fn all_outcomes(cache: &Cache, runs: &Counter, n: u32) -> Result<Option<usize>, Fault> {
    let run = runs.next();
    match n {
        0 => Err(Fault(n)),
        1 => Ok(None),
        _ => Ok(Some(run)),
    }
}

#[cached(cache = cache, skip(cache, runs), ttl = 100)]
async fn some_outcomes(cache: &Cache, runs: &Counter, n: u32) -> Result<Option<usize>, Fault> {
    let run = runs.next();
    match n {
        0 => Err(Fault(n)),
        1 => Ok(None),
        _ => Ok(Some(run)),
    }
}

#[test]
fn cache_none_and_cache_err() {
    let (cache, clock) = clocked();
    let runs = Counter::new();
    let ran = |what: &dyn Fn()| {
        let before = runs.get();
        what();
        runs.get() - before
    };
    let none = || assert!(none_for_3(&cache, &runs, 0).is_none());
    assert_eq!((ran(&none), ran(&none)), (1, 0));
    assert_eq!(none_for_3_entry(&cache, &runs, 0).peek().unwrap(), Some(None), "stored, and `None`");
    assert_eq!(none_for_3_entry(&cache, &runs, 0).remaining().unwrap(), Some(3 * SECOND));
    let some = || assert!(none_for_3(&cache, &runs, 1).is_some());
    assert_eq!((ran(&some), ran(&some)), (1, 0));
    clock.advance(3 * SECOND);
    assert_eq!((ran(&none), ran(&some)), (1, 0));
    let too = || assert!(none_too(&cache, &runs).is_none());
    assert_eq!((ran(&too), ran(&too)), (1, 0));
    assert_eq!(none_too_entry(&cache, &runs).remaining().unwrap(), Some(100 * SECOND));
    let not = || assert!(none_not(&cache, &runs).is_none());
    assert_eq!((ran(&not), ran(&not)), (1, 1));

    for (n, ttl) in [(0, 3), (1, 5), (2, 100)] {
        let call = || drop(all_outcomes(&cache, &runs, n));
        assert_eq!((ran(&call), ran(&call)), (1, 0));
        assert_eq!(all_outcomes_entry(&cache, &runs, n).remaining().unwrap(), Some(ttl * SECOND));
    }
    assert_eq!(all_outcomes(&cache, &runs, 0), Err(Fault(0)));
    on_one_thread(|| async {
        let (cache, runs) = (Cache::new(), Counter::new());
        for (n, expected) in [(0, 2), (1, 2), (2, 1)] {
            let _ = (some_outcomes(&cache, &runs, n).await, some_outcomes(&cache, &runs, n).await);
            assert_eq!(runs.take(), expected, "{n}");
        }
    });
}

#[cached(cache = cache, skip(cache), ttl = 100, ttl_with = length, cache_if = is_fine)]
fn by_value(cache: &Cache, text: &str) -> Result<String, Fault> {
    if text == "err" { Err(Fault(0)) } else { Ok(text.to_owned()) }
}

#[expect(clippy::ptr_arg, reason = "the attribute asks for a reference to the value")]
fn length(text: &String) -> Duration {
    Duration::from_secs(text.len() as u64)
}

fn is_fine(result: &Result<String, Fault>) -> bool {
    !result.as_ref().is_ok_and(|text| text == "bad")
}

#[cached(cache = cache, skip(cache), ttl = if short { SECOND } else { 10 * SECOND }, version = 7)]
fn computed_ttl(cache: &Cache, short: bool) -> bool {
    short
}

#[cached(cache = cache, skip(cache, to), refresh_if = to.is_some_and(|to| to > 10))]
fn refreshes(cache: &Cache, to: Option<u32>) -> u32 {
    to.unwrap_or_default()
}

#[cached(cache = cache, skip(cache), tags("plain", "one:{a}", "two:{a}-{b:03}", "{{braces}}"))]
fn tagged(cache: &Cache, a: &str, b: u32) -> u32 {
    b
}

struct Article {
    id: u32,
}

#[cached(cache = cache, key = *id, tags("article:{id}"))]
fn tagged_by_a_field(cache: &Cache, Article { id }: &Article) -> u32 {
    *id
}

#[cached(cache = cache, skip(cache), remote)]
fn remote(cache: &Cache) -> Vec<Option<String>> {
    vec![None]
}

#[cached(cache = cache, skip(cache), local, single_flight = true)]
fn local(cache: &Cache) -> Arc<dyn Fn() -> u8 + Send + Sync> {
    Arc::new(|| 5)
}

#[test]
fn times_conditions_and_tags() {
    let (cache, _) = clocked();
    for (text, ttl) in [("a", Some(1)), ("abc", Some(3)), ("", None), ("bad", None), ("err", None)] {
        let _ = by_value(&cache, text);
        assert_eq!(by_value_entry(&cache, text).remaining().unwrap(), ttl.map(Duration::from_secs), "{text}");
    }
    assert_eq!(cache.stats().total_keys, 2);
    for (short, ttl) in [(true, 1), (false, 10)] {
        computed_ttl(&cache, short);
        assert_eq!(computed_ttl_entry(&cache, short).remaining().unwrap(), Some(ttl * SECOND));
        assert_eq!(computed_ttl_entry(&cache, short).key().version(), 7);
        computed_ttl_entry(&cache, short).set(!short).unwrap();
        assert_eq!(
            computed_ttl_entry(&cache, short).remaining().unwrap(),
            Some(ttl * SECOND),
            "of `set` too"
        );
        assert_eq!(computed_ttl(&cache, short), !short);
    }
    let calls = [Some(1), Some(2), None, Some(11), Some(3), Some(12), None];
    assert_eq!(calls.map(|to| refreshes(&cache, to)), [1, 1, 1, 11, 11, 12, 12]);
    cache.clear().unwrap();
    let fill = || [("x", 1), ("x", 2), ("y", 1)].map(|(a, b)| tagged(&cache, a, b));
    for (tag, gone) in [
        ("plain", 3),
        ("one:x", 2),
        ("one:y", 1),
        ("two:x-002", 1),
        ("{braces}", 3),
        ("one:", 0),
        ("", 0),
        ("two:x-2", 0),
    ] {
        cache.clear().unwrap();
        fill();
        assert_eq!(cache.evict_by_tag(tag).unwrap(), gone, "{tag}");
        assert_eq!(cache.stats().total_keys, 3 - gone);
    }
    tagged_by_a_field(&cache, &Article { id: 7 });
    assert_eq!(cache.evict_by_tag("article:7").unwrap(), 1);
    assert_eq!((remote(&cache), remote(&cache)), (vec![None], vec![None]));
    assert_eq!((local(&cache)(), local(&cache)()), (5, 5));
}

#[cached(cache = cache, skip(cache, runs), ttl = 10, name = "attributes.sync")]
fn of_sync(cache: &Cache, runs: &Counter, n: u32) -> Result<Option<usize>, Fault> {
    if n == 0 { Err(Fault(0)) } else { Ok(Some(runs.next())) }
}

#[cached(cache = cache, skip(cache, runs), ttl = 10, name = "attributes.async")]
async fn of_async(cache: &Cache, runs: &Counter, n: u32) -> Result<Option<usize>, Fault> {
    tokio::task::yield_now().await;
    if n == 0 { Err(Fault(0)) } else { Ok(Some(runs.next())) }
}

/// The whole API of the siblings; `$wait` is `.await` or nothing.
macro_rules! siblings {
    ($function:ident, $entry:ident, $handle:ident, $name:literal $(, $wait:ident)?) => {{
        let (cache, clock) = clocked();
        let runs = Counter::new();
        let call = || $function(&cache, &runs, 1);
        let entry = || $entry(&cache, &runs, 1);
        assert_eq!(entry().peek()$(.$wait)?.unwrap(), None);
        assert_eq!(entry().remaining()$(.$wait)?.unwrap(), None);
        assert!(!entry().evict()$(.$wait)?.unwrap());
        let quiet = cache.stats();
        assert_eq!((quiet.hits, quiet.misses, quiet.evictions), (0, 0, 0), "none of these is a lookup");

        assert_eq!(call()$(.$wait)?, Ok(Some(0)));
        assert_eq!(entry().get()$(.$wait)?, Ok(Some(0)));
        clock.advance(4 * SECOND);
        assert_eq!(entry().remaining()$(.$wait)?.unwrap(), Some(6 * SECOND));
        assert_eq!(entry().peek()$(.$wait)?.unwrap(), Some(Ok(Some(0))));
        assert_eq!(entry().bypass()$(.$wait)?, Ok(Some(1)));
        assert_eq!(call()$(.$wait)?, Ok(Some(0)), "a bypass stores nothing");
        assert_eq!(entry().refresh()$(.$wait)?, Ok(Some(2)));
        assert_eq!(entry().remaining()$(.$wait)?.unwrap(), Some(10 * SECOND));
        assert_eq!(call()$(.$wait)?, Ok(Some(2)));

        entry().set(50)$(.$wait)?.unwrap();
        assert_eq!(call()$(.$wait)?, Ok(Some(50)), "the value inside");
        entry().set(Some(51))$(.$wait)?.unwrap();
        entry().set(Ok(Some(52)))$(.$wait)?.unwrap();
        assert_eq!(call()$(.$wait)?, Ok(Some(52)), "the whole result");
        entry().set(Err(Fault(9)))$(.$wait)?.unwrap();
        assert_eq!(entry().peek()$(.$wait)?.unwrap(), None, "an error is not stored");
        assert_eq!(entry().get()$(.$wait)?, Ok(Some(3)));
        assert!(entry().evict()$(.$wait)?.unwrap());
        assert!(!entry().evict()$(.$wait)?.unwrap());
        assert_eq!(entry().get()$(.$wait)?, Ok(Some(4)));
        assert_eq!($entry(&cache, &runs, 0).get()$(.$wait)?, Err(Fault(0)));

        assert_eq!(entry().key().function(), $name);
        let before = runs.get();
        drop(entry());
        assert_eq!(runs.get(), before, "an entry does nothing by itself");

        let handle = $handle(&cache);
        assert_eq!(handle.name(), $name);
        $function(&cache, &runs, 2)$(.$wait)?.unwrap();
        cache.set("other", &1_u8, Ttl::Never).unwrap();
        let stats: Stats = handle.stats();
        assert_eq!((stats.bypassed, stats.total_keys, stats.storage_type), (1, 2, "in_memory"));
        assert_eq!(handle.evict_all()$(.$wait)?.unwrap(), 2);
        assert_eq!(handle.evict_all()$(.$wait)?.unwrap(), 0);
        assert_eq!(cache.get::<u8>("other").unwrap(), Some(1));
    }};
}

#[test]
fn the_whole_api_of_the_siblings() {
    siblings!(of_sync, of_sync_entry, of_sync_cache, "attributes.sync");
    on_one_thread(|| async {
        siblings!(of_async, of_async_entry, of_async_cache, "attributes.async", await);
    });
}

#[cached(cache = cache, skip(cache, runs), single_flight = false)]
fn without_flight(cache: &Cache, runs: &Counter) -> usize {
    runs.next()
}

#[test]
fn what_is_set_before_the_first_call_is_served() {
    let (cache, runs) = (Cache::new(), Counter::new());
    without_flight_entry(&cache, &runs).set(7).unwrap();
    assert_eq!(without_flight(&cache, &runs), 7);
    of_sync_entry(&cache, &runs, 1).set(8).unwrap();
    assert_eq!(of_sync(&cache, &runs, 1), Ok(Some(8)));
    assert_eq!((runs.get(), cache.stats().hits, cache.stats().misses), (0, 2, 0));
}

#[test]
fn entries_and_futures_are_send() {
    fn send<T: Send>(of: T) -> T {
        of
    }
    on_one_thread(|| async {
        let (cache, runs) = (Cache::new(), Counter::new());
        drop(send(of_sync_entry(&cache, &runs, 1)));
        assert_eq!(send(of_async(&cache, &runs, 1)).await, Ok(Some(0)));
        assert_eq!(send(send(of_async_entry(&cache, &runs, 1)).refresh()).await, Ok(Some(1)));
        let _ = send(of_async_cache(&cache));
        send(send(cache.get_or_compute_async("k", Ttl::Never, || async { 1_u8 })).await.unwrap());
    });
}

#[test]
fn a_disabled_cache_computes() {
    on_one_thread(|| async {
        let (cache, runs) = (Cache::disabled(), Counter::new());
        assert_eq!((of_sync(&cache, &runs, 1), of_sync(&cache, &runs, 1)), (Ok(Some(0)), Ok(Some(1))));
        assert_eq!(of_async(&cache, &runs, 1).await, Ok(Some(2)));
        of_sync_entry(&cache, &runs, 1).set(7).unwrap();
        assert_eq!(of_sync_entry(&cache, &runs, 1).refresh(), Ok(Some(3)));
        assert_eq!(of_sync_entry(&cache, &runs, 1).peek().unwrap(), None);
        assert_eq!(of_sync_cache(&cache).evict_all().unwrap(), 0);
        cache.set("k", &1_u8, Ttl::Never).unwrap();
        assert_eq!(cache.get_or_compute("k", Ttl::Never, || 2_u8).unwrap(), 2);
        assert_eq!((cache.get::<u8>("k").unwrap(), cache.evict("k").unwrap()), (None, false));
        let counted = [cache.stats(), of_sync_cache(&cache).stats()];
        assert!(
            counted.iter().all(|stats| (stats.hits, stats.misses, stats.bypassed) == (0, 0, 0)),
            "{counted:?}"
        );
        assert!(cache.stats_by_function().is_empty() && cache.stats_by_scope_level().is_empty());
        cache.clear().unwrap();
    });
}

#[test]
fn the_verbs_of_a_cache_and_of_a_scope() {
    on_one_thread(|| async {
        let cache = Cache::builder().rule(Lru::new(100)).build().unwrap();
        let scoped = cache.scoped(cacheado_tests::tenancy::scopes::user("o", "u"));
        macro_rules! verbs {
            ($on:expr) => {{
                assert_eq!($on.get_async::<String>("k").await.unwrap(), None);
                $on.set_async("k", &String::from("v"), SECOND).await.unwrap();
                assert_eq!($on.get_async::<String>("k").await.unwrap().unwrap(), "v");
                let many = $on.get_many_async::<String>(["k", "x", "k"]).await.unwrap();
                assert_eq!(many, [Some("v".to_owned()), None, Some("v".to_owned())]);
                assert!($on.evict_async("k").await.unwrap());
                assert!(!$on.evict("k").unwrap());
                let made = $on.get_or_compute_async("k", Ttl::Never, || async { 5_u8 }).await.unwrap();
                assert_eq!((made, $on.get_or_compute("k", Ttl::Never, || 6_u8).unwrap()), (5, 5));
                $on.set("k", &"another type".to_owned(), None).unwrap();
                assert_eq!($on.get::<u8>("k").unwrap(), None);
                assert_eq!($on.get_or_compute("k", Ttl::Never, || 7_u8).unwrap(), 7, "of another type");
                assert_eq!($on.get::<u8>("k").unwrap(), Some(7));
                let fails = || Err::<u16, _>("it fails");
                assert_eq!(
                    $on.try_get_or_compute("k", Ttl::Never, fails),
                    Err("it fails"),
                    "of another type"
                );
                assert_eq!(
                    $on.try_get_or_compute_async("k", Ttl::Never, || async { Ok::<_, ()>(8_u16) }).await,
                    Ok(8)
                );
                assert_eq!($on.try_get_or_compute("k", Ttl::Never, fails), Ok(8));
            }};
        }
        verbs!(cache);
        verbs!(scoped);
        assert_eq!(cache.evict_by_scope_async(scoped.scope()).await.unwrap(), 1);
        cache.clear_async().await.unwrap();
        assert_eq!((cache.stats().total_keys, cache.stats().hits), (0, 0));
    });
}

/// What `cache_if` and `ttl_with` name is called as if it were written out: references to what a value derefs to or
/// coerces to are good enough, and types are inferred.
mod functions {
    use std::fmt::{Debug, Display};

    use super::*;

    pub(super) fn of_text(text: &str) -> Duration {
        Duration::from_secs(text.len() as u64)
    }

    pub(super) fn of_anything<T>(_: &T) -> Duration {
        SECOND
    }

    pub(super) fn of_what_is_shown(value: &impl Display) -> bool {
        value.to_string() != "secret"
    }

    pub(super) fn of_an_object(value: &dyn Debug) -> bool {
        !format!("{value:?}").is_empty()
    }

    pub(super) const ALWAYS: fn(&[u8]) -> bool = |_| true;

    pub(super) trait Judge<'v> {
        fn is_good(value: &'v u32) -> bool;
    }

    pub(super) struct Odd;

    impl<'v> Judge<'v> for Odd {
        fn is_good(value: &'v u32) -> bool {
            value % 2 == 1
        }
    }
}

#[test]
fn functions_are_named_as_they_would_be_called() {
    use functions::Judge as _;

    #[cached(ttl_with = functions::of_text, cache_if = functions::of_what_is_shown)]
    fn text(text: &str) -> String {
        text.to_owned()
    }
    #[cached(ttl_with = functions::of_anything, cache_if = Option::is_some, cache_none)]
    fn option(n: u32) -> Option<Arc<str>> {
        (n > 0).then(|| "some".into())
    }
    #[cached(ttl_with = functions::of_text, cache_if = functions::of_an_object)]
    fn pointer(n: u32) -> Arc<String> {
        Arc::new(n.to_string())
    }
    #[cached(cache_if = functions::ALWAYS)]
    fn bytes(n: u8) -> Vec<u8> {
        vec![n]
    }
    #[cached(cache_if = functions::Odd::is_good, refresh_if = "false".parse().unwrap())]
    fn odd(n: u32) -> u32 {
        n
    }
    let cache = Cache::builder().clock(cacheado::testing::ManualClock::new()).build().unwrap();
    cacheado::with_cache(&cache, || {
        for _ in 0..2 {
            let _ =
                (text("four"), text("secret"), option(0), option(1), pointer(10), bytes(1), odd(1), odd(2));
        }
        assert_eq!(text_entry("four").remaining().unwrap(), Some(4 * SECOND));
        assert_eq!(pointer_entry(10).remaining().unwrap(), Some(2 * SECOND));
        assert_eq!(option_entry(1).remaining().unwrap(), Some(SECOND));
        let stats = [text_cache(), option_cache(), pointer_cache(), bytes_cache(), odd_cache()]
            .map(|of| of.stats().hits);
        assert_eq!(stats, [1; 5]);
    });
}
