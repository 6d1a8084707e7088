//! What things should cost, in ratios that hold on any machine.

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

/// What a contender may take, in parts of what another takes.
pub(crate) type Limit = (&'static str, &'static str, f64);

/// Those of hits in memory on this many threads.
pub(crate) fn in_memory(threads: usize) -> [Limit; 4] {
    let cached = if threads == 1 { 0.5 } else { 0.25 };
    [
        ("cacheado", "quick_cache", 1.0),
        ("cacheado", "#[cached]", cached),
        ("cacheado", "#[concurrent_cached]", 0.5),
        ("cacheado async", "cacheado", 1.5),
    ]
}

/// The bounds of one workload.
pub(crate) fn of(results: &[Measured], limits: &[Limit]) -> Vec<Bound> {
    let median = |name| results.iter().find(|result| result.name == name).map(Measured::median);
    let bound = |&(subject, peer, limit)| {
        Some(Bound { subject, peer, limit, ratio: median(subject)? / median(peer)? })
    };
    limits.iter().filter_map(bound).collect()
}
