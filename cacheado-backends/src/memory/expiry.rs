//! When entries expire: a queue for those that come in about the order of their deadlines, a heap for the others.
//!
//! Most entries of a cache have one lifetime, so they expire in the order in which they were stored. That is
//! about the order in which they are driven out, too: where the victims are near the front, their records leave
//! with them, and nobody has to look for the records of entries that are gone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};

use foldhash::fast::RandomState;

use super::ledger::Locator;
use super::queue::{self, REACH};
use crate::clock::NEVER;

type Record = (u64, Locator);

#[derive(Debug, Default)]
pub(super) struct Expiry {
    /// Deadlines do not descend.
    queue: VecDeque<Record>,
    others: BinaryHeap<Reverse<Record>>,
    /// The numbers of the entries whose records are with the others.
    aside: HashSet<u64, RandomState>,
}

impl Expiry {
    pub(super) fn len(&self) -> usize {
        self.queue.len() + self.others.len()
    }

    pub(super) fn push(&mut self, deadline: u64, at: Locator) {
        if deadline == NEVER {
            return;
        }
        if let Err((deadline, at)) = queue::insert(&mut self.queue, (deadline, at), |record| record.0) {
            self.set_aside(deadline, at);
        }
    }

    /// When the first entry expires.
    pub(super) fn next(&self) -> Option<u64> {
        let queued = self.queue.front().map(|(deadline, _)| *deadline);
        let other = self.others.peek().map(|Reverse((deadline, _))| *deadline);
        queued.into_iter().chain(other).min()
    }

    /// Takes out the first entry that has expired at `now`.
    pub(super) fn pop(&mut self, now: u64) -> Option<Locator> {
        let next = self.next()?;
        if next > now {
            return None;
        }
        if self.queue.front().is_some_and(|(deadline, _)| *deadline == next) {
            return self.queue.pop_front().map(|(_, at)| at);
        }
        let Reverse((_, at)) = self.others.pop()?;
        self.aside.remove(&at.serial);
        Some(at)
    }

    /// An entry is about to be driven out. If its record is near the front, it leaves, as is returned. If it is further
    /// behind, the first one makes way: it is dropped if its entry is gone, and set aside if that stays longer than
    /// others. One that has been set aside stays there, and nobody makes way for it: so one that came out of order does
    /// not keep all that come after it from being found. Nor for one that never expires, and has no record.
    /// `deadline` tells an entry's, or `None` where it is gone.
    pub(super) fn forget(&mut self, victim: &Locator, deadline: impl Fn(&Locator) -> Option<u64>) -> bool {
        match self.queue.iter().take(REACH).position(|(_, at)| at == victim) {
            Some(0) => return self.queue.pop_front().is_some(),
            Some(index) => return self.queue.remove(index).is_some(),
            None => {}
        }
        if !self.queue.is_empty()
            && !self.aside.contains(&victim.serial)
            && deadline(victim) != Some(NEVER)
            && let Some((recorded, at)) = self.queue.pop_front()
            && deadline(&at).is_some()
        {
            self.set_aside(recorded, at);
        }
        false
    }

    /// Puts a record with those that are in no queue.
    pub(super) fn set_aside(&mut self, deadline: u64, at: Locator) {
        self.aside.insert(at.serial);
        self.others.push(Reverse((deadline, at)));
    }

