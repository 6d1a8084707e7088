//! Fences: which fills began before an eviction, so that their results are not stored after it.
//!
//! Each eviction moves an epoch: the store's (clear), a region's (function), or that of a key, scope or
//! tag, which are kept in stripes by hash, so that there is nothing to create or to clean up. A fill
//! takes the sum of all the epochs that concern it before it computes. As epochs only grow, the sum is
//! the same afterwards if and only if none of them has moved. Two names in one stripe can make a fill
//! be dropped for nothing, which costs a recomputation and never a stale value.

use crate::sync::{AtomicU64, Ordering};

const STRIPES: usize = 1024;

/// What a fill takes before its computation begins, and shows when it wants to store the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// The fill's number: later ones began later.
    pub(super) serial: u64,
    /// The sum of the epochs that concern it.
    pub(super) fence: u64,
}

impl Ticket {
    /// Whether both were taken with no eviction between them that concerns their key.
    #[must_use]
    pub fn same_epoch(self, other: Self) -> bool {
        self.fence == other.fence
    }
}

/// The fence of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence(pub(super) u64);

pub(super) struct Fences {
    all: AtomicU64,
    stripes: Box<[AtomicU64]>,
    serial: AtomicU64,
}

impl Fences {
    pub(super) fn new() -> Self {
        Self {
            all: AtomicU64::new(0),
            stripes: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(),
            serial: AtomicU64::new(1),
        }
    }

    fn index(hash: u64) -> usize {
        // The stripes are fewer than 2^16; the high half of the hash is as good as the low one.
        usize::try_from(hash >> 48).unwrap_or_default() % STRIPES
    }

    fn stripe(&self, hash: u64) -> &AtomicU64 {
        &self.stripes[Self::index(hash)]
    }

    /// How often moving the fences `moved` has moved the one with this hash.
    #[expect(clippy::unused_self, reason = "the stripes are this table's")]
    pub(super) fn moves(&self, hash: u64, moved: &[Fence]) -> u64 {
        moved.iter().filter(|fence| Self::index(fence.0) == Self::index(hash)).count() as u64
    }

    /// An eviction of everything begins.
    pub(super) fn move_all(&self) {
        self.all.fetch_add(1, Ordering::SeqCst);
    }

    /// An eviction of the key or label with this hash begins.
    pub(super) fn move_one(&self, hash: u64) {
        self.stripe(hash).fetch_add(1, Ordering::SeqCst);
    }

    /// The sum of the epochs of the store and of all `hashes`.
    pub(super) fn sum(&self, hashes: impl Iterator<Item = u64>) -> u64 {
        let all = self.all.load(Ordering::SeqCst);
        hashes.fold(all, |sum, hash| sum.wrapping_add(self.stripe(hash).load(Ordering::SeqCst)))
    }

    pub(super) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::SeqCst)
    }
}
