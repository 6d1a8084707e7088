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
    is_watched: AtomicBool,
    register: Arc<Register<P>>,
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
        TicketNumber { tickets: self.0.register.of.number, serial: self.0.serial }
    }

    /// Whether no eviction that concerns its fill has begun since it was taken.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let evicted = self.0.labels.as_ref().map_or(0, LabelSet::evicted);
        let (all, region) = self.0.register.of.epochs();
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
        if self.is_watched.load(Ordering::Relaxed) {
            self.register.watched.lock().strike(self.hash, self.serial);
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
pub struct Tickets<P = ()> {
    of: Arc<Origin>,
    registers: [Arc<Register<P>>; SHARDS],
}

/// Whose tickets they are.
struct Origin {
    store: Arc<Store>,
    region: RegionId,
    /// No other tickets of this process have it.
    number: u64,
    /// How often all entries of the region have been evicted.
    epoch: AtomicU64,
}

/// Where the tickets for some of the hashes are registered. Each ticket has a handle, whose count stands beside the lock,
/// as a rule on its line: one that is taken anyway when a ticket is made, and that others need for few hashes.
struct Register<P> {
    watched: Mutex<Watched<P>>,
    of: Arc<Origin>,
    /// So that two are not on one line, as a rule.
    _apart: [u64; 8],
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

impl Origin {
    fn epochs(&self) -> (u64, u64) {
        (self.store.epoch(), self.epoch.load(Ordering::SeqCst))
    }

    /// The number of a fill that begins, with that of the region.
    fn next_serial(&self) -> u64 {
        self.store.next_serial() | (u64::from(self.region.0) << Locator::SERIAL_BITS)
    }
}

impl<P> Tickets<P> {
    pub(super) fn new(store: &Arc<Store>, region: RegionId) -> Arc<Self> {
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let of = Arc::new(Origin { store: Arc::clone(store), region, number, epoch: AtomicU64::new(0) });
        let registers = std::array::from_fn(|_| {
            let watched = Mutex::new(Watched(HashTable::new()));
            Arc::new(Register { watched, of: Arc::clone(&of), _apart: [0; 8] })
        });
        Arc::new(Self { of, registers })
    }

    fn register(&self, hash: u64) -> &Arc<Register<P>> {
        // The highest bits choose the register, the map uses the others.
        &self.registers[usize::try_from(hash >> 60).unwrap_or_default() % SHARDS]
    }

    /// Takes a ticket for a fill of the key with this hash. To be called before the computation begins.
    #[must_use]
    pub fn take(&self, hash: u64, labels: Option<&LabelSet>) -> Ticket<P> {
        self.numbered(self.of.next_serial(), hash, labels)
    }

    /// The ticket of the same fill, as if it had been taken now: for a value that was there before it, and
    /// comes after the evictions since.
    #[must_use]
    pub fn renew(&self, ticket: &Ticket<P>, hash: u64, labels: Option<&LabelSet>) -> Ticket<P> {
        self.numbered(ticket.serial(), hash, labels)
    }

    fn numbered(&self, serial: u64, hash: u64, labels: Option<&LabelSet>) -> Ticket<P> {
        match self.enter(serial, hash, &mut labels.cloned(), || None, |_| false) {
            Taking::Taken(ticket) | Taking::There(ticket) => ticket,
        }
    }

    /// Takes a ticket that carries something for others who want the same value, unless one is there that will do:
    /// that is current, and of which `will_do` holds. A ticket that is taken takes the labels.
    pub fn take_or_join(
        &self,
        hash: u64,
        labels: &mut Option<LabelSet>,
        carried: impl FnOnce() -> P,
        will_do: impl Fn(&P) -> bool,
    ) -> Taking<P> {
        let will_do = |other: &Ticket<P>| other.will_do(&will_do);
        self.enter(self.of.next_serial(), hash, labels, || Some(carried()), will_do)
    }

    /// Registers a ticket that carries this, unless there is one that will do, which is asked under the lock.
    fn enter(
        &self,
        serial: u64,
        hash: u64,
        labels: &mut Option<LabelSet>,
        carried: impl FnOnce() -> Option<P>,
        will_do: impl Fn(&Ticket<P>) -> bool,
    ) -> Taking<P> {
        let register = self.register(hash);
        let (all, region) = register.of.epochs();
        let mut watched = register.watched.lock();
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
            is_watched: AtomicBool::new(true),
            register: Arc::clone(register),
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
        let mut watched = taken.register.watched.lock();
        close();
        // Tickets are handed out under the lock only: if this is the only one, it stays so.
        let is_alone = Arc::strong_count(taken) == 1;
        if is_alone {
            watched.strike(taken.hash, taken.serial);
            taken.is_watched.store(false, Ordering::Relaxed);
        }
        is_alone
    }

    /// Fills of the key with this hash that have begun are not stored.
    pub fn fence_off(&self, hash: u64) {
        let marked: Vec<_> = self.register(hash).watched.lock().under(hash).collect();
        for taken in &marked {
            taken.marked.store(true, Ordering::SeqCst);
        }
    }

    /// A ticket that is current, and carries something of which `will_do` holds, if there is one.
    pub fn find(&self, hash: u64, will_do: impl Fn(&P) -> bool) -> Option<Ticket<P>> {
        let there: Vec<_> = self.register(hash).watched.lock().under(hash).map(Ticket).collect();
        there.into_iter().find(|other| other.will_do(&will_do))
    }

    /// How many tickets carry something of which this holds.
    pub fn count(&self, holds: impl Fn(&P) -> bool) -> usize {
        let mut count = 0;
        for register in &self.registers {
            let there: Vec<_> =
                register.watched.lock().0.iter().filter_map(|watch| watch.taken.upgrade()).collect();
            count += there.iter().filter(|taken| taken.carried.as_ref().is_some_and(&holds)).count();
        }
        count
    }

    /// How many tickets are registered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.registers.iter().map(|register| register.watched.lock().0.len()).sum()
    }
}

impl<P: Send + Sync> Fences for Tickets<P> {
    fn fence_off(&self, hash: u64) {
        Self::fence_off(self, hash);
    }

    fn fence_all_off(&self) {
        self.of.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

impl<P> fmt::Debug for Tickets<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("region", &self.of.region).finish_non_exhaustive()
    }
}
