//! One function's entries: probe; fill and removal in its folder.
//!
//! A region is compiled in two parts. What a hit does knows the type of the values, and is compiled for each. All
//! else works on a region [of any type](AnyRegion), which is compiled once: it reaches values by way of
//! [`AnyShards`], [`AnyLines`](super::table::AnyLines) and [`AnyHand`], whose few methods are compiled for each type,
//! as is what hands a new value over.

mod fill;
mod removal;
mod shards;
mod store;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::KeyBox;
use super::aging::Seen;
use super::fence::{Fences, Ticket, Tickets};
use super::labels::{Label, LabelSet};
use super::slot::{View, expire_at};
use super::store::{Listener, RegionId, Store};
use super::table::Table;
use super::value::AnyValue;
use crate::Clock;
use crate::sync::BiasedLock;
pub use fill::{Fill, Filling, Placed};
use shards::{AnyShards, Shards};

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
    Absent(Version),
}

/// What had been written of a region when an entry was not there: see [`AnyRegion::is_as_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(u64);

impl Version {
    /// What no region is as of.
    pub const NONE: Self = Self(u64::MAX);

    /// That of the shard of a region which has been written so often, in fewer than 48 bits.
    fn of(region: RegionId, writes: u64) -> Self {
        Self((writes << u16::BITS) | u64::from(region.0))
    }
}

/// The entries of one function, with what holds them last: a [`Region`] or, where the type of their values is not
/// known, an [`AnyRegion`].
pub struct RegionOf<S: ?Sized> {
    base: Base,
    shards: S,
}

/// What a region has, whatever the type of its values.
struct Base {
    clock: Clock,
    ordered: bool,
    store: Arc<Store>,
    listener: Arc<dyn Listener>,
    id: RegionId,
    fences: Arc<dyn Fences>,
}

/// Entries whose values are of type `V`, which are cloned under a lock: a type whose `clone` runs code of the user's
/// has to stand behind a pointer, as an [`AnyValue`].
pub type Region<V> = RegionOf<Shards<V>>;

/// Entries whose values are of any type.
pub type AnyRegion = RegionOf<dyn AnyShards>;

/// A region that has been opened.
pub struct Opened<P> {
    /// The region, for who does not know the type of its values.
    pub region: Arc<AnyRegion>,
    /// The same, a [`Region`], for who does.
    pub typed: Arc<dyn Any + Send + Sync>,
    /// The tickets of its fills, which can carry a `P`.
    pub tickets: Arc<Tickets<P>>,
}

/// A region of some type of values: what becomes of its pointer is compiled once.
trait Typed: Any + Send + Sync {
    fn untyped(self: Arc<Self>) -> Arc<AnyRegion>;
}

impl<V: Clone + Send + Sync + 'static> Typed for Region<V> {
    fn untyped(self: Arc<Self>) -> Arc<AnyRegion> {
        self
    }
}

/// The region of values of type `V` that has this base.
fn furnish<V: Clone + Send + Sync + 'static>(base: Base) -> Arc<dyn Typed> {
    let shards = Shards::<V>::new(base.store.shards());
    Arc::new(RegionOf { base, shards })
}

