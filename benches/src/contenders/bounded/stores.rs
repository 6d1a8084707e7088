//! Data structures, asked as their users would: a lookup, and where that finds nothing the body and an insertion.

use std::sync::Arc;

use ::dashmap::DashMap;
use ::quick_cache::sync::Cache as QuickCache;

use super::INSERT;
use crate::contenders::quick_cache::Borrowed;
use crate::contenders::{Contender, moka};
use crate::workloads::{Item, StructKey, build_item};

/// The key by value, as an insertion takes it.
fn owned((tenant, id): StructKey) -> (String, u64) {
    (tenant.to_owned(), id)
}

pub(super) fn quick_cache(bound: usize) -> Contender<StructKey> {
    Contender::computing(
        "quick_cache get, insert",
        QuickCache::<(String, u64), Arc<Item>>::new(bound),
        |cache, key: StructKey| {
            let (tenant, id) = key;
            cache.get(&Borrowed(tenant, id)).unwrap_or_else(|| {
                let item = build_item(tenant, id);
                cache.insert(owned(key), Arc::clone(&item));
                item
            })
        },
    )
}

/// Where it is known that the key is not there.
pub(super) fn insert(bound: usize) -> Contender<StructKey> {
    Contender::computing(
        INSERT,
        QuickCache::<(String, u64), Arc<Item>>::new(bound),
        |cache, key: StructKey| {
            let item = build_item(key.0, key.1);
            cache.insert(owned(key), Arc::clone(&item));
            item
        },
    )
}

pub(super) fn moka(bound: usize) -> Contender<StructKey> {
    Contender::computing("moka get_with", moka::cache(bound), |cache, key: StructKey| {
        cache.get_with(owned(key), || build_item(key.0, key.1))
    })
}

pub(super) fn dashmap() -> Contender<StructKey> {
    Contender::computing("dashmap", DashMap::<(String, u64), Arc<Item>>::new(), |map, key: StructKey| {
        let found = map.get(&owned(key)).map(|value| Arc::clone(&value));
        found.unwrap_or_else(|| {
            let item = build_item(key.0, key.1);
            map.insert(owned(key), Arc::clone(&item));
            item
        })
    })
}
