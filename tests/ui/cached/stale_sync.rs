//! What a body that goes on without its caller borrows needs `Sync` only where a task holds it across an `.await`.

use std::cell::Cell;

use cacheado::cached;

#[derive(Clone)]
pub struct Handle(Cell<u32>);

async fn wait() {}

#[cached(stale = "1m", skip(handle))]
fn in_a_sync_body(n: u32, handle: &Handle) -> u32 {
    n + handle.0.get()
}

#[cached(stale = "1m", skip(handle))]
async fn before_the_await(n: u32, handle: &Handle) -> u32 {
    let more = handle.0.get();
    wait().await;
    n + more
}

#[cached(stale = "1m", skip(handle))]
async fn by_value(n: u32, handle: Handle) -> u32 {
    wait().await;
    n + handle.0.get()
}

#[cached(stale = "1m", skip(handle))]
async fn across_the_await(n: u32, handle: &Handle) -> u32 {
    wait().await;
    n + handle.0.get()
}

fn main() {}
