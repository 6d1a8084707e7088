//! What spans the regions of one cache's memory.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::thread::available_parallelism;

use crossbeam_utils::CachePadded;

use super::adaptive::Adaptive;
use super::labels::{Index, Label, LabelSet};
use super::ledger::{Fate, Ledger, Locator};
use super::members::Place;
use super::order::{Entries, Order};
use super::recency::Stamps;
use super::region::AnyRegion;
use super::sweeper::Sweeper;
use super::value::{AnyHand, AnyValue};
use super::{Cause, Limits};
use crate::Clock;
use crate::clock::Subscriber;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Mutex, Ordering, RwLock, RwLockWriteGuard};

/// The number of a region in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionId(pub(super) u16);

impl RegionId {
    /// That of all regions for which no number was left. They store nothing: nobody would find their entries.
    pub(super) const NONE: Self = Self(u16::MAX);
}

/// What is told of the entries that leave a region.
pub trait Listener: Send + Sync {
    /// An entry has left. Called outside of any lock, on whatever thread removed it.
    fn removed(&self, key: &[u8], labels: &[Label], cause: Cause);
}

/// One cache's memory. See the [module](super).
pub struct Store {
    limits: Limits,
    clock: Clock,
    shards: usize,
    /// How often all entries have been evicted.
    epoch: AtomicU64,
    labels: Arc<Index>,
    regions: RwLock<Vec<Weak<AnyRegion>>>,
    /// Whether there is a region without a number.
    is_crowded: AtomicBool,
    sweeper: OnceLock<Sweeper>,
    // What every fill writes to is on lines of its own: what is above is read by every hit.
    stamps: CachePadded<Stamps>,
    entries: CachePadded<AtomicUsize>,
    weight: CachePadded<AtomicU64>,
    /// The number of the next fill.
    serial: CachePadded<AtomicU64>,
    ledger: CachePadded<Mutex<Ledger>>,
}

impl Store {
    /// How many expired entries an insertion removes, if it meets as many, though there is room.
    const SWEEP_ON_ENTRY: usize = 2;

    pub(super) fn open(mut limits: Limits, clock: Clock) -> Arc<Self> {
        limits.max_weight = limits.max_weight.map(|most| most.min(Limits::MOST_WEIGHT));
        let cores = available_parallelism().map_or(4, usize::from);
        let sweep = limits.sweep;
        let tightest = limits.shares.tightest();
        let (stamps, order) = match limits.lru {
            Some(most) if limits.adaptive => {
                (Stamps::of_uses(), Order::Adaptive(Box::new(Adaptive::new(most))))
            }
            most => (Stamps::for_bound(most.into_iter().chain(tightest).min()), Order::default()),
        };
        let labels = Index::new(limits.shares.clone());
        let store = Arc::new(Self {
            limits,
            clock,
            shards: (4 * cores).next_power_of_two().clamp(8, 64),
            epoch: AtomicU64::new(0),
            labels,
            regions: RwLock::new(Vec::new()),
            is_crowded: AtomicBool::new(false),
            sweeper: OnceLock::new(),
            stamps: stamps.into(),
            entries: AtomicUsize::new(0).into(),
            weight: AtomicU64::new(0).into(),
            serial: AtomicU64::new(1).into(),
            ledger: Mutex::new(Ledger::new(order)).into(),
        });
        if sweep {
            let weak = Arc::downgrade(&store);
            if let Some(manual) = store.clock.as_manual() {
                manual.subscribe(weak);
            } else {
                // Set here only, so the cell is empty.
                let _ = store.sweeper.set(Sweeper::new(weak));
            }
        }
        store
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The clock that expiries are read from.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How many entries there are, counting those whose time is over and that are not removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.load(Ordering::SeqCst)
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the entries weigh together; zero where no bound on the weight is set.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.weight.load(Ordering::SeqCst)
    }

    /// Removes all entries that carry `label`, and fences off the fills of such entries that have begun.
    /// How many were alive. Costs what the label holds.
    pub fn evict_label(&self, label: &Label, cause: Cause) -> u64 {
        self.labels.mark(label);
        let entries = self.labels.list(label);
        entries.iter().map(|at| u64::from(self.evict_at(at, cause).unwrap_or(false))).sum()
    }

