//! What is cached: keys, values, the order of access, and the body that must not run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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
#[derive(Debug)]
#[expect(dead_code, reason = "the caller gets it whole")]
pub(crate) struct Item {
    tenant: String,
    id: u64,
    price: u64,
    name: String,
}

/// `organization-0042` and a number.
pub(crate) fn struct_keys() -> Vec<StructKey> {
    let tenants: Vec<&'static str> =
        (0..TENANTS).map(|tenant| &*format!("organization-{tenant:04}").leak()).collect();
    tenants.iter().flat_map(|tenant| (0..KEYS / TENANTS).map(|id| (*tenant, id * 7_919))).collect()
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

static COMPUTED: AtomicU64 = AtomicU64::new(0);

/// How often a body has run. Does not change while hits are measured.
pub(crate) fn computed() -> u64 {
    COMPUTED.load(Relaxed)
}

/// To be called by every body.
pub(crate) fn count_computed() {
    COMPUTED.fetch_add(1, Relaxed);
}

/// The body of the struct workload.
#[cold]
pub(crate) fn make_item(tenant: &str, id: u64) -> Arc<Item> {
    count_computed();
    Arc::new(Item { tenant: tenant.to_owned(), id, price: id % 97, name: format!("item {id}") })
}

/// The body of the number workload.
#[cold]
pub(crate) fn make_area(width: u64, height: u64) -> u64 {
    count_computed();
    width * height
}
