//! The entries of one shard: an index of numbers, and the entries by their numbers.
//!
//! What a hit reads of an entry stands together, for most types on one cache line, and the lines stand one behind
//! the other: a hash table of whole entries would leave a third of its places empty, and would have everything else
//! that is known of an entry between those lines. The index has a word for an entry.

use std::any::Any;
use std::mem::ManuallyDrop;

use super::index::Index;
use super::slot::{Facts, Head, Slot, View};
use super::value::{AnyHand, AnyValue, Hand};

/// How many entries share a piece of memory.
const ENTRIES: usize = 8;

/// What a probe reads of an entry.
pub(super) struct Entry<V> {
    pub(super) head: Head,
    pub(super) value: V,
}

/// Eight entries take a whole number of cache lines, whatever their size; so an entry of 64 bytes has one for itself.
#[repr(align(64))]
struct Line<V>([Place<V>; ENTRIES]);

/// Where an entry stands.
type Place<V> = ManuallyDrop<Option<Entry<V>>>;

/// The entries of one shard, by their numbers.
///
/// Who has them [releases](AnyLines::release) them. To drop a field is code of all that it stands in, and in what
/// stands in what; the compiler has that unrolled and inlined into each other, for each type of value.
pub(super) struct Lines<V>(ManuallyDrop<Vec<Line<V>>>);

/// The same, for code that does not know the type of their values: that is compiled once instead of for each type.
///
/// # Panics
///
/// Where there is a hand, if it is for values of another type.
pub(super) trait AnyLines: Send + Sync + 'static {
    fn head(&self, number: u32) -> Option<&Head>;
    fn head_mut(&mut self, number: u32) -> Option<&mut Head>;
    /// Makes room for more entries behind the others: for how many there is room from now on.
    fn extend(&mut self) -> usize;
    /// Exchanges the entry that has this number, or none, for that in the hand, or none.
    fn exchange(&mut self, number: u32, hand: &mut dyn AnyHand);
    /// A copy of an entry's value, behind a pointer.
    fn copy(&self, number: u32) -> Option<AnyValue>;
    /// Takes all entries out.
    fn split_off(&mut self) -> Box<dyn AnyLines>;
    /// Drops all entries.
    fn release(&mut self);
}

#[inline]
const fn place(number: u32) -> (usize, usize) {
    (number as usize / ENTRIES, number as usize % ENTRIES)
}

impl<V> Lines<V> {
    #[inline]
    fn entry(&self, number: u32) -> Option<&Entry<V>> {
        let (line, place) = place(number);
        match self.0.get(line) {
            Some(line) => line.0[place].as_ref(),
            None => None,
        }
    }

    fn place_mut(&mut self, number: u32) -> Option<&mut Place<V>> {
        let (line, place) = place(number);
        match self.0.get_mut(line) {
            Some(line) => Some(&mut line.0[place]),
            None => None,
        }
    }

    fn entry_mut(&mut self, number: u32) -> Option<&mut Entry<V>> {
        match self.place_mut(number) {
            Some(place) => place.as_mut(),
            None => None,
        }
    }
}

/// What is held in the hand.
#[expect(clippy::expect_used, reason = "the hands of a region are made by its shards")]
fn held<V: 'static>(hand: &mut dyn Any) -> &mut Hand<V> {
    hand.downcast_mut().expect("a hand for values of this type")
}

#[expect(clippy::question_mark, reason = "it is compiled for each type, and each `?` is a call of its own")]
impl<V: Clone + Send + Sync + 'static> AnyLines for Lines<V> {
    fn head(&self, number: u32) -> Option<&Head> {
        let Some(entry) = self.entry(number) else { return None };
        Some(&entry.head)
    }

    fn head_mut(&mut self, number: u32) -> Option<&mut Head> {
        let Some(entry) = self.entry_mut(number) else { return None };
        Some(&mut entry.head)
    }

    fn extend(&mut self) -> usize {
        // By half, not by as much again, as they are most of what the store takes.
        if self.0.len() == self.0.capacity() {
            let more = self.0.len() / 2 + 1;
            self.0.reserve_exact(more);
        }
        self.0.push(Line([const { ManuallyDrop::new(None) }; ENTRIES]));
        self.0.capacity() * ENTRIES
    }

    fn exchange(&mut self, number: u32, hand: &mut dyn AnyHand) {
        let (line, place) = place(number);
        std::mem::swap(&mut *self.0[line].0[place], &mut held(hand.as_any()).0);
    }

    fn copy(&self, number: u32) -> Option<AnyValue> {
        let Some(entry) = self.entry(number) else { return None };
        Some(AnyValue::copied(&entry.value))
    }

    fn split_off(&mut self) -> Box<dyn AnyLines> {
        let lines = std::mem::take(&mut *self.0);
        Box::new(Self(ManuallyDrop::new(lines)))
    }

    fn release(&mut self) {
        let mut number = 0;
        while let Some(place) = self.place_mut(number) {
            **place = None;
            number += 1;
        }
        *self.0 = Vec::new();
    }
}

