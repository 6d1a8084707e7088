//! In which order entries leave where there is no room: by recency, or as the adaptive rule has it.

use super::adaptive::Adaptive;
use super::ledger::Locator;
use super::recency::Recency;
use super::region::AnyRegion;

/// The entries that records are of.
pub(super) trait Entries {
    /// Asks the region of an entry for something; `None` where either is gone.
    fn find<R>(&self, at: &Locator, what: impl FnOnce(&AnyRegion) -> Option<R>) -> Option<R>;

    /// An entry's stamp.
    fn last_used(&self, at: &Locator) -> Option<u64> {
        self.find(at, |region| region.last_used(at))
    }

    /// The entry's uses, of which `forget` are then forgotten.
    fn uses(&self, at: &Locator, forget: u64) -> Option<u64> {
        self.find(at, |region| region.uses(at, forget))
    }

    /// When the entry is not there any more.
    fn deadline(&self, at: &Locator) -> Option<u64> {
        self.find(at, |region| region.deadline(at))
    }
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

    /// Takes the record of the entry that is to leave out; by recency, with the stamp that it may leave with.
    pub(super) fn take(&mut self, entries: &impl Entries) -> Option<(Locator, Option<u64>)> {
        match self {
            Self::Recency(recency) => recency.take().map(|(stamp, at)| (at, Some(stamp))),
            Self::Adaptive(adaptive) => adaptive.pop(entries).map(|at| (at, None)),
        }
    }

    /// Puts a record back whose entry has another stamp by now.
    pub(super) fn correct(&mut self, stamp: u64, at: Locator) {
        if let Self::Recency(recency) = self {
            recency.correct(stamp, at);
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
