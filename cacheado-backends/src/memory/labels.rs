//! The label index: which entries carry a label, so that evicting one costs what it holds.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use dashmap::DashMap;
use foldhash::fast::RandomState;

use super::ledger::Locator;
use super::recency::Recency;

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
    entries: DashMap<Label, Group, RandomState>,
}

/// The entries of one label.
#[derive(Default)]
struct Group {
    members: HashMap<u64, Member, RandomState>,
    /// How many of them count against the group's bound, if it has one: those that are stored.
    counted: usize,
    /// Their order of use, if it has one.
    recency: Recency,
}

struct Member {
    at: Locator,
    is_counted: bool,
}

impl Group {
    fn locators(&self) -> Vec<Locator> {
        self.members.values().map(|member| member.at).collect()
    }
}

impl Labels {
    pub(super) fn hash(&self, label: &Label) -> u64 {
        self.hasher.hash_one(label)
    }

    pub(super) fn register(&self, labels: &[Label], at: Locator) {
        for label in labels {
            let member = Member { at, is_counted: false };
            self.entries.entry(label.clone()).or_default().members.insert(at.serial, member);
        }
    }

    pub(super) fn strike(&self, labels: &[Label], serial: u64) {
        for label in labels {
            let emptied = self.entries.get_mut(label).is_some_and(|mut group| {
                let removed = group.members.remove(&serial);
                group.counted -= usize::from(removed.is_some_and(|member| member.is_counted));
                group.members.is_empty()
            });
            if emptied {
                self.entries.remove_if(label, |_, group| group.members.is_empty());
            }
        }
    }

    /// Counts an entry that has been stored against the bound of its label.
    pub(super) fn counts(&self, label: &Label, stamp: u64, at: Locator) {
        let Some(mut group) = self.entries.get_mut(label) else { return };
        let Group { members, counted, recency } = &mut *group;
        // It may have left already.
        let Some(member) = members.get_mut(&at.serial).filter(|member| !member.is_counted) else { return };
        member.is_counted = true;
        *counted += 1;
        recency.push(stamp, at);
        // Records of entries that are gone are dropped when they outnumber the others.
        if recency.len() > 2 * members.len() + Self::SLACK {
            recency.retain(|at| members.contains_key(&at.serial));
        }
    }

    /// Whether more entries of the label are stored than it may have.
    pub(super) fn exceeds(&self, label: &Label, most: usize) -> bool {
        self.entries.get(label).is_some_and(|group| group.counted > most)
    }

    /// The least recently used entry of the label, whose record is taken out. `last_used` is asked under the
    /// lock of the label.
    pub(super) fn oldest(
        &self,
        label: &Label,
        last_used: impl FnMut(&Locator) -> Option<u64>,
    ) -> Option<Locator> {
        self.entries.get_mut(label)?.recency.pop(last_used)
    }

    /// So many records of entries that are gone are not worth an iteration.
    const SLACK: usize = 16;

    /// Takes all entries of a label out of its index.
    pub(super) fn take(&self, label: &Label) -> Vec<Locator> {
        self.entries.remove(label).map(|(_, group)| group.locators()).unwrap_or_default()
    }

    /// All entries of a label.
    pub(super) fn list(&self, label: &Label) -> Vec<Locator> {
        self.entries.get(label).map(|group| group.locators()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
