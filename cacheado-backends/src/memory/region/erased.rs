//! A region without its type, as the store knows it: it finds entries by where they are.

use std::mem;

use super::Region;
use crate::memory::Cause;
use crate::memory::ledger::{Fate, Locator};
use crate::memory::recency::Stamps;
use crate::memory::slot::View;

/// What the store can do with a region without knowing its type.
pub(in crate::memory) trait AnyRegion: Send + Sync {
    fn last_used(&self, at: &Locator) -> Option<u64>;
    /// The entry's stamp; of the uses in it, so many are forgotten.
    fn uses(&self, at: &Locator, forget: u64) -> Option<u64>;
    /// When the entry is not there any more.
    fn deadline(&self, at: &Locator) -> Option<u64>;
    /// Removes the entry if it is still there; whether it was alive.
    fn evict_at(&self, at: &Locator, cause: Cause) -> Option<bool>;
    /// Removes the entry, unless a stamp is given and it has another.
    fn drive_out(&self, at: &Locator, stamp: Option<u64>) -> Option<Fate>;
    /// Removes the entry if its time is over; its deadline, if it is still there and alive.
    fn expire_at(&self, at: &Locator) -> Option<u64>;
    fn drain(&self, cause: Cause) -> u64;
}

impl<V: Clone + Send + Sync + 'static, P: Send + Sync + 'static> AnyRegion for Region<V, P> {
    fn last_used(&self, at: &Locator) -> Option<u64> {
        let table = self.shard(at.hash).read();
        Self::at(&table, at).map(View::last_used)
    }

    fn uses(&self, at: &Locator, forget: u64) -> Option<u64> {
        let table = self.shard(at.hash).read();
        Some(Stamps::forget_uses(&Self::at(&table, at)?.entry.stamp, forget))
    }

    fn deadline(&self, at: &Locator) -> Option<u64> {
        let table = self.shard(at.hash).read();
        Self::at(&table, at).map(View::gone)
    }

    fn evict_at(&self, at: &Locator, cause: Cause) -> Option<bool> {
        let slot = self.take(at.hash, &|slot| slot.facts.serial == at.serial)?;
        Some(self.finish(slot, cause))
    }

    fn drive_out(&self, at: &Locator, stamp: Option<u64>) -> Option<Fate> {
        let slot = {
            let mut table = self.shard(at.hash).write();
            let number = table.number(at.hash, &|slot| slot.facts.serial == at.serial)?;
            let found = table.view(number)?;
            if stamp.is_some_and(|stamp| stamp != found.last_used()) {
                return Some(Fate::Used { stamp: found.last_used(), deadline: found.gone() });
            }
            let slot = table.take(at.hash, number)?;
            self.store.left(1, slot.facts.weight());
            slot
        };
        self.finish(slot, Cause::Capacity);
        Some(Fate::Left)
    }

    fn expire_at(&self, at: &Locator) -> Option<u64> {
        let is_over = |slot: View<'_, V>| slot.facts.serial == at.serial && self.clock.expired(slot.gone());
        if let Some(slot) = self.take(at.hash, &is_over) {
            self.finish(slot, Cause::Expired);
            return None;
        }
        self.deadline(at)
    }

    fn drain(&self, cause: Cause) -> u64 {
        let mut alive = 0;
        for shard in &self.shards {
            let mut table = {
                let mut table = shard.write();
                self.store.left(table.len(), table.weight());
                mem::take(&mut *table)
            };
            while let Some(slot) = table.pop() {
                alive += u64::from(self.finish(slot, cause));
            }
        }
        alive
    }
}
