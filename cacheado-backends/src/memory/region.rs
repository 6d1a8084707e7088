//! One function's entries: probe, fill and removal.

mod erased;
mod tickets;

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashTable;

use super::aging::{Aging, Seen};
use super::fence::{Fences, Ticket};
use super::labels::{Label, LabelSet};
use super::ledger::Locator;
use super::slot::{Held, Marks, Slot, drop_contained};
use super::store::{Entered, Listener, RegionId, Store};
use super::{Cause, KeyBox};
use crate::Clock;
use crate::sync::{AtomicU64, Ordering, RwLock};

pub(super) use erased::AnyRegion;

/// What a probe looks for: a key that need not exist as bytes.
pub trait Query {
    /// Whether the key's bytes are `stored`.
    fn matches(&self, stored: &[u8]) -> bool;
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

/// A shard on a cache line of its own.
#[repr(align(128))]
struct Shard<V>(RwLock<HashTable<Slot<V>>>);

/// Entries whose values are of type `V`, and the tickets of their fills, which can carry a `P`.
pub struct Region<V, P = ()> {
    shards: Box<[Shard<V>]>,
    clock: Clock,
    ordered: bool,
    store: Arc<Store>,
    listener: Arc<dyn Listener>,
    id: RegionId,
    epoch: AtomicU64,
    fences: Arc<Fences<P>>,
}

impl<V: Clone + Send + Sync + 'static, P: Send + Sync + 'static> Region<V, P> {
    /// Opens an empty region of the store. `listener` is told of every entry that leaves.
    #[must_use]
    pub fn open(store: &Arc<Store>, listener: Arc<dyn Listener>) -> Arc<Self> {
        let shards = (0..store.shards()).map(|_| Shard(RwLock::new(HashTable::new()))).collect();
        store.enrol(|id| {
            Arc::new(Self {
                shards,
                clock: store.clock().clone(),
                ordered: store.is_ordered(),
                store: Arc::clone(store),
                listener,
                id,
                epoch: AtomicU64::new(0),
                fences: Arc::new(Fences::new()),
            })
        })
    }

    /// Looks an entry up and marks it as used. `O(1)`, without an allocation, and with one shared lock.
    #[inline]
    pub fn get<Q: Query>(&self, hash: u64, query: &Q) -> Found<V> {
        let table = self.shard(hash).read();
        // The hashes first, so that the loop over a group of candidates stays tight; the bytes decide.
        let mut slot = table.find(hash, |slot| slot.hash == hash);
        if !slot.is_some_and(|slot| query.matches(slot.key.as_bytes())) {
            slot = slot.and_then(|_| Self::find_among_equal_hashes(&table, hash, query));
        }
        let Some(slot) = slot else { return Found::Absent };
        if self.clock.expired(slot.deadline) {
            return Found::Expired;
        }
        if self.ordered {
            self.store.stamps().touch(&slot.stamp);
        }
        let held = slot.held.take_along();
        drop(table);
        Found::Hit(held.into_value())
    }

    /// Looks an entry up without marking it as used, if it is there: also past its expiry, within its grace.
    pub fn peek(&self, hash: u64, key: &[u8]) -> Option<Seen<V>> {
        self.see(hash, key, false)
    }

    /// The same, and marks it as used.
    pub fn read(&self, hash: u64, key: &[u8]) -> Option<Seen<V>> {
        self.see(hash, key, self.ordered)
    }

    fn see(&self, hash: u64, key: &[u8], touch: bool) -> Option<Seen<V>> {
        let table = self.shard(hash).read();
        let slot = self.live(table.find(hash, |slot| slot.key.as_bytes() == key))?;
        if touch {
            self.store.stamps().touch(&slot.stamp);
        }
        let (held, expiry, lead) = (slot.held.take_along(), slot.expiry(), slot.lead());
        drop(table);
        Some(Seen { value: held.into_value(), expiry, lead })
    }

    /// The keys of the live entries that begin with `prefix`. Costs what the region holds.
    pub fn keys(&self, prefix: &[u8]) -> Vec<KeyBox> {
        let mut keys = Vec::new();
        for shard in &self.shards {
            let table = shard.0.read();
            let begin = table.iter().filter(|slot| slot.key.as_bytes().starts_with(prefix));
            keys.extend(begin.filter_map(|slot| self.live(Some(slot))).map(|slot| slot.key.clone()));
        }
        keys
    }

    /// An entry's labels and expiry, if it is alive.
    pub fn describe(&self, hash: u64, key: &[u8]) -> Option<(Vec<Label>, u64)> {
        let table = self.shard(hash).read();
        let slot = self.live(table.find(hash, |slot| slot.key.as_bytes() == key))?;
        Some((slot.labels().to_vec(), slot.expiry()))
    }

