//! `scope = ambient`.

use cacheado::cached;

#[cached(scope = "ambient")]
fn as_a_level(n: u32) -> u32 {
    n
}

#[cached(scope = ambient, scope_args(org_id = n))]
fn with_values(n: u32) -> u32 {
    n
}

#[cached(scope = ambient())]
fn called(n: u32) -> u32 {
    n
}

fn main() {}
