//! The type of `ttl = EXPR`.

use std::time::Duration;

use cacheado::{Ttl, cached};

const SECONDS: u64 = 300;

#[cached(ttl = SECONDS)]
fn constant(n: u32) -> u32 {
    n
}

#[cached(ttl = n + 1)]
async fn argument(n: u32) -> u32 {
    n
}

#[cached(ttl = missing(n))]
fn unresolved(n: u32) -> u32 {
    n
}

// These are fine.
#[cached(ttl = Duration::from_secs(SECONDS))]
fn duration(n: u32) -> u32 {
    n
}

#[cached(ttl = if n > 1 { Ttl::Never } else { Ttl::Default })]
fn ttl(n: u32) -> u32 {
    n
}

#[cached(ttl = (n > 1).then_some(Duration::from_secs(1)))]
fn option(n: u32) -> u32 {
    n
}

fn main() {}
