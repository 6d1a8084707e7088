//! What spans the regions of one cache's memory.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::thread::available_parallelism;

use super::adaptive::{Adaptive, Uses};
use super::fence::Fences;
use super::labels::{Label, Labels};
use super::ledger::{Ledger, Locator};
use super::order::{Entries, Order};
use super::recency::Stamps;
use super::region::{AnyRegion, Region};
use super::sweeper::Sweeper;
use super::{Cause, Limits};
use crate::Clock;
use crate::clock::Subscriber;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering, RwLock};

/// The number of a region in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionId(pub(super) u32);

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
    entries: AtomicUsize,
    weight: AtomicU64,
    stamps: Stamps,
    fences: Arc<Fences>,
    labels: Labels,
    ledger: Mutex<Ledger>,
    regions: RwLock<Vec<Weak<dyn AnyRegion>>>,
    sweeper: OnceLock<Sweeper>,
}

impl Store {
    /// How many expired entries an insertion removes, if it meets as many.
    const SWEEP_ON_ENTRY: usize = 2;

    pub(super) fn open(limits: Limits, clock: Clock) -> Arc<Self> {
        let cores = available_parallelism().map_or(4, usize::from);
        let sweep = limits.sweep;
        let tightest = limits.shares.tightest();
        let (stamps, order) = match limits.lru {
            Some(most) if limits.adaptive => {
                (Stamps::of_uses(), Order::Adaptive(Box::new(Adaptive::new(most))))
            }
            most => (Stamps::for_bound(most.into_iter().chain(tightest).min()), Order::default()),
        };
        let store = Arc::new(Self {
            limits,
            clock,
            shards: (4 * cores).next_power_of_two().clamp(8, 64),
            entries: AtomicUsize::new(0),
            weight: AtomicU64::new(0),
            stamps,
            fences: Arc::new(Fences::new()),
            labels: Labels::default(),
            ledger: Mutex::new(Ledger::new(order)),
            regions: RwLock::new(Vec::new()),
            sweeper: OnceLock::new(),
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
        self.fences.mark(self.labels.hash(label));
        let entries = self.labels.take(label);
        entries.iter().map(|at| u64::from(self.evict_at(at, cause).unwrap_or(false))).sum()
    }

    /// How many live entries carry `label`. Costs what the label holds.
    pub fn count_label(&self, label: &Label) -> u64 {
        let deadline = |at: &Locator| self.region(at.region)?.deadline(at);
        let entries = self.labels.list(label);
        let deadlines = entries.iter().filter_map(deadline);
        deadlines.map(|deadline| u64::from(!self.clock.expired(deadline))).sum()
    }

    /// Removes all entries, and fences off all fills that have begun. How many were alive.
    pub fn clear(&self, cause: Cause) -> u64 {
        self.fences.move_all();
        let regions: Vec<_> = self.regions.read().iter().filter_map(Weak::upgrade).collect();
        regions.iter().map(|region| region.drain(cause)).sum()
    }

    /// Removes at most `limit` entries whose time is over. `O(log n)` each.
    pub fn sweep(&self, limit: usize) {
        for _ in 0..limit {
            let now = self.clock.now();
            let Some(at) = self.ledger.lock().pop_expired(now) else { return };
            // An entry that lives longer than its record says is written down anew.
            if let Some(deadline) = self.region(at.region).and_then(|region| region.expire_at(&at)) {
                self.ledger.lock().expires(deadline, at);
            }
        }
    }

    /// Writes down that an entry expires at another time than before.
    pub(super) fn expires(&self, deadline: u64, at: Locator) {
        self.write_down(|ledger| ledger.expires(deadline, at));
        if let Some(sweeper) = self.sweeper.get() {
            sweeper.wake();
        }
    }

    /// Adds to the ledger; where records of entries that are gone, or expire at another time by now,
    /// outnumber the others, drops them.
    fn write_down(&self, add: impl FnOnce(&mut Ledger)) -> Option<u64> {
        let mut ledger = self.ledger.lock();
        add(&mut ledger);
        if ledger.is_bloated(self.len()) {
            ledger.compact(|at| self.region(at.region)?.deadline(at));
        }
        ledger.next_expiry()
    }

    /// When the first entry expires, a reading of the clock.
    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.ledger.lock().next_expiry()
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

    pub(super) fn fences(&self) -> &Arc<Fences> {
        &self.fences
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Numbers a new region and keeps track of it.
    pub(super) fn enrol<V: Clone + Send + Sync + 'static>(
        &self,
        open: impl FnOnce(RegionId) -> Arc<Region<V>>,
    ) -> Arc<Region<V>> {
        let mut regions = self.regions.write();
        // A region is a function of the program: there are no four billion of them.
        let region = open(RegionId(u32::try_from(regions.len()).unwrap_or(u32::MAX)));
        let erased: Arc<dyn AnyRegion> = Arc::clone(&region) as _;
        regions.push(Arc::downgrade(&erased));
        region
    }

    pub(super) fn weigh<'v>(&self, key: &[u8], value: impl FnOnce() -> &'v dyn Any, size: usize) -> u64 {
        if self.limits.max_weight.is_none() {
            return 0;
        }
        let weigh = self.limits.weigher.as_ref();
        weigh.map_or((key.len() + size) as u64, |weigh| weigh(key, value()))
    }

    pub(super) fn is_too_heavy(&self, weight: u64) -> bool {
        self.limits.max_weight.is_some_and(|most| weight > most)
    }

    /// Counts one more entry in, unless there is no room for a new one.
    pub(super) fn reserve(&self, weight: u64) -> bool {
        let most = self.limits.max_items.unwrap_or(usize::MAX);
        let more = |entries: usize| (entries < most).then_some(entries + 1);
        let reserved = self.entries.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok();
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

    /// An entry has been stored: writes it down, and makes room if a bound is exceeded.
    pub(super) fn entered(&self, at: Locator, stamp: u64, deadline: u64) {
        let ordered = self.is_ordered_as_a_whole();
        let next = self.write_down(|ledger| {
            if ordered {
                ledger.order.push(stamp, at, self);
            }
            ledger.expires(deadline, at);
        });
        let is_next = next == Some(deadline);
        if is_next && let Some(sweeper) = self.sweeper.get() {
            sweeper.wake();
        }
        self.sweep(Self::SWEEP_ON_ENTRY);
        while self.is_over() {
            let victim = self.ledger.lock().order.pop(self);
            // No record left: another thread holds the last victims and is about to remove them.
            let Some(at) = victim else { return };
            self.evict_at(&at, Cause::Capacity);
        }
    }

    /// An entry has been stored: where a group of it holds more than it may, its least recently used ones leave.
    pub(super) fn entered_groups(&self, at: Locator, stamp: u64, labels: &[Label]) {
        for (label, most) in self.limits.shares.of(labels) {
            self.labels.counts(label, stamp, at);
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

    fn region(&self, id: RegionId) -> Option<Arc<dyn AnyRegion>> {
        self.regions.read().get(id.0 as usize).and_then(Weak::upgrade)
    }

    fn evict_at(&self, at: &Locator, cause: Cause) -> Option<bool> {
        self.region(at.region)?.evict_at(at, cause)
    }

    #[cfg(test)]
    pub(super) fn records(&self) -> (usize, usize) {
        (self.ledger.lock().len(), self.labels.len())
    }
}

impl Uses for Store {
    fn uses(&self, at: &Locator, forget: u64) -> Option<u64> {
        self.region(at.region)?.uses(at, forget)
    }
}

impl Entries for Store {
    fn last_used(&self, at: &Locator) -> Option<u64> {
        self.region(at.region)?.last_used(at)
    }
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
