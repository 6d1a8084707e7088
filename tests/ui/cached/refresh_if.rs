use cacheado::cached;

#[cached(refresh_if)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(refresh_if = n)]
fn no_bool(n: u32) -> u32 {
    n
}

fn is_stale(n: &u32) -> bool {
    *n > 1
}

#[cached(refresh_if = is_stale)]
fn not_called(n: u32) -> u32 {
    n
}

fn main() {}
