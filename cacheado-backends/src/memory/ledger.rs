//! What the store writes down of each entry: where it is, in the order of eviction and of expiry.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::order::Order;
use super::store::RegionId;
use crate::clock::NEVER;

/// Where an entry is, and which one: an entry that has replaced it has another serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Locator {
    pub(super) serial: u64,
    pub(super) hash: u64,
    pub(super) region: RegionId,
}

/// Records of entries, some of which may be gone: they are dropped when they are met, and all at once
/// when they outnumber the others.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) order: Order,
    expiry: BinaryHeap<Reverse<(u64, Locator)>>,
}

impl Ledger {
    pub(super) fn new(order: Order) -> Self {
        Self { order, expiry: BinaryHeap::new() }
    }

    /// Below this many records, those of entries that are gone are left alone.
    const SMALL: usize = 1024;

    pub(super) fn expires(&mut self, deadline: u64, at: Locator) {
        if deadline != NEVER {
            self.expiry.push(Reverse((deadline, at)));
        }
    }

    /// When the first entry expires.
    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.expiry.peek().map(|Reverse((deadline, _))| *deadline)
    }

    /// Takes out the first entry that has expired at `now`.
    pub(super) fn pop_expired(&mut self, now: u64) -> Option<Locator> {
        if self.next_expiry()? > now {
            return None;
        }
        self.expiry.pop().map(|Reverse((_, at))| at)
    }

    /// Whether records of entries that are gone outnumber those of the `live` ones.
    pub(super) fn is_bloated(&self, live: usize) -> bool {
        self.order.len().max(self.expiry.len()) > live.saturating_mul(2) + Self::SMALL
    }

    /// Drops the records of entries that are gone, and those whose entry has another deadline by now.
    /// `deadline` tells an entry's, or `None` where it is gone.
    pub(super) fn compact(&mut self, deadline: impl Fn(&Locator) -> Option<u64>) {
        self.order.retain(|at| deadline(at).is_some());
        let mut records = std::mem::take(&mut self.expiry).into_vec();
        // Of several records of one entry, one is enough: that of its deadline, however often it was set.
        records.sort_unstable();
        records.dedup();
        records.retain(|Reverse((at_time, at))| deadline(at).is_some_and(|deadline| deadline == *at_time));
        self.expiry = records.into();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.order.len().max(self.expiry.len())
    }
}
