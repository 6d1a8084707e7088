//! Fences: which fills began before an eviction, so that their results are not stored after it.
//!
//! A fill takes a ticket before it computes. The ticket is registered under the hash of its key and of each
//! of its labels, for as long as it lives; an eviction marks the tickets that are registered under what it
//! evicts. So there is nothing to keep for a key or a label that no fill is under way for, and evicting one
//! thing touches the fills of no other. Evictions of everything, and of a function, move an epoch instead.

use std::fmt;
use std::sync::Arc;

use hashbrown::HashTable;

use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering};

const SHARDS: usize = 16;

/// What a fill takes before its computation begins, and shows when it wants to store the result.
#[derive(Clone)]
pub struct Ticket(Arc<Taken>);

struct Taken {
    serial: u64,
    /// The epochs of the store and of the region.
    epochs: (u64, u64),
    marked: Arc<AtomicBool>,
    hashes: Hashes,
    fences: Arc<Fences>,
}

impl Ticket {
    /// The number of the fill: later ones began later.
    pub(super) fn serial(&self) -> u64 {
        self.0.serial
    }

    /// Whether no eviction that concerns it has begun, where the region's epoch is `region`.
    pub(super) fn is_current(&self, region: u64) -> bool {
        let epochs = (self.0.fences.all.load(Ordering::SeqCst), region);
        !self.0.marked.load(Ordering::SeqCst) && self.0.epochs == epochs
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ticket").field(&self.0.serial).finish()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        for hash in self.hashes.iter() {
            self.fences.strike(hash, &self.marked);
        }
    }
}

/// What a ticket is registered under. A key with few labels needs no memory for it.
struct Hashes {
    few: [u64; 4],
    len: usize,
    more: Vec<u64>,
}

impl Hashes {
    fn iter(&self) -> impl Iterator<Item = u64> {
        self.few[..self.len].iter().chain(&self.more).copied()
    }
}

impl FromIterator<u64> for Hashes {
    fn from_iter<I: IntoIterator<Item = u64>>(hashes: I) -> Self {
        let mut hashes = hashes.into_iter();
        let mut all = Self { few: [0; 4], len: 0, more: Vec::new() };
        for (place, hash) in all.few.iter_mut().zip(hashes.by_ref()) {
            *place = hash;
            all.len += 1;
        }
        all.more.extend(hashes);
        all
    }
}

/// The mark of a ticket, under one of its hashes.
struct Watch {
    hash: u64,
    marked: Arc<AtomicBool>,
}

type Watched = HashTable<Watch>;

pub(super) struct Fences {
    all: AtomicU64,
    serial: AtomicU64,
    watched: [Mutex<Watched>; SHARDS],
}

impl Fences {
    pub(super) fn new() -> Self {
        Self {
            all: AtomicU64::new(0),
            serial: AtomicU64::new(1),
            watched: std::array::from_fn(|_| Mutex::new(Watched::new())),
        }
    }

    fn watched(&self, hash: u64) -> &Mutex<Watched> {
        // The highest bits choose the shard, the map uses the others.
        &self.watched[usize::try_from(hash >> 60).unwrap_or_default() % SHARDS]
    }

    /// The number of a fill that begins.
    pub(super) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::SeqCst)
    }

    /// Takes a ticket for a fill that `hashes` concern, in a region whose epoch `region` reads.
    pub(super) fn ticket(
        self: &Arc<Self>,
        serial: u64,
        hashes: impl Iterator<Item = u64>,
        region: &AtomicU64,
    ) -> Ticket {
        let marked = Arc::new(AtomicBool::new(false));
        let hashes: Hashes = hashes.collect();
        for hash in hashes.iter() {
            let watch = Watch { hash, marked: Arc::clone(&marked) };
            self.watched(hash).lock().insert_unique(hash, watch, |other| other.hash);
        }
        let epochs = (self.all.load(Ordering::SeqCst), region.load(Ordering::SeqCst));
        Ticket(Arc::new(Taken { serial, epochs, marked, hashes, fences: Arc::clone(self) }))
    }

    /// An eviction of everything begins.
    pub(super) fn move_all(&self) {
        self.all.fetch_add(1, Ordering::SeqCst);
    }

    /// An eviction of the key or label with this hash begins.
    pub(super) fn mark(&self, hash: u64) {
        for watch in self.watched(hash).lock().iter_hash(hash).filter(|watch| watch.hash == hash) {
            watch.marked.store(true, Ordering::SeqCst);
        }
    }

    fn strike(&self, hash: u64, mark: &Arc<AtomicBool>) {
        let is_it = |watch: &Watch| Arc::ptr_eq(&watch.marked, mark);
        if let Ok(watch) = self.watched(hash).lock().find_entry(hash, is_it) {
            watch.remove();
        }
    }

    /// How often tickets are registered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.watched.iter().map(|watched| watched.lock().len()).sum()
    }
}
