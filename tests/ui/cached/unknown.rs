//! Names of arguments, what is between them, and several mistakes at once.

use cacheado::cached;

#[cached(tll = 300)]
fn slip(n: u32) -> u32 {
    n
}

#[cached(capacity = 3)]
fn other_crates(n: u32) -> u32 {
    n
}

#[cached(time = 60, size = 100, result = true, option = true, unbound, max_items = 3, sync_writes = "by_key")]
fn from_another_crate(n: u32) -> u32 {
    n
}

#[cached(colour = 3)]
fn of_nobody(n: u32) -> u32 {
    n
}

#[cached("300")]
fn no_name(n: u32) -> u32 {
    n
}

#[cached(ttl = 1, version = 1, ttl = 2)]
fn duplicate(n: u32) -> u32 {
    n
}

#[cached(ttl = 1 version = 1)]
fn no_comma(n: u32) -> u32 {
    n
}

#[cached(tll = 3, ttl = "x", version = -, name = "", skip(nobody))]
const fn all_at_once(n: &mut u32) -> &str {
    n
}

// The functions are there all the same, so nothing is said about these calls.
fn uses() -> u32 {
    slip(1) + other_crates(2) + no_name(3) + duplicate(4) + no_comma(5)
}

fn main() {}
