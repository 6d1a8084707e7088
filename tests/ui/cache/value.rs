//! What cannot be stored under a key, or be one.

use cacheado::{Cache, Ttl};

#[derive(Clone)]
pub struct NoSerde;

pub struct NoKey;

fn value(cache: &Cache) {
    let _ = cache.set("a", &NoSerde, Ttl::Never);
    let _ = cache.get::<NoSerde>("a");
}

fn fallible(cache: &Cache) {
    let _ = cache.get_or_compute("a", Ttl::Never, || Err::<u8, _>(std::fmt::Error));
}

fn key(cache: &Cache) {
    let _ = cache.set(NoKey, &1, Ttl::Never);
}

fn main() {}
