//! Traits of the user's whose methods every type has (hazard 33): generated code calls none of them.

use std::time::Duration;

use cacheado::prelude::*;

/// Names that generated code uses, or might, for methods.
#[allow(
    unused,
    clippy::should_implement_trait,
    clippy::iter_not_returning_iterator,
    reason = "only the names matter"
)]
trait ByValue: Sized {
    fn outer(self) {}
    fn inner(self) {}
    fn kept(self) {}
    fn codec(self) {}
    fn local(self) {}
    fn lend(self) {}
    fn owned(self) {}
    fn checked(self) {}
    fn of(self) {}
    fn add(self) {}
    fn run(self) {}
    fn iter(self) {}
    fn scope(self) {}
    fn tag(self) {}
}

impl<T> ByValue for T {}

#[allow(unused, reason = "only the names matter")]
trait ByReference {
    fn kind(&self) {}
    fn kind_err(&self) {}
    fn ttl(&self) {}
    fn ttl_with(&self) {}
    fn cache_if(&self) {}
    fn element(&self) {}
    fn sync(&self) {}
    fn future(&self) {}
}

impl<T: ?Sized> ByReference for T {}

cacheado::scopes! {
    mod scopes { user(user_id) }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as `ttl_with` gives it")]
fn lifetime(value: &u64) -> Duration {
    Duration::from_secs(*value)
}

fn is_good(value: &Result<u64, u8>) -> bool {
    value.is_ok()
}

#[cached(scope = "user", ttl = 60, stale = 30, tags("of:{name}"), ttl_with = lifetime, cache_if = is_good, cache_err = 5)]
fn sum<T: KeyPart + Into<u64> + Send + 'static>(user_id: u64, name: &str, number: T) -> Result<u64, u8> {
    Ok(user_id + number.into() + name.len() as u64)
}

#[cached(local)]
fn maybe(n: u64) -> Option<u64> {
    Some(n)
}

#[cached(batch(ids))]
fn all(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch(ids), scope = ambient)]
async fn all_later(ids: Vec<u64>) -> Vec<u64> {
    ids
}

#[test]
fn hazard_33_methods_that_every_type_has() {
    let cache = Cache::new();
    cacheado::with_cache(&cache, || {
        for _ in 0..2 {
            assert_eq!((sum(1, "a", 2_u8), maybe(3), all(&[4, 5])), (Ok(4), Some(3), vec![4, 5]));
        }
        assert_eq!(sum_entry(1, "a", 2_u8).peek().unwrap(), Some(Ok(4)));
        assert_eq!(all_entry(&4).peek().unwrap(), Some(4));
    });
    assert_eq!((cache.stats().hits, cache.stats().misses), (4, 4));
    assert_eq!(cacheado_tests::wait::on_one_thread(|| all_later(vec![6])), [6]);
}
