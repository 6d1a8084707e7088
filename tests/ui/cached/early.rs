use cacheado::cached;

#[cached(early)]
fn no_value(n: u32) -> u32 {
    n
}

#[cached(early = 0.0)]
fn zero(n: u32) -> u32 {
    n
}

#[cached(early = "1.0")]
fn text(n: u32) -> u32 {
    n
}

#[cached(early = 1.0, skip(out))]
fn borrowed_mutably(n: u32, out: &mut u32) -> u32 {
    *out = n;
    n
}

fn main() {}
