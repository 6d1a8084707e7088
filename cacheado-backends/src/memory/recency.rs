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
use super::queue;
use crate::sync::{AtomicU64, Ordering};

thread_local! {
    /// The number of this thread, from 1; 0 before it has one.
    static THREAD: Cell<u64> = const { Cell::new(0) };
}

/// A store that no thread, or more than one, has used.
const NOBODY: u64 = u64::MAX - 1;
const SHARED: u64 = u64::MAX;

/// So many bits of a stamp are the counter of hits; the others are the store's turn.
const TOUCH_BITS: u32 = 24;
/// One hit, in a counter whose highest bits count, so that it overflows where the turn has to advance.
const TOUCH: u64 = 1 << (u64::BITS - TOUCH_BITS);
const LAST_TOUCH: u64 = (1 << TOUCH_BITS) - 1;

/// A source of stamps, which grow. What most stores have comes first: that is the cheapest to tell at a hit.
pub(super) enum Stamps {
    /// The number of the hit below, the store's turn, which every insertion advances, above.
    ///
    /// While one thread uses the store, stamps grow strictly, and the order is exact. From the second
    /// thread on, an entry is stamped once a turn, and hits are not numbered: those between the same two insertions are
    /// equal. Their order would take lines away from the other threads at each hit.
    Turns { turn: AtomicU64, touches: AtomicU64, user: AtomicU64 },
    /// One counter for all threads: exact, whatever threads do, and one more locked operation a hit.
    Counted(AtomicU64),
    /// How often an entry was used, up to [`MOST_USES`](Self::MOST_USES), below; above, the turn of its last use,
    /// which every insertion advances. An entry that is used often is thus written to once a turn.
    Uses { turn: AtomicU64 },
}

impl Stamps {
    /// Bounds up to this many entries are exact with several threads, too.
    pub(super) const EXACT: usize = 1_024;

    /// More uses do not count.
    pub(super) const MOST_USES: u64 = (1 << Self::USE_BITS) - 1;
    const USE_BITS: u32 = 2;

    /// Counts uses, and orders entries.
    pub(super) fn of_uses() -> Self {
        Self::Uses { turn: AtomicU64::new(0) }
    }

    pub(super) fn for_bound(most: Option<usize>) -> Self {
        if most.is_some_and(|most| most <= Self::EXACT) {
            return Self::Counted(AtomicU64::new(0));
        }
        Self::Turns { turn: AtomicU64::new(0), touches: AtomicU64::new(0), user: AtomicU64::new(NOBODY) }
    }

