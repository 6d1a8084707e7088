//! What the store asks of a region: it finds entries by where they are.

use std::cell::Cell;

use super::AnyRegion;
use crate::memory::Cause;
use crate::memory::ledger::{Fate, Locator};
use crate::memory::recency::Stamps;
use crate::memory::slot::View;
use crate::memory::table::Table;

impl AnyRegion {
    pub(in crate::memory) fn last_used(&self, at: &Locator) -> Option<u64> {
        Some(find(&self.shard(at.hash).read(), at)?.last_used())
    }

    /// The entry's stamp; of the uses in it, so many are forgotten.
    pub(in crate::memory) fn uses(&self, at: &Locator, forget: u64) -> Option<u64> {
        Some(Stamps::forget_uses(&find(&self.shard(at.hash).read(), at)?.head.stamp, forget))
    }

    /// When the entry is not there any more.
    pub(in crate::memory) fn deadline(&self, at: &Locator) -> Option<u64> {
        Some(find(&self.shard(at.hash).read(), at)?.gone())
    }

    /// Removes the entry if it is still there; whether it was alive.
    pub(in crate::memory) fn evict_at(&self, at: &Locator, cause: Cause) -> Option<bool> {
        self.remove(at.hash, &|slot| slot.facts.serial == at.serial, cause)
    }

    /// Removes the entry, unless a stamp is given and it has another.
    pub(in crate::memory) fn drive_out(&self, at: &Locator, stamp: Option<u64>) -> Option<Fate> {
        let used = Cell::new(None);
        let may_leave = |slot: View<'_>| {
            if slot.facts.serial != at.serial {
                return false;
            }
            let last = slot.last_used();
            let is_used = stamp.is_some_and(|stamp| stamp != last);
            if is_used {
                used.set(Some(Fate::Used { stamp: last, deadline: slot.gone() }));
            }
            !is_used
        };
        let left = self.remove(at.hash, &may_leave, Cause::Capacity);
        left.map(|_| Fate::Left).or_else(|| used.take())
    }

    /// Removes the entry if its time is over; its deadline, if it is still there and alive.
    pub(in crate::memory) fn expire_at(&self, at: &Locator) -> Option<u64> {
        let is_over = |slot: View<'_>| slot.facts.serial == at.serial && !self.is_there(slot);
        match self.remove(at.hash, &is_over, Cause::Expired) {
            Some(_) => None,
            None => self.deadline(at),
        }
    }
}

fn find<'t>(table: &'t Table, at: &Locator) -> Option<View<'t>> {
    table.find(at.hash, &|slot| slot.facts.serial == at.serial)
}
