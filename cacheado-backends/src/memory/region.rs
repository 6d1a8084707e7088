//! One function's entries: probe, fill and removal.

mod erased;

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::aging::{Aging, Seen};
use super::fence::{Ticket, Tickets};
use super::labels::{Label, LabelSet};
use super::ledger::Locator;
use super::members::Place;
use super::slot::{Entry, Facts, Held, Marks, Slot, View, drop_contained, expire_at};
use super::store::{Entered, Listener, RegionId, Store};
use super::table::Table;
use super::{Cause, KeyBox};
use crate::Clock;
use crate::sync::{AtomicU64, BiasedLock, Ordering};

pub(super) use erased::AnyRegion;

/// What a probe looks for: a key that need not exist as bytes.
pub trait Query {
    /// Whether the key's bytes are `stored`.
    fn matches(&self, stored: &[u8]) -> bool;

    /// Whether the key's bytes are the first `len` of `stored`.
    #[inline]
    fn matches_short(&self, stored: &[u8; KeyBox::SHORT], len: u8) -> bool {
        stored.get(..usize::from(len)).is_some_and(|stored| self.matches(stored))
    }
}

impl Query for &[u8] {
    #[inline]
    fn matches(&self, stored: &[u8]) -> bool {
        *self == stored
    }
}

/// What a probe found.
#[derive(Debug)]
pub enum Found<V> {
    /// A live entry's value.
    Hit(V),
    /// An entry whose time is over, or that ages.
    Expired,
    /// No entry.
    Absent,
}

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
    /// Whether the value's `clone` runs no code of the user's, so that it may run under a lock.
    pub inert: bool,
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
    /// The store is full and the entry is a new one, or it is too heavy; it was dropped.
    Full,
}

/// Entries whose values are of type `V`, and the tickets of their fills, which can carry a `P`.
pub struct Region<V, P = ()> {
    shards: Vec<CachePadded<BiasedLock<Table<V>>>>,
    clock: Clock,
    ordered: bool,
    store: Arc<Store>,
    listener: Arc<dyn Listener>,
    id: RegionId,
    tickets: Arc<Tickets<P>>,
}

impl<V: Clone + Send + Sync + 'static, P: Send + Sync + 'static> Region<V, P> {
    /// Opens an empty region of the store. `listener` is told of every entry that leaves.
    #[must_use]
    pub fn open(store: &Arc<Store>, listener: Arc<dyn Listener>) -> Arc<Self> {
        let mut shards = Vec::new();
        for _ in 0..store.shards() {
            shards.push(BiasedLock::new(Table::default()).into());
        }
        store.enrol(|id| {
            Arc::new(Self {
                shards,
                clock: store.clock().clone(),
                ordered: store.is_ordered(),
                store: Arc::clone(store),
                listener,
                id,
                tickets: Tickets::new(store, id),
            })
        })
    }

    /// The tickets of its fills.
    #[must_use]
    pub fn tickets(&self) -> &Arc<Tickets<P>> {
        &self.tickets
    }

    /// The set of these labels, for entries of this region's store; `None` where there are none.
    #[must_use]
    pub fn labelled(&self, labels: &[Label]) -> Option<LabelSet> {
        self.store.labelled(labels)
    }

    /// Looks an entry up and marks it as used. `O(1)`, without an allocation, and with one shared lock.
    #[inline]
    pub fn get<Q: Query>(&self, hash: u64, query: &Q) -> Found<V> {
        let table = self.shard(hash).read();
        let Some(entry) = table.get(hash, |stored| stored.is(query)) else { return Found::Absent };
        if self.clock.expired(entry.deadline) {
            return Found::Expired;
        }
        if self.ordered {
            self.store.stamps().touch(&entry.stamp);
        }
        let held = entry.held.take_along();
        drop(table);
        Found::Hit(held.into_value())
    }

    /// Looks an entry up without marking it as used, if it is there: also past its expiry, within its grace.
    #[must_use]
    pub fn peek(&self, hash: u64, key: &[u8]) -> Option<Seen<V>> {
        self.see(hash, key, false)
    }

    /// The same, and marks it as used.
    #[must_use]
    pub fn read(&self, hash: u64, key: &[u8]) -> Option<Seen<V>> {
        self.see(hash, key, self.ordered)
    }

    fn see(&self, hash: u64, key: &[u8], touch: bool) -> Option<Seen<V>> {
        let table = self.shard(hash).read();
        let slot = self.live(Self::with_key(&table, hash, key))?;
        if touch {
            self.store.stamps().touch(&slot.entry.stamp);
        }
        let (held, expiry, lead) = (slot.entry.held.take_along(), slot.expiry(), slot.lead());
        drop(table);
        Some(Seen { value: held.into_value(), expiry, lead })
    }

