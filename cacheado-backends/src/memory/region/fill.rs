//! How entries come into a region: a value that has been computed, unless a bound or its ticket forbids it.

use std::any::TypeId;

use super::AnyRegion;
use crate::memory::KeyBox;
use crate::memory::aging::Aging;
use crate::memory::fence::Ticket;
use crate::memory::labels::LabelSet;
use crate::memory::ledger::Locator;
use crate::memory::members::Place;
use crate::memory::slot::{Facts, Head, Marks, Slot};
use crate::memory::store::{Entered, RegionId};
use crate::memory::value::{AnyHand, AnyValue, Hand, drop_contained};
use crate::sync::{AtomicU64, Ordering};

/// An entry that is to be stored.
#[derive(Debug)]
pub struct Fill {
    /// The key's hash, the same one that probes use.
    pub hash: u64,
    /// The key.
    pub key: KeyBox,
    /// What the store's clock shows: it is stored now.
    pub born: u64,
    /// When it expires, a reading of the store's clock.
    pub deadline: u64,
    /// How it is used around its expiry, if it is.
    pub aging: Option<Aging>,
    /// The groups that it can be evicted by.
    pub labels: Option<LabelSet>,
}

/// What became of a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It is stored.
    Stored,
    /// It began before an eviction that concerns it, and was dropped.
    Fenced,
    /// An entry is there whose computation began later; the fill was dropped.
    Superseded,
    /// The store is full and the entry is a new one, or it is too heavy, or the region is one of more than 65,535;
    /// it was dropped.
    Full,
}

impl AnyRegion {
    /// Stores an entry as [`Region::fill`](super::Region::fill) does. `None` if its values are of another type.
    pub fn try_fill<V: Clone + Send + Sync + 'static, P>(
        &self,
        fill: Fill,
        ticket: &Ticket<P>,
        value: V,
    ) -> Option<Placed> {
        if self.holds(TypeId::of::<V>()) { Some(self.fill_of(fill, ticket, value)) } else { None }
    }

    /// The same with a value behind a pointer, which is cloned if the region has its values inline.
    pub fn fill_any<P>(&self, fill: Fill, ticket: &Ticket<P>, value: AnyValue) -> Option<Placed> {
        let mut given = Some((fill, value));
        let mut placed = None;
        self.shards.with_hand(&mut |hand| {
            if let Some((fill, value)) = given.take()
                && hand.take(value)
            {
                placed = Some(self.fill_from(fill, ticket.serial(), &|| ticket.is_current(), hand));
            }
        });
        placed
    }

    /// Of values of type `V`, which the region has to hold.
    pub(super) fn fill_of<V: Clone + Send + Sync + 'static, P>(
        &self,
        fill: Fill,
        ticket: &Ticket<P>,
        value: V,
    ) -> Placed {
        let mut hand = Hand(Some(value));
        let placed = self.fill_from(fill, ticket.serial(), &|| ticket.is_current(), &mut hand);
        // What another has taken the place of, or what is not stored.
        if let Some(old) = hand.0 {
            drop_contained(old);
        }
        placed
    }

    fn fill_from(
        &self,
        fill: Fill,
        serial: u64,
        is_current: &dyn Fn() -> bool,
        hand: &mut dyn AnyHand,
    ) -> Placed {
        if self.id == RegionId::NONE {
            return Placed::Full;
        }
        let weight = self.store.weigh(fill.key.as_bytes(), hand);
        if self.store.is_too_heavy(weight) {
            return Placed::Full;
        }
        let now = fill.born;
        let (slot, bounded) = prepared(fill, serial, weight);
        let (at, gone) = (slot.facts.at(), slot.view().gone());
        let mut slot = Some(slot);
        let mut placed = self.place(&mut slot, is_current, hand);
        if let Err(Placed::Full) = placed {
            // Entries whose time is over do not count against a bound.
            self.store.sweep(usize::MAX);
            placed = self.place(&mut slot, is_current, hand);
        }
        if let Some(old) = slot {
            old.facts.strike();
        }
        let stamp = match placed {
            Ok(stamp) => stamp,
            Err(why) => return why,
        };
        if let Some((labels, place)) = bounded {
            self.store.entered_groups(&labels, place, stamp, at);
        }
        self.store.entered(&Entered { at, stamp, deadline: gone, now }, self);
        Placed::Stored
    }

    /// Puts the slot into its table, and what it replaces in its stead: its stamp, or why not.
    fn place(
        &self,
        new: &mut Option<Slot>,
        is_current: &dyn Fn() -> bool,
        hand: &mut dyn AnyHand,
    ) -> Result<u64, Placed> {
        let Some(slot) = new else { return Err(Placed::Full) };
        let hash = slot.facts.hash;
        let mut table = self.shard(hash).write();
        if !is_current() {
            return Err(Placed::Fenced);
        }
        let number = table.number(hash, &|old| old.head.key == slot.head.key);
        if let Some((number, old)) = number.and_then(|number| Some((number, table.view(number)?))) {
            if old.facts.serial > slot.facts.serial && self.is_there(old) {
                return Err(Placed::Superseded);
            }
            self.store.replaced(old.facts.weight(), slot.facts.weight());
            let stamp = self.store.stamps().replacement(&old.head.stamp);
            slot.head.stamp.store(stamp, Ordering::Relaxed);
            table.exchange(number, slot, hand);
            return Ok(stamp);
        }
        if !self.store.reserve(slot.facts.weight()) {
            return Err(Placed::Full);
        }
        let stamp = self.store.stamps().insertion();
        slot.head.stamp.store(stamp, Ordering::Relaxed);
        if let Some(slot) = new.take() {
            table.insert(slot, hand);
        }
        Ok(stamp)
    }
}

/// A new entry, but for its value and its stamp, and where it is listed, if its labels have a bound.
fn prepared(fill: Fill, serial: u64, weight: u64) -> (Slot, Option<(LabelSet, Place)>) {
    let Fill { hash, key, born, deadline: expiry, aging, labels } = fill;
    // The index first: whoever evicts a label finds the entry, or has marked its ticket.
    let labels = labels.map(|labels| {
        let place = labels.register(Locator { hash, serial });
        (labels, place)
    });
    let bounded = labels.as_ref().filter(|(labels, _)| labels.is_bounded()).cloned();
    let deadline = aging.map_or(expiry, |aging| aging.deadline(expiry));
    let marks = Marks::new(labels, aging.map(|aging| (aging, expiry)), weight);
    let head = Head { key, deadline, stamp: AtomicU64::new(0) };
    (Slot { head, facts: Facts { born, serial, hash, marks } }, bounded)
}
