//! Fences: which fills began before an eviction, so that their results are not stored after it.
//!
//! A fill takes a ticket before it computes. While the ticket lives it is registered under the hash of its key;
//! an eviction of the key marks the tickets that are registered under it. So there is nothing to keep for a key
//! that no fill is under way for, and evicting one touches the fills of no other. A ticket also takes down what
//! the evictions of its [label set](super::labels) were at, of its region, and of the store: those move on.
//!
//! What is registered is what is under way: a ticket can carry what others need who want the same value, and
//! whoever takes one learns of it under the same lock.

use std::fmt;
use std::sync::atomic::AtomicU64 as Count;
use std::sync::{Arc, Weak};

use crossbeam_utils::CachePadded;
use hashbrown::HashTable;

use super::labels::LabelSet;
use super::ledger::Locator;
use super::store::{RegionId, Store};
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering};

const SHARDS: usize = 16;

/// How many [`Tickets`] there have been.
static OPENED: Count = Count::new(0);

/// What a fill takes before its computation begins, and shows when it wants to store the result. It can carry a
/// `P`, for those who want the same value.
pub struct Ticket<P = ()>(Arc<Taken<P>>);

/// See [`Ticket::number`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketNumber {
    /// Whose it is: serials are those of one store.
    tickets: u64,
    serial: u64,
}

struct Taken<P> {
    serial: u64,
    hash: u64,
    /// The epochs of the store and of the region, and how often the labels had been evicted.
    epochs: (u64, u64, u64),
    labels: Option<LabelSet>,
    marked: AtomicBool,
    /// Whether it is registered.
    watched: AtomicBool,
    tickets: Arc<Tickets<P>>,
    carried: Option<P>,
}

impl<P> Ticket<P> {
    /// The number of the fill: later ones began later.
    pub(super) fn serial(&self) -> u64 {
        self.0.serial
    }

    /// What evictions of it concern its fill.
    #[must_use]
    pub fn labels(&self) -> Option<&LabelSet> {
        self.0.labels.as_ref()
    }

    /// What it carries.
    #[must_use]
    pub fn carried(&self) -> Option<&P> {
        self.0.carried.as_ref()
    }

    /// What no ticket of another fill has, in any store of this process, and none will have.
    #[must_use]
    pub fn number(&self) -> TicketNumber {
        TicketNumber { tickets: self.0.tickets.number, serial: self.0.serial }
    }

    /// Whether no eviction that concerns its fill has begun since it was taken.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let evicted = self.0.labels.as_ref().map_or(0, LabelSet::evicted);
        let (all, region) = self.0.tickets.epochs();
        !self.0.marked.load(Ordering::SeqCst) && self.0.epochs == (all, region, evicted)
    }

    fn will_do(&self, will_do: impl Fn(&P) -> bool) -> bool {
        self.carried().is_some_and(will_do) && self.is_current()
    }
}

/// A ticket, whatever it carries.
pub(super) trait AnyTicket: Send + Sync {
    fn serial(&self) -> u64;
    fn is_current(&self) -> bool;
}

impl<P: Send + Sync> AnyTicket for Ticket<P> {
    fn serial(&self) -> u64 {
        self.serial()
    }

    fn is_current(&self) -> bool {
        self.is_current()
    }
}

impl<P> Clone for Ticket<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> fmt::Debug for Ticket<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ticket").field(&self.0.serial).finish()
    }
}

impl<P> Drop for Taken<P> {
    fn drop(&mut self) {
        if self.watched.load(Ordering::Relaxed) {
            self.tickets.watched(self.hash).lock().strike(self.hash, self.serial);
        }
    }
}

/// A ticket that is registered.
struct Watch<P> {
    hash: u64,
    serial: u64,
    taken: Weak<Taken<P>>,
}

struct Watched<P>(HashTable<Watch<P>>);

impl<P> Watched<P> {
    fn under(&self, hash: u64) -> impl Iterator<Item = Arc<Taken<P>>> {
        let same = self.0.iter_hash(hash).filter(move |watch| watch.hash == hash);
        same.filter_map(|watch| watch.taken.upgrade())
    }

    fn strike(&mut self, hash: u64, serial: u64) {
        if let Ok(watch) = self.0.find_entry(hash, |watch| watch.serial == serial) {
            watch.remove();
        }
    }
}

/// The tickets of the fills of one [`Region`](super::Region).
// Each ticket has a handle: the count of them stands on another line than what is read.
#[repr(align(128))]
pub struct Tickets<P = ()> {
    store: Arc<Store>,
    region: RegionId,
    /// No other tickets of this process have it.
    number: u64,
    /// How often all entries of the region have been evicted.
    epoch: AtomicU64,
    shards: [CachePadded<Mutex<Watched<P>>>; SHARDS],
}

/// What evictions need of the tickets of a region, whatever they carry.
pub(super) trait Fences: Send + Sync {
    /// Fills of the key with this hash that have begun are not stored.
    fn fence_off(&self, hash: u64);
    /// No fill of the region that has begun is stored.
    fn fence_all_off(&self);
}

/// Whether a ticket was taken.
#[derive(Debug)]
pub enum Taking<P> {
    /// Here it is.
    Taken(Ticket<P>),
    /// There is one already that will do.
    There(Ticket<P>),
}

