//! In which order entries leave where there is no room: by recency, or as the adaptive rule has it.

use super::adaptive::{Adaptive, Uses};
use super::ledger::Locator;
use super::recency::Recency;

/// What the order is found from.
pub(super) trait Entries: Uses {
    /// An entry's stamp, or `None` where the entry is gone.
    fn last_used(&self, at: &Locator) -> Option<u64>;
}

/// The records of the entries that can be driven out.
#[derive(Debug)]
pub(super) enum Order {
    Recency(Recency),
    Adaptive(Box<Adaptive>),
}

impl Default for Order {
    fn default() -> Self {
        Self::Recency(Recency::default())
    }
}

impl Order {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Recency(recency) => recency.len(),
            Self::Adaptive(adaptive) => adaptive.len(),
        }
    }

    pub(super) fn push(&mut self, stamp: u64, at: Locator, entries: &impl Entries) {
        match self {
            Self::Recency(recency) => recency.push(stamp, at),
            Self::Adaptive(adaptive) => adaptive.push(stamp, at, entries),
        }
    }

    /// Takes the record of the entry that is to leave out.
    pub(super) fn pop(&mut self, entries: &impl Entries) -> Option<Locator> {
        match self {
            Self::Recency(recency) => recency.pop(|at| entries.last_used(at)),
            Self::Adaptive(adaptive) => adaptive.pop(entries),
        }
    }

    /// Drops the records of entries that are gone.
    pub(super) fn retain(&mut self, alive: impl FnMut(&Locator) -> bool) {
        match self {
            Self::Recency(recency) => recency.retain(alive),
            Self::Adaptive(adaptive) => adaptive.retain(alive),
        }
    }
}
