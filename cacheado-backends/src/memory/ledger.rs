//! What the store writes down of each entry: where it is, in the order of recency and of expiry.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::recency::Recency;
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
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) recency: Recency,
    expiry: BinaryHeap<Reverse<(u64, Locator)>>,
}

impl Ledger {
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
        self.recency.len().max(self.expiry.len()) > live.saturating_mul(2) + Self::SMALL
    }

    /// Drops the records of entries that are gone.
    pub(super) fn compact(&mut self, alive: impl Fn(&Locator) -> bool) {
        self.recency.retain(&alive);
        self.expiry.retain(|Reverse((_, at))| alive(at));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.recency.len().max(self.expiry.len())
    }
}
