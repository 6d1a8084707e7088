//! Records in order that come almost in order.
//!
//! What several threads write down at the same time comes a few places too late: it is put where it belongs. What
//! belongs elsewhere is for a heap, which is dearer.

use std::collections::VecDeque;

/// How far from an end a record is looked for.
pub(super) const REACH: usize = 8;

/// Puts a record into a queue whose keys do not descend, behind those of the same key. It comes back if its place is
/// not near the end.
pub(super) fn insert<R>(queue: &mut VecDeque<R>, record: R, key: impl Fn(&R) -> u64) -> Result<(), R> {
    let own = key(&record);
    if queue.back().is_none_or(|last| key(last) <= own) {
        queue.push_back(record);
        return Ok(());
    }
    let behind = queue.iter().rev().take(REACH + 1).position(|other| key(other) <= own);
    match behind {
        Some(steps) => queue.insert(queue.len() - steps, record),
        None if queue.len() <= REACH => queue.push_front(record),
        None => return Err(record),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_stand_in_order_whichever_way_they_come() {
        let mut queue = VecDeque::new();
        for (key, name) in [(5, 'a'), (3, 'b'), (5, 'c'), (4, 'd'), (9, 'e'), (0, 'f')] {
            assert_eq!(insert(&mut queue, (key, name), |record| record.0), Ok(()));
        }
        assert!(queue.iter().map(|record| record.1).eq("fbdace".chars()));
    }

    #[test]
    fn what_belongs_far_from_the_end_comes_back() {
        let mut queue: VecDeque<u64> = (0..20).map(|number| 10 * number).collect();
        let first_in_reach = 10 * (20 - REACH as u64 - 1);
        assert_eq!(insert(&mut queue, first_in_reach, |record| *record), Ok(()));
        assert_eq!(insert(&mut queue, 15, |record| *record), Err(15));
        assert_eq!(queue.len(), 21);
        assert!(queue.iter().is_sorted());
    }
}
