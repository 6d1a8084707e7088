//! The order of recency, exact for one thread, without a list that hits would have to relink.
//!
//! A hit only writes a stamp into its entry. The order is kept on the side of the evictions: a record
//! for each entry with the stamp that it had when the record was made. A victim is looked for among the
//! records with the lowest stamps; one whose entry has been used since is put back with the entry's
//! present stamp. As stamps only grow, the first record that is up to date is the least recently used.
//! A hit is thus paid for by at most one correction, `O(log n)`, at an eviction.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use parking_lot::Mutex;

use super::ledger::Locator;
use crate::sync::{AtomicU64, Ordering};

thread_local! {
    static TOUCHES: Cell<u32> = const { Cell::new(0) };
    /// The number of this thread, from 1; 0 before it has one.
    static THREAD: Cell<u64> = const { Cell::new(0) };
}

/// A store that no thread, or more than one, has used.
const NOBODY: u64 = 0;
const SHARED: u64 = u64::MAX;

/// So many bits of a stamp are the thread's counter; the others are the store's turn.
const TOUCH_BITS: u32 = 24;

/// A source of stamps, which grow. What most stores have comes first: that is the cheapest to tell at a hit.
pub(super) enum Stamps {
    /// A counter of the thread's own below, the store's turn, which every insertion advances, above: a hit
    /// writes to no shared line.
    ///
    /// While one thread uses the store, stamps grow strictly, and the order is exact. From the second
    /// thread on, an entry is stamped once a turn: of hits between the same two insertions, the order would
    /// be chance, and writing it down would take the entry's line away from the other threads at each hit.
    Turns { turn: AtomicU64, user: AtomicU64 },
    /// One counter for all threads: exact, whatever threads do, and one more locked operation a hit.
    Counted(AtomicU64),
    /// How often an entry was used, up to [`MOST_USES`](Self::MOST_USES), below; above, where groups of entries
    /// are ordered, the store's turn. An entry that is used often is thus not written to at a hit.
    /// An insertion advances the turn by `step`: 1 or, where nothing is ordered, 0.
    Uses { turn: AtomicU64, step: u64 },
}

impl Stamps {
    /// Bounds up to this many entries are exact with several threads, too.
    pub(super) const EXACT: usize = 1_024;

    /// More uses do not count.
    pub(super) const MOST_USES: u64 = (1 << Self::USE_BITS) - 1;
    const USE_BITS: u32 = 2;

    /// Counts uses; orders entries, too, if asked to.
    pub(super) fn of_uses(is_ordered: bool) -> Self {
        Self::Uses { turn: AtomicU64::new(0), step: u64::from(is_ordered) }
    }

    pub(super) fn for_bound(most: Option<usize>) -> Self {
        if most.is_some_and(|most| most <= Self::EXACT) {
            return Self::Counted(AtomicU64::new(0));
        }
        Self::Turns { turn: AtomicU64::new(0), user: AtomicU64::new(NOBODY) }
    }

