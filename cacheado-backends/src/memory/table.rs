//! The entries of one shard: an index of numbers, and the entries by their numbers.
//!
//! What a hit reads of an entry stands together, for most types on one cache line, and the lines stand one behind
//! the other: a hash table of whole entries would leave a third of its places empty, and would have everything else
//! that is known of an entry between those lines. The index has a word for an entry.

use super::KeyBox;
use super::index::Index;
use super::slot::{Entry, Facts, Slot, View};

/// How many entries share a piece of memory.
const ENTRIES: usize = 8;

/// Eight entries take a whole number of cache lines, whatever their size; so an entry of 64 bytes has one for itself.
#[repr(align(64))]
struct Lines<V>([Option<Entry<V>>; ENTRIES]);

impl<V> Lines<V> {
    fn new() -> Self {
        Self([const { None }; ENTRIES])
    }
}

/// The entries of one shard.
pub(super) struct Table<V> {
    /// The numbers of the entries, by the hashes of their keys.
    index: Index,
    lines: Vec<Lines<V>>,
    /// As many as `lines` have entries, or fewer. Those of vacant numbers are of no entry.
    facts: Vec<Facts>,
    /// Numbers below `facts.len()` that are vacant.
    vacant: Vec<u32>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { index: Index::new(), lines: Vec::new(), facts: Vec::new(), vacant: Vec::new() }
    }
}

impl<V> Table<V> {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// The entry whose key is one that `is_it` knows, for a probe.
    #[inline]
    pub(super) fn get(&self, hash: u64, is_it: impl Fn(&KeyBox) -> bool) -> Option<&Entry<V>> {
        let is_it = |number| self.entry(number).is_some_and(|entry| is_it(&entry.key));
        self.entry(self.index.find(hash, is_it)?)
    }

