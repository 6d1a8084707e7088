//! Which keys have left lately: their fingerprints, in the order in which they left.

use std::collections::VecDeque;

use hashbrown::HashTable;

#[derive(Debug, Clone, Copy)]
struct Ghost {
    fingerprint: u32,
    /// The how manieth key it was that left; it wraps.
    number: u32,
    /// The turn of its last use; it wraps.
    last_use: u32,
}

/// A key that has left and comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comeback {
    /// How many keys have left since it did.
    pub(super) departures: usize,
    /// How many turns ago it was used.
    pub(super) gap: u64,
}

/// The keys that have left last. 19 to 38 bytes each; two keys are taken for one with a chance of `n` in 2³².
#[derive(Debug, Default)]
pub(super) struct Ghosts {
    table: HashTable<Ghost>,
    /// The fingerprints of the keys with the numbers from `first` on, also of those that have come back since.
    queue: VecDeque<u32>,
    first: u32,
}

impl Ghosts {
    /// Writes down that a key has left that was used last in the turn `last_use`, and forgets the oldest above `most`.
    pub(super) fn left(&mut self, hash: u64, last_use: u64, most: usize) {
        let fingerprint = fingerprint(hash);
        let ghost = Ghost { fingerprint, number: self.next(), last_use: wrapped(last_use) };
        self.queue.push_back(fingerprint);
        match self.table.find_mut(spread(fingerprint), |old| old.fingerprint == fingerprint) {
            Some(old) => *old = ghost,
            None => {
                self.table.insert_unique(spread(fingerprint), ghost, |ghost| spread(ghost.fingerprint));
            }
        }
        while self.queue.len() > most {
            let Some(oldest) = self.queue.pop_front() else { return };
            let number = self.first;
            self.first = number.wrapping_add(1);
            let is_it = |ghost: &Ghost| ghost.fingerprint == oldest && ghost.number == number;
            if let Ok(ghost) = self.table.find_entry(spread(oldest), is_it) {
                ghost.remove();
            }
        }
    }

    /// A key comes back in the turn `now`: what is remembered of it, if anything. It is forgotten.
    pub(super) fn returned(&mut self, hash: u64, now: u64) -> Option<Comeback> {
        let fingerprint = fingerprint(hash);
        let ghost = self.table.find_entry(spread(fingerprint), |ghost| ghost.fingerprint == fingerprint);
        let (Ghost { number, last_use, .. }, _) = ghost.ok()?.remove();
        Some(Comeback {
            departures: usize::try_from(self.next().wrapping_sub(number)).ok()?,
            gap: u64::from(wrapped(now).wrapping_sub(last_use)),
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    fn next(&self) -> u32 {
        // There are never as many as numbers: those of the last `n` differ.
        #[expect(clippy::cast_possible_truncation, reason = "numbers wrap")]
        self.first.wrapping_add(self.queue.len() as u32)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "turns wrap: only those of the last few `n` are compared"
)]
fn wrapped(turn: u64) -> u32 {
    turn as u32
}

#[expect(clippy::cast_possible_truncation, reason = "a part of the hash is meant")]
fn fingerprint(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}

/// The table wants high and low bits that differ.
fn spread(fingerprint: u32) -> u64 {
    u64::from(fingerprint).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(20)
}

#[cfg(test)]
mod tests {
    use super::{Comeback, Ghosts};

    #[test]
    fn the_last_ones_are_remembered_and_once() {
        let mut ghosts = Ghosts::default();
        for hash in 0..10 {
            ghosts.left(hash, 100 + hash, 3);
        }
        assert_eq!(ghosts.returned(6, 120), None);
        assert_eq!(ghosts.returned(7, 120), Some(Comeback { departures: 3, gap: 13 }));
        assert_eq!(ghosts.returned(7, 120), None);
        assert_eq!(ghosts.returned(9, 120), Some(Comeback { departures: 1, gap: 11 }));
        ghosts.left(8, 130, 3);
        let again = ghosts.returned(8, 131);
        assert_eq!(again, Some(Comeback { departures: 1, gap: 1 }), "it left once more");
        assert_eq!(ghosts.table.len(), 0);
    }

    #[test]
    fn turns_may_wrap() {
        let mut ghosts = Ghosts::default();
        let end = u64::from(u32::MAX);
        ghosts.left(1, end - 1, 3);
        assert_eq!(ghosts.returned(1, end + 3), Some(Comeback { departures: 1, gap: 4 }));
    }
}