    /// Stamps an entry that was hit.
    #[inline]
    pub(super) fn touch(&self, stamp: &AtomicU64) {
        match self {
            Self::Turns { turn, user } => {
                let (now, by) = (turn.load(Ordering::Relaxed), user.load(Ordering::Relaxed));
                if by == SHARED {
                    if stamp.load(Ordering::Relaxed) >> TOUCH_BITS != now {
                        stamp.store(in_turn(turn, now), Ordering::Relaxed);
                    }
                } else {
                    if by == NOBODY || by != THREAD.get() {
                        used(user);
                    }
                    stamp.store(in_turn(turn, now), Ordering::Relaxed);
                }
            }
            // Not a store: of two threads that touch the entry at once, the later counts.
            Self::Counted(counter) => {
                stamp.fetch_max(counter.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            // Of two threads at once, one may not be counted.
            Self::Uses { turn, .. } => {
                let before = stamp.load(Ordering::Relaxed);
                let uses = (before & Self::MOST_USES) + 1;
                let now = (turn.load(Ordering::Relaxed) << Self::USE_BITS) | uses.min(Self::MOST_USES);
                if now != before {
                    stamp.store(now, Ordering::Relaxed);
                }
            }
        }
    }

    /// The stamp of an entry that is being stored.
    pub(super) fn insertion(&self) -> u64 {
        match self {
            Self::Turns { turn, user } => {
                let by = user.load(Ordering::Relaxed);
                if by == NOBODY || (by != SHARED && by != THREAD.get()) {
                    used(user);
                }
                let before = turn.fetch_add(1, Ordering::Relaxed);
                in_turn(turn, before + 1)
            }
            Self::Counted(counter) => counter.fetch_add(1, Ordering::Relaxed) + 1,
            Self::Uses { turn, step } => {
                let before = if *step == 0 { 0 } else { turn.fetch_add(*step, Ordering::Relaxed) };
                (before + step) << Self::USE_BITS
            }
        }
    }

    /// The stamp of an entry that takes another's place: being written to is a use.
    pub(super) fn replacement(&self, old: &AtomicU64) -> u64 {
        let stamp = self.insertion();
        let Self::Uses { .. } = self else { return stamp };
        let uses = (old.load(Ordering::Relaxed) & Self::MOST_USES) + 1;
        stamp | uses.min(Self::MOST_USES)
    }

    /// The uses in a stamp, of which `forget` are forgotten.
    pub(super) fn forget_uses(stamp: &AtomicU64, forget: u64) -> u64 {
        let before = stamp.load(Ordering::Relaxed);
        let uses = before & Self::MOST_USES;
        if uses > 0 {
            stamp.store(before - uses.min(forget), Ordering::Relaxed);
        }
        uses
    }
}

/// A stamp of this thread in the turn `now`; where its counter starts again, in the next.
#[inline]
fn in_turn(turn: &AtomicU64, now: u64) -> u64 {
    let touches = TOUCHES.get().wrapping_add(1) % (1 << TOUCH_BITS);
    TOUCHES.set(touches);
    let now = if touches == 0 { turn.fetch_add(1, Ordering::Relaxed) + 1 } else { now };
    (now << TOUCH_BITS) | u64::from(touches)
}

/// Writes down that this thread uses the store.
#[cold]
fn used(user: &AtomicU64) {
    static THREADS: Mutex<u64> = Mutex::new(NOBODY);
    if THREAD.get() == NOBODY {
        let mut threads = THREADS.lock();
        *threads += 1;
        THREAD.set(*threads);
    }
    let own = THREAD.get();
    let first = user.compare_exchange(NOBODY, own, Ordering::Relaxed, Ordering::Relaxed);
    if first.is_err_and(|user| user != own) {
        user.store(SHARED, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    stamp: u64,
    at: Locator,
}

/// The records. See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Recency {
    /// In the order of their stamps: entries not corrected since they were stored.
    fresh: VecDeque<Record>,
    corrected: BinaryHeap<Reverse<Record>>,
}

impl Recency {
    pub(super) fn len(&self) -> usize {
        self.fresh.len() + self.corrected.len()
    }

    pub(super) fn push(&mut self, stamp: u64, at: Locator) {
        let record = Record { stamp, at };
        if self.fresh.back().is_none_or(|last| last.stamp <= stamp) {
            self.fresh.push_back(record);
        } else {
            self.corrected.push(Reverse(record));
        }
    }

    /// Takes the record of the least recently used entry out. `last_used` tells an entry's stamp, or
    /// `None` where the entry is gone.
    pub(super) fn pop(&mut self, mut last_used: impl FnMut(&Locator) -> Option<u64>) -> Option<Locator> {
        loop {
            let (written, at) = self.take()?;
            match last_used(&at) {
                Some(stamp) if stamp == written => return Some(at),
                Some(stamp) => self.correct(stamp, at),
                None => {}
            }
        }
    }

    /// Takes the record with the lowest stamp out, and tells the stamp.
    pub(super) fn take(&mut self) -> Option<(u64, Locator)> {
        let from_fresh = match (self.fresh.front(), self.corrected.peek()) {
            (Some(fresh), Some(Reverse(corrected))) => fresh.stamp <= corrected.stamp,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let Record { stamp, at } = if from_fresh { self.fresh.pop_front()? } else { self.corrected.pop()?.0 };
        Some((stamp, at))
    }

    /// Puts a record back whose entry has been used since.
    pub(super) fn correct(&mut self, stamp: u64, at: Locator) {
        self.corrected.push(Reverse(Record { stamp, at }));
    }

    /// Drops the records of entries that are gone.
    pub(super) fn retain(&mut self, mut alive: impl FnMut(&Locator) -> bool) {
        self.fresh.retain(|record| alive(&record.at));
        self.corrected.retain(|Reverse(record)| alive(&record.at));
    }
}
