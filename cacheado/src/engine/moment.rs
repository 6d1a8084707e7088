//! Which of two things in this process came first.
//!
//! Another node's eviction holds for every call that begins after it has returned. This node hears of it only by
//! asking the backend. So what the backend has answered is for the calls that began before it was asked; one
//! that has come since asks again.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

/// Later than all that were taken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(NonZeroU64);

impl Moment {
    pub(super) fn now() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Where one thread has heard of another only by way of a server, the server has put them in this order.
        let next = NEXT.fetch_add(1, Ordering::SeqCst);
        // It is never zero: nobody counts to the end of 64 bits.
        Self(NonZeroU64::new(next).unwrap_or(NonZeroU64::MAX))
    }
}

/// Up to which moment calls have begun that an outcome is for: all of them, unless a backend has been asked.
#[derive(Debug)]
pub(super) struct Until(AtomicU64);

impl Default for Until {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Until {
    pub(super) fn set(&self, moment: Moment) {
        self.0.store(moment.0.get(), Ordering::SeqCst);
    }

    pub(super) fn is_after(&self, begun: Moment) -> bool {
        begun.0.get() < self.0.load(Ordering::SeqCst)
    }
}