    /// The keys of the live entries that begin with `prefix`. Costs what the region holds.
    #[must_use]
    pub fn keys(&self, prefix: &[u8]) -> Vec<KeyBox> {
        let mut keys = Vec::new();
        for shard in &self.shards {
            let table = shard.read();
            let begin = table.iter().filter(|slot| slot.key().starts_with(prefix));
            keys.extend(begin.filter_map(|slot| self.live(Some(slot))).map(|slot| slot.entry.key.clone()));
        }
        keys
    }

    /// An entry's labels and expiry, if it is alive.
    #[must_use]
    pub fn describe(&self, hash: u64, key: &[u8]) -> Option<(Vec<Label>, u64)> {
        let table = self.shard(hash).read();
        let slot = self.live(Self::with_key(&table, hash, key))?;
        Some((slot.facts.labels().to_vec(), slot.expiry()))
    }

    /// How long ago a live entry was stored.
    #[must_use]
    pub fn age(&self, hash: u64, key: &[u8]) -> Option<Duration> {
        let table = self.shard(hash).read();
        let slot = self.live(Self::with_key(&table, hash, key))?;
        Some(self.clock.since(slot.facts.born))
    }

    fn live<'s>(&self, slot: Option<View<'s, V>>) -> Option<View<'s, V>> {
        slot.filter(|slot| !self.clock.expired(slot.gone()))
    }

    /// Gives a live entry another expiry. Whether there was one.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn set_deadline(&self, hash: u64, key: &[u8], deadline: u64) -> bool {
        self.change_deadline(hash, key, &|_| deadline)
    }

    /// Gives a live entry this expiry if it is the earlier one. Whether there was one.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn shorten(&self, hash: u64, key: &[u8], deadline: u64) -> bool {
        self.change_deadline(hash, key, &|present| present.min(deadline))
    }

    fn change_deadline(&self, hash: u64, key: &[u8], change: &dyn Fn(u64) -> u64) -> bool {
        let at = {
            let mut table = self.shard(hash).write();
            let Some((entry, facts)) = table.find_mut(hash, &|slot| slot.key() == key) else { return false };
            let slot = View { entry, facts };
            // What is past its time does not come back.
            if self.clock.expired(slot.expiry()) {
                return false;
            }
            let (before, expiry) = (slot.gone(), change(slot.expiry()));
            expire_at(entry, facts, expiry);
            let gone = View { entry, facts }.gone();
            (gone < before).then_some((gone, facts.at()))
        };
        // A later deadline is found out when the record of the earlier one is met.
        if let Some((gone, at)) = at {
            self.store.expires(gone, at);
        }
        true
    }

    /// Removes an entry whose time is over. Does nothing if a live one has taken its place.
    pub fn expire(&self, hash: u64, key: &[u8]) {
        let is_over = |slot: View<'_, V>| slot.key() == key && self.clock.expired(slot.gone());
        if let Some(slot) = self.take(hash, &is_over) {
            self.finish(slot, Cause::Expired);
        }
    }

    /// Stores an entry, unless a bound forbids it, or its ticket, which was taken before the value was computed.
    pub fn fill(&self, fill: Fill, ticket: &Ticket<P>, value: V) -> Placed {
        let weight = self.store.weigh(fill.key.as_bytes(), &value, size_of::<V>());
        if self.store.is_too_heavy(weight) {
            drop_contained(value);
            return Placed::Full;
        }
        let now = fill.born;
        let Prepared { key, deadline, facts, bounded, inert } = Prepared::new(fill, ticket.serial(), weight);
        let slot = Slot {
            entry: Entry { key, held: Held::new(value, inert), deadline, stamp: AtomicU64::new(0) },
            facts,
        };
        let (at, gone) = (slot.facts.at(), slot.view().gone());
        let mut slot = Some(slot);
        let mut placed = self.place(&mut slot, ticket);
        if let Err(Placed::Full) = placed {
            // Entries whose time is over do not count against a bound.
            self.store.sweep(usize::MAX);
            placed = self.place(&mut slot, ticket);
        }
        // What another has taken the place of, or what is not stored.
        if let Some(old) = slot {
            old.facts.strike();
            drop_contained(old);
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

    /// Removes an entry by its key, and fences off the fills that have begun. Whether it was alive.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn evict(&self, hash: u64, key: &[u8], cause: Cause) -> bool {
        self.tickets.fence_off(hash);
        match self.take(hash, &|slot| slot.key() == key) {
            Some(slot) => self.finish(slot, cause),
            None => false,
        }
    }

    /// Removes an entry whose computation began before `ticket` was taken; fences nothing off.
    pub fn retract(&self, hash: u64, key: &[u8], ticket: &Ticket<P>) {
        let is_older = |slot: View<'_, V>| slot.key() == key && slot.facts.serial < ticket.serial();
        if let Some(slot) = self.take(hash, &is_older) {
            self.finish(slot, Cause::Evicted);
        }
    }

    /// Removes the entry that was stored with this ticket, if no other has taken its place; fences nothing off.
    pub fn withdraw(&self, hash: u64, ticket: &Ticket<P>) {
        if let Some(slot) = self.take(hash, &|slot| slot.facts.serial == ticket.serial()) {
            self.finish(slot, Cause::Evicted);
        }
    }

    /// Removes all entries, and fences off the fills that have begun. How many were alive. Costs what
    /// the region holds.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn evict_all(&self, cause: Cause) -> u64 {
        self.tickets.fence_all_off();
        self.drain(cause)
    }

    /// How many entries there are, counting those whose time is over and that are not removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut len = 0;
        for shard in &self.shards {
            len += shard.read().len();
        }
        len
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with_key<'t>(table: &'t Table<V>, hash: u64, key: &[u8]) -> Option<View<'t, V>> {
        table.find(hash, &|slot| slot.key() == key)
    }

    fn at<'t>(table: &'t Table<V>, at: &Locator) -> Option<View<'t, V>> {
        table.find(at.hash, &|slot| slot.facts.serial == at.serial)
    }

    #[inline]
    fn shard(&self, hash: u64) -> &BiasedLock<Table<V>> {
        // The number of shards is a power of two; the table itself uses the lowest and the highest bits.
        let index = (hash >> 40) as usize & (self.shards.len() - 1);
        &self.shards[index]
    }

    /// Puts the slot into its table, and what it replaces in its stead: its stamp, or why not.
    fn place(&self, new: &mut Option<Slot<V>>, ticket: &Ticket<P>) -> Result<u64, Placed> {
        let Some(slot) = new else { return Err(Placed::Full) };
        let hash = slot.facts.hash;
        let mut table = self.shard(hash).write();
        if !ticket.is_current() {
            return Err(Placed::Fenced);
        }
        if let Some((entry, facts)) = table.find_mut(hash, &|old| old.entry.key == slot.entry.key) {
            let old = View { entry, facts };
            if old.facts.serial > slot.facts.serial && !self.clock.expired(old.gone()) {
                return Err(Placed::Superseded);
            }
            self.store.replaced(old.facts.weight(), slot.facts.weight());
            let stamp = self.store.stamps().replacement(&old.entry.stamp);
            slot.entry.stamp.store(stamp, Ordering::Relaxed);
            mem::swap(entry, &mut slot.entry);
            mem::swap(facts, &mut slot.facts);
            return Ok(stamp);
        }
        if !self.store.reserve(slot.facts.weight()) {
            return Err(Placed::Full);
        }
        let stamp = self.store.stamps().insertion();
        slot.entry.stamp.store(stamp, Ordering::Relaxed);
        if let Some(slot) = new.take() {
            table.insert(slot);
        }
        Ok(stamp)
    }

    fn take(&self, hash: u64, is_it: &dyn Fn(View<'_, V>) -> bool) -> Option<Slot<V>> {
        let slot = self.shard(hash).write().remove(hash, is_it)?;
        self.store.left(1, slot.facts.weight());
        Some(slot)
    }

    /// Does what follows a removal, outside of any lock. Whether the entry was alive.
    fn finish(&self, slot: Slot<V>, cause: Cause) -> bool {
        let alive = cause != Cause::Expired && !self.clock.expired(slot.view().gone());
        let cause = if alive { cause } else { Cause::Expired };
        slot.facts.strike();
        tell(&*self.listener, slot.entry.key.as_bytes(), slot.facts.labels(), cause);
        drop_contained(slot);
        alive
    }
}

