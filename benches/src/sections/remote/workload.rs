//! What is stored remotely: a value as an application has them, some 200 bytes of `MessagePack`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bodies;
use crate::workloads::{StructKey, struct_keys};

/// How many distinct keys there are. A server does not mind how many.
const KEYS: usize = 1_000;

/// How long everything is stored.
pub(super) const TTL: Duration = Duration::from_hours(1);

/// What an application asks for. Everything that it is asked for is decoded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Product {
    id: u64,
    tenant: String,
    name: String,
    description: String,
    price: u64,
    weight: f64,
    tags: Vec<String>,
    in_stock: bool,
}

pub(super) fn keys() -> Vec<StructKey> {
    let mut keys = struct_keys();
    keys.truncate(KEYS);
    keys
}

/// The value of a key.
pub(super) fn product((tenant, id): (&str, u64)) -> Product {
    Product {
        id,
        tenant: tenant.to_owned(),
        name: format!("product {id}"),
        description: "What can be said of it in one or two sentences, as in a list.".to_owned(),
        price: id % 97,
        weight: 1.5,
        tags: vec!["new".to_owned(), "blue".to_owned(), "for children".to_owned()],
        in_stock: true,
    }
}

/// The same, where it must not come to that.
#[cold]
pub(super) fn compute(key: (&str, u64)) -> Product {
    bodies::count();
    product(key)
}
