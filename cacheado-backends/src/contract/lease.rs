//! Leases: of all nodes that want to compute the entry of a place, one at a time.

use std::time::Duration;

use super::{Claim, Entry};

/// On what terms a fill is announced for one node at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long the lease lasts at most, from now, more than zero.
    pub lasts: Duration,
    /// Whether a live entry is an answer. If not, the caller wants another than the one that is there.
    pub look: bool,
}

/// What became of the wish to compute an entry.
#[derive(Debug, Clone)]
pub enum Leased {
    /// The caller computes. Its claim stands for the lease, too: filling or abandoning it releases the lease.
    Taken(Claim),
    /// Another does, and holds the lease for so long at most.
    Held(Duration),
    /// Somebody has: a live entry is there. Only if the caller has said that it will do.
    Found(Entry),
}