    /// How long ago a live entry was stored.
    pub fn age(&self, hash: u64, key: &[u8]) -> Option<Duration> {
        let table = self.shard(hash).read();
        let slot = self.live(table.find(hash, |slot| slot.key.as_bytes() == key))?;
        Some(self.clock.since(slot.born))
    }

    fn live<'s>(&self, slot: Option<&'s Slot<V>>) -> Option<&'s Slot<V>> {
        slot.filter(|slot| !self.clock.expired(slot.gone()))
    }

    /// Gives a live entry another expiry. Whether there was one.
    pub fn set_deadline(&self, hash: u64, key: &[u8], deadline: u64) -> bool {
        self.change_deadline(hash, key, |_| deadline)
    }

    /// Gives a live entry this expiry if it is the earlier one. Whether there was one.
    pub fn shorten(&self, hash: u64, key: &[u8], deadline: u64) -> bool {
        self.change_deadline(hash, key, |present| present.min(deadline))
    }

    fn change_deadline(&self, hash: u64, key: &[u8], change: impl FnOnce(u64) -> u64) -> bool {
        let at = {
            let mut table = self.shard(hash).write();
            let Some(slot) = table.find_mut(hash, |slot| slot.key.as_bytes() == key) else {
                return false;
            };
            // What is past its time does not come back.
            if self.clock.expired(slot.expiry()) {
                return false;
            }
            let (before, expiry) = (slot.gone(), change(slot.expiry()));
            slot.expire_at(expiry);
            let sooner = slot.gone() < before;
            sooner.then_some((slot.gone(), slot.at()))
        };
        // A later deadline is found out when the record of the earlier one is met.
        if let Some((gone, at)) = at {
            self.store.expires(gone, at);
        }
        true
    }

    /// Removes an entry whose time is over. Does nothing if a live one has taken its place.
    pub fn expire(&self, hash: u64, key: &[u8]) {
        let is_over = |slot: &Slot<V>| slot.key.as_bytes() == key && self.clock.expired(slot.gone());
        if let Some(slot) = self.take(hash, is_over) {
            self.finish(slot, Cause::Expired);
        }
    }

    /// Stores an entry, unless a bound forbids it, or its ticket, which was taken before the value was computed.
    pub fn fill(&self, fill: Fill, ticket: &Ticket<P>, value: V) -> Placed {
        let Fill { hash, key, born, deadline: expiry, aging, labels, inert } = fill;
        let weight = self.store.weigh(key.as_bytes(), || &value as &dyn Any, size_of::<V>());
        if self.store.is_too_heavy(weight) {
            drop_contained(value);
            return Placed::Full;
        }
        let at = Locator { hash, serial: ticket.serial() };
        // The index first: whoever evicts a label finds the entry, or has marked its ticket.
        let labels = labels.map(|labels| {
            let place = labels.register(at);
            (labels, place)
        });
        let slot = Slot {
            key,
            held: Held::new(value, inert),
            deadline: aging.map_or(expiry, |aging| aging.deadline(expiry)),
            born,
            stamp: AtomicU64::new(0),
            serial: at.serial,
            hash,
            marks: Marks::new(labels, aging.map(|aging| (aging, expiry)), weight),
        };
        let gone = slot.gone();
        // Kept for a bound of its groups, if they have one.
        let bounded = slot.listed().filter(|(labels, _)| labels.is_bounded());
        let bounded = bounded.map(|(labels, place)| (labels.clone(), place));
        let mut slot = Some(slot);
        let mut placed = self.place(&mut slot, ticket);
        if let Err(Placed::Full) = placed {
            // Entries whose time is over do not count against a bound.
            self.store.sweep(usize::MAX);
            placed = self.place(&mut slot, ticket);
        }
        // What another has taken the place of, or what is not stored.
        if let Some(old) = slot {
            old.strike();
            drop_contained(old);
        }
        let stamp = match placed {
            Ok(stamp) => stamp,
            Err(why) => return why,
        };
        if let Some((labels, place)) = bounded {
            self.store.entered_groups(&labels, place, stamp, at);
        }
        self.store.entered(&Entered { at, stamp, deadline: gone, now: born }, self);
        Placed::Stored
    }

    /// Removes an entry by its key, and fences off the fills that have begun. Whether it was alive.
    pub fn evict(&self, hash: u64, key: &[u8], cause: Cause) -> bool {
        self.fence_off(hash);
        match self.take(hash, |slot| slot.key.as_bytes() == key) {
            Some(slot) => self.finish(slot, cause),
            None => false,
        }
    }

    /// Removes an entry whose computation began before `ticket` was taken; fences nothing off.
    pub fn retract(&self, hash: u64, key: &[u8], ticket: &Ticket<P>) {
        let is_older = |slot: &Slot<V>| slot.key.as_bytes() == key && slot.serial < ticket.serial();
        if let Some(slot) = self.take(hash, is_older) {
            self.finish(slot, Cause::Evicted);
        }
    }

    /// Removes the entry that was stored with this ticket, if no other has taken its place; fences nothing off.
    pub fn withdraw(&self, hash: u64, ticket: &Ticket<P>) {
        if let Some(slot) = self.take(hash, |slot| slot.serial == ticket.serial()) {
            self.finish(slot, Cause::Evicted);
        }
    }

    /// Removes all entries, and fences off the fills that have begun. How many were alive. Costs what
    /// the region holds.
    pub fn evict_all(&self, cause: Cause) -> u64 {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.drain(cause)
    }

    /// How many entries there are, counting those whose time is over and that are not removed yet.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.0.read().len()).sum()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slow way, for two keys with one hash.
    #[cold]
    #[inline(never)]
    fn find_among_equal_hashes<'t, Q: Query>(
        table: &'t HashTable<Slot<V>>,
        hash: u64,
        query: &Q,
    ) -> Option<&'t Slot<V>> {
        table.find(hash, |slot| query.matches(slot.key.as_bytes()))
    }

    #[inline]
    fn shard(&self, hash: u64) -> &RwLock<HashTable<Slot<V>>> {
        // The number of shards is a power of two; the table itself uses the lowest and the highest bits.
        let index = (hash >> 40) as usize & (self.shards.len() - 1);
        &self.shards[index].0
    }

    /// Puts the slot into its table, and what it replaces in its stead: its stamp, or why not.
    fn place(&self, new: &mut Option<Slot<V>>, ticket: &Ticket<P>) -> Result<u64, Placed> {
        let Some(slot) = new else { return Err(Placed::Full) };
        let hash = slot.hash;
        let mut table = self.shard(hash).write();
        if !self.is_current(ticket) {
            return Err(Placed::Fenced);
        }
        if let Some(old) = table.find_mut(hash, |old| old.hash == hash && old.key == slot.key) {
            if old.serial > slot.serial && !self.clock.expired(old.gone()) {
                return Err(Placed::Superseded);
            }
            self.store.replaced(old.weight(), slot.weight());
            let stamp = self.store.stamps().replacement(&old.stamp);
            slot.stamp.store(stamp, Ordering::Relaxed);
            mem::swap(old, slot);
            return Ok(stamp);
        }
        if !self.store.reserve(slot.weight()) {
            return Err(Placed::Full);
        }
        let stamp = self.store.stamps().insertion();
        slot.stamp.store(stamp, Ordering::Relaxed);
        if table.len() == table.capacity() {
            Self::make_room(&mut table);
        }
        if let Some(slot) = new.take() {
            table.insert_unique(hash, slot, |slot| slot.hash);
        }
        Ok(stamp)
    }

    /// Where a table has no room because of those that have left, it is made anew instead of twice as large.
    #[cold]
    fn make_room(table: &mut HashTable<Slot<V>>) {
        let most = table.num_buckets() / 8 * 7;
        if most.saturating_sub(table.len()) < table.len() / 8 {
            return;
        }
        let mut fresh = HashTable::with_capacity(most);
        for slot in table.drain() {
            fresh.insert_unique(slot.hash, slot, |slot| slot.hash);
        }
        *table = fresh;
    }

    fn take(&self, hash: u64, is_it: impl Fn(&Slot<V>) -> bool) -> Option<Slot<V>> {
        let mut table = self.shard(hash).write();
        let (slot, _) = table.find_entry(hash, is_it).ok()?.remove();
        self.store.left(1, slot.weight());
        Some(slot)
    }

    /// Does what follows a removal, outside of any lock. Whether the entry was alive.
    fn finish(&self, slot: Slot<V>, cause: Cause) -> bool {
        let alive = cause != Cause::Expired && !self.clock.expired(slot.gone());
        let cause = if alive { cause } else { Cause::Expired };
        slot.strike();
        let told = catch_unwind(AssertUnwindSafe(|| {
            self.listener.removed(slot.key.as_bytes(), slot.labels(), cause);
        }));
        if told.is_err() {
            tracing::error!(?cause, "a listener panicked while it was told of a removal");
        }
        drop_contained(slot);
        alive
    }
}

impl<V, P> std::fmt::Debug for Region<V, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Region").field("id", &self.id).finish_non_exhaustive()
    }
}