    /// How many live entries carry `label`. Costs what the label holds.
    pub fn count_label(&self, label: &Label) -> u64 {
        let entries = self.labels.list(label);
        let deadlines = entries.iter().filter_map(|at| self.deadline(at));
        deadlines.map(|deadline| u64::from(!self.clock.expired(deadline))).sum()
    }

    /// Removes all entries, and fences off all fills that have begun. How many were alive.
    pub fn clear(&self, cause: Cause) -> u64 {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.drop_all(cause)
    }

    /// Removes all entries, and fences nothing off: for entries that are copies of what has not been evicted, as far as
    /// anybody knows. How many were alive.
    pub fn drop_all(&self, cause: Cause) -> u64 {
        let regions: Vec<_> = self.regions.read().iter().filter_map(Weak::upgrade).collect();
        regions.iter().map(|region| region.drain(cause)).sum()
    }

    /// Removes at most `limit` entries whose time is over. `O(log n)` each.
    pub fn sweep(&self, limit: usize) {
        for _ in 0..limit {
            let now = self.clock.now();
            let Some(at) = self.ledger.lock().expiry.pop(now) else { return };
            self.expire(&at, self);
        }
    }

    /// Removes an entry whose record says that its time is over.
    fn expire(&self, at: &Locator, entries: &impl Entries) {
        // An entry that lives longer than its record says is written down anew.
        if let Some(deadline) = entries.find(at, |region| region.expire_at(at)) {
            let is_next = {
                let mut ledger = self.ledger.lock();
                ledger.expiry.push(deadline, *at);
                ledger.expiry.next() == Some(deadline)
            };
            // The sweeper may have looked while there was no record.
            if is_next {
                self.wake_sweeper();
            }
        }
    }

    /// Writes down that an entry expires at another time than before.
    pub(super) fn expires(&self, deadline: u64, at: Locator) {
        {
            let mut ledger = self.ledger.lock();
            ledger.expiry.push(deadline, at);
            self.tidy(&mut ledger, self);
        }
        self.wake_sweeper();
    }

    fn wake_sweeper(&self) {
        if let Some(sweeper) = self.sweeper.get() {
            sweeper.wake();
        }
    }

    /// Where records of entries that are gone, or expire at another time by now, outnumber the others, drops them.
    fn tidy(&self, ledger: &mut Ledger, entries: &impl Entries) {
        if ledger.is_bloated(self.len()) {
            ledger.compact(entries);
        }
    }

