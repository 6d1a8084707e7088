//! cached: its macro over Redis, with the pool of connections that it makes.

use std::sync::OnceLock;

use ::cached::RedisCache;
use ::cached::macros::concurrent_cached;

use super::workload::{Product, TTL, compute};
use crate::contenders::Contender;
use crate::workloads::StructKey;

pub(super) const NAME: &str = "#[concurrent_cached]";

static URL: OnceLock<String> = OnceLock::new();

#[expect(clippy::expect_used, reason = "a stated invariant")]
pub(super) fn open(url: &str) {
    URL.set(url.to_owned()).expect("this is called once");
}

#[expect(clippy::expect_used, reason = "there is nothing to measure where a server fails")]
fn cache() -> RedisCache<String, Product> {
    let url = URL.get().expect("`open` comes first");
    RedisCache::builder("product").connection_string(url).ttl(TTL).build().expect("a connection")
}

#[expect(clippy::unnecessary_wraps, reason = "the macro wants it over Redis")]
#[concurrent_cached(
    ty = "RedisCache<String, Product>",
    create = { cache() },
    key = "String",
    convert = { format!("{tenant_id}:{id}") },
    map_error = |error| error.to_string()
)]
fn on_redis(tenant_id: &str, id: u64) -> Result<Product, String> {
    Ok(compute((tenant_id, id)))
}

pub(super) fn hit_sync() -> Contender<StructKey> {
    Contender::new(NAME, |(tenant, id)| on_redis(tenant, id))
}
