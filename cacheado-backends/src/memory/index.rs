//! Numbers by hashes: where a table finds its entries.
//!
//! Open addressing with linear probing. A word holds half of a hash and a number, so that a probe reads one word for
//! most keys, and one cache line for nearly all of them, before it comes to the entry; a table with its control
//! bytes elsewhere reads two. On removal what follows moves up (Knuth, *The Art of Computer Programming*, vol. 3,
//! 6.4, algorithm R), so there are no tombstones, and no rebuilding under a constant number of entries.

/// Numbers below 2³² − 1, by 64-bit hashes, of which the lower half is used.
pub(super) struct Index {
    /// A power of two of them.
    words: Box<[Word]>,
    len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(8))]
struct Word {
    hash: u32,
    /// The number plus one; zero where there is none.
    number: u32,
}

const VACANT: Word = Word { hash: 0, number: 0 };
/// The fewest words.
const FEW: usize = 8;

impl Word {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    #[inline]
    const fn new(hash: u64, number: u32) -> Self {
        Self { hash: hash as u32, number: number.wrapping_add(1) }
    }

    #[inline]
    const fn is_vacant(self) -> bool {
        self.number == 0
    }

    #[inline]
    const fn number(self) -> u32 {
        self.number.wrapping_sub(1)
    }
}

impl Index {
    pub(super) fn new() -> Self {
        // With one word, a probe does without a check for none.
        Self { words: Box::new([VACANT]), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number that is the one looked for, among those with this hash.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let wanted = Word::new(hash, 0).hash;
        let mask = self.words.len() - 1;
        let mut at = wanted as usize;
        loop {
            let word = self.words[at & mask];
            if word.hash == wanted && !word.is_vacant() && is_it(word.number()) {
                return Some(word.number());
            }
            if word.is_vacant() {
                return None;
            }
            at += 1;
        }
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.words.iter().filter(|word| !word.is_vacant()).map(|word| word.number())
    }

    /// Adds a number that is not there.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        // At most two thirds, so that runs stay short, and never all of them, so that they end.
        if (self.len + 1) * 3 > self.words.len() * 2 {
            self.grow();
        }
        self.put(Word::new(hash, number));
        self.len += 1;
    }

    /// Takes a number out. Whether it was there.
    pub(super) fn remove(&mut self, hash: u64, number: u32) -> bool {
        let mask = self.words.len() - 1;
        let removed = Word::new(hash, number);
        let mut hole = removed.hash as usize & mask;
        while self.words[hole] != removed {
            if self.words[hole].is_vacant() {
                return false;
            }
            hole = (hole + 1) & mask;
        }
        let mut next = hole;
        loop {
            next = (next + 1) & mask;
            let word = self.words[next];
            if word.is_vacant() {
                break;
            }
            // It moves up, unless its own place is behind the hole.
            if next.wrapping_sub(word.hash as usize) & mask >= next.wrapping_sub(hole) & mask {
                self.words[hole] = word;
                hole = next;
            }
        }
        self.words[hole] = VACANT;
        self.len -= 1;
        true
    }

    fn put(&mut self, word: Word) {
        let mask = self.words.len() - 1;
        let mut at = word.hash as usize & mask;
        while !self.words[at].is_vacant() {
            at = (at + 1) & mask;
        }
        self.words[at] = word;
    }

    #[cold]
    fn grow(&mut self) {
        let words = (self.words.len() * 2).max(FEW);
        let old = std::mem::replace(&mut self.words, vec![VACANT; words].into());
        for word in old {
            if !word.is_vacant() {
                self.put(word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Few hashes, all of them at the end of the words, so that runs are long and go round.
    fn hash(number: u32) -> u64 {
        u64::from(number % 5) * 0x0001_0000 + 0xFFFF_FFFE
    }

    #[test]
    fn is_a_map_whatever_is_added_and_removed() {
        let seed = u64::from(std::process::id());
        let mut random = seed;
        let mut next = |below: u32| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(random >> 33).unwrap() % below
        };
        let (mut index, mut model) = (Index::new(), HashSet::new());
        for step in 0..30_000 {
            let number = next(40);
            if next(2) == 0 {
                let was_there = model.remove(&number);
                assert_eq!(index.remove(hash(number), number), was_there, "seed {seed}, step {step}");
            } else if model.insert(number) {
                index.insert(hash(number), number);
            }
            for number in 0..40 {
                let found = index.find(hash(number), |other| other == number);
                assert_eq!(found.is_some(), model.contains(&number), "seed {seed}, step {step}");
            }
            assert_eq!((index.len(), index.numbers().count()), (model.len(), model.len()), "seed {seed}");
        }
        assert_eq!(index.words.len(), 64, "what is removed leaves nothing behind");
    }

    #[test]
    fn a_hash_of_zero_is_a_hash() {
        let mut index = Index::new();
        assert_eq!(index.find(0, |_| true), None);
        index.insert(0, 0);
        assert_eq!(index.find(0, |_| true), Some(0));
        assert_eq!(index.find(1 << 32, |_| true), Some(0), "the upper half is not used");
        assert!(!index.remove(0, 1));
        assert!(index.remove(0, 0));
        assert_eq!(index.find(0, |_| true), None);
    }
}