    /// When the first entry expires, a reading of the clock.
    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.ledger.lock().expiry.next()
    }

    pub(super) fn shards(&self) -> usize {
        self.shards
    }

    pub(super) fn is_ordered(&self) -> bool {
        self.is_ordered_as_a_whole() || self.limits.shares.tightest().is_some()
    }

    fn is_ordered_as_a_whole(&self) -> bool {
        self.limits.lru.is_some() || self.limits.max_weight.is_some()
    }

    #[inline]
    pub(super) fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    /// How often all entries have been evicted.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// The number of a fill that begins.
    pub(super) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::SeqCst)
    }

    /// The set of the labels of which `is_it` holds, and which have this hash: the same for the same labels, as
    /// far as the caller can see to it. If it is not there yet, they are made.
    pub fn label_set(
        &self,
        hash: u64,
        is_it: impl Fn(&[Label]) -> bool,
        labels: impl FnOnce() -> Box<[Label]>,
    ) -> LabelSet {
        self.labels.set(hash, is_it, labels)
    }

    /// The set of these labels; `None` where there are none.
    #[must_use]
    pub fn labelled(&self, labels: &[Label]) -> Option<LabelSet> {
        let hash = self.labels.hash(labels);
        (!labels.is_empty()).then(|| self.labels.set(hash, |other| other == labels, || labels.into()))
    }

    /// The regions, to add one.
    pub(super) fn regions(&self) -> Regions<'_> {
        Regions(self.regions.write())
    }

    /// A region has been opened for which no number was left.
    pub(super) fn is_out_of_numbers(&self) {
        if !self.is_crowded.swap(true, Ordering::Relaxed) {
            let most = RegionId::NONE.0;
            tracing::warn!(
                target: "cacheado",
                most,
                "a cache has more functions, and levels of keys, than it can store values of"
            );
        }
    }

    /// What the value in the hand weighs.
    pub(super) fn weigh(&self, key: &[u8], hand: &dyn AnyHand) -> u64 {
        if self.limits.max_weight.is_none() {
            return 0;
        }
        let Some(value) = hand.value().and_then(weighed) else { return 0 };
        let weigh = self.limits.weigher.as_ref();
        let weight = weigh.map_or((key.len() + size_of_val(value)) as u64, |weigh| weigh(key, value));
        weight.min(Limits::MOST_WEIGHT)
    }

    pub(super) fn is_too_heavy(&self, weight: u64) -> bool {
        self.limits.max_weight.is_some_and(|most| weight > most)
    }

    /// Counts one more entry in, unless there is no room for a new one.
    pub(super) fn reserve(&self, weight: u64) -> bool {
        let most = self.limits.max_items.unwrap_or(usize::MAX);
        let more = |entries: usize| (entries < most).then_some(entries + 1);
        let reserved = if self.limits.max_items.is_none() {
            self.entries.fetch_add(1, Ordering::SeqCst);
            true
        } else {
            self.entries.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
        };
        if reserved && weight > 0 {
            self.weight.fetch_add(weight, Ordering::SeqCst);
        }
        reserved
    }

    pub(super) fn replaced(&self, old: u64, new: u64) {
        if old != new {
            self.weight.fetch_add(new, Ordering::SeqCst);
            self.weight.fetch_sub(old, Ordering::SeqCst);
        }
    }

    pub(super) fn left(&self, entries: usize, weight: u64) {
        self.entries.fetch_sub(entries, Ordering::SeqCst);
        if weight > 0 {
            self.weight.fetch_sub(weight, Ordering::SeqCst);
        }
    }

    /// An entry of the region `home` has been stored at `now`: writes it down, and makes room if a bound is exceeded.
    pub(super) fn entered(&self, entry: &Entered, home: &AnyRegion) {
        let entries = &FromHome { store: self, id: entry.at.region(), home };
        let (mut left_to_sweep, mut is_next) = (Self::SWEEP_ON_ENTRY, false);
        let mut ledger = self.ledger.lock();
        if self.is_ordered_as_a_whole() {
            ledger.order.push(entry.stamp, entry.at, entries);
        }
        ledger.expiry.push(entry.deadline, entry.at);
        self.tidy(&mut ledger, entries);
        let is_swept = self.sweeper.get().is_some();
        if is_swept {
            is_next = ledger.expiry.next() == Some(entry.deadline);
        }
        // Nothing is removed under the lock: what follows a removal is others' code.
        loop {
            // Entries whose time is over do not count against a bound.
            let sweeps = left_to_sweep > 0 || self.is_over();
            let expired = if sweeps { ledger.expiry.pop(entry.now) } else { None };
            if let Some(at) = expired {
                drop(ledger);
                left_to_sweep = left_to_sweep.saturating_sub(1);
                self.expire(&at, entries);
                ledger = self.ledger.lock();
                continue;
            }
            left_to_sweep = 0;
            if !self.is_over() {
                break;
            }
            // No record left: another thread holds the last victims and is about to remove them.
            let Some(victim) = ledger.take_victim(entries) else { break };
            drop(ledger);
            let fate = entries.find(&victim.at, |region| region.drive_out(&victim.at, victim.stamp));
            let used =
                if let Some(Fate::Used { stamp, deadline }) = fate { Some((stamp, deadline)) } else { None };
            if used.is_none() && !self.is_over() {
                break;
            }
            ledger = self.ledger.lock();
            if let Some((stamp, deadline)) = used {
                ledger.put_back(&victim, stamp, deadline);
                // As with one that has been written down anew.
                is_next |= is_swept && ledger.expiry.next() == Some(deadline);
            }
        }
        if is_next {
            self.wake_sweeper();
        }
    }

    /// An entry with these labels has been stored: where one of them has more entries than it may have, its least
    /// recently used ones leave.
    pub(super) fn entered_groups(&self, labels: &LabelSet, place: Place, stamp: u64, at: Locator) {
        labels.counts(place, stamp, at, |at| self.deadline(at).is_some());
        // The narrowest first, which is the last: what leaves there makes room in the wider ones, too.
        for (label, most) in labels.bounded().rev() {
            if !self.labels.exceeds(label, most) {
                continue;
            }
            // Entries whose time is over do not count against a bound.
            self.sweep(usize::MAX);
            while self.labels.exceeds(label, most) {
                // No record left: another thread holds the last victims and is about to remove them.
                let Some(at) = self.labels.oldest(label, |at| self.last_used(at)) else { break };
                self.evict_at(&at, Cause::Capacity);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.limits.lru.is_some_and(|most| self.len() > most)
            || self.limits.max_weight.is_some_and(|most| self.weight() > most)
    }

    fn region(&self, id: RegionId) -> Option<Arc<AnyRegion>> {
        self.regions.read().get(id.0 as usize).and_then(Weak::upgrade)
    }

    fn evict_at(&self, at: &Locator, cause: Cause) -> Option<bool> {
        self.find(at, |region| region.evict_at(at, cause))
    }

    #[cfg(test)]
    pub(super) fn ghosts(&self) -> usize {
        if let Order::Adaptive(adaptive) = &self.ledger.lock().order { adaptive.ghosts() } else { 0 }
    }

    /// Has it told of what a sweeper is woken for, where it has none.
    #[cfg(test)]
    pub(super) fn watch_sweeper(&self) -> &Sweeper {
        self.sweeper.get_or_init(Sweeper::without_thread)
    }

    #[cfg(test)]
    pub(super) fn records(&self) -> (usize, usize) {
        (self.ledger.lock().len(), self.labels.len())
    }
}

/// What is weighed: of a pointer to a value of any type, that value.
fn weighed(value: &dyn Any) -> Option<&dyn Any> {
    match value.downcast_ref::<AnyValue>() {
        Some(pointer) => pointer.value(),
        None => Some(value),
    }
}

/// The regions of a store.
pub(super) struct Regions<'s>(RwLockWriteGuard<'s, Vec<Weak<AnyRegion>>>);

