//! Expressions in the attribute's arguments: how often they are evaluated, and what they may borrow.

use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

use cacheado::prelude::*;
use cacheado::with_cache;
use cacheado_tests::Counter;
use cacheado_tests::wait::poll_times;

cacheado::scopes! {
    mod scopes {
        organization(org_id) { user(user_id) }
    }
}

/// Who asks, which is counted.
struct Session {
    asked: Counter,
    org: Mutex<String>,
}

impl Session {
    fn of(org: &str) -> Self {
        Self { asked: Counter::new(), org: Mutex::new(org.to_owned()) }
    }

    /// Another one each time.
    fn user(&self) -> usize {
        self.asked.next()
    }

    #[cached(scope = "user", scope_args(org_id = "acme", user_id = self.user()), skip(self))]
    fn page(&self, number: u32) -> u32 {
        number
    }

    #[cached(scope = "user", scope_args(org_id = "acme", user_id = self.user()), skip(self))]
    async fn page_async(&self, number: u32) -> u32 {
        number
    }

    #[cached(batch(ids), scope = "user", scope_args(org_id = ids, user_id = self.user()), skip(self))]
    fn pages(&self, ids: &[u32]) -> Vec<u32> {
        ids.to_vec()
    }

    /// The body locks what the value of the scope was read under.
    #[cached(scope = "organization", scope_args(org_id = self.org.lock().unwrap().as_str()), skip(self))]
    fn renamed(&self, name: String) -> String {
        std::mem::replace(&mut *self.org.lock().unwrap(), name)
    }
}

#[cached(scope = "organization", scope_args(org_id = org), key(page))]
fn of_a_pattern((org, page): (String, u32)) -> String {
    format!("{org}/{page}")
}

#[test]
fn scope_values_are_asked_for_once_a_call() {
    let cache = Cache::new();
    with_cache(&cache, || {
        let session = Session::of("acme");
        session.page(1);
        assert_eq!(session.asked.take(), 1);
        // A hit: it is the same user again.
        session.page(1);
        assert_eq!((session.asked.take(), cache.stats().hits), (1, 1));
        assert_eq!(poll_times(session.page_async(1), 1), Poll::Ready(1));
        assert_eq!(session.asked.take(), 1);
        session.pages(&[1, 2]);
        assert_eq!(session.asked.take(), 2);
        let _ = session.page_entry(1);
        assert_eq!(session.asked.take(), 1);
    });
}

#[test]
fn hazard_02_the_key_and_the_scope_of_an_entry_are_of_one_tenant() {
    let cache = Cache::new();
    with_cache(&cache, || {
        let session = Session::of("acme");
        session.page(1);
        assert_eq!(cache.evict_by_scope(&scopes::user("acme", 0)).unwrap(), 1);
        let key = session.page_entry(1).key();
        assert_eq!(key.scope(), scopes::user("acme", 1));
        assert!(key.to_string().ends_with("(1, \"acme\", 1)"), "{key}");
    });
}

#[test]
fn scope_values_may_borrow_from_what_they_make_and_end_before_the_body() {
    let cache = Cache::new();
    with_cache(&cache, || {
        let session = Session::of("acme");
        assert_eq!(session.renamed("globex".to_owned()), "acme");
        assert_eq!(session.renamed("globex".to_owned()), "globex");
        assert_eq!(cache.evict_by_scope(&scopes::organization("acme")).unwrap(), 1);
        for org in ["acme", "globex"] {
            assert_eq!(of_a_pattern((org.to_owned(), 1)), format!("{org}/1"));
            assert_eq!(of_a_pattern_entry((org.to_owned(), 1)).key().scope(), scopes::organization(org));
        }
    });
}

#[cached(refresh_if = *force)]
fn of_a_flag((page, force): (u32, bool)) -> u32 {
    let _ = force;
    page
}

#[cached(refresh_if = !**kept, skip(counter))]
fn of_a_field(Wish { page, kept }: Wish, counter: &Counter) -> usize {
    let _ = (page, kept);
    counter.next()
}

struct Wish {
    page: u32,
    kept: &'static bool,
}

#[test]
fn hazard_06_a_flag_inside_a_pattern_is_no_part_of_the_key() {
    let cache = Cache::new();
    with_cache(&cache, || {
        of_a_flag((1, true));
        of_a_flag((1, false));
        assert_eq!((cache.stats().hits, cache.stats().total_keys), (1, 1));
        let counter = Counter::new();
        let page = |kept| of_a_field(Wish { page: 1, kept }, &counter);
        assert_eq!([page(&true), page(&false), page(&true)], [0, 1, 1]);
    });
}

/// Counts the uses of one expression, and gives its value on.
fn counted<T>(counter: &Counter, value: T) -> T {
    counter.next();
    value
}

#[cached(
    cache = counted(&counters[0], cache),
    key = counted(&counters[1], n),
    refresh_if = counted(&counters[2], false),
    ttl = counted(&counters[3], Duration::from_secs(60))
)]
fn of_all(cache: &Cache, counters: &[Counter; 4], n: u32) -> u32 {
    let _ = counters;
    n
}

#[test]
fn expressions_are_evaluated_once_a_call_and_those_that_only_a_miss_needs_on_a_miss() {
    let (cache, counters) = (Cache::new(), [const { Counter::new() }; 4]);
    let taken = || counters.each_ref().map(Counter::take);
    of_all(&cache, &counters, 1);
    assert_eq!(taken(), [1, 1, 1, 1]);
    of_all(&cache, &counters, 1);
    assert_eq!(taken(), [1, 1, 1, 0]);
    let entry = of_all_entry(&cache, &counters, 1);
    assert_eq!(taken(), [1, 1, 1, 1], "an entry asks for all of them when it is made");
    assert_eq!(entry.get(), 1);
    assert_eq!(taken(), [0; 4]);
}
