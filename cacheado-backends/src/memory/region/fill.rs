//! How entries come into a region: a value that has been computed, unless a bound or its ticket forbids it.

use super::AnyRegion;
use crate::memory::KeyBox;
use crate::memory::aging::Aging;
use crate::memory::fence::{AnyTicket, Ticket};
use crate::memory::labels::LabelSet;
use crate::memory::ledger::Locator;
use crate::memory::members::Place;
use crate::memory::slot::{Facts, Head, Marks, Slot};
use crate::memory::store::{Entered, RegionId};
use crate::memory::value::{AnyHand, AnyValue, Hand};
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

/// A fill under way: all of it but the value, whose type only its caller knows.
pub struct Filling<'f> {
    region: &'f AnyRegion,
    fill: Option<Fill>,
    ticket: &'f dyn AnyTicket,
    placed: Option<Placed>,
}

impl Filling<'_> {
    /// Stores the value, unless a bound forbids it, or the ticket.
    pub fn store<V: Clone + Send + Sync + 'static>(&mut self, value: V) {
        self.place_and_clear(&mut Hand::new(value));
    }

    fn place_and_clear(&mut self, hand: &mut dyn AnyHand) {
        self.place(hand);
        // What another has taken the place of, or what is not stored.
        hand.clear_contained();
    }

    fn place(&mut self, hand: &mut dyn AnyHand) {
        if self.region.shards.holds(hand.as_any())
            && let Some(fill) = self.fill.take()
        {
            self.placed = Some(self.region.fill_from(fill, self.ticket, hand));
        }
    }

    /// What became of the value; `None` if there was none, or one of another type than the region's.
    #[must_use]
    pub fn placed(&self) -> Option<Placed> {
        self.placed
    }
}

impl std::fmt::Debug for Filling<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filling")
            .field("fill", &self.fill)
            .field("placed", &self.placed)
            .finish_non_exhaustive()
    }
}

impl AnyRegion {
    /// Begins to store an entry, whose ticket was taken before its value was computed.
    pub fn filling<'f, P: Send + Sync>(&'f self, fill: Fill, ticket: &'f Ticket<P>) -> Filling<'f> {
        Filling { region: self, fill: Some(fill), ticket, placed: None }
    }

    /// Stores a value from behind a pointer, which is cloned if the region has its values inline.
    pub fn fill_any<P: Send + Sync>(
        &self,
        fill: Fill,
        ticket: &Ticket<P>,
        value: AnyValue,
    ) -> Option<Placed> {
        let mut filling = self.filling(fill, ticket);
        let mut value = Some(value);
        self.shards.with_hand(&mut |hand| {
            if value.take().is_some_and(|value| hand.take(value)) {
                filling.place(hand);
            }
        });
        filling.placed()
    }

    fn fill_from(&self, fill: Fill, ticket: &dyn AnyTicket, hand: &mut dyn AnyHand) -> Placed {
        if self.base.id == RegionId::NONE {
            return Placed::Full;
        }
        let weight = self.base.store.weigh(fill.key.as_bytes(), hand);
        if self.base.store.is_too_heavy(weight) {
            return Placed::Full;
        }
        let now = fill.born;
        let (slot, bounded) = prepared(fill, ticket.serial(), weight);
        let (at, gone) = (slot.facts.at(), slot.view().gone());
        let mut slot = Some(slot);
        let mut placed = self.place(&mut slot, ticket, hand);
        if let Err(Placed::Full) = placed {
            // Entries whose time is over do not count against a bound.
            self.base.store.sweep(usize::MAX);
            placed = self.place(&mut slot, ticket, hand);
        }
        if let Some(old) = slot {
            old.facts.strike();
        }
        let stamp = match placed {
            Ok(stamp) => stamp,
            Err(why) => return why,
        };
        if let Some((labels, place)) = bounded {
            self.base.store.entered_groups(&labels, place, stamp, at);
        }
        self.base.store.entered(&Entered { at, stamp, deadline: gone, now }, self);
        Placed::Stored
    }

    /// Puts the slot into its table, and what it replaces in its stead: its stamp, or why not.
    fn place(
        &self,
        new: &mut Option<Slot>,
        ticket: &dyn AnyTicket,
        hand: &mut dyn AnyHand,
    ) -> Result<u64, Placed> {
        let Some(slot) = new else { return Err(Placed::Full) };
        let hash = slot.facts.hash;
        let mut table = self.shard(hash).write();
        if !ticket.is_current() {
            return Err(Placed::Fenced);
        }
        let number = table.number(hash, &|old| old.head.key == slot.head.key);
        if let Some((number, old)) = number.and_then(|number| Some((number, table.view(number)?))) {
            if old.facts.serial > slot.facts.serial && self.is_there(old) {
                return Err(Placed::Superseded);
            }
            self.base.store.replaced(old.facts.weight(), slot.facts.weight());
            let stamp = self.base.store.stamps().replacement(&old.head.stamp);
            slot.head.stamp.store(stamp, Ordering::Relaxed);
            table.exchange(number, slot, hand);
            return Ok(stamp);
        }
        if !self.base.store.reserve(slot.facts.weight()) {
            return Err(Placed::Full);
        }
        let stamp = self.base.store.stamps().insertion();
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
