//! One function's entries: probe, fill and removal.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::aging::{Aging, Marks, Seen};
use super::fence::Ticket;
use super::labels::Label;
use super::ledger::Locator;
use super::recency::Stamps;
use super::slot::{Entry, Extra, Facts, Held, Slot, View, drop_contained, expire_at};
use super::store::{Listener, RegionId, Store};
use super::table::Table;
use super::{Cause, KeyBox};
use crate::Clock;
use crate::sync::{AtomicU64, BiasedLock, Ordering};

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
    /// When it expires, a reading of the store's clock.
    pub deadline: u64,
    /// How it is used around its expiry, if it is.
    pub aging: Option<Aging>,
    /// The groups that it can be evicted by.
    pub labels: Option<Arc<[Label]>>,
    /// Taken before the value was computed.
    pub ticket: Ticket,
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
struct Shard<V>(BiasedLock<Table<V>>);

/// Entries whose values are of type `V`.
pub struct Region<V> {
    shards: Vec<Shard<V>>,
    clock: Clock,
    ordered: bool,
    store: Arc<Store>,
    listener: Arc<dyn Listener>,
    id: RegionId,
    epoch: AtomicU64,
}

/// What the store can do with a region without knowing its type.
pub(super) trait AnyRegion: Send + Sync {
    fn last_used(&self, at: &Locator) -> Option<u64>;
    /// The entry's stamp; of the uses in it, so many are forgotten.
    fn uses(&self, at: &Locator, forget: u64) -> Option<u64>;
    /// When the entry is not there any more.
    fn deadline(&self, at: &Locator) -> Option<u64>;
    /// Removes the entry if it is still there; whether it was alive.
    fn evict_at(&self, at: &Locator, cause: Cause) -> Option<bool>;
    /// Removes the entry if its time is over; its deadline, if it is still there and alive.
    fn expire_at(&self, at: &Locator) -> Option<u64>;
    fn drain(&self, cause: Cause) -> u64;
}

