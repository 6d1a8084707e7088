use cacheado::cached;

#[cached(name)]
fn without_value(n: u32) -> u32 {
    n
}

#[cached(name = "")]
fn empty(n: u32) -> u32 {
    n
}

#[cached(name = " ")]
fn blank(n: u32) -> u32 {
    n
}

#[cached(name = billing::invoice)]
fn path(n: u32) -> u32 {
    n
}

fn main() {}
