//! Mistakes in the body are shown as they are without the attribute, and once.

use cacheado::cached;

#[cached]
fn unknown_method(n: u32) -> u32 {
    n.nothing()
}

#[cached]
fn tail(n: u32) -> u32 {
    let _ = n;
    "x"
}

#[cached]
async fn tail_of_async(n: u32) -> u32 {
    let _ = n;
    "x"
}

#[cached]
fn no_tail(n: u32) -> u32 {
    let _ = n;
}

#[cached]
fn question_mark(n: &str) -> Option<u32> {
    n.parse::<u32>()?;
    None
}

#[cached]
fn moved(text: String) -> usize {
    drop(text);
    text.len()
}

fn main() {}
