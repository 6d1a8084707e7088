use cacheado::cached;
use std::time::Duration;

#[cached(ttl_with)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(ttl_with = |n| Duration::ZERO)]
fn closure(n: u32) -> u32 {
    n
}

#[cached(ttl_with = "lasting")]
fn text(n: u32) -> u32 {
    n
}

fn by_value(_: u32) -> Duration {
    Duration::ZERO
}

#[cached(ttl_with = by_value)]
fn other_argument(n: u32) -> u32 {
    n
}

fn seconds(_: &u32) -> u64 {
    0
}

#[cached(ttl_with = seconds)]
fn other_result(n: u32) -> u32 {
    n
}

fn of_the_whole(_: &Option<u32>) -> Duration {
    Duration::ZERO
}

#[cached(ttl_with = of_the_whole)]
fn not_of_the_value(n: u32) -> Option<u32> {
    Some(n)
}

fn main() {}
