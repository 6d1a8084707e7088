//! moka: a bounded store with expiry, asked by `get_with`, which takes the key by value.

use std::sync::Arc;
use std::time::Duration;

use ::moka::sync::Cache;

use super::Contender;
use crate::workloads::{CAPACITY, Item, NumberKey, StructKey, make_area, make_item};

pub(super) fn cache<K, V>(bound: usize) -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder().max_capacity(bound as u64).time_to_live(Duration::from_hours(1)).build()
}

pub(super) fn structs() -> Contender<StructKey> {
    Contender::store(
        "moka get_with",
        cache::<(String, u64), Arc<Item>>(CAPACITY),
        |cache, (tenant, id): StructKey| cache.insert((tenant.to_owned(), id), make_item(tenant, id)),
        |cache, (tenant, id)| cache.get_with((tenant.to_owned(), id), || make_item(tenant, id)),
    )
}

pub(super) fn numbers() -> Contender<NumberKey> {
    Contender::store(
        "moka get_with",
        cache::<(u64, u64), u64>(CAPACITY),
        |cache, (width, height)| cache.insert((width, height), make_area(width, height)),
        |cache, (width, height)| cache.get_with((width, height), || make_area(width, height)),
    )
}
