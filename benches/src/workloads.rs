//! What is cached: keys, values, the order of access, and the body that must not run.

use std::sync::{Arc, LazyLock};

use hitbox_fn::CacheableResponse;
use serde::{Deserialize, Serialize};

use crate::bodies;

/// How many distinct keys there are; all of them are present.
const KEYS: u64 = 10_000;
const TENANTS: u64 = 100;

/// The bound of every bounded contender: nothing is ever driven out.
pub(crate) const CAPACITY: usize = 100_000;

pub(crate) trait Key: Copy + Send + Sync {}

/// A tenant and a number, as they come in with a request.
pub(crate) type StructKey = (&'static str, u64);
impl Key for StructKey {}

pub(crate) type NumberKey = (u64, u64);
impl Key for NumberKey {}

/// A value that is shared, not copied.
#[derive(Debug, Clone, Serialize, Deserialize, CacheableResponse)]
pub(crate) struct Item {
    tenant: String,
    id: u64,
    price: u64,
    name: String,
}

/// `organization-0042`: the tenants of all struct keys.
static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| (0..TENANTS).map(|tenant| &*format!("organization-{tenant:04}").leak()).collect());

/// The key of this number: another for each.
pub(crate) fn struct_key(number: u64) -> StructKey {
    (NAMES[(number % TENANTS) as usize], number / TENANTS * 7_919)
}

/// As many struct keys as hits are drawn from.
pub(crate) fn struct_keys() -> Vec<StructKey> {
    (0..KEYS).map(struct_key).collect()
}

/// Widths and heights.
pub(crate) fn number_keys() -> Vec<NumberKey> {
    (0..KEYS).map(|n| (n % 100 + 640, n / 100 * 31 + 480)).collect()
}

/// `calls` keys, drawn uniformly; the same ones for the same seed.
pub(crate) fn order<K: Key>(keys: &[K], calls: usize, seed: u64) -> Vec<K> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..calls).filter_map(|_| random.choice(keys).copied()).collect()
}

/// The body of the struct workload.
#[cold]
pub(crate) fn make_item(tenant: &str, id: u64) -> Arc<Item> {
    build_item(tenant, id)
}

/// The body of the number workload.
#[cold]
pub(crate) fn make_area(width: u64, height: u64) -> u64 {
    bodies::count();
    width * height
}

/// The body of the struct workload where it runs often.
pub(crate) fn build_item(tenant: &str, id: u64) -> Arc<Item> {
    bodies::count();
    Arc::new(Item { tenant: tenant.to_owned(), id, price: id % 97, name: format!("item {id}") })
}
