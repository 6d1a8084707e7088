//! cacheado: annotated functions, with statistics, as always.

use std::sync::{Arc, LazyLock};

use cacheado::prelude::*;
use cacheado::rules::Lru;

use super::{Contender, block_on};
use crate::workloads::{CAPACITY, Item, NumberKey, StructKey, make_area, make_item};

cacheado::scopes! {
    mod scopes {
        tenant(tenant_id)
    }
}

/// The cache of a program: one for all functions that name it.
static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant configuration")]
    Cache::builder().rule(Lru::new(CAPACITY)).build().expect("the configuration is valid")
});

#[cached(ttl = 3600, scope = "tenant", cache = CACHE, companions = false)]
fn item(tenant_id: &str, id: u64) -> Arc<Item> {
    make_item(tenant_id, id)
}

#[cached(ttl = 3600, scope = "tenant", cache = CACHE, companions = false)]
async fn item_async(tenant_id: &str, id: u64) -> Arc<Item> {
    make_item(tenant_id, id)
}

#[cached(ttl = 3600, scope = "tenant", companions = false)]
fn item_global(tenant_id: &str, id: u64) -> Arc<Item> {
    make_item(tenant_id, id)
}

#[cached(ttl = 3600, cache = CACHE, companions = false)]
fn area(width: u64, height: u64) -> u64 {
    make_area(width, height)
}

#[cached(cache = CACHE, companions = false)]
fn area_for_ever(width: u64, height: u64) -> u64 {
    make_area(width, height)
}

#[cached(ttl = 3600, cache = CACHE, companions = false)]
async fn area_async(width: u64, height: u64) -> u64 {
    make_area(width, height)
}

#[cached(ttl = 3600, companions = false)]
fn area_global(width: u64, height: u64) -> u64 {
    make_area(width, height)
}

pub(super) fn structs() -> Vec<Contender<StructKey>> {
    vec![
        Contender::new("cacheado", |(tenant, id)| item(tenant, id)),
        Contender::new("cacheado async", |(tenant, id)| block_on(item_async(tenant, id))),
        Contender::new("cacheado global cache", |(tenant, id)| item_global(tenant, id)),
    ]
}

pub(super) fn numbers() -> Vec<Contender<NumberKey>> {
    vec![
        Contender::new("cacheado", |(width, height)| area(width, height)),
        Contender::new("cacheado without ttl", |(width, height)| area_for_ever(width, height)),
        Contender::new("cacheado async", |(width, height)| block_on(area_async(width, height))),
        Contender::new("cacheado global cache", |(width, height)| area_global(width, height)),
    ]
}
