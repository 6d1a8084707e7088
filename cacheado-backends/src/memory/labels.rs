//! The label index: which entries carry a label, so that evicting one costs what it holds.
//!
//! Most entries share their labels with others: those of one scope. So labels are kept by **sets**, each of which
//! there is once: an entry, and a fill under way, have a handle of theirs, and a set lists its entries. Whatever
//! carries a label is found by way of the sets that it is in. A set is there for as long as there is a handle.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Weak};

use dashmap::DashMap;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::ledger::Locator;
use super::members::{Members, Place};
use super::recency::Recency;
use super::shares::Shares;
use crate::sync::{AtomicU64, Mutex, Ordering};

/// A group that entries can be evicted by: what the engine calls a scope or a tag. Opaque bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(Arc<[u8]>);

impl Label {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<T: Into<Arc<[u8]>>> From<T> for Label {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({})", self.0.escape_ascii())
    }
}

/// The labels of an entry, shared with all entries of the store that have the same.
#[derive(Clone)]
pub struct LabelSet(Arc<Set>);

struct Set {
    labels: Box<[Label]>,
    /// Those of them that have a bound on their entries: where they stand, and the bound.
    bounded: Box<[(usize, usize)]>,
    /// Its hash, and its number among all sets.
    hash: u64,
    number: u64,
    /// How often one of the labels has been evicted.
    evicted: AtomicU64,
    members: Mutex<Members>,
    index: Arc<Index>,
}

impl LabelSet {
    /// The labels, in the order in which they were given.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.0.labels
    }

    /// How often one of the labels has been evicted.
    pub(super) fn evicted(&self) -> u64 {
        self.0.evicted.load(Ordering::SeqCst)
    }

    /// Lists an entry. It is registered before it is stored and struck off after it has left, so the index can
    /// name entries that are not there, and never misses one that is.
    pub(super) fn register(&self, at: Locator) -> Place {
        self.0.members.lock().add(at)
    }

    pub(super) fn strike(&self, place: Place, at: &Locator) {
        let mut members = self.0.members.lock();
        if members.remove(place, at) {
            self.each_bounded(|group| group.counted -= 1);
        }
    }

    /// Counts an entry that has been stored against the bounds of its labels.
    pub(super) fn counts(&self, place: Place, stamp: u64, at: Locator, is_there: impl Fn(&Locator) -> bool) {
        let mut members = self.0.members.lock();
        // It may have left already.
        if !members.count_in(place, &at) {
            return;
        }
        self.each_bounded(|group| {
            group.counted += 1;
            group.recency.push(stamp, at);
        });
        drop(members);
        // Records of entries that are gone are dropped when they outnumber the others.
        self.each_bounded(|group| {
            if group.recency.len() > 2 * group.counted + Index::SLACK {
                group.recency.retain(&is_there);
            }
        });
    }

    /// Whether one of the labels has a bound on its entries.
    pub(super) fn is_bounded(&self) -> bool {
        !self.0.bounded.is_empty()
    }

    /// The labels that have a bound, each with it, in the order in which they were given.
    pub(super) fn bounded(&self) -> impl DoubleEndedIterator<Item = (&Label, usize)> {
        self.0.bounded.iter().map(|(index, most)| (&self.0.labels[*index], *most))
    }

    fn each_bounded(&self, mut what: impl FnMut(&mut Group)) {
        for (label, _) in self.bounded() {
            if let Some(mut group) = self.0.index.groups.get_mut(label) {
                what(&mut group);
            }
        }
    }
}

/// Nobody has these labels any more.
impl Drop for Set {
    fn drop(&mut self) {
        self.index.forget(self);
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.labels()).finish()
    }
}

const SHARDS: usize = 16;

/// The sets of one store, by their hash and by their labels.
pub(super) struct Index {
    hasher: RandomState,
    shares: Shares,
    next: AtomicU64,
    sets: [Mutex<HashTable<Known>>; SHARDS],
    groups: DashMap<Label, Group, RandomState>,
}

/// A set, for as long as somebody has it.
struct Known {
    hash: u64,
    number: u64,
    set: Weak<Set>,
}

