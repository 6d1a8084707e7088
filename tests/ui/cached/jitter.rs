use cacheado::cached;

#[cached(jitter = 1.1)]
fn too_much(n: u32) -> u32 {
    n
}

#[cached(jitter = -0.1)]
fn negative(n: u32) -> u32 {
    n
}

#[cached(jitter = 10 % 100)]
fn expression(n: u32) -> u32 {
    n
}

#[cached(ttl = 60, jitter = 0.1x)]
fn suffix(n: u32) -> u32 {
    n
}

fn main() {}
