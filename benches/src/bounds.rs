//! What the hit path should cost, in ratios that hold on any machine.

use crate::harness::Measured;

/// One bound, and what was measured.
pub(crate) struct Bound {
    pub(crate) subject: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) limit: f64,
    pub(crate) ratio: f64,
}

impl Bound {
    pub(crate) fn is_met(&self) -> bool {
        self.ratio <= self.limit
    }
}

/// What `cacheado` may take, in parts of what the peer takes, on this many threads.
fn limits(threads: usize) -> [(&'static str, f64); 3] {
    let cached = if threads == 1 { 0.5 } else { 0.25 };
    [("quick_cache", 1.0), ("#[cached]", cached), ("#[concurrent_cached]", 0.5)]
}

/// What an async hit may take, in parts of a sync one.
const ASYNC: f64 = 1.5;

/// The bounds of one workload.
pub(crate) fn of(results: &[Measured], threads: usize) -> Vec<Bound> {
    let against_peers = limits(threads).map(|(peer, limit)| ("cacheado", peer, limit));
    let all = against_peers.into_iter().chain([("cacheado async", "cacheado", ASYNC)]);
    all.filter_map(|(subject, peer, limit)| {
        let median = |name| results.iter().find(|result| result.name == name).map(Measured::median);
        Some(Bound { subject, peer, limit, ratio: median(subject)? / median(peer)? })
    })
    .collect()
}
