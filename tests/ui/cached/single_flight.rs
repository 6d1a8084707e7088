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

#[cached(single_flight = "distributed")]
fn not_yet(n: u32) -> u32 {
    n
}

fn main() {}
