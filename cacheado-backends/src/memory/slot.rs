//! One entry of the store, without its value, and its key.

use super::Query;
use super::aging::{Aging, Seen};
use super::labels::{Label, LabelSet};
use super::ledger::Locator;
use super::members::Place;
use crate::sync::{AtomicU64, Ordering};

/// Key bytes: up to 38 of them stand in the entry itself, more on the heap.
#[derive(Clone)]
pub struct KeyBox(Repr);

#[derive(Clone)]
enum Repr {
    /// The first `len` of `bytes`.
    Inline {
        len: u8,
        bytes: [u8; KeyBox::SHORT],
    },
    Heap(Box<[u8]>),
}

impl KeyBox {
    /// So many bytes stand in the entry itself.
    pub const SHORT: usize = 38;

    /// That of no bytes.
    pub(super) const EMPTY: Self = Self(Repr::Inline { len: 0, bytes: [0; Self::SHORT] });

    /// Whether it is the key that is looked for.
    #[inline]
    pub(super) fn is<Q: Query>(&self, query: &Q) -> bool {
        match &self.0 {
            Repr::Inline { len, bytes } => query.matches_short(bytes, *len),
            Repr::Heap(bytes) => query.matches(bytes),
        }
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            // `len` is at most `SHORT`, which `From` sees to.
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Repr::Heap(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for KeyBox {
    fn from(key: &[u8]) -> Self {
        match u8::try_from(key.len()) {
            Ok(len) if key.len() <= Self::SHORT => {
                let mut bytes = [0; Self::SHORT];
                bytes[..key.len()].copy_from_slice(key);
                Self(Repr::Inline { len, bytes })
            }
            _ => Self(Repr::Heap(key.into())),
        }
    }
}

impl PartialEq for KeyBox {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for KeyBox {}

impl std::hash::Hash for KeyBox {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl std::fmt::Debug for KeyBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyBox({})", self.as_bytes().escape_ascii())
    }
}

/// What not every entry has. No larger than labels and a place among those that have them.
pub(super) enum Marks {
    None,
    Labels(LabelSet, Place),
    More(Box<More>),
}

/// What few entries have.
pub(super) struct More {
    labels: Option<(LabelSet, Place)>,
    /// How it ages, and when its time is over.
    aged: Option<(Aging, u64)>,
    weight: u64,
}

impl Marks {
    pub(super) fn new(labels: Option<(LabelSet, Place)>, aged: Option<(Aging, u64)>, weight: u64) -> Self {
        match (labels, aged, weight) {
            (None, None, 0) => Self::None,
            (Some((labels, place)), None, 0) => Self::Labels(labels, place),
            (labels, aged, weight) => Self::More(Box::new(More { labels, aged, weight })),
        }
    }
}

/// What a probe reads of an entry, but for its value.
pub(super) struct Head {
    pub(super) key: KeyBox,
    /// The reading of the clock from which on a probe does not serve it: its expiry, unless it ages.
    pub(super) deadline: u64,
    /// When it was last used: compared with other stamps only.
    pub(super) stamp: AtomicU64,
}

impl Head {
    /// That of no entry.
    pub(super) fn none() -> Self {
        Self { key: KeyBox::EMPTY, deadline: 0, stamp: AtomicU64::new(0) }
    }
}

/// What else is known of an entry.
pub(super) struct Facts {
    /// The reading of the clock when it was stored.
    pub(super) born: u64,
    /// The number of the fill that wrote it: its identity, and the order in which fills began.
    pub(super) serial: u64,
    pub(super) hash: u64,
    pub(super) marks: Marks,
}

impl Facts {
    /// Those of no entry.
    pub(super) const fn none() -> Self {
        Self { born: 0, serial: 0, hash: 0, marks: Marks::None }
    }

    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::none())
    }

    /// Its labels, and where it is listed among those that have them.
    pub(super) fn listed(&self) -> Option<(&LabelSet, Place)> {
        match &self.marks {
            Marks::None => None,
            Marks::Labels(labels, place) => Some((labels, *place)),
            Marks::More(more) => more.labels.as_ref().map(|(labels, place)| (labels, *place)),
        }
    }

    pub(super) fn labels(&self) -> &[Label] {
        self.listed().map_or(&[], |(labels, _)| labels.labels())
    }

    pub(super) fn at(&self) -> Locator {
        Locator { hash: self.hash, serial: self.serial }
    }

    /// Strikes it off the lists of its labels.
    pub(super) fn strike(&self) {
        if let Some((labels, place)) = self.listed() {
            labels.strike(place, &self.at());
        }
    }

    pub(super) fn weight(&self) -> u64 {
        if let Marks::More(more) = &self.marks { more.weight } else { 0 }
    }

    fn aged(&self) -> Option<(Aging, u64)> {
        if let Marks::More(more) = &self.marks { more.aged } else { None }
    }
}

/// One entry that is in no table, but for its value.
pub(super) struct Slot {
    pub(super) head: Head,
    pub(super) facts: Facts,
}

impl Slot {
    pub(super) fn view(&self) -> View<'_> {
        View { head: &self.head, facts: &self.facts }
    }
}

/// One entry, but for its value.
#[derive(Clone, Copy)]
pub(super) struct View<'t> {
    pub(super) head: &'t Head,
    pub(super) facts: &'t Facts,
}

impl<'t> View<'t> {
    pub(super) fn key(self) -> &'t [u8] {
        self.head.key.as_bytes()
    }

    /// When its time is over.
    pub(super) fn expiry(self) -> u64 {
        self.facts.aged().map_or(self.head.deadline, |(_, expiry)| expiry)
    }

    /// When it is not there any more.
    pub(super) fn gone(self) -> u64 {
        self.facts.aged().map_or(self.head.deadline, |(aging, expiry)| aging.gone(expiry))
    }

    /// For how long before its expiry it may be computed anew.
    pub(super) fn lead(self) -> u64 {
        self.facts.aged().map_or(0, |(aging, _)| aging.lead)
    }

    /// For how long after its expiry it has a use.
    pub(super) fn grace(self) -> u64 {
        self.facts.aged().map_or(0, |(aging, _)| aging.grace)
    }

    /// A copy of the entry's value, with what is to be known of its time.
    pub(super) fn with<V>(self, value: V) -> Seen<V> {
        Seen { value, expiry: self.expiry(), lead: self.lead() }
    }

    pub(super) fn last_used(self) -> u64 {
        self.head.stamp.load(Ordering::Relaxed)
    }
}

/// Gives an entry another expiry; its grace and the like move along.
pub(super) fn expire_at(head: &mut Head, facts: &mut Facts, expiry: u64) {
    head.deadline = expiry;
    if let Marks::More(more) = &mut facts.marks
        && let Some((aging, own)) = &mut more.aged
    {
        *own = expiry;
        head.deadline = aging.deadline(expiry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_costs_those_without_one_nothing() {
        assert_eq!(size_of::<Marks>(), size_of::<(LabelSet, Place)>());
        assert_eq!(size_of::<Facts>(), 40);
    }
}
