//! Which of two things in this process came first.
//!
//! Another node's eviction holds for every call that begins after it has returned. This node hears of it only by
//! asking the backend. So what the backend has answered is for the calls that began before it was asked; one
//! that has come since asks again.

use std::sync::atomic::{AtomicU64, Ordering};

/// Later than all that were taken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl Moment {
    /// Later than all that are ever taken.
    const END: Self = Self(u64::MAX);

    pub(super) fn now() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Of two threads, one of which has heard of the other by way of a server, the order is that of the server.
        Self(NEXT.fetch_add(1, Ordering::SeqCst))
    }
}

/// Up to which moment calls have begun that an outcome is for: all of them, unless a backend has been asked.
#[derive(Debug)]
pub(super) struct Until(AtomicU64);

impl Default for Until {
    fn default() -> Self {
        Self(AtomicU64::new(Moment::END.0))
    }
}

impl Until {
    pub(super) fn set(&self, moment: Moment) {
        self.0.store(moment.0, Ordering::SeqCst);
    }

    pub(super) fn is_after(&self, begun: Moment) -> bool {
        begun.0 < self.0.load(Ordering::SeqCst)
    }
}
