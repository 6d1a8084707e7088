//! The scope that surrounds a call (hazard 9): it is part of the key, moves with a task, and where there is none
//! nothing is cached.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Barrier, Mutex};
use std::task::{Context, Waker};
use std::thread;

use cacheado::prelude::*;
use cacheado::{current_scope, in_scope, in_scope_async, with_cache, with_cache_async};
use cacheado_tests::Counter;
use cacheado_tests::wait::{on_one_thread, on_threads, poll_times};
use tokio::task::yield_now;

cacheado::scopes! {
    mod scopes {
        organization(org_id) { user(user_id) }
    }
}

fn org(id: &str) -> Scope {
    scopes::organization(id)
}

/// A cache, and how often the bodies over it have run.
#[derive(Default)]
struct Shop {
    cache: Cache,
    runs: Counter,
}

#[cached(cache = shop.cache, skip(shop), scope = ambient)]
fn price(shop: &Shop, article: u32) -> usize {
    shop.runs.next() * 1_000 + article as usize
}

#[cached(cache = shop.cache, skip(shop), scope = ambient)]
async fn price_later(shop: &Shop, article: u32) -> usize {
    yield_now().await;
    shop.runs.next() * 1_000 + article as usize
}

#[cached(cache = shop.cache, scope = ambient, key = article / 10)]
fn price_of_ten(shop: &Shop, article: u32) -> usize {
    shop.runs.next() * 1_000 + article as usize
}

#[cached(cache = shop.cache, skip(shop), scope = ambient)]
fn invoice(shop: &Shop, article: u32) -> usize {
    price(shop, article) + 1
}

#[test]
fn the_ambient_scope_is_part_of_the_key() {
    let shop = Shop::default();
    let first = in_scope(org("acme"), || price(&shop, 7));
    assert_eq!(in_scope(org("globex"), || price(&shop, 7)), first + 1_000);
    assert_eq!(in_scope(org("acme"), || price(&shop, 7)), first);
    // Neither the path nor its ends are confused with another's.
    for other in [scopes::user("acme", "7"), org("acme/user:7"), Scope::global()] {
        let before = shop.runs.get();
        in_scope(other, || price(&shop, 7));
        assert_eq!(shop.runs.get(), before + 1);
    }
    assert_eq!(shop.cache.stats().hits, 1);
}

#[test]
fn hazard_09_without_a_scope_nothing_is_cached_and_nothing_is_read() {
    let shop = Shop::default();
    // A global entry, and a tenant's, which are not for who has forgotten the scope.
    in_scope(Scope::global(), || price(&shop, 7));
    in_scope(org("acme"), || price(&shop, 7));
    shop.cache.scoped(Scope::global()).set(7, &99_usize, Ttl::Never).unwrap();
    let entries = shop.cache.stats().total_keys;

    let values = [price(&shop, 7), price(&shop, 7)];
    assert_eq!(values, [2_007, 3_007]);
    let stats = shop.cache.stats();
    assert_eq!((stats.bypassed, stats.total_keys, stats.hits), (2, entries, 0));

    price_entry(&shop, 7).set(5).unwrap();
    assert_eq!(price_entry(&shop, 7).peek().unwrap(), None);
    assert!(!price_entry(&shop, 7).evict().unwrap());
    assert_eq!(price(&shop, 7), 4_007);
    assert_eq!(shop.cache.stats().total_keys, entries);
}

#[test]
fn an_ambient_scope_is_evicted_with_what_is_below_it_and_nothing_else() {
    let shop = Shop::default();
    for scope in [org("acme"), scopes::user("acme", "u1"), org("globex")] {
        in_scope(scope, || price(&shop, 7));
    }
    assert_eq!(shop.cache.evict_by_scope(&org("acme")).unwrap(), 2);
    in_scope(org("globex"), || price(&shop, 7));
    assert_eq!(shop.cache.stats().hits, 1);
}

