//! How often bodies have run, by which it is checked what was a hit. Counted by each thread for itself, so that
//! threads that miss do not meet at a counter.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

static ALL: Mutex<Vec<Arc<AtomicU64>>> = Mutex::new(Vec::new());

thread_local! {
    static MINE: Arc<AtomicU64> = register();
}

fn register() -> Arc<AtomicU64> {
    let counter = Arc::default();
    ALL.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&counter));
    counter
}

/// To be called by every body.
pub(crate) fn count() {
    // Only this thread writes to it.
    MINE.with(|mine| mine.store(mine.load(Relaxed) + 1, Relaxed));
}

/// How many have run on this thread.
pub(crate) fn here() -> u64 {
    MINE.with(|mine| mine.load(Relaxed))
}

/// How many have run on all threads, those that have ended too.
pub(crate) fn everywhere() -> u64 {
    ALL.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|counter| counter.load(Relaxed)).sum()
}
