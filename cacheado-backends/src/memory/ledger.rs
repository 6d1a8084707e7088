//! What the store writes down of each entry: where it is, in the order of eviction and of expiry.

use super::expiry::Expiry;
use super::order::{Entries, Order};
use super::store::RegionId;

/// Where an entry is, and which one: an entry that has replaced it has another serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Locator {
    pub(super) hash: u64,
    /// The number of the fill below, that of the region above.
    pub(super) serial: u64,
}

impl Locator {
    /// So many bits are the number of the fill: enough for a million a second, for nine years.
    pub(super) const SERIAL_BITS: u32 = 48;

    pub(super) fn region(&self) -> RegionId {
        RegionId((self.serial >> Self::SERIAL_BITS) as u16)
    }
}

/// An entry that is to be driven out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Victim {
    pub(super) at: Locator,
    /// With any other stamp, it stays.
    pub(super) stamp: Option<u64>,
    /// Whether the record of its expiry has been taken out.
    expires: bool,
}

/// What became of a victim.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// It has left.
    Left,
    /// It stays, as it has been used.
    Used { stamp: u64, deadline: u64 },
}

/// Records of entries, some of which may be gone: they are dropped when they are met, and all at once
/// when they outnumber the others.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) order: Order,
    pub(super) expiry: Expiry,
}

impl Ledger {
    pub(super) fn new(order: Order) -> Self {
        Self { order, expiry: Expiry::default() }
    }

    /// Below this many records, those of entries that are gone are left alone.
    const SMALL: usize = 1024;

    /// Takes the records of the entry that is to leave out.
    pub(super) fn take_victim(&mut self, entries: &impl Entries) -> Option<Victim> {
        let (at, stamp) = self.order.take(entries)?;
        let expires = self.expiry.forget(&at, |at| entries.deadline(at));
        Some(Victim { at, stamp, expires })
    }

    /// Puts the records back of one that stays.
    pub(super) fn put_back(&mut self, victim: &Victim, stamp: u64, deadline: u64) {
        self.order.correct(stamp, victim.at);
        if victim.expires {
            self.expiry.set_aside(deadline, victim.at);
        }
    }

    /// Whether records of entries that are gone outnumber those of the `live` ones.
    pub(super) fn is_bloated(&self, live: usize) -> bool {
        self.len() > live.saturating_mul(2) + Self::SMALL
    }

    /// Drops the records of entries that are gone, and of several records of an entry's expiry all but one.
    pub(super) fn compact(&mut self, entries: &impl Entries) {
        self.order.retain(|at| entries.deadline(at).is_some());
        self.expiry.retain(|at| entries.deadline(at));
    }

    pub(super) fn len(&self) -> usize {
        self.order.len().max(self.expiry.len())
    }
}