impl<P> Tickets<P> {
    pub(super) fn new(store: &Arc<Store>, region: RegionId) -> Arc<Self> {
        let shards = std::array::from_fn(|_| Mutex::new(Watched(HashTable::new())).into());
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { store: Arc::clone(store), region, number, epoch: AtomicU64::new(0), shards })
    }

    fn watched(&self, hash: u64) -> &Mutex<Watched<P>> {
        // The highest bits choose the shard, the map uses the others.
        &self.shards[usize::try_from(hash >> 60).unwrap_or_default() % SHARDS]
    }

    fn epochs(&self) -> (u64, u64) {
        (self.store.epoch(), self.epoch.load(Ordering::SeqCst))
    }

    /// The number of a fill that begins, with that of the region.
    fn next_serial(&self) -> u64 {
        self.store.next_serial() | (u64::from(self.region.0) << Locator::SERIAL_BITS)
    }

    /// Takes a ticket for a fill of the key with this hash. To be called before the computation begins.
    pub fn take(self: &Arc<Self>, hash: u64, labels: Option<&LabelSet>) -> Ticket<P> {
        self.numbered(self.next_serial(), hash, labels)
    }

    /// The ticket of the same fill, as if it had been taken now: for a value that was there before it, and
    /// comes after the evictions since.
    pub fn renew(self: &Arc<Self>, ticket: &Ticket<P>, hash: u64, labels: Option<&LabelSet>) -> Ticket<P> {
        self.numbered(ticket.serial(), hash, labels)
    }

    fn numbered(self: &Arc<Self>, serial: u64, hash: u64, labels: Option<&LabelSet>) -> Ticket<P> {
        match self.register(serial, hash, &mut labels.cloned(), || None, |_| false) {
            Taking::Taken(ticket) | Taking::There(ticket) => ticket,
        }
    }

    /// Takes a ticket that carries something for others who want the same value, unless one is there that will do:
    /// that is current, and of which `will_do` holds. A ticket that is taken takes the labels.
    pub fn take_or_join(
        self: &Arc<Self>,
        hash: u64,
        labels: &mut Option<LabelSet>,
        carried: impl FnOnce() -> P,
        will_do: impl Fn(&P) -> bool,
    ) -> Taking<P> {
        let will_do = |other: &Ticket<P>| other.will_do(&will_do);
        self.register(self.next_serial(), hash, labels, || Some(carried()), will_do)
    }

    /// Registers a ticket that carries this, unless there is one that will do, which is asked under the lock.
    fn register(
        self: &Arc<Self>,
        serial: u64,
        hash: u64,
        labels: &mut Option<LabelSet>,
        carried: impl FnOnce() -> Option<P>,
        will_do: impl Fn(&Ticket<P>) -> bool,
    ) -> Taking<P> {
        let (all, region) = self.epochs();
        let mut watched = self.watched(hash).lock();
        let others: Vec<_> = watched.under(hash).map(Ticket).collect();
        if let Some(other) = others.iter().find(|other| will_do(other)).cloned() {
            // Before the others are dropped: the last of a ticket strikes itself off.
            drop(watched);
            return Taking::There(other);
        }
        let labels = labels.take();
        let evicted = labels.as_ref().map_or(0, LabelSet::evicted);
        let taken = Arc::new(Taken {
            serial,
            hash,
            epochs: (all, region, evicted),
            labels,
            marked: AtomicBool::new(false),
            watched: AtomicBool::new(true),
            tickets: Arc::clone(self),
            carried: carried(),
        });
        let watch = Watch { hash, serial, taken: Arc::downgrade(&taken) };
        watched.0.insert_unique(hash, watch, |other| other.hash);
        drop(watched);
        drop(others);
        Taking::Taken(Ticket(taken))
    }

    /// From here on nobody is given this ticket, of which `close` has been told under the lock. Whether nobody
    /// has been; then it is registered no longer.
    pub fn close(&self, ticket: &Ticket<P>, close: impl FnOnce()) -> bool {
        let Ticket(taken) = ticket;
        let mut watched = self.watched(taken.hash).lock();
        close();
        // Tickets are handed out under the lock only: if this is the only one, it stays so.
        let is_alone = Arc::strong_count(taken) == 1;
        if is_alone {
            watched.strike(taken.hash, taken.serial);
            taken.watched.store(false, Ordering::Relaxed);
        }
        is_alone
    }

    /// Fills of the key with this hash that have begun are not stored.
    pub fn fence_off(&self, hash: u64) {
        let marked: Vec<_> = self.watched(hash).lock().under(hash).collect();
        for taken in &marked {
            taken.marked.store(true, Ordering::SeqCst);
        }
    }

    /// A ticket that is current, and carries something of which `will_do` holds, if there is one.
    pub fn find(&self, hash: u64, will_do: impl Fn(&P) -> bool) -> Option<Ticket<P>> {
        let there: Vec<_> = self.watched(hash).lock().under(hash).map(Ticket).collect();
        there.into_iter().find(|other| other.will_do(&will_do))
    }

    /// How many tickets carry something of which this holds.
    pub fn count(&self, holds: impl Fn(&P) -> bool) -> usize {
        let mut count = 0;
        for shard in &self.shards {
            let there: Vec<_> = shard.lock().0.iter().filter_map(|watch| watch.taken.upgrade()).collect();
            count += there.iter().filter(|taken| taken.carried.as_ref().is_some_and(&holds)).count();
        }
        count
    }

    /// How many tickets are registered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|watched| watched.lock().0.len()).sum()
    }
}

impl<P: Send + Sync> Fences for Tickets<P> {
    fn fence_off(&self, hash: u64) {
        Self::fence_off(self, hash);
    }

    fn fence_all_off(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

impl<P> fmt::Debug for Tickets<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("region", &self.region).finish_non_exhaustive()
    }
}