impl<V: Clone + Send + Sync + 'static> Region<V> {
    /// Opens an empty region of the store, with the tickets of its fills, which can carry a `P`. `listener` is told of
    /// every entry that leaves.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "it is opened for values of this type"
    )]
    pub fn open<P: Send + Sync + 'static>(
        store: &Arc<Store>,
        listener: Arc<dyn Listener>,
    ) -> (Arc<Self>, Arc<Tickets<P>>) {
        let Opened { typed, tickets, .. } = AnyRegion::open::<V, P>(store, listener);
        let region = typed.downcast().expect("a region of this type");
        (region, tickets)
    }

    /// Looks an entry up and marks it as used. `O(1)`, without an allocation, and without a lock
    /// but for a shared one for a while after a write to its shard.
    #[inline]
    pub fn get<Q: Query>(&self, hash: u64, query: &Q) -> Found<V> {
        let shard = self.shards.of(hash);
        let table = shard.read();
        let Some(entry) = table.get(hash, |stored| stored.key.is(query)) else {
            return Found::Absent(Version::of(self.base.id, shard.writes()));
        };
        if self.base.clock.expired(entry.head.deadline) {
            return Found::Expired;
        }
        if self.base.ordered {
            self.base.store.stamps().touch(&entry.head.stamp);
        }
        Found::Hit(entry.value.clone())
    }

    /// Stores an entry, unless a bound forbids it, or its ticket, which was taken before the value was computed.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the value is of the region's type")]
    pub fn fill<P: Send + Sync>(&self, fill: Fill, ticket: &Ticket<P>, value: V) -> Placed {
        let mut filling = self.filling(fill, ticket);
        filling.store(value);
        filling.placed().expect("it was of the region's type")
    }

    /// A [`peek`](AnyRegion::peek) with the value itself.
    #[must_use]
    pub fn peek(&self, hash: u64, key: &[u8]) -> Option<Seen<V>> {
        self.see_typed(hash, key, false)
    }

    /// A [`read`](AnyRegion::read) with the value itself.
    #[must_use]
    pub fn read(&self, hash: u64, key: &[u8]) -> Option<Seen<V>> {
        self.see_typed(hash, key, self.base.ordered)
    }

    fn see_typed(&self, hash: u64, key: &[u8], touch: bool) -> Option<Seen<V>> {
        let table = self.shards.of(hash).read();
        let (number, slot) = self.look(&*table, hash, key, touch)?;
        Some(slot.with(table.value(number)?.clone()))
    }
}

impl<V: Clone + Send + Sync + 'static> Deref for Region<V> {
    type Target = AnyRegion;

    #[inline]
    fn deref(&self) -> &AnyRegion {
        self
    }
}

impl AnyRegion {
    /// Opens a region as [`Region::open`] does.
    #[must_use]
    pub fn open<V: Clone + Send + Sync + 'static, P: Send + Sync + 'static>(
        store: &Arc<Store>,
        listener: Arc<dyn Listener>,
    ) -> Opened<P> {
        Self::opened(store, listener, furnish::<V>)
    }