    /// The entry that is the one looked for, among those with this hash.
    pub(super) fn find(&self, hash: u64, is_it: &dyn Fn(View<'_, V>) -> bool) -> Option<View<'_, V>> {
        self.view(self.number(hash, is_it)?)
    }

    /// The same, to be changed.
    pub(super) fn find_mut(
        &mut self,
        hash: u64,
        is_it: &dyn Fn(View<'_, V>) -> bool,
    ) -> Option<(&mut Entry<V>, &mut Facts)> {
        let number = self.number(hash, is_it)? as usize;
        let lines = self.lines.get_mut(number / ENTRIES)?;
        Some((lines.0[number % ENTRIES].as_mut()?, self.facts.get_mut(number)?))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = View<'_, V>> {
        self.index.numbers().filter_map(|number| self.view(number))
    }

    /// Adds an entry whose key is not there.
    pub(super) fn insert(&mut self, slot: Slot<V>) {
        let (hash, number) = (slot.facts.hash, self.put(slot));
        self.index.insert(hash, number);
    }

    /// The number of the entry that is the one looked for, among those with this hash.
    pub(super) fn number(&self, hash: u64, is_it: &dyn Fn(View<'_, V>) -> bool) -> Option<u32> {
        self.index.find(hash, |number| self.view(number).is_some_and(is_it))
    }

    /// Takes out the entry that is the one looked for.
    pub(super) fn remove(&mut self, hash: u64, is_it: &dyn Fn(View<'_, V>) -> bool) -> Option<Slot<V>> {
        let number = self.number(hash, is_it)?;
        self.take(hash, number)
    }

    /// Takes out the entry that has this number.
    pub(super) fn take(&mut self, hash: u64, number: u32) -> Option<Slot<V>> {
        self.index.remove(hash, number);
        self.vacant.push(number);
        let place = number as usize;
        let entry = self.lines.get_mut(place / ENTRIES)?.0[place % ENTRIES].take()?;
        Some(Slot { entry, facts: self.facts.get_mut(place)?.take() })
    }

    /// What the entries weigh together.
    pub(super) fn weight(&self) -> u64 {
        weight(&self.facts)
    }

    /// Takes one entry after the other out of a table that is of no more use: they are not to be found any more.
    pub(super) fn pop(&mut self) -> Option<Slot<V>> {
        // Loops and no adapters: it is compiled anew for each type.
        while let Some(facts) = self.facts.pop() {
            let place = self.facts.len();
            if let Some(entry) = self.lines.get_mut(place / ENTRIES)?.0[place % ENTRIES].take() {
                return Some(Slot { entry, facts });
            }
        }
        None
    }

    /// Finds a place for an entry: its number.
    fn put(&mut self, slot: Slot<V>) -> u32 {
        let number = self.vacant.pop().unwrap_or_else(|| self.extend());
        let place = number as usize;
        self.lines[place / ENTRIES].0[place % ENTRIES] = Some(slot.entry);
        self.facts[place] = slot.facts;
        number
    }

    /// One more number.
    fn extend(&mut self) -> u32 {
        #[expect(
            clippy::expect_used,
            reason = "four billion entries take hundreds of gigabytes, in one of many shards"
        )]
        let number = u32::try_from(self.facts.len()).expect("a shard has fewer than four billion entries");
        if self.facts.len() == self.lines.len() * ENTRIES {
            // By half, not by as much again, as they are most of what the store takes.
            if self.lines.len() == self.lines.capacity() {
                let more = self.lines.len() / 2 + 1;
                self.lines.reserve_exact(more);
                self.facts.reserve_exact(more * ENTRIES);
            }
            self.lines.push(Lines::new());
        }
        self.facts.push(Facts::none());
        number
    }

    #[inline]
    fn entry(&self, number: u32) -> Option<&Entry<V>> {
        entry(&self.lines, number)
    }

    pub(super) fn view(&self, number: u32) -> Option<View<'_, V>> {
        view(&self.lines, &self.facts, number)
    }
}

fn weight(facts: &[Facts]) -> u64 {
    facts.iter().map(Facts::weight).sum()
}

#[inline]
fn entry<V>(lines: &[Lines<V>], number: u32) -> Option<&Entry<V>> {
    let number = number as usize;
    lines.get(number / ENTRIES)?.0[number % ENTRIES].as_ref()
}

fn view<'t, V>(lines: &'t [Lines<V>], facts: &'t [Facts], number: u32) -> Option<View<'t, V>> {
    Some(View { entry: entry(lines, number)?, facts: facts.get(number as usize)? })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use super::super::slot::Held;
    use super::*;
    use crate::sync::AtomicU64;

    fn slot(key: u64, value: u64) -> Slot<u64> {
        let (hash, key) = (key % 7, key.to_le_bytes());
        let (key, held) = (key.as_slice().into(), Held::new(value, true));
        let entry = Entry { key, held, deadline: 0, stamp: AtomicU64::new(0) };
        Slot { entry, facts: Facts { hash, serial: value, ..Facts::none() } }
    }

    #[test]
    fn what_a_hit_reads_of_an_entry_is_on_one_line() {
        assert_eq!(size_of::<Option<Entry<u64>>>(), 64);
        assert_eq!(size_of::<Option<Entry<Arc<str>>>>(), 64);
        assert_eq!((size_of::<Lines<Arc<String>>>(), align_of::<Lines<Arc<String>>>()), (8 * 64, 64));
        assert_eq!(
            size_of::<Lines<String>>(),
            8 * 72,
            "more where the value is larger, and nothing left over"
        );
    }

    #[test]
    fn is_a_map_whatever_is_added_and_removed() {
        let seed = std::process::id().into();
        let mut random = seed;
        let mut next = || {
            random =
                u64::wrapping_mul(random, 6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            random >> 33
        };
        let (mut table, mut model) = (Table::default(), HashMap::new());
        for step in 0..20_000 {
            let key = next() % 200;
            let is_it = |view: View<'_, u64>| view.entry.key.as_bytes() == key.to_le_bytes();
            if next() % 2 == 0 {
                let removed = table.remove(key % 7, &is_it).map(|slot| slot.facts.serial);
                assert_eq!(removed, model.remove(&key), "seed {seed}, step {step}");
            } else if let std::collections::hash_map::Entry::Vacant(vacant) = model.entry(key) {
                table.insert(slot(key, step));
                vacant.insert(step);
            }
            let found = table
                .get(key % 7, |stored| stored.as_bytes() == key.to_le_bytes())
                .map(|entry| entry.held.take_along());
            assert_eq!(found.map(Held::into_value), model.get(&key).copied(), "seed {seed}, step {step}");
            assert_eq!(table.find(key % 7, &is_it).map(|view| view.facts.serial), model.get(&key).copied());
            assert_eq!(table.len(), model.len());
        }
        assert!(table.facts.len() <= 200, "places are used again");
        let mut left: Vec<_> = table.iter().map(|view| view.facts.serial).collect();
        let mut all: Vec<_> = model.into_values().collect();
        left.sort_unstable();
        all.sort_unstable();
        assert_eq!(left, all, "seed {seed}");
        let mut popped: Vec<_> = std::iter::from_fn(|| table.pop()).map(|slot| slot.facts.serial).collect();
        popped.sort_unstable();
        assert_eq!(popped, all, "seed {seed}");
    }
}
