//! How many bytes an entry takes in one cache, counted by the allocator: `cacheado-bytes NAME` prints live bytes
//! and entries. A program of its own, run by the section `bytes`, so that nothing that is timed pays for counting,
//! and a process for each cache, so that none leaves anything behind for the next.
//!
//! A cache is filled to its bound, and then given three times as many other keys: what it holds is what a cache
//! holds after some time, not what fits into fresh tables.

mod caches;

use std::alloc::System;
use std::env;
use std::process::ExitCode;

use cap::Cap;

use caches::{ALL, Cache};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The bound of every cache.
const BOUND: usize = 100_000;

/// How many keys each is given.
const KEYS: usize = 4 * BOUND;

fn main() -> ExitCode {
    let name = env::args().nth(1).unwrap_or_default();
    let Some((_, open)) = ALL.iter().find(|(known, _)| *known == name) else {
        eprintln!("no cache `{name}`; there are: {}", ALL.map(|(name, _)| name).join(", "));
        return ExitCode::FAILURE;
    };
    let before = ALLOCATOR.allocated();
    let cache: Box<dyn Cache> = open();
    for number in 0..KEYS {
        cache.insert(&key(number), number);
    }
    let entries = cache.settle();
    let bytes = ALLOCATOR.allocated() - before;
    println!("{bytes} {entries}");
    ExitCode::SUCCESS
}

/// 32 bytes, of which the first 12 name one of a hundred tenants.
fn key(number: usize) -> String {
    format!("tenant-{:05}{number:020}", number % 100)
}
