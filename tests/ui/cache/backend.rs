//! What is no backend.

use cacheado::Cache;
use cacheado::backends::Memory;

fn builder() {
    let _ = Cache::builder().backend(Memory::builder().max_items(1)).build();
}

fn result(built: Result<Memory, cacheado::Error>) {
    let _ = Cache::builder().backend(built).build();
}

fn main() {}
