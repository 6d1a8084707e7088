//! The counters of one function.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use thread_local::ThreadLocal;

use super::Stats;

/// What is counted on each lookup: by each thread for itself, with a plain load and store, so that a hit
/// writes to no line that another thread writes to. Exact, as a cell has one writer at a time.
#[derive(Default)]
#[repr(align(128))]
struct PerThread {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The counters of one function.
#[derive(Default)]
pub(crate) struct Tally {
    lookups: ThreadLocal<PerThread>,
    pub(crate) evictions: AtomicU64,
    pub(crate) expirations: AtomicU64,
    pub(crate) rejections: AtomicU64,
    pub(crate) bypassed: AtomicU64,
    pub(crate) backend_errors: AtomicU64,
    pub(crate) coalesced: AtomicU64,
    pub(crate) stale_hits: AtomicU64,
    pub(crate) refresh_failures: AtomicU64,
    /// What the counters showed when statistics last started again.
    base: Mutex<Stats>,
}

impl Tally {
    #[inline]
    pub(crate) fn hit(&self) {
        let hits = &self.own().hits;
        hits.store(hits.load(Relaxed).wrapping_add(1), Relaxed);
    }

    #[inline]
    fn own(&self) -> &PerThread {
        match self.lookups.get() {
            Some(own) => own,
            None => self.first_use(),
        }
    }

    #[cold]
    #[inline(never)]
    fn first_use(&self) -> &PerThread {
        self.lookups.get_or_default()
    }

    pub(crate) fn missed(&self) {
        let misses = &self.own().misses;
        misses.store(misses.load(Relaxed).wrapping_add(1), Relaxed);
    }

    fn total(&self) -> Stats {
        let mut stats = Stats {
            evictions: self.evictions.load(Relaxed),
            expirations: self.expirations.load(Relaxed),
            rejections: self.rejections.load(Relaxed),
            bypassed: self.bypassed.load(Relaxed),
            backend_errors: self.backend_errors.load(Relaxed),
            coalesced: self.coalesced.load(Relaxed),
            stale_hits: self.stale_hits.load(Relaxed),
            refresh_failures: self.refresh_failures.load(Relaxed),
            ..Stats::default()
        };
        for thread in &self.lookups {
            stats.hits += thread.hits.load(Relaxed);
            stats.misses += thread.misses.load(Relaxed);
        }
        stats
    }

    /// What has been counted since the last [`restart`](Self::restart).
    pub(crate) fn stats(&self) -> Stats {
        self.total() - &*self.base.lock()
    }

    /// Starts to count from zero again.
    pub(crate) fn restart(&self) {
        let total = self.total();
        *self.base.lock() = total;
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