#[test]
fn scopes_nest_and_end() {
    let shop = Shop::default();
    in_scope(org("acme"), || {
        assert_eq!(current_scope(), Some(org("acme")));
        in_scope(scopes::user("acme", "u1"), || {
            assert_eq!(current_scope(), Some(scopes::user("acme", "u1")));
        });
        assert_eq!(current_scope(), Some(org("acme")));
        // A body has the scope of its call.
        invoice(&shop, 7);
        invoice(&shop, 7);
    });
    assert_eq!(current_scope(), None);
    assert_eq!((shop.runs.get(), shop.cache.stats().total_keys, shop.cache.stats().bypassed), (1, 2, 0));
}

#[test]
fn a_panic_restores_the_scope_around() {
    in_scope(org("acme"), || {
        let inner = AssertUnwindSafe(|| in_scope(org("globex"), || panic!("on purpose")));
        assert!(catch_unwind(inner).is_err());
        assert_eq!(current_scope(), Some(org("acme")));
    });
    assert_eq!(current_scope(), None);
}

#[test]
fn the_whole_key_can_be_an_expression() {
    let shop = Shop::default();
    in_scope(org("acme"), || [price_of_ten(&shop, 11), price_of_ten(&shop, 12)]);
    in_scope(org("globex"), || price_of_ten(&shop, 11));
    assert_eq!((shop.runs.get(), shop.cache.stats().hits), (2, 1));
}

#[test]
fn an_entry_belongs_to_the_scope_in_which_it_was_asked_for() {
    let shop = Shop::default();
    let entry = in_scope(org("acme"), || price_entry(&shop, 7));
    assert_eq!(entry.key().to_string().matches("organization:acme").count(), 1);
    entry.set(5).unwrap();
    assert_eq!(in_scope(org("acme"), || price(&shop, 7)), 5);
    assert_eq!(in_scope(org("globex"), || price(&shop, 7)), 7);
}

fn whose() -> String {
    current_scope().map_or_else(|| "nobody's".to_owned(), |scope| scope.to_string())
}

#[cached(cache = cache, skip(cache), scope = ambient)]
fn part(cache: &Cache) -> String {
    whose()
}

#[cached(cache = cache, skip(cache), scope = ambient)]
fn page(cache: &Cache) -> String {
    part(cache)
}

#[cached(cache = cache, skip(cache), scope = ambient, stale = "1h")]
fn page_that_goes_on(cache: &Cache) -> String {
    part(cache)
}

#[cached(cache = cache, skip(cache), scope = ambient)]
async fn page_later(cache: &Cache) -> String {
    yield_now().await;
    part(cache)
}

#[cached(cache = cache, skip(cache), scope = ambient, stale_if_error = "1h")]
async fn page_with_a_spare(cache: &Cache) -> Result<String, String> {
    yield_now().await;
    Ok(part(cache))
}

#[cached(cache = cache, skip(cache), scope = ambient, timeout = "1h")]
async fn page_in_time(cache: &Cache) -> cacheado::Result<String> {
    yield_now().await;
    Ok(part(cache))
}

/// Where the body is run: in another scope, and in none.
const ELSEWHERE: [Option<&str>; 2] = [Some("globex"), None];

fn run_in<R>(scope: Option<&str>, f: impl FnOnce() -> R) -> R {
    match scope {
        Some(id) => in_scope(org(id), f),
        None => f(),
    }
}

macro_rules! runs_where_it_was_made {
    ($page:ident, $entry:ident) => {
        for elsewhere in ELSEWHERE {
            for verb in ["get", "refresh", "bypass"] {
                let cache = Cache::new();
                let entry = in_scope(org("acme"), || $entry(&cache));
                let returned = run_in(elsewhere, || match verb {
                    "get" => entry.get(),
                    "refresh" => entry.refresh(),
                    _ => entry.bypass(),
                });
                let served = in_scope(org("acme"), || $page(&cache));
                let what = format!("{verb} in {elsewhere:?}");
                assert_eq!([returned, served], ["organization:acme"; 2], "{what}");
                let others = in_scope(org("globex"), || $page(&cache));
                assert_eq!(others, "organization:globex", "{what}");
            }
        }
    };
}

