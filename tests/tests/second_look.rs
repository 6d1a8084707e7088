//! What has been stored between the lookup of a call and its computation is served like any other hit.

use std::sync::Arc;
use std::time::Duration;

use cacheado::rules::{Effect, EntryMeta, Rule};
use cacheado::{Cache, Key, Outcome, cached, observe};
use cacheado_tests::Counter;

#[derive(Clone, Default)]
struct Refusing(Arc<Counter>);

impl Rule for Refusing {
    fn on_get(&self, _: &Key, _: &EntryMeta) -> Effect {
        self.0.next();
        Effect::Reject
    }
}

/// Is asked after the lookup. The value that another would have stored since is there then.
fn meanwhile(cache: &Cache, asked: &Counter) -> Duration {
    if asked.next() == 0 {
        looked_up_entry(cache, asked).set(5).unwrap();
    }
    Duration::from_secs(60)
}

#[cached(ttl = meanwhile(cache, asked), cache = cache, skip(cache, asked))]
fn looked_up(cache: &Cache, asked: &Counter) -> u32 {
    7
}

#[test]
fn what_is_stored_between_lookup_and_body_is_a_hit() {
    let cache = Cache::new();
    let (value, served) = observe(|| looked_up(&cache, &Counter::new()));
    let stats = cache.stats();
    assert_eq!((value, served.outcome, stats.hits, stats.misses), (5, Outcome::Hit, 1, 0), "{stats}");
}

#[test]
fn hazard_15_what_is_stored_between_lookup_and_body_is_shown_to_the_rules() {
    let rule = Refusing::default();
    let cache = Cache::builder().rule(rule.clone()).build().unwrap();
    let (value, served) = observe(|| looked_up(&cache, &Counter::new()));
    let stats = cache.stats();
    assert_eq!((value, rule.0.get()), (7, 1));
    assert_eq!((served.outcome, stats.hits, stats.misses), (Outcome::Miss, 0, 1), "{stats}");
}