    /// Keeps one record of each entry that is there and expires, at its present deadline.
    /// `deadline` tells an entry's, or `None` where it is gone.
    pub(super) fn retain(&mut self, deadline: impl Fn(&Locator) -> Option<u64>) {
        let mut records: Vec<Record> = std::mem::take(&mut self.queue).into();
        records.extend(std::mem::take(&mut self.others).into_iter().map(|Reverse(record)| record));
        self.aside = HashSet::default();
        // The record of an entry that lives longer by now may be its only one.
        records.retain_mut(|(recorded, at)| match deadline(at) {
            Some(NEVER) | None => false,
            Some(present) => {
                *recorded = present;
                true
            }
        });
        records.sort_unstable();
        records.dedup();
        self.queue = records.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(serial: u64) -> Locator {
        Locator { hash: serial * 7, serial }
    }

    #[test]
    fn entries_leave_by_deadline_in_whichever_order_they_came() {
        let mut expiry = Expiry::default();
        for (deadline, serial) in [(50, 1), (10, 2), (60, 3), (NEVER, 4), (10, 5), (55, 6)] {
            expiry.push(deadline, at(serial));
        }
        assert_eq!((expiry.len(), expiry.next()), (5, Some(10)));
        let mut order = Vec::new();
        while let Some(at) = expiry.pop(55) {
            order.push(at.serial);
        }
        assert_eq!(order, [2, 5, 1, 6]);
        assert_eq!(expiry.next(), Some(60));
    }

    #[test]
    fn the_record_of_a_victim_leaves_with_it_and_no_living_one_is_lost() {
        let mut expiry = Expiry::default();
        for serial in 1..=5 {
            expiry.push(serial * 10, at(serial));
        }
        assert!(expiry.forget(&at(2), |_| Some(10)));
        assert_eq!(expiry.len(), 4);
        // Of one that is nowhere near the first makes way, which is there, then the third, which is not.
        assert!(!expiry.forget(&at(9), |at| (at.serial != 3).then_some(10)));
        assert!(!expiry.forget(&at(9), |at| (at.serial != 3).then_some(10)));
        assert_eq!(expiry.len(), 3);
        assert!(expiry.forget(&at(4), |_| Some(10)));
        assert!(!Expiry::default().forget(&at(1), |_| Some(10)));
        assert_eq!((expiry.pop(100), expiry.pop(100), expiry.pop(100)), (Some(at(1)), Some(at(5)), None));
    }

    #[test]
    fn a_victim_is_looked_for_near_the_front_only() {
        let mut expiry = Expiry::default();
        for serial in 1..=20 {
            expiry.push(serial * 10, at(serial));
        }
        assert!(!expiry.forget(&at(REACH as u64 + 1), |_| Some(10)), "the first makes way");
        assert!(expiry.forget(&at(REACH as u64 + 1), |_| Some(10)), "now it is near enough");
        assert_eq!((expiry.len(), expiry.next()), (19, Some(10)));
    }

    #[test]
    fn one_that_was_set_aside_makes_nobody_else_leave_the_queue() {
        let mut expiry = Expiry::default();
        for serial in 1..=40 {
            expiry.push(serial * 10, at(serial));
        }
        // It has been overtaken by more than are looked at.
        expiry.push(5, at(41));
        assert!(!expiry.forget(&at(41), |_| Some(10)));
        let rest = (1..=40).map(|serial| expiry.forget(&at(serial), |_| Some(10)));
        assert!(rest.eq([true; 40]), "each is first in the queue when it leaves");
        assert_eq!((expiry.len(), expiry.pop(100)), (1, Some(at(41))));
        assert!(expiry.aside.is_empty());
    }

    #[test]
    fn nobody_makes_way_for_one_that_never_expires() {
        let mut expiry = Expiry::default();
        for serial in 1..=20 {
            expiry.push(serial * 10, at(serial));
        }
        let deadline = |at: &Locator| Some(if at.serial > 20 { NEVER } else { at.serial * 10 });
        assert!(!expiry.forget(&at(21), deadline));
        assert_eq!((expiry.queue.len(), expiry.aside.len()), (20, 0));
    }

    #[test]
    fn several_records_of_one_entry_become_one() {
        let mut expiry = Expiry::default();
        for deadline in [30, 20, 30, 20, 40] {
            expiry.push(deadline, at(1));
        }
        expiry.push(5, at(2));
        expiry.retain(|at| (at.serial == 1).then_some(20));
        assert_eq!((expiry.len(), expiry.next()), (1, Some(20)));
    }

    #[test]
    fn an_entry_that_lives_longer_keeps_a_record_and_one_that_lives_for_ever_does_not() {
        let mut expiry = Expiry::default();
        for (deadline, serial) in [(10, 1), (10, 2), (20, 3), (30, 3), (40, 4)] {
            expiry.push(deadline, at(serial));
        }
        expiry.retain(|at| {
            [(1, 50), (2, NEVER), (3, 5), (4, 40)].iter().find(|of| of.0 == at.serial).map(|of| of.1)
        });
        assert_eq!((expiry.len(), expiry.next()), (3, Some(5)));
        let order = std::iter::from_fn(|| expiry.pop(100)).map(|at| at.serial);
        assert!(order.eq([3, 4, 1]), "in order of their deadlines");
    }
}