macro_rules! runs_later_where_it_was_made {
    ($page:ident, $entry:ident, $value:expr) => {
        for elsewhere in ELSEWHERE {
            for verb in ["get", "refresh", "bypass"] {
                let cache = Cache::new();
                let entry = in_scope(org("acme"), || $entry(&cache));
                let run = async {
                    match verb {
                        "get" => entry.get().await,
                        "refresh" => entry.refresh().await,
                        _ => entry.bypass().await,
                    }
                };
                let returned = match elsewhere {
                    Some(id) => in_scope_async(org(id), run).await,
                    None => run.await,
                };
                let served = in_scope_async(org("acme"), $page(&cache)).await;
                let what = format!("{verb} in {elsewhere:?}");
                assert_eq!([returned, served].map($value), ["organization:acme"; 2], "{what}");
                let others = in_scope_async(org("globex"), $page(&cache)).await;
                assert_eq!($value(others), "organization:globex", "{what}");
            }
        }
    };
}

#[test]
fn hazard_09_the_body_of_an_entry_has_the_scope_of_the_entry() {
    runs_where_it_was_made!(page, page_entry);
    runs_where_it_was_made!(page_that_goes_on, page_that_goes_on_entry);
}

#[test]
fn hazard_09_the_body_of_an_async_entry_has_the_scope_of_the_entry() {
    on_one_thread(|| async {
        runs_later_where_it_was_made!(page_later, page_later_entry, |page: String| page);
        runs_later_where_it_was_made!(page_with_a_spare, page_with_a_spare_entry, |page: Result<_, _>| {
            page.expect("it does not fail")
        });
        runs_later_where_it_was_made!(page_in_time, page_in_time_entry, |page: cacheado::Result<_>| {
            page.expect("it is in time")
        });
    });
}

#[test]
fn hazard_09_the_body_of_an_entry_that_was_made_without_a_scope_has_none() {
    let cache = Cache::new();
    let entry = page_entry(&cache);
    assert_eq!(in_scope(org("acme"), || entry.get()), "nobody's");
    assert_eq!((cache.stats().total_keys, cache.stats().bypassed), (0, 2));
}

/// Its entries are for whoever calls it.
#[cached(cache = cache, skip(cache))]
fn of_all(cache: &Cache) -> String {
    whose()
}

#[test]
fn the_body_of_an_entry_without_an_ambient_scope_has_the_scope_of_its_caller() {
    let cache = Cache::new();
    let entry = in_scope(org("acme"), || of_all_entry(&cache));
    assert_eq!(in_scope(org("globex"), || entry.refresh()), "organization:globex");
    assert_eq!(of_all(&cache), "organization:globex");
}

#[test]
fn a_thread_begins_without_a_scope() {
    let shop = Shop::default();
    in_scope(org("acme"), || {
        let scope = current_scope().unwrap();
        thread::scope(|threads| {
            threads.spawn(|| price(&shop, 7)).join().unwrap();
            threads.spawn(|| in_scope(scope, || price(&shop, 7))).join().unwrap();
        });
        price(&shop, 7);
    });
    let stats = shop.cache.stats();
    assert_eq!((stats.bypassed, stats.hits), (1, 1));
}

#[test]
fn hazard_09_tasks_on_one_thread_keep_their_scopes_apart() {
    on_one_thread(|| async {
        let shop = Shop::default();
        let one = in_scope_async(org("acme"), async {
            let values = (price_later(&shop, 7).await, current_scope());
            yield_now().await;
            (values, price_later(&shop, 7).await, current_scope())
        });
        let two = in_scope_async(org("globex"), async {
            yield_now().await;
            (price_later(&shop, 7).await, current_scope())
        });
        let none = async {
            yield_now().await;
            assert_eq!(current_scope(), None);
            price_later(&shop, 7).await
        };
        let (one, two, _) = tokio::join!(one, two, none);
        assert_eq!((&one.0.1, &one.2), (&Some(org("acme")), &Some(org("acme"))));
        assert_eq!((one.0.0, two.1), (one.1, Some(org("globex"))));
        assert_ne!(one.1, two.0);
        let stats = shop.cache.stats();
        assert_eq!((stats.bypassed, stats.total_keys), (1, 2));
    });
}

