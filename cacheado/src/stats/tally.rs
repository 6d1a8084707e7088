//! The counters of one function.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use thread_local::ThreadLocal;

use super::Stats;

/// What is counted on each lookup, and of what follows most misses where there is no room: by each thread for itself,
/// with a plain load and store, so that neither writes to a line that another thread writes to. Exact, as a cell has
/// one writer at a time.
#[derive(Default)]
#[repr(align(128))]
struct PerThread(Counters);

#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
    expirations: AtomicU64,
}

/// The counters of one function.
#[derive(Default)]
pub(crate) struct Tally {
    by_thread: ThreadLocal<PerThread>,
    /// What is counted together: by threads that are about to end, and evictions of many.
    shared: Counters,
    pub(crate) rejections: AtomicU64,
    pub(crate) bypassed: AtomicU64,
    pub(crate) backend_errors: AtomicU64,
    pub(crate) coalesced: AtomicU64,
    pub(crate) stale_hits: AtomicU64,
    pub(crate) refresh_failures: AtomicU64,
    /// What the counters showed when statistics last started again.
    base: Mutex<Stats>,
}

thread_local! {
    /// Whether this thread is about to end. Without a destructor, so that it can always be asked.
    static ENDS: Cell<bool> = const { Cell::new(false) };
    static END: End = const { End };
}

struct End;

impl Drop for End {
    fn drop(&mut self) {
        ENDS.set(true);
    }
}

impl Tally {
    #[inline]
    pub(crate) fn hit(&self) {
        match self.by_thread.get() {
            Some(own) => add_one(&own.0.hits),
            None => self.first_hit(),
        }
    }

    #[cold]
    #[inline(never)]
    fn first_hit(&self) {
        self.count(|counters| &counters.hits);
    }

    pub(crate) fn missed(&self) {
        self.count(|counters| &counters.misses);
    }

    pub(crate) fn evicted(&self) {
        self.count(|counters| &counters.evictions);
    }

    pub(crate) fn evicted_many(&self, entries: u64) {
        self.shared.evictions.fetch_add(entries, Relaxed);
    }

    pub(crate) fn expired(&self) {
        self.count(|counters| &counters.expirations);
    }

    fn count(&self, counter: fn(&Counters) -> &AtomicU64) {
        match self.by_thread.get().or_else(|| self.first_use()) {
            Some(own) => add_one(counter(&own.0)),
            None => count(counter(&self.shared)),
        }
    }

    /// `None` while the thread ends: it may have no number any more, and asking for one panics.
    #[cold]
    #[inline(never)]
    fn first_use(&self) -> Option<&PerThread> {
        if ENDS.get() {
            return None;
        }
        let own = self.by_thread.get_or_default();
        // Destructors run in the reverse order: this one before that which gives the thread's number back.
        let _ = END.try_with(|_| ());
        Some(own)
    }

    fn total(&self) -> Stats {
        let mut stats = Stats {
            rejections: self.rejections.load(Relaxed),
            bypassed: self.bypassed.load(Relaxed),
            backend_errors: self.backend_errors.load(Relaxed),
            coalesced: self.coalesced.load(Relaxed),
            stale_hits: self.stale_hits.load(Relaxed),
            refresh_failures: self.refresh_failures.load(Relaxed),
            ..Stats::default()
        };
        for counters in self.by_thread.iter().map(|own| &own.0).chain([&self.shared]) {
            stats.hits += counters.hits.load(Relaxed);
            stats.misses += counters.misses.load(Relaxed);
            stats.evictions += counters.evictions.load(Relaxed);
            stats.expirations += counters.expirations.load(Relaxed);
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

/// Counts in a cell that this thread alone writes to.
#[inline]
fn add_one(cell: &AtomicU64) {
    cell.store(cell.load(Relaxed).wrapping_add(1), Relaxed);
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_threads_count_for_themselves_adds_up_and_outlives_them() {
        let tally = Tally::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        tally.hit();
                        tally.missed();
                        tally.evicted();
                        tally.expired();
                    }
                });
            }
        });
        let stats = tally.stats();
        assert_eq!(
            (stats.hits, stats.misses, stats.evictions, stats.expirations),
            (4_000, 4_000, 4_000, 4_000)
        );
        tally.restart();
        tally.evicted();
        assert_eq!((tally.stats().hits, tally.stats().evictions), (0, 1));
    }
}
