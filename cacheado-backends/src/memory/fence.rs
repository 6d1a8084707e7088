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
use std::sync::{Arc, Weak};

use hashbrown::HashTable;

use super::labels::LabelSet;
use crate::sync::{AtomicBool, Mutex, Ordering};

const SHARDS: usize = 16;

/// What a fill takes before its computation begins, and shows when it wants to store the result. It can carry a
/// `P`, for those who want the same value.
pub struct Ticket<P = ()>(Arc<Taken<P>>);

struct Taken<P> {
    serial: u64,
    hash: u64,
    /// The epochs of the store and of the region, and how often the labels had been evicted.
    epochs: (u64, u64, u64),
    labels: Option<LabelSet>,
    marked: AtomicBool,
    /// Whether it is registered.
    watched: AtomicBool,
    fences: Arc<Fences<P>>,
    carried: Option<P>,
}

impl<P> Ticket<P> {
    /// The number of the fill: later ones began later.
    pub(super) fn serial(&self) -> u64 {
        self.0.serial
    }

    /// What it carries.
    #[must_use]
    pub fn carried(&self) -> Option<&P> {
        self.0.carried.as_ref()
    }

    /// A number that no other ticket has while this one lives.
    #[must_use]
    pub fn number(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Whether no eviction that concerns it has begun, where the epochs of the store and the region are these.
    pub(super) fn is_current(&self, all: u64, region: u64) -> bool {
        let evicted = self.0.labels.as_ref().map_or(0, LabelSet::evicted);
        !self.0.marked.load(Ordering::SeqCst) && self.0.epochs == (all, region, evicted)
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
            self.fences.watched(self.hash).lock().strike(self.hash, self.serial);
        }
    }
}

/// What a new ticket is made of.
pub(super) struct Terms<'t> {
    pub(super) serial: u64,
    pub(super) hash: u64,
    pub(super) labels: Option<&'t LabelSet>,
    /// The epochs of the store and the region.
    pub(super) epochs: (u64, u64),
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

/// The tickets of one region.
pub(super) struct Fences<P> {
    shards: [Mutex<Watched<P>>; SHARDS],
}

/// Whether a ticket was taken.
#[derive(Debug)]
pub enum Taking<P> {
    /// Here it is.
    Taken(Ticket<P>),
    /// There is one already that will do.
    There(Ticket<P>),
}

impl<P> Fences<P> {
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::new(Watched(HashTable::new()))) }
    }

    fn watched(&self, hash: u64) -> &Mutex<Watched<P>> {
        // The highest bits choose the shard, the map uses the others.
        &self.shards[usize::try_from(hash >> 60).unwrap_or_default() % SHARDS]
    }

    /// Takes a ticket that carries this, unless there is one that does: which `will_do` says, under the lock.
    pub(super) fn take(
        self: &Arc<Self>,
        terms: &Terms<'_>,
        carried: impl FnOnce() -> Option<P>,
        will_do: impl Fn(&Ticket<P>) -> bool,
    ) -> Taking<P> {
        let hash = terms.hash;
        let mut watched = self.watched(hash).lock();
        let others: Vec<_> = watched.under(hash).map(Ticket).collect();
        if let Some(other) = others.iter().find(|other| will_do(other)).cloned() {
            // Before the others are dropped: the last of a ticket strikes itself off.
            drop(watched);
            return Taking::There(other);
        }
        let labels = terms.labels.cloned();
        let evicted = labels.as_ref().map_or(0, LabelSet::evicted);
        let taken = Arc::new(Taken {
            serial: terms.serial,
            hash,
            epochs: (terms.epochs.0, terms.epochs.1, evicted),
            labels,
            marked: AtomicBool::new(false),
            watched: AtomicBool::new(true),
            fences: Arc::clone(self),
            carried: carried(),
        });
        let watch = Watch { hash, serial: terms.serial, taken: Arc::downgrade(&taken) };
        watched.0.insert_unique(hash, watch, |other| other.hash);
        drop(watched);
        drop(others);
        Taking::Taken(Ticket(taken))
    }

    /// From here on nobody is given this ticket, of which `close` has been told under the lock. Whether nobody
    /// has been; then it is registered no longer.
    pub(super) fn close(&self, ticket: &Ticket<P>, close: impl FnOnce()) -> bool {
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

    /// An eviction of the key with this hash begins.
    pub(super) fn mark(&self, hash: u64) {
        let marked: Vec<_> = self.watched(hash).lock().under(hash).collect();
        for taken in &marked {
            taken.marked.store(true, Ordering::SeqCst);
        }
    }

    /// A ticket that will do, if there is one.
    pub(super) fn find(&self, hash: u64, will_do: impl Fn(&Ticket<P>) -> bool) -> Option<Ticket<P>> {
        let there: Vec<_> = self.watched(hash).lock().under(hash).map(Ticket).collect();
        there.into_iter().find(will_do)
    }

    /// How many tickets carry something of which this holds.
    pub(super) fn count(&self, holds: impl Fn(&P) -> bool) -> usize {
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