    fn opened<P: Send + Sync + 'static>(
        store: &Arc<Store>,
        listener: Arc<dyn Listener>,
        furnish: fn(Base) -> Arc<dyn Typed>,
    ) -> Opened<P> {
        let mut regions = store.regions();
        let id = regions.next_id();
        let tickets = Tickets::new(store, id);
        let typed = furnish(Base {
            clock: store.clock().clone(),
            ordered: store.is_ordered(),
            store: Arc::clone(store),
            listener,
            id,
            fences: Arc::clone(&tickets) as _,
        });
        let region = Arc::clone(&typed).untyped();
        regions.add(&region);
        Opened { region, typed, tickets }
    }

    /// Says so in the log, once a store, if it was opened when no number was left. Who listens can be code of the
    /// user's: to be called outside of any lock.
    pub fn warn_if_it_keeps_nothing(&self) {
        if self.base.id == RegionId::NONE {
            self.base.store.is_out_of_numbers();
        }
    }

    /// The set of these labels, for entries of this region's store; `None` where there are none.
    #[must_use]
    pub fn labelled(&self, labels: &[Label]) -> Option<LabelSet> {
        self.base.store.labelled(labels)
    }

    /// Looks an entry up without marking it as used, if it is there: also past its expiry, within its grace.
    #[must_use]
    pub fn peek(&self, hash: u64, key: &[u8]) -> Option<Seen<AnyValue>> {
        self.see(hash, key, false)
    }

    /// The same, and marks it as used.
    #[must_use]
    pub fn read(&self, hash: u64, key: &[u8]) -> Option<Seen<AnyValue>> {
        self.see(hash, key, self.base.ordered)
    }

    fn see(&self, hash: u64, key: &[u8], touch: bool) -> Option<Seen<AnyValue>> {
        let table = self.shard(hash).read();
        let (number, slot) = self.look(&table, hash, key, touch)?;
        Some(slot.with(table.copy(number)?))
    }

    /// The entry with this key, and its number, if it is there; it is marked as used, if that is wanted.
    fn look<'t>(&self, table: &'t Table, hash: u64, key: &[u8], touch: bool) -> Option<(u32, View<'t>)> {
        let (number, slot) = self.with_key(table, hash, key)?;
        if touch {
            self.base.store.stamps().touch(&slot.head.stamp);
        }
        Some((number, slot))
    }

    /// Whether nothing has been written since to where an entry with this hash would be: it is still not there, as
    /// far as what has happened before is concerned. Takes no lock.
    #[must_use]
    pub fn is_as_of(&self, hash: u64, version: Version) -> bool {
        version == Version::of(self.base.id, self.shard(hash).writes())
    }

    /// The keys of the live entries that begin with `prefix`. Costs what the region holds.
    #[must_use]
    pub fn keys(&self, prefix: &[u8]) -> Vec<KeyBox> {
        let mut keys = Vec::new();
        for index in 0..self.shards.count() {
            let table = self.shards.shard(index).read();
            let begin = table.iter().filter(|slot| slot.key().starts_with(prefix) && self.is_there(*slot));
            keys.extend(begin.map(|slot| slot.head.key.clone()));
        }
        keys
    }

    /// An entry's labels and expiry, if it is alive.
    #[must_use]
    pub fn describe(&self, hash: u64, key: &[u8]) -> Option<(Vec<Label>, u64)> {
        let table = self.shard(hash).read();
        let (_, slot) = self.with_key(&table, hash, key)?;
        Some((slot.facts.labels().to_vec(), slot.expiry()))
    }

    /// For how long past its expiry a live entry has a use, whether or not it is kept here for that.
    #[must_use]
    pub fn grace(&self, hash: u64, key: &[u8]) -> Option<Duration> {
        let table = self.shard(hash).read();
        let (_, slot) = self.with_key(&table, hash, key)?;
        Some(Duration::from_nanos(slot.grace()))
    }

    /// How long ago a live entry was stored.
    #[must_use]
    pub fn age(&self, hash: u64, key: &[u8]) -> Option<Duration> {
        let table = self.shard(hash).read();
        let (_, slot) = self.with_key(&table, hash, key)?;
        Some(self.base.clock.since(slot.facts.born))
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
            let Some((head, facts)) = table.find_mut(hash, &|slot| slot.key() == key) else { return false };
            let slot = View { head, facts };
            // What is past its time does not come back.
            if self.base.clock.expired(slot.expiry()) {
                return false;
            }
            let (before, expiry) = (slot.gone(), change(slot.expiry()));
            expire_at(head, facts, expiry);
            let gone = View { head, facts }.gone();
            (gone < before).then_some((gone, facts.at()))
        };
        // A later deadline is found out when the record of the earlier one is met.
        if let Some((gone, at)) = at {
            self.base.store.expires(gone, at);
        }
        true
    }

    /// How many entries there are, counting those whose time is over and that are not removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        (0..self.shards.count()).map(|index| self.shards.shard(index).read().len()).sum()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, hash: u64) -> &BiasedLock<Table> {
        self.shards.shard(shards::index(hash, self.shards.count()))
    }

    /// The entry with this key, and its number, if it is there.
    fn with_key<'t>(&self, table: &'t Table, hash: u64, key: &[u8]) -> Option<(u32, View<'t>)> {
        let number = table.number(hash, &|slot| slot.key() == key)?;
        Some((number, table.view(number).filter(|slot| self.is_there(*slot))?))
    }

    fn is_there(&self, slot: View<'_>) -> bool {
        !self.base.clock.expired(slot.gone())
    }
}

impl<S: ?Sized> std::fmt::Debug for RegionOf<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Region").field("id", &self.base.id).finish_non_exhaustive()
    }
}