/// An entry that is to be stored, but for its value.
struct Prepared {
    key: KeyBox,
    deadline: u64,
    facts: Facts,
    /// Where it is listed, if its labels have a bound.
    bounded: Option<(LabelSet, Place)>,
    inert: bool,
}

// What follows depends on no type, so that it is compiled once and not for each.
impl Prepared {
    fn new(fill: Fill, serial: u64, weight: u64) -> Self {
        let Fill { hash, key, born, deadline: expiry, aging, labels, inert } = fill;
        // The index first: whoever evicts a label finds the entry, or has marked its ticket.
        let labels = labels.map(|labels| {
            let place = labels.register(Locator { hash, serial });
            (labels, place)
        });
        let bounded = labels.as_ref().filter(|(labels, _)| labels.is_bounded()).cloned();
        let deadline = aging.map_or(expiry, |aging| aging.deadline(expiry));
        let marks = Marks::new(labels, aging.map(|aging| (aging, expiry)), weight);
        Self { key, deadline, facts: Facts { born, serial, hash, marks }, bounded, inert }
    }
}

fn tell(listener: &dyn Listener, key: &[u8], labels: &[Label], cause: Cause) {
    if catch_unwind(AssertUnwindSafe(|| listener.removed(key, labels, cause))).is_err() {
        tracing::error!(?cause, "a listener panicked while it was told of a removal");
    }
}

impl<V, P> std::fmt::Debug for Region<V, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Region").field("id", &self.id).finish_non_exhaustive()
    }
}