/// The entries of one shard, whose values are of a type that is known here, or is not. Who has it
/// [releases](Table::release) it.
pub(super) struct Table<L: ?Sized = dyn AnyLines> {
    numbers: ManuallyDrop<Numbers>,
    lines: L,
}

/// The numbers of a table, and what is known of the entries that have them besides what stands in the lines.
struct Numbers {
    /// Those of the entries, by the hashes of their keys.
    index: Index,
    /// As many as there are numbers. Those of vacant ones are of no entry.
    facts: Vec<Facts>,
    /// Numbers below `facts.len()` that are vacant.
    vacant: Vec<u32>,
}

impl Numbers {
    fn none() -> Self {
        Self { index: Index::new(), facts: Vec::new(), vacant: Vec::new() }
    }
}

impl<V> Default for Table<Lines<V>> {
    fn default() -> Self {
        Self { numbers: ManuallyDrop::new(Numbers::none()), lines: Lines(ManuallyDrop::new(Vec::new())) }
    }
}

impl<V> Table<Lines<V>> {
    /// The value of the entry that has this number.
    pub(super) fn value(&self, number: u32) -> Option<&V> {
        self.lines.entry(number).map(|entry| &entry.value)
    }

    /// The entry whose key is one that `is_it` knows, for a probe.
    #[inline]
    pub(super) fn get(&self, hash: u64, is_it: impl Fn(&Head) -> bool) -> Option<&Entry<V>> {
        let number = self.numbers.index.find(hash, |number| match self.lines.entry(number) {
            Some(entry) => is_it(&entry.head),
            None => false,
        });
        match number {
            Some(number) => self.lines.entry(number),
            None => None,
        }
    }
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.numbers.index.len()
    }

    /// The number of the entry that is the one looked for, among those with this hash.
    pub(super) fn number(&self, hash: u64, is_it: &dyn Fn(View<'_>) -> bool) -> Option<u32> {
        self.numbers.index.find(hash, |number| self.view(number).is_some_and(is_it))
    }

    /// The entry that has this number.
    pub(super) fn view(&self, number: u32) -> Option<View<'_>> {
        Some(View { head: self.lines.head(number)?, facts: self.numbers.facts.get(number as usize)? })
    }

    /// The entry that is the one looked for, among those with this hash.
    pub(super) fn find(&self, hash: u64, is_it: &dyn Fn(View<'_>) -> bool) -> Option<View<'_>> {
        self.view(self.number(hash, is_it)?)
    }

    /// The same, to be changed.
    pub(super) fn find_mut(
        &mut self,
        hash: u64,
        is_it: &dyn Fn(View<'_>) -> bool,
    ) -> Option<(&mut Head, &mut Facts)> {
        let number = self.number(hash, is_it)?;
        Some((self.lines.head_mut(number)?, self.numbers.facts.get_mut(number as usize)?))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = View<'_>> {
        self.numbers.index.numbers().filter_map(|number| self.view(number))
    }

    /// What the entries weigh together.
    pub(super) fn weight(&self) -> u64 {
        self.numbers.facts.iter().map(Facts::weight).sum()
    }

    /// A copy of an entry's value, behind a pointer.
    pub(super) fn copy(&self, number: u32) -> Option<AnyValue> {
        self.lines.copy(number)
    }

    /// Adds an entry whose key is not there.
    pub(super) fn insert(&mut self, slot: Slot, hand: &mut dyn AnyHand) {
        let (hash, number) = (slot.facts.hash, self.numbers.vacant.pop().unwrap_or_else(|| self.extend()));
        if let Some(head) = hand.head() {
            *head = slot.head;
            self.lines.exchange(number, hand);
        }
        self.numbers.facts[number as usize] = slot.facts;
        self.numbers.index.insert(hash, number);
    }

    /// Exchanges the entry that has this number for another one with the same key.
    pub(super) fn exchange(&mut self, number: u32, slot: &mut Slot, hand: &mut dyn AnyHand) {
        if let (Some(head), Some(facts)) = (hand.head(), self.numbers.facts.get_mut(number as usize)) {
            std::mem::swap(head, &mut slot.head);
            std::mem::swap(facts, &mut slot.facts);
            self.lines.exchange(number, hand);
            slot.head = hand.take_head().unwrap_or(Head::none());
        }
    }

    /// Takes out the entry that is the one looked for, with its value in the hand, which is empty.
    pub(super) fn remove(
        &mut self,
        hash: u64,
        is_it: &dyn Fn(View<'_>) -> bool,
        hand: &mut dyn AnyHand,
    ) -> Option<Slot> {
        let number = self.number(hash, is_it)?;
        self.numbers.index.remove(hash, number);
        self.numbers.vacant.push(number);
        let facts = self.numbers.facts.get_mut(number as usize)?.take();
        self.lines.exchange(number, hand);
        Some(Slot { head: hand.take_head()?, facts })
    }

    /// Takes out all entries.
    pub(super) fn take_all(&mut self) -> Gone {
        let numbers = std::mem::replace(&mut *self.numbers, Numbers::none());
        Gone { facts: numbers.facts, lines: self.lines.split_off() }
    }

    /// Drops all entries, and what is known of them.
    pub(super) fn release(&mut self) {
        *self.numbers = Numbers::none();
        self.lines.release();
    }

    /// One more number.
    fn extend(&mut self) -> u32 {
        #[expect(
            clippy::expect_used,
            reason = "four billion entries take hundreds of gigabytes, in one of many shards"
        )]
        let number =
            u32::try_from(self.numbers.facts.len()).expect("a shard has fewer than four billion entries");
        if self.numbers.facts.len().is_multiple_of(ENTRIES) {
            let (room, taken) = (self.lines.extend(), self.numbers.facts.len());
            self.numbers.facts.reserve_exact(room - taken);
        }
        self.numbers.facts.push(Facts::none());
        number
    }
}

/// The entries that were in a table.
pub(super) struct Gone {
    facts: Vec<Facts>,
    lines: Box<dyn AnyLines>,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.lines.release();
    }
}

