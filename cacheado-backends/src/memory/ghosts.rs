//! Which keys have left lately: their fingerprints, in the order in which they left.

use std::collections::VecDeque;

use hashbrown::HashTable;

#[derive(Debug, Clone, Copy)]
struct Ghost {
    fingerprint: u32,
    /// The how manieth key it was that left; it wraps.
    number: u32,
}

/// The keys that have left last. 15 to 30 bytes each; two keys are taken for one with a chance of `n` in 2³².
#[derive(Debug, Default)]
pub(super) struct Ghosts {
    table: HashTable<Ghost>,
    /// The fingerprints of the keys with the numbers from `first` on, also of those that have come back since.
    queue: VecDeque<u32>,
    first: u32,
}

impl Ghosts {
    /// Writes down that a key has left, and forgets the oldest above `most`.
    pub(super) fn left(&mut self, hash: u64, most: usize) {
        let fingerprint = fingerprint(hash);
        let ghost = Ghost { fingerprint, number: self.next() };
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

    /// How many keys have left since this one did, if that is remembered; it is forgotten.
    pub(super) fn returned(&mut self, hash: u64) -> Option<usize> {
        let fingerprint = fingerprint(hash);
        let ghost = self.table.find_entry(spread(fingerprint), |ghost| ghost.fingerprint == fingerprint);
        let (Ghost { number, .. }, _) = ghost.ok()?.remove();
        usize::try_from(self.next().wrapping_sub(number)).ok()
    }

    fn next(&self) -> u32 {
        // There are never as many as numbers: those of the last `n` differ.
        #[expect(clippy::cast_possible_truncation, reason = "numbers wrap")]
        self.first.wrapping_add(self.queue.len() as u32)
    }
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
    use super::Ghosts;

    #[test]
    fn the_last_ones_are_remembered_and_once() {
        let mut ghosts = Ghosts::default();
        for hash in 0..10 {
            ghosts.left(hash, 3);
        }
        assert_eq!(ghosts.returned(6), None);
        assert_eq!(ghosts.returned(7), Some(3));
        assert_eq!(ghosts.returned(7), None);
        assert_eq!(ghosts.returned(9), Some(1));
        ghosts.left(8, 3);
        assert_eq!(ghosts.returned(8), Some(1), "it left once more");
        assert_eq!(ghosts.table.len(), 0);
    }
}