impl<V: Clone + Send + Sync + 'static> Region<V> {
    /// Opens an empty region of the store. `listener` is told of every entry that leaves.
    #[must_use]
    pub fn open(store: &Arc<Store>, listener: Arc<dyn Listener>) -> Arc<Self> {
        let mut shards = Vec::new();
        for _ in 0..store.shards() {
            shards.push(Shard(BiasedLock::new(Table::default())));
        }
        store.enrol(|id| {
            Arc::new(Self {
                shards,
                clock: store.clock().clone(),
                ordered: store.is_ordered(),
                store: Arc::clone(store),
                listener,
                id,
                epoch: AtomicU64::new(0),
            })
        })
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
    pub fn peek(&self, hash: u64, key: &[u8]) -> Option<Seen<V>> {
        self.see(hash, key, false)
    }

    /// The same, and marks it as used.
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
    pub fn keys(&self, prefix: &[u8]) -> Vec<KeyBox> {
        let mut keys = Vec::new();
        for shard in &self.shards {
            let table = shard.0.read();
            let begin = table.iter().filter(|slot| slot.key().starts_with(prefix));
            keys.extend(begin.filter_map(|slot| self.live(Some(slot))).map(|slot| slot.entry.key.clone()));
        }
        keys
    }

    /// An entry's labels and expiry, if it is alive.
    pub fn describe(&self, hash: u64, key: &[u8]) -> Option<(Vec<Label>, u64)> {
        let table = self.shard(hash).read();
        let slot = self.live(Self::with_key(&table, hash, key))?;
        Some((slot.facts.labels().to_vec(), slot.expiry()))
    }

    /// How long ago a live entry was stored.
    pub fn age(&self, hash: u64, key: &[u8]) -> Option<Duration> {
        let table = self.shard(hash).read();
        let slot = self.live(Self::with_key(&table, hash, key))?;
        Some(self.clock.since(slot.facts.born))
    }

    fn live<'s>(&self, slot: Option<View<'s, V>>) -> Option<View<'s, V>> {
        slot.filter(|slot| !self.clock.expired(slot.gone()))
    }

    /// Gives a live entry another expiry. Whether there was one.
    pub fn set_deadline(&self, hash: u64, key: &[u8], deadline: u64) -> bool {
        self.change_deadline(hash, key, &|_| deadline)
    }

    /// Gives a live entry this expiry if it is the earlier one. Whether there was one.
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
            (gone < before).then_some((gone, Locator { serial: facts.serial, hash, region: self.id }))
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

    /// Takes a ticket for a fill of this key. To be called before the computation begins.
    pub fn ticket(&self, hash: u64, labels: &[Label]) -> Ticket {
        self.numbered(self.store.fences().next_serial(), hash, labels)
    }

    /// The ticket of the same fill, as if it had been taken now: for a value that was there before it, and
    /// comes after the evictions since.
    #[must_use]
    pub fn renew(&self, ticket: &Ticket, hash: u64, labels: &[Label]) -> Ticket {
        self.numbered(ticket.serial(), hash, labels)
    }

    fn numbered(&self, serial: u64, hash: u64, labels: &[Label]) -> Ticket {
        numbered(&self.store, serial, self.own(hash), labels, &self.epoch)
    }

    /// Fills of the key that have begun are not stored.
    pub fn fence_off(&self, hash: u64) {
        self.store.fences().mark(self.own(hash));
    }

    /// Whether no eviction that concerns the ticket's fill has begun since it was taken.
    pub fn is_current(&self, ticket: &Ticket) -> bool {
        ticket.is_current(self.epoch.load(Ordering::SeqCst))
    }

    /// Stores an entry, unless its ticket or a bound forbids it.
    pub fn fill(&self, fill: Fill, value: V) -> Placed {
        let Fill { hash, key, deadline: expiry, aging, labels, ticket, inert } = fill;
        let at = Locator { serial: ticket.serial(), hash, region: self.id };
        let weight = self.store.weigh(key.as_bytes(), || &value as &dyn Any, size_of::<V>());
        if self.store.is_too_heavy(weight) {
            drop_contained(value);
            return Placed::Full;
        }
        let has_extra = labels.is_some() || aging.is_some() || weight > 0;
        let marks = || Marks::new(labels.clone(), expiry, aging);
        let extra = has_extra.then(|| Box::new(Extra { marks: marks(), weight }));
        let deadline = aging.map_or(expiry, |aging| aging.deadline(expiry));
        let labels = labels.as_deref().unwrap_or_default();
        let held = Held::new(value, inert);
        let stamp = AtomicU64::new(0);
        let (born, serial) = (self.clock.now(), ticket.serial());
        let entry = Entry { key, held, deadline, stamp };
        let slot = Slot { entry, facts: Facts { born, serial, hash, extra } };
        let gone = slot.view().gone();

        // The index first: whoever evicts a label finds the entry, or has marked its ticket.
        self.store.labels().register(labels, at);
        let mut placed = self.place(slot, &ticket);
        if let Err((Placed::Full, slot)) = placed {
            // Entries whose time is over do not count against a bound.
            self.store.sweep(usize::MAX);
            placed = self.place(slot, &ticket);
        }
        match placed {
            Ok((stamp, replaced)) => {
                if let Some(old) = replaced {
                    self.store.labels().strike(old.facts.labels(), old.facts.serial);
                    drop_contained(old);
                }
                self.store.entered_groups(at, stamp, labels);
                self.store.entered(at, stamp, gone);
                Placed::Stored
            }
            Err((why, slot)) => {
                self.store.labels().strike(labels, ticket.serial());
                drop_contained(slot);
                why
            }
        }
    }

    /// Removes an entry by its key, and fences off the fills that have begun. Whether it was alive.
    pub fn evict(&self, hash: u64, key: &[u8], cause: Cause) -> bool {
        self.fence_off(hash);
        match self.take(hash, &|slot| slot.key() == key) {
            Some(slot) => self.finish(slot, cause),
            None => false,
        }
    }

    /// Removes an entry whose computation began before `ticket` was taken; fences nothing off.
    pub fn retract(&self, hash: u64, key: &[u8], ticket: &Ticket) {
        let is_older = |slot: View<'_, V>| slot.key() == key && slot.facts.serial < ticket.serial();
        if let Some(slot) = self.take(hash, &is_older) {
            self.finish(slot, Cause::Evicted);
        }
    }

    /// Removes the entry that was stored with this ticket, if no other has taken its place; fences nothing off.
    pub fn withdraw(&self, hash: u64, ticket: &Ticket) {
        if let Some(slot) = self.take(hash, &|slot| slot.facts.serial == ticket.serial()) {
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
        let mut len = 0;
        for shard in &self.shards {
            len += shard.0.read().len();
        }
        len
    }

    /// Whether there is no entry.
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
        &self.shards[index].0
    }

    /// The key's hash among those of all regions.
    fn own(&self, hash: u64) -> u64 {
        hash ^ u64::from(self.id.0).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// Puts the slot into its table: its stamp and the slot that it replaced, or why not.
    #[expect(clippy::type_complexity, reason = "one private use; the slot comes back for a retry")]
    fn place(&self, slot: Slot<V>, ticket: &Ticket) -> Result<(u64, Option<Slot<V>>), (Placed, Slot<V>)> {
        let hash = slot.facts.hash;
        let mut table = self.shard(hash).write();
        if !self.is_current(ticket) {
            return Err((Placed::Fenced, slot));
        }
        if let Some((entry, facts)) = table.find_mut(hash, &|old| old.entry.key == slot.entry.key) {
            let old = View { entry, facts };
            if old.facts.serial > slot.facts.serial && !self.clock.expired(old.gone()) {
                return Err((Placed::Superseded, slot));
            }
            self.store.replaced(old.facts.weight(), slot.facts.weight());
            let stamp = self.store.stamps().replacement(&old.entry.stamp);
            slot.entry.stamp.store(stamp, Ordering::Relaxed);
            let old = Slot { entry: mem::replace(entry, slot.entry), facts: mem::replace(facts, slot.facts) };
            return Ok((stamp, Some(old)));
        }
        if !self.store.reserve(slot.facts.weight()) {
            return Err((Placed::Full, slot));
        }
        let stamp = self.store.stamps().insertion();
        slot.entry.stamp.store(stamp, Ordering::Relaxed);
        table.insert(slot);
        Ok((stamp, None))
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
        self.store.labels().strike(slot.facts.labels(), slot.facts.serial);
        tell(&*self.listener, slot.entry.key.as_bytes(), slot.facts.labels(), cause);
        drop_contained(slot);
        alive
    }
}