impl Gone {
    /// Takes out one after the other, with its value in the hand, which is empty.
    pub(super) fn pop(&mut self, hand: &mut dyn AnyHand) -> Option<Slot> {
        while let Some(facts) = self.facts.pop() {
            let number = u32::try_from(self.facts.len()).ok()?;
            self.lines.exchange(number, hand);
            if let Some(head) = hand.take_head() {
                return Some(Slot { head, facts });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use super::*;
    use crate::sync::AtomicU64;

    fn slot(key: u64, serial: u64) -> Slot {
        let (hash, key) = (key % 7, key.to_le_bytes());
        let head = Head { key: key.as_slice().into(), deadline: 0, stamp: AtomicU64::new(0) };
        Slot { head, facts: Facts { serial, hash, ..Facts::none() } }
    }

    fn hand(value: u64) -> Hand<u64> {
        Hand::new(value)
    }

    /// The value that has been taken out, which is the entry's serial.
    fn taken(slot: &Slot, hand: &mut Hand<u64>) -> u64 {
        let taken = std::mem::replace(hand, Hand(None));
        assert_eq!(taken.0.map(|entry| entry.value), Some(slot.facts.serial), "it is the entry's own");
        slot.facts.serial
    }

    #[test]
    fn what_a_hit_reads_of_an_entry_is_on_one_line() {
        assert_eq!(size_of::<Option<Entry<u64>>>(), 64);
        assert_eq!((size_of::<Line<Arc<String>>>(), align_of::<Line<Arc<String>>>()), (8 * 64, 64));
        let larger = [size_of::<Line<AnyValue>>(), size_of::<Line<String>>()];
        assert_eq!(larger, [8 * 72, 8 * 80], "more where the value is larger, and nothing left over");
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
        let (mut table, mut model) = (Table::<Lines<u64>>::default(), HashMap::new());
        for step in 0..20_000 {
            let key = next() % 200;
            let is_it = |view: View<'_>| view.key() == key.to_le_bytes();
            {
                let table: &mut Table = &mut table;
                let mut empty = Hand(None);
                match (next() % 3, table.number(key % 7, &is_it)) {
                    (0, _) => {
                        let removed = table.remove(key % 7, &is_it, &mut empty);
                        let removed = removed.map(|slot| taken(&slot, &mut empty));
                        assert_eq!(removed, model.remove(&key), "seed {seed}, step {step}");
                    }
                    (1, Some(number)) => {
                        let (mut new, mut hand) = (slot(key, step), hand(step));
                        table.exchange(number, &mut new, &mut hand);
                        let old = Some(taken(&new, &mut hand));
                        assert_eq!(old, model.insert(key, step), "seed {seed}, step {step}");
                    }
                    _ => {
                        if let std::collections::hash_map::Entry::Vacant(vacant) = model.entry(key) {
                            table.insert(slot(key, step), &mut hand(step));
                            vacant.insert(step);
                        }
                    }
                }
                assert_eq!(
                    table.find(key % 7, &is_it).map(|view| view.facts.serial),
                    model.get(&key).copied()
                );
                assert_eq!(table.len(), model.len());
                let copy = table.number(key % 7, &is_it).and_then(|number| table.copy(number));
                assert_eq!(copy.and_then(|mut copy| copy.take()), model.get(&key).copied());
            }
            let found = table
                .get(key % 7, |stored| stored.key.as_bytes() == key.to_le_bytes())
                .map(|entry| entry.value);
            assert_eq!(found, model.get(&key).copied(), "seed {seed}, step {step}");
        }
        let table: &mut Table = &mut table;
        assert!(table.numbers.facts.len() <= 200, "places are used again");
        let mut left: Vec<_> = table.iter().map(|view| view.facts.serial).collect();
        let mut all: Vec<_> = model.into_values().collect();
        left.sort_unstable();
        all.sort_unstable();
        assert_eq!(left, all, "seed {seed}");
        let (mut gone, mut hand) = (table.take_all(), Hand(None));
        assert_eq!(table.iter().count() + table.len(), 0);
        let mut popped = Vec::new();
        while let Some(slot) = gone.pop(&mut hand) {
            popped.push(taken(&slot, &mut hand));
        }
        popped.sort_unstable();
        assert_eq!(popped, all, "seed {seed}");
    }
}
