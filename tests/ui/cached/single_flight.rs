use cacheado::cached;

#[cached(single_flight)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(single_flight = 1)]
fn number(n: u32) -> u32 {
    n
}

#[cached(single_flight = "everywhere")]
fn word(n: u32) -> u32 {
    n
}

#[cached(local, single_flight = "distributed")]
fn stays_here(n: u32) -> u32 {
    n
}

struct Plain;

#[cached(single_flight = "distributed")]
fn cannot_leave(n: u32) -> std::sync::Arc<Plain> {
    let _ = n;
    std::sync::Arc::new(Plain)
}

fn main() {}