// What follows depends on no type, so that it is compiled once and not for each.

fn numbered(store: &Store, serial: u64, own: u64, labels: &[Label], epoch: &AtomicU64) -> Ticket {
    let labelled = labels.iter().map(|label| store.labels().hash(label));
    store.fences().ticket(serial, labelled.chain([own]), epoch)
}

fn tell(listener: &dyn Listener, key: &[u8], labels: &[Label], cause: Cause) {
    if catch_unwind(AssertUnwindSafe(|| listener.removed(key, labels, cause))).is_err() {
        tracing::error!(?cause, "a listener panicked while it was told of a removal");
    }
}

impl<V: Clone + Send + Sync + 'static> AnyRegion for Region<V> {
    fn last_used(&self, at: &Locator) -> Option<u64> {
        let table = self.shard(at.hash).read();
        Self::at(&table, at).map(View::last_used)
    }

    fn uses(&self, at: &Locator, forget: u64) -> Option<u64> {
        let table = self.shard(at.hash).read();
        let slot = Self::at(&table, at)?;
        Some(Stamps::forget_uses(&slot.entry.stamp, forget))
    }

    fn deadline(&self, at: &Locator) -> Option<u64> {
        let table = self.shard(at.hash).read();
        Self::at(&table, at).map(View::gone)
    }

    fn evict_at(&self, at: &Locator, cause: Cause) -> Option<bool> {
        let slot = self.take(at.hash, &|slot| slot.facts.serial == at.serial)?;
        Some(self.finish(slot, cause))
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
            let table = {
                let mut table = shard.0.write();
                let mut weight = 0;
                for slot in table.iter() {
                    weight += slot.facts.weight();
                }
                self.store.left(table.len(), weight);
                mem::take(&mut *table)
            };
            for slot in table.into_slots() {
                alive += u64::from(self.finish(slot, cause));
            }
        }
        alive
    }
}

impl<V> std::fmt::Debug for Region<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Region").field("id", &self.id).finish_non_exhaustive()
    }
}
