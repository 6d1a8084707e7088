//! Arguments that are reserved for a later version are refused, never silently ignored.

use cacheado::cached;

#[cached(stale = "1m", stale_if_error = "1h", early = 1.0, jitter = 0.1, timeout = "2s")]
async fn several(n: u32) -> u32 {
    n
}

fn main() {}