impl Regions<'_> {
    /// The number of the next one. None is given twice: regions live as long as their store.
    pub(super) fn next_id(&self) -> RegionId {
        u16::try_from(self.0.len()).map_or(RegionId::NONE, RegionId)
    }

    /// Adds the region that has the next number, if it is one.
    pub(super) fn add(&mut self, region: &Arc<AnyRegion>) {
        if self.next_id() != RegionId::NONE {
            self.0.push(Arc::downgrade(region));
        }
    }

    /// Leaves so many numbers.
    #[cfg(test)]
    pub(super) fn leave(&mut self, numbers: u16, all_others: &Arc<AnyRegion>) {
        self.0.resize(usize::from(RegionId::NONE.0 - numbers), Arc::downgrade(all_others));
    }
}

impl Entries for Store {
    fn find<R>(&self, at: &Locator, what: impl FnOnce(&AnyRegion) -> Option<R>) -> Option<R> {
        what(&*self.region(at.region())?)
    }
}

/// The entries of a store, seen from one of its regions: that one need not be looked for.
struct FromHome<'s> {
    store: &'s Store,
    id: RegionId,
    home: &'s AnyRegion,
}

impl Entries for FromHome<'_> {
    fn find<R>(&self, at: &Locator, what: impl FnOnce(&AnyRegion) -> Option<R>) -> Option<R> {
        if at.region() == self.id { what(self.home) } else { self.store.find(at, what) }
    }
}

/// What is written down of an entry that has been stored.
pub(super) struct Entered {
    pub(super) at: Locator,
    pub(super) stamp: u64,
    /// When it is not there any more.
    pub(super) deadline: u64,
    pub(super) now: u64,
}

impl Subscriber for Store {
    fn moved(&self) {
        self.sweep(usize::MAX);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("limits", &self.limits)
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}
