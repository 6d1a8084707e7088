//! How entries leave a region: one by its key or its ticket, one whose time is over, all of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::AnyRegion;
use crate::memory::Cause;
use crate::memory::fence::Ticket;
use crate::memory::labels::Label;
use crate::memory::slot::{Slot, View};
use crate::memory::store::Listener;

impl AnyRegion {
    /// Removes an entry whose time is over. Does nothing if a live one has taken its place.
    pub fn expire(&self, hash: u64, key: &[u8]) {
        self.remove(hash, &|slot| slot.key() == key && !self.is_there(slot), Cause::Expired);
    }

    /// Removes an entry by its key, and fences off the fills that have begun. Whether it was alive.
    pub fn evict(&self, hash: u64, key: &[u8], cause: Cause) -> bool {
        self.base.fences.fence_off(hash);
        self.remove(hash, &|slot| slot.key() == key, cause).unwrap_or(false)
    }

    /// Removes an entry whose computation began before `ticket` was taken; fences nothing off.
    pub fn retract<P>(&self, hash: u64, key: &[u8], ticket: &Ticket<P>) {
        let serial = ticket.serial();
        self.remove(hash, &|slot| slot.key() == key && slot.facts.serial < serial, Cause::Evicted);
    }

    /// Removes the entry that was stored with this ticket, if no other has taken its place; fences nothing off.
    pub fn withdraw<P>(&self, hash: u64, ticket: &Ticket<P>) {
        let serial = ticket.serial();
        self.remove(hash, &|slot| slot.facts.serial == serial, Cause::Evicted);
    }

    /// Removes all entries, and fences off the fills that have begun. How many were alive. Costs what
    /// the region holds.
    pub fn evict_all(&self, cause: Cause) -> u64 {
        self.base.fences.fence_all_off();
        self.drain(cause)
    }

    /// Removes the entry that is the one looked for, among those with this hash. Whether it was alive.
    pub(super) fn remove(&self, hash: u64, is_it: &dyn Fn(View<'_>) -> bool, cause: Cause) -> Option<bool> {
        let mut alive = None;
        self.shards.with_hand(&mut |hand| {
            let slot = {
                let mut table = self.shard(hash).write();
                let Some(slot) = table.remove(hash, is_it, hand) else { return };
                self.base.store.left(1, slot.facts.weight());
                slot
            };
            alive = Some(self.finish(&slot, cause));
        });
        alive
    }

    /// Drops all entries, of which nobody is told: for whoever has the region last, and has ended its fills.
    ///
    /// A region that is dropped with entries in it drops their values as they come: where two of them panic, the
    /// process aborts. Here a panic of each is contained.
    pub fn close(&self) {
        self.take_out(&mut |slot| slot.facts.strike());
    }

    pub(in crate::memory) fn drain(&self, cause: Cause) -> u64 {
        let mut alive = 0;
        self.take_out(&mut |slot| alive += u64::from(self.finish(slot, cause)));
        alive
    }

    /// Takes all entries out, and drops each after it has been shown, outside of any lock.
    fn take_out(&self, show: &mut dyn FnMut(&Slot)) {
        for index in 0..self.shards.count() {
            let mut gone = {
                let mut table = self.shards.shard(index).write();
                self.base.store.left(table.len(), table.weight());
                table.take_all()
            };
            let mut is_left = true;
            while is_left {
                // A value is dropped before the next one is taken into the hand.
                self.shards.with_hand(&mut |hand| match gone.pop(hand) {
                    Some(slot) => show(&slot),
                    None => is_left = false,
                });
            }
        }
    }

    /// Does what follows a removal, outside of any lock. Whether the entry was alive.
    fn finish(&self, slot: &Slot, cause: Cause) -> bool {
        let alive = cause != Cause::Expired && self.is_there(slot.view());
        let cause = if alive { cause } else { Cause::Expired };
        slot.facts.strike();
        tell(&*self.base.listener, slot.head.key.as_bytes(), slot.facts.labels(), cause);
        alive
    }
}

fn tell(listener: &dyn Listener, key: &[u8], labels: &[Label], cause: Cause) {
    if catch_unwind(AssertUnwindSafe(|| listener.removed(key, labels, cause))).is_err() {
        tracing::error!(target: "cacheado", ?cause, "a listener panicked while it was told of a removal");
    }
}
