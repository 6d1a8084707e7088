use cacheado::cached;

#[cached(cache_if)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(cache_if = |n| true)]
fn closure(n: u32) -> u32 {
    n
}

#[cached(cache_if = true)]
fn boolean(n: u32) -> u32 {
    n
}

fn of_text(_: &str) -> bool {
    true
}

#[cached(cache_if = of_text)]
fn other_argument(n: u32) -> u32 {
    n
}

fn main() {}
