//! What holds the entries of a region: its shards, each behind a lock of its own.

use std::any::Any;

use crossbeam_utils::CachePadded;

use crate::memory::table::{Lines, Table};
use crate::memory::value::{AnyHand, Hand};
use crate::sync::BiasedLock;

/// Which of so many shards, a power of two, has the entries with this hash. The table uses the lowest bits.
#[inline]
pub(super) const fn index(hash: u64, shards: usize) -> usize {
    (hash >> 40) as usize & (shards - 1)
}

/// Entries whose values are of type `V`.
pub struct Shards<V: Clone + Send + Sync + 'static>(Vec<CachePadded<BiasedLock<Table<Lines<V>>>>>);

impl<V: Clone + Send + Sync + 'static> Drop for Shards<V> {
    fn drop(&mut self) {
        release(self);
    }
}

fn release(shards: &dyn AnyShards) {
    for index in 0..shards.count() {
        shards.shard(index).write().release();
    }
}

impl<V: Clone + Send + Sync + 'static> Shards<V> {
    pub(super) fn new(count: usize) -> Self {
        let mut shards = Vec::with_capacity(count);
        for _ in 0..count {
            shards.push(BiasedLock::new(Table::default()).into());
        }
        Self(shards)
    }

    /// The shard that has the entries with this hash.
    #[inline]
    pub(super) fn of(&self, hash: u64) -> &BiasedLock<Table<Lines<V>>> {
        &self.0[index(hash, self.0.len())]
    }
}

/// Entries whose values are of any type.
#[expect(private_interfaces, reason = "outside of this crate nobody can name the trait")]
pub trait AnyShards: Send + Sync + 'static {
    /// How many there are, a power of two.
    fn count(&self) -> usize;
    fn shard(&self, index: usize) -> &BiasedLock<Table>;
    /// Whether this hand is for values of this type.
    fn holds(&self, hand: &dyn Any) -> bool;
    /// Lends an empty hand for values of this type. What is left in it is dropped.
    fn with_hand(&self, work: &mut dyn FnMut(&mut dyn AnyHand));
}

#[expect(private_interfaces, reason = "outside of this crate nobody can name the trait")]
impl<V: Clone + Send + Sync + 'static> AnyShards for Shards<V> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn shard(&self, index: usize) -> &BiasedLock<Table> {
        &*self.0[index]
    }

    fn holds(&self, hand: &dyn Any) -> bool {
        hand.is::<Hand<V>>()
    }

    fn with_hand(&self, work: &mut dyn FnMut(&mut dyn AnyHand)) {
        work_with(&mut Hand::<V>(None), work);
    }
}

fn work_with(hand: &mut dyn AnyHand, work: &mut dyn FnMut(&mut dyn AnyHand)) {
    work(hand);
    hand.clear_contained();
}