/// What carries one label.
#[derive(Default)]
struct Group {
    /// By their numbers.
    sets: HashMap<u64, Weak<Set>, RandomState>,
    /// How many entries count against the label's bound, if it has one: those that are stored.
    counted: usize,
    /// Their order of use, if it has one.
    recency: Recency,
}

impl Index {
    /// So many records of entries that are gone are not worth an iteration.
    const SLACK: usize = 16;

    pub(super) fn new(shares: Shares) -> Arc<Self> {
        Arc::new(Self {
            hasher: RandomState::default(),
            shares,
            next: AtomicU64::new(0),
            sets: std::array::from_fn(|_| Mutex::new(HashTable::new())),
            groups: DashMap::default(),
        })
    }

    pub(super) fn hash(&self, labels: &[Label]) -> u64 {
        self.hasher.hash_one(labels)
    }

    fn shard(&self, hash: u64) -> &Mutex<HashTable<Known>> {
        // The highest bits choose the shard, the table uses the others.
        &self.sets[usize::try_from(hash >> 60).unwrap_or_default() % SHARDS]
    }

    /// The set of the labels that have this hash and of which `is_it` holds. If there is none, they are made.
    ///
    /// Two ways to hash the same labels make two sets of them, which does no harm.
    pub(super) fn set(
        self: &Arc<Self>,
        hash: u64,
        is_it: impl Fn(&[Label]) -> bool,
        labels: impl FnOnce() -> Box<[Label]>,
    ) -> LabelSet {
        // Dropped after the lock is released: the last handle of a set takes it out of the index.
        let mut others = Vec::new();
        let mut sets = self.shard(hash).lock();
        for known in sets.iter_hash(hash).filter(|known| known.hash == hash) {
            match known.set.upgrade() {
                Some(set) if is_it(&set.labels) => return LabelSet(set),
                other => others.extend(other),
            }
        }
        let labels = labels();
        let bounds =
            labels.iter().enumerate().filter_map(|(index, label)| Some((index, self.shares.of(label)?)));
        let set = Arc::new(Set {
            bounded: bounds.collect(),
            labels,
            hash,
            number: self.next.fetch_add(1, Ordering::Relaxed),
            evicted: AtomicU64::new(0),
            members: Mutex::new(Members::default()),
            index: Arc::clone(self),
        });
        for label in &set.labels {
            self.groups.entry(label.clone()).or_default().sets.insert(set.number, Arc::downgrade(&set));
        }
        let known = Known { hash, number: set.number, set: Arc::downgrade(&set) };
        sets.insert_unique(hash, known, |known| known.hash);
        LabelSet(set)
    }

    fn forget(&self, set: &Set) {
        if let Ok(known) =
            self.shard(set.hash).lock().find_entry(set.hash, |known| known.number == set.number)
        {
            known.remove();
        }
        for label in &set.labels {
            let emptied = self.groups.get_mut(label).is_some_and(|mut group| {
                group.sets.remove(&set.number);
                group.sets.is_empty()
            });
            if emptied {
                self.groups.remove_if(label, |_, group| group.sets.is_empty());
            }
        }
    }

    /// An eviction of the label begins: fills of such entries that have begun are not stored.
    pub(super) fn mark(&self, label: &Label) {
        for set in self.sets_of(label) {
            set.evicted.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// All entries of a label.
    pub(super) fn list(&self, label: &Label) -> Vec<Locator> {
        let mut entries = Vec::new();
        for set in self.sets_of(label) {
            set.members.lock().list(&mut entries);
        }
        entries
    }

    fn sets_of(&self, label: &Label) -> Vec<Arc<Set>> {
        let upgraded = |group: &Group| group.sets.values().filter_map(Weak::upgrade).collect();
        self.groups.get(label).map(|group| upgraded(&group)).unwrap_or_default()
    }

    /// Whether more entries of the label are stored than it may have.
    pub(super) fn exceeds(&self, label: &Label, most: usize) -> bool {
        self.groups.get(label).is_some_and(|group| group.counted > most)
    }

    /// The least recently used entry of the label, whose record is taken out. `last_used` is asked under the
    /// lock of the label.
    pub(super) fn oldest(
        &self,
        label: &Label,
        last_used: impl FnMut(&Locator) -> Option<u64>,
    ) -> Option<Locator> {
        self.groups.get_mut(label)?.recency.pop(last_used)
    }

    /// How many labels there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }
}
