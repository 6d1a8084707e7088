use cacheado::cached;

#[cached(local = true)]
fn assigned(n: u32) -> u32 {
    n
}

#[cached(local, remote)]
fn both(n: u32) -> u32 {
    n
}

fn main() {}
