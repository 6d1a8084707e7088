//! dashmap: a bare unbounded map, asked by `get` and a clone. No expiry, no order, no statistics.

use std::sync::Arc;

use ::dashmap::DashMap;

use super::Contender;
use crate::workloads::{Item, NumberKey, StructKey, make_area, make_item};

pub(super) fn structs() -> Contender<StructKey> {
    Contender::store(
        "dashmap",
        DashMap::<(String, u64), Arc<Item>>::new(),
        |map, (tenant, id): StructKey| {
            map.insert((tenant.to_owned(), id), make_item(tenant, id));
        },
        |map, (tenant, id)| {
            let found = map.get(&(tenant.to_owned(), id)).map(|value| Arc::clone(&value));
            found.unwrap_or_else(|| make_item(tenant, id))
        },
    )
}

pub(super) fn numbers() -> Contender<NumberKey> {
    Contender::store(
        "dashmap",
        DashMap::<(u64, u64), u64>::new(),
        |map, (width, height)| {
            map.insert((width, height), make_area(width, height));
        },
        |map, (width, height)| {
            map.get(&(width, height)).map_or_else(|| make_area(width, height), |value| *value)
        },
    )
}
