//! Names that nobody knows, in the expressions of the attribute.

use cacheado::cached;

pub struct Repo;

#[cached(ttl = lasting)]
fn ttl(n: u32) -> u32 {
    n
}

#[cached(ttl_with = lasting)]
fn ttl_with(n: u32) -> u32 {
    n
}

#[cached(key = m)]
fn key(n: u32) -> u32 {
    n
}

#[cached(cache = CACHE)]
fn cache(n: u32) -> u32 {
    n
}

#[cached(cache_if = worth)]
fn cache_if(n: u32) -> u32 {
    n
}

#[cached(refresh_if = force)]
fn refresh_if(n: u32) -> u32 {
    n
}

impl Repo {
    #[cached(cache = self.cache)]
    fn without_receiver(n: u32) -> u32 {
        n
    }
}

#[cached(companions = false)]
fn alone(n: u32) -> u32 {
    n
}

fn uses() {
    let _ = alone_entry(3);
    let _ = alone_cache();
}

fn main() {}
