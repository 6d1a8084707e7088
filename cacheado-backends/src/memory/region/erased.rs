//! A region without its type, as the store knows it: it finds entries by where they are.

use std::mem;

use super::Region;
use crate::memory::Cause;
use crate::memory::ledger::{Fate, Locator};
use crate::memory::recency::Stamps;
use crate::memory::slot::Slot;

/// What the store can do with a region without knowing its type.
pub(in crate::memory) trait AnyRegion: Send + Sync {
    fn last_used(&self, at: &Locator) -> Option<u64>;
    /// How often the entry was used; of that, so much is forgotten.
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
        table.find(at.hash, |slot| slot.serial == at.serial).map(Slot::last_used)
    }

    fn uses(&self, at: &Locator, forget: u64) -> Option<u64> {
        let table = self.shard(at.hash).read();
        let slot = table.find(at.hash, |slot| slot.serial == at.serial)?;
        Some(Stamps::forget_uses(&slot.stamp, forget))
    }

    fn deadline(&self, at: &Locator) -> Option<u64> {
        let table = self.shard(at.hash).read();
        table.find(at.hash, |slot| slot.serial == at.serial).map(Slot::gone)
    }

    fn evict_at(&self, at: &Locator, cause: Cause) -> Option<bool> {
        let slot = self.take(at.hash, |slot| slot.serial == at.serial)?;
        Some(self.finish(slot, cause))
    }

    fn drive_out(&self, at: &Locator, stamp: Option<u64>) -> Option<Fate> {
        let slot = {
            let mut table = self.shard(at.hash).write();
            let entry = table.find_entry(at.hash, |slot| slot.serial == at.serial).ok()?;
            let (last_used, deadline) = (entry.get().last_used(), entry.get().gone());
            if stamp.is_some_and(|stamp| stamp != last_used) {
                return Some(Fate::Used { stamp: last_used, deadline });
            }
            let (slot, _) = entry.remove();
            self.store.left(1, slot.weight());
            slot
        };
        self.finish(slot, Cause::Capacity);
        Some(Fate::Left)
    }

    fn expire_at(&self, at: &Locator) -> Option<u64> {
        let is_over = |slot: &Slot<V>| slot.serial == at.serial && self.clock.expired(slot.gone());
        if let Some(slot) = self.take(at.hash, is_over) {
            self.finish(slot, Cause::Expired);
            return None;
        }
        self.deadline(at)
    }

    fn drain(&self, cause: Cause) -> u64 {
        let mut alive = 0;
        for shard in &self.shards {
            let table = {
                let mut table = shard.0.write();
                let weight = table.iter().map(Slot::weight).sum();
                self.store.left(table.len(), weight);
                mem::take(&mut *table)
            };
            for slot in table {
                alive += u64::from(self.finish(slot, cause));
            }
        }
        alive
    }
}