    /// Stamps an entry that was hit.
    #[inline]
    pub(super) fn touch(&self, stamp: &AtomicU64) {
        match self {
            Self::Turns { turn, touches, user } => {
                let (now, by) = (turn.load(Ordering::Relaxed), user.load(Ordering::Relaxed));
                if by == SHARED {
                    // After the insertion that began the turn, before the next one.
                    let last = (now << TOUCH_BITS) | LAST_TOUCH;
                    if stamp.load(Ordering::Relaxed) != last {
                        stamp.store(last, Ordering::Relaxed);
                    }
                } else {
                    if by != THREAD.get() {
                        used(user);
                    }
                    stamp.store(in_turn(turn, touches, now), Ordering::Relaxed);
                }
            }
            // Not a store: of two threads that touch the entry at once, the later counts.
            Self::Counted(counter) => {
                stamp.fetch_max(counter.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            // Of two threads at once, one may not be counted.
            Self::Uses { turn } => {
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
            Self::Turns { turn, touches, user } => {
                let by = user.load(Ordering::Relaxed);
                if by != SHARED && by != THREAD.get() {
                    used(user);
                }
                let before = turn.fetch_add(1, Ordering::Relaxed);
                in_turn(turn, touches, before + 1)
            }
            Self::Counted(counter) => counter.fetch_add(1, Ordering::Relaxed) + 1,
            Self::Uses { turn } => (turn.fetch_add(1, Ordering::Relaxed) + 1) << Self::USE_BITS,
        }
    }

    /// The stamp of an entry that takes another's place: being written to is a use.
    pub(super) fn replacement(&self, old: &AtomicU64) -> u64 {
        let stamp = self.insertion();
        let Self::Uses { .. } = self else { return stamp };
        let uses = (old.load(Ordering::Relaxed) & Self::MOST_USES) + 1;
        stamp | uses.min(Self::MOST_USES)
    }

    /// A stamp of an entry whose uses are counted; of them, `forget` are then forgotten.
    pub(super) fn forget_uses(stamp: &AtomicU64, forget: u64) -> u64 {
        let before = stamp.load(Ordering::Relaxed);
        let uses = before & Self::MOST_USES;
        if uses > 0 {
            stamp.store(before - uses.min(forget), Ordering::Relaxed);
        }
        before
    }

    /// The turn of the last use in such a stamp, and how many uses there were.
    pub(super) fn turn_and_uses(stamp: u64) -> (u64, u64) {
        (stamp >> Self::USE_BITS, stamp & Self::MOST_USES)
    }
}

/// The stamp of the next hit in the turn `now`; where the counter starts again, in the next.
///
/// One thread counts at a time, as a rule: where another has just come, a number may be given twice.
#[inline]
fn in_turn(turn: &AtomicU64, touches: &AtomicU64, now: u64) -> u64 {
    let (next, is_over) = touches.load(Ordering::Relaxed).overflowing_add(TOUCH);
    touches.store(next, Ordering::Relaxed);
    let now = if is_over { turn.fetch_add(1, Ordering::Relaxed) + 1 } else { now };
    (now << TOUCH_BITS) | (next >> (u64::BITS - TOUCH_BITS))
}

/// Writes down that this thread uses the store.
#[cold]
fn used(user: &AtomicU64) {
    static THREADS: Mutex<u64> = Mutex::new(0);
    if THREAD.get() == 0 {
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
        if let Err(record) = queue::insert(&mut self.fresh, Record { stamp, at }, |record| record.stamp) {
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

    /// Puts a record back whose entry has been used since.
    pub(super) fn correct(&mut self, stamp: u64, at: Locator) {
        self.corrected.push(Reverse(Record { stamp, at }));
    }

    /// The first record, as it was written down: its stamp, and of which entry it is.
    pub(super) fn first(&self) -> Option<(u64, Locator)> {
        let first = if self.is_next_fresh() { self.fresh.front()? } else { &self.corrected.peek()?.0 };
        Some((first.stamp, first.at))
    }

    /// Takes the first record out, as it was written down.
    pub(super) fn take(&mut self) -> Option<(u64, Locator)> {
        let record = if self.is_next_fresh() { self.fresh.pop_front()? } else { self.corrected.pop()?.0 };
        Some((record.stamp, record.at))
    }

    #[inline]
    fn is_next_fresh(&self) -> bool {
        match (self.fresh.front(), self.corrected.peek()) {
            (Some(fresh), Some(Reverse(corrected))) => fresh.stamp <= corrected.stamp,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Drops the records of entries that are gone.
    pub(super) fn retain(&mut self, mut alive: impl FnMut(&Locator) -> bool) {
        self.fresh.retain(|record| alive(&record.at));
        self.corrected.retain(|Reverse(record)| alive(&record.at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(serial: u64) -> Locator {
        Locator { hash: serial * 7, serial }
    }

    #[test]
    fn records_of_several_threads_are_taken_in_the_order_of_their_stamps() {
        let mut recency = Recency::default();
        for stamp in [10, 30, 20, 50, 40, 5] {
            recency.push(stamp, at(stamp));
        }
        assert!(recency.corrected.is_empty(), "each is put where it belongs");
        for stamp in 51..70 {
            recency.push(stamp, at(stamp));
        }
        // One that is far too late is found all the same.
        recency.push(7, at(7));
        let taken = std::iter::from_fn(|| recency.take()).map(|(stamp, _)| stamp);
        assert!(taken.eq([5, 7, 10, 20, 30, 40, 50].into_iter().chain(51..70)));
    }
}
