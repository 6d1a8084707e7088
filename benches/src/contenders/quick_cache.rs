//! `quick_cache`: a bare bounded store, asked with a borrowed key. No expiry, no statistics.

use std::sync::Arc;

use ::quick_cache::Equivalent;
use ::quick_cache::sync::Cache;

use super::Contender;
use crate::workloads::{CAPACITY, Item, NumberKey, StructKey, make_area, make_item};

/// The borrowed form of `(String, u64)`: it must hash as the tuple does.
#[derive(Hash)]
pub(super) struct Borrowed<'k>(pub(super) &'k str, pub(super) u64);

impl Equivalent<(String, u64)> for Borrowed<'_> {
    fn equivalent(&self, key: &(String, u64)) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

pub(super) fn structs() -> Contender<StructKey> {
    Contender::store(
        "quick_cache",
        Cache::<(String, u64), Arc<Item>>::new(CAPACITY),
        |cache, (tenant, id): StructKey| cache.insert((tenant.to_owned(), id), make_item(tenant, id)),
        |cache, (tenant, id)| cache.get(&Borrowed(tenant, id)).unwrap_or_else(|| make_item(tenant, id)),
    )
}

pub(super) fn numbers() -> Contender<NumberKey> {
    Contender::store(
        "quick_cache",
        Cache::<(u64, u64), u64>::new(CAPACITY),
        |cache, (width, height)| cache.insert((width, height), make_area(width, height)),
        |cache, (width, height)| cache.get(&(width, height)).unwrap_or_else(|| make_area(width, height)),
    )
}
