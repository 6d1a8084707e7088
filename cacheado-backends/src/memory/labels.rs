//! The label index: which entries carry a label, so that evicting one costs what it holds.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use dashmap::DashMap;
use foldhash::fast::RandomState;

use super::ledger::Locator;

/// A group that entries can be evicted by: what the engine calls a scope or a tag. Opaque bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(Arc<[u8]>);

impl Label {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<T: Into<Arc<[u8]>>> From<T> for Label {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({})", self.0.escape_ascii())
    }
}

/// Entries by label. An entry is registered before it is stored and struck off after it has left, so
/// the index can name entries that are not there, and never misses one that is.
#[derive(Default)]
pub(super) struct Labels {
    hasher: RandomState,
    entries: DashMap<Label, HashMap<u64, Locator, RandomState>, RandomState>,
}

impl Labels {
    pub(super) fn hash(&self, label: &Label) -> u64 {
        self.hasher.hash_one(label)
    }

    pub(super) fn register(&self, labels: &[Label], at: Locator) {
        for label in labels {
            self.entries.entry(label.clone()).or_default().insert(at.serial, at);
        }
    }

    pub(super) fn strike(&self, labels: &[Label], serial: u64) {
        for label in labels {
            let emptied = self.entries.get_mut(label).is_some_and(|mut entries| {
                entries.remove(&serial);
                entries.is_empty()
            });
            if emptied {
                self.entries.remove_if(label, |_, entries| entries.is_empty());
            }
        }
    }

    /// Takes all entries of a label out of its index.
    pub(super) fn take(&self, label: &Label) -> Vec<Locator> {
        self.entries.remove(label).map(|(_, entries)| entries.into_values().collect()).unwrap_or_default()
    }

    /// All entries of a label.
    pub(super) fn list(&self, label: &Label) -> Vec<Locator> {
        self.entries.get(label).map(|entries| entries.values().copied().collect()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
