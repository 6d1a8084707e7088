use cacheado::cached;

#[cached(version)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(version = "2")]
fn text(n: u32) -> u32 {
    n
}

#[cached(version = -1)]
fn negative(n: u32) -> u32 {
    n
}

#[cached(version = 4294967296)]
fn too_large(n: u32) -> u32 {
    n
}

#[cached(version = 2v)]
fn suffix(n: u32) -> u32 {
    n
}

fn main() {}
