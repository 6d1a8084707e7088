//! cached: the annotated functions of the best-known crate, with the key built as its documentation does.

use std::sync::Arc;

use ::cached::macros::{cached, concurrent_cached};

use super::Contender;
use crate::workloads::{Item, NumberKey, StructKey, make_area, make_item};

#[cached(
    max_size = 100_000,
    ttl_secs = 3600,
    key = "(String, u64)",
    convert = { (tenant_id.to_owned(), id) }
)]
fn item(tenant_id: &str, id: u64) -> Arc<Item> {
    make_item(tenant_id, id)
}

#[concurrent_cached(
    max_size = 100_000,
    ttl_secs = 3600,
    key = "(String, u64)",
    convert = { (tenant_id.to_owned(), id) }
)]
fn item_concurrent(tenant_id: &str, id: u64) -> Arc<Item> {
    make_item(tenant_id, id)
}

#[cached(max_size = 100_000, ttl_secs = 3600)]
fn area(width: u64, height: u64) -> u64 {
    make_area(width, height)
}

#[concurrent_cached(max_size = 100_000, ttl_secs = 3600)]
fn area_concurrent(width: u64, height: u64) -> u64 {
    make_area(width, height)
}

#[concurrent_cached]
fn area_unbounded(width: u64, height: u64) -> u64 {
    make_area(width, height)
}

pub(super) fn structs() -> [Contender<StructKey>; 2] {
    [
        Contender::new("#[cached]", |(tenant, id)| item(tenant, id)),
        Contender::new("#[concurrent_cached]", |(tenant, id)| item_concurrent(tenant, id)),
    ]
}

pub(super) fn numbers() -> [Contender<NumberKey>; 3] {
    [
        Contender::new("#[cached]", |(width, height)| area(width, height)),
        Contender::new("#[concurrent_cached]", |(width, height)| area_concurrent(width, height)),
        Contender::new("#[concurrent_cached] unbounded", |(width, height)| area_unbounded(width, height)),
    ]
}
