//! Async functions of the peers. Where a peer has none, the async verb of its store.
#![expect(clippy::unused_async, reason = "a body that must not run has nothing to wait for")]

use std::sync::Arc;
use std::time::Duration;

use ::cached::macros::{cached, concurrent_cached};
use ::moka::future::Cache;
use ::quick_cache::sync::Cache as QuickCache;
use hitbox_fn::prelude::PolicyConfig;
use hitbox_moka::MokaBackend;

use super::quick_cache::Borrowed;
use super::{Contender, block_on};
use crate::workloads::{CAPACITY, Item, StructKey, make_item};

const TTL: Duration = Duration::from_hours(1);

#[cached(
    max_size = 100_000,
    ttl_secs = 3600,
    key = "(String, u64)",
    convert = { (tenant_id.to_owned(), id) }
)]
async fn single(tenant_id: &str, id: u64) -> Arc<Item> {
    make_item(tenant_id, id)
}

#[concurrent_cached(
    max_size = 100_000,
    ttl_secs = 3600,
    key = "(String, u64)",
    convert = { (tenant_id.to_owned(), id) }
)]
async fn concurrent(tenant_id: &str, id: u64) -> Arc<Item> {
    make_item(tenant_id, id)
}

/// It keeps values serialized, and an `Arc` cannot be.
#[hitbox_fn::cached]
async fn whole(tenant_id: String, id: u64) -> Item {
    Item::clone(&make_item(&tenant_id, id))
}

pub(super) fn structs() -> Vec<Contender<StructKey>> {
    vec![
        Contender::new("#[cached] async", |(tenant, id)| block_on(single(tenant, id))),
        Contender::new("#[concurrent_cached] async", |(tenant, id)| block_on(concurrent(tenant, id))),
        hitbox(),
        moka(),
        quick_cache(),
    ]
}

fn hitbox() -> Contender<StructKey> {
    let backend = MokaBackend::builder().max_entries(CAPACITY as u64).build();
    let policy = PolicyConfig::builder().ttl(TTL).build();
    let cache = hitbox_fn::Cache::builder().backend(backend).policy(policy).build();
    Contender::computing("hitbox #[cached]", cache, |cache, (tenant, id): StructKey| {
        block_on(async { whole(tenant.to_owned(), id).cache(cache).await })
    })
}

fn moka() -> Contender<StructKey> {
    let cache = Cache::builder().max_capacity(CAPACITY as u64).time_to_live(TTL).build();
    Contender::computing("moka future get_with", cache, |cache, (tenant, id): StructKey| {
        block_on(cache.get_with((tenant.to_owned(), id), async { make_item(tenant, id) }))
    })
}

/// A hit needs no future: this is the sync lookup, as it would be written in an async function.
fn quick_cache() -> Contender<StructKey> {
    let cache = QuickCache::<(String, u64), Arc<Item>>::new(CAPACITY);
    Contender::computing("quick_cache get in async fn", cache, |cache, (tenant, id): StructKey| {
        block_on(async {
            cache.get(&Borrowed(tenant, id)).unwrap_or_else(|| {
                let item = make_item(tenant, id);
                cache.insert((tenant.to_owned(), id), Arc::clone(&item));
                item
            })
        })
    })
}
