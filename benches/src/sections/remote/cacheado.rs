//! cacheado: annotated functions and programmatic keys, with statistics, as always.

use std::sync::{Arc, OnceLock};

use cacheado::backends::{Memory, MongoDb, Redis};
use cacheado::prelude::*;
use tokio::runtime::Runtime;

use super::pass;
use super::workload::{Product, TTL, compute, product};
use crate::contenders::Contender;
use crate::workloads::StructKey;

/// The name of what has no server.
pub(super) const MEMORY: &str = "cacheado in memory";

cacheado::scopes! {
    mod scopes {
        tenant(tenant_id)
    }
}

/// The caches, which know their servers only once these have started.
struct Caches {
    redis: Cache,
    mongo: Cache,
    near: Cache,
    memory: Cache,
}

static CACHES: OnceLock<Caches> = OnceLock::new();

#[expect(clippy::expect_used, reason = "a constant configuration, of servers that run")]
pub(super) fn open(redis: &str, mongo: &str) {
    let redis = |namespace| {
        let backend = Redis::builder(redis).namespace(namespace).build().expect("an address of Redis");
        Cache::builder().backend(backend)
    };
    let mongo = MongoDb::builder(mongo).database("bench").collection("cacheado").build();
    let caches = Caches {
        redis: redis("bench").build().expect("the configuration is valid"),
        mongo: Cache::builder()
            .backend(mongo.expect("an address of MongoDB"))
            .build()
            .expect("the configuration is valid"),
        near: redis("near").near(Memory::new()).near_ttl(TTL).build().expect("the configuration is valid"),
        memory: Cache::new(),
    };
    CACHES.set(caches).ok().expect("this is called once");
}

#[expect(clippy::expect_used, reason = "a stated invariant")]
fn caches() -> &'static Caches {
    CACHES.get().expect("`open` comes first")
}

#[cached(ttl = TTL, scope = "tenant", cache = caches().redis, companions = false)]
async fn on_redis(tenant_id: &str, id: u64) -> Product {
    compute((tenant_id, id))
}

#[cached(ttl = TTL, scope = "tenant", cache = caches().redis, companions = false)]
fn on_redis_sync(tenant_id: &str, id: u64) -> Product {
    compute((tenant_id, id))
}

#[cached(ttl = TTL, scope = "tenant", cache = caches().mongo, companions = false)]
async fn on_mongodb(tenant_id: &str, id: u64) -> Product {
    compute((tenant_id, id))
}

#[cached(ttl = TTL, scope = "tenant", cache = caches().near, companions = false)]
fn near(tenant_id: &str, id: u64) -> Arc<Product> {
    compute((tenant_id, id)).into()
}

#[cached(ttl = TTL, scope = "tenant", cache = caches().memory, companions = false)]
fn in_memory(tenant_id: &str, id: u64) -> Arc<Product> {
    compute((tenant_id, id)).into()
}

pub(super) fn hit(runtime: &Arc<Runtime>, tasks: usize) -> Contender<StructKey> {
    pass::computing("cacheado", runtime, tasks, |(tenant, id)| on_redis(tenant, id))
}

pub(super) fn put(runtime: &Arc<Runtime>, tasks: usize) -> Contender<StructKey> {
    pass::computing("cacheado", runtime, tasks, |key| async move {
        #[expect(clippy::expect_used, reason = "there is nothing to measure then")]
        caches().redis.set_async(key, &product(key), TTL).await.expect("it is stored");
    })
}

pub(super) fn hit_sync() -> Contender<StructKey> {
    Contender::new("cacheado", |(tenant, id)| on_redis_sync(tenant, id))
}

pub(super) fn hit_mongodb(runtime: &Arc<Runtime>, tasks: usize) -> Contender<StructKey> {
    pass::computing("cacheado", runtime, tasks, |(tenant, id)| on_mongodb(tenant, id))
}

pub(super) fn hit_near() -> Contender<StructKey> {
    Contender::new("cacheado", |(tenant, id)| near(tenant, id))
}

pub(super) fn hit_memory() -> Contender<StructKey> {
    Contender::new(MEMORY, |(tenant, id)| in_memory(tenant, id))
}