#[test]
fn an_async_scope_moves_to_another_thread_with_its_task() {
    let (shop, gate) = (Shop::default(), Barrier::new(2));
    let mut task = Box::pin(in_scope_async(org("acme"), async {
        let first = price(&shop, 7);
        yield_now().await;
        (first, price(&shop, 7), current_scope())
    }));
    let mut context = Context::from_waker(Waker::noop());
    assert!(task.as_mut().poll(&mut context).is_pending());
    // Between the polls, this thread is as it was.
    assert_eq!(current_scope(), None);
    thread::scope(|threads| {
        let gate = &gate;
        let moved = threads.spawn(move || {
            gate.wait();
            let mut context = Context::from_waker(Waker::noop());
            let done = task.as_mut().poll(&mut context);
            assert_eq!(current_scope(), None);
            done
        });
        in_scope(org("globex"), || {
            gate.wait();
            assert_eq!(current_scope(), Some(org("globex")));
        });
        let done = moved.join().unwrap();
        assert_eq!(done, std::task::Poll::Ready((7, 7, Some(org("acme")))));
    });
}

#[test]
fn async_scopes_nest_and_a_dropped_one_leaves_nothing_behind() {
    on_one_thread(|| async {
        in_scope_async(org("acme"), async {
            in_scope_async(scopes::user("acme", "u1"), async {
                yield_now().await;
                assert_eq!(current_scope(), Some(scopes::user("acme", "u1")));
            })
            .await;
            assert_eq!(current_scope(), Some(org("acme")));
        })
        .await;
    });
    {
        let mut dropped = pin!(in_scope_async(org("acme"), pending::<()>()));
        assert!(dropped.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(current_scope(), None);
    }
    assert_eq!(current_scope(), None);
}

#[test]
fn an_async_scope_can_be_spawned() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let shop: &'static Shop = Box::leak(Box::default());
    let spawned = on_threads(2, move || async move {
        let task = is_send(in_scope_async(org("acme"), price_later(shop, 7)));
        tokio::spawn(task).await.unwrap()
    });
    assert_eq!(spawned, 7);
}

/// Says where it is dropped.
struct Leaving<'t>(&'t Mutex<Vec<Option<Scope>>>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        counted();
        self.0.lock().unwrap().push(current_scope());
    }
}

#[cached]
fn counted() {}

#[test]
fn hazard_09_what_a_dropped_future_calls_has_what_surrounded_it() {
    #[cached(scope = ambient, skip(told))]
    async fn waits(told: &Mutex<Vec<Option<Scope>>>) {
        let _leaving = Leaving(told);
        pending::<()>().await;
    }
    let (told, cache) = (Mutex::default(), Cache::new());
    let misses = |cache: &Cache| with_cache(cache, || counted_cache().stats().misses);
    {
        let within = with_cache_async(
            &cache,
            in_scope_async(org("acme"), async {
                let _leaving = Leaving(&told);
                pending::<()>().await;
            }),
        );
        assert!(poll_times(within, 2).is_pending());
    }
    assert_eq!(told.lock().unwrap().pop(), Some(Some(org("acme"))));
    assert_eq!(misses(&cache), 1, "it has called in its cache");

    assert!(poll_times(in_scope_async(org("initech"), waits(&told)), 2).is_pending());
    assert_eq!(told.lock().unwrap().pop(), Some(Some(org("initech"))));

    let entry = in_scope(org("globex"), || with_cache(&cache, || waits_entry(&told)));
    assert!(poll_times(entry.refresh(), 2).is_pending());
    assert_eq!(told.lock().unwrap().pop(), Some(Some(org("globex"))));
}
