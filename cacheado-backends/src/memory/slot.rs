//! One entry of the store, and its key.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Query;
use super::aging::Aging;
use super::labels::{Label, LabelSet};
use super::ledger::Locator;
use super::members::Place;
use crate::sync::{AtomicU64, Ordering};

/// Key bytes: up to 30 of them stand in the entry itself, more on the heap.
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
    pub const SHORT: usize = 30;

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

/// A stored value.
///
/// `Inline` is for values whose `clone` runs no code of the user's (numbers, strings, `Arc`s): they are
/// cloned under the shard's lock. Others stand behind an `Arc`, and are cloned after it is released.
pub(super) enum Held<V> {
    Inline(V),
    Shared(Arc<V>),
}

impl<V> Held<V> {
    pub(super) fn new(value: V, inert: bool) -> Self {
        if inert { Self::Inline(value) } else { Self::Shared(Arc::new(value)) }
    }
}

impl<V: Clone> Held<V> {
    /// What may be taken along under the lock.
    #[inline]
    pub(super) fn take_along(&self) -> Self {
        match self {
            Self::Inline(value) => Self::Inline(value.clone()),
            Self::Shared(value) => Self::Shared(Arc::clone(value)),
        }
    }

    /// The value, for which the lock must have been released.
    #[inline]
    pub(super) fn into_value(self) -> V {
        match self {
            Self::Inline(value) => value,
            Self::Shared(value) => V::clone(&value),
        }
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

/// What a probe reads of an entry.
pub(super) struct Entry<V> {
    pub(super) key: KeyBox,
    pub(super) held: Held<V>,
    /// The reading of the clock from which on a probe does not serve it: its expiry, unless it ages.
    pub(super) deadline: u64,
    /// When it was last used: compared with other stamps only.
    pub(super) stamp: AtomicU64,
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

/// One entry that is in no table.
pub(super) struct Slot<V> {
    pub(super) entry: Entry<V>,
    pub(super) facts: Facts,
}

impl<V> Slot<V> {
    pub(super) fn view(&self) -> View<'_, V> {
        View { entry: &self.entry, facts: &self.facts }
    }
}

/// One entry.
pub(super) struct View<'t, V> {
    pub(super) entry: &'t Entry<V>,
    pub(super) facts: &'t Facts,
}

impl<V> Clone for View<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for View<'_, V> {}

impl<'t, V> View<'t, V> {
    pub(super) fn key(self) -> &'t [u8] {
        self.entry.key.as_bytes()
    }

    /// When its time is over.
    pub(super) fn expiry(self) -> u64 {
        self.facts.aged().map_or(self.entry.deadline, |(_, expiry)| expiry)
    }

    /// When it is not there any more.
    pub(super) fn gone(self) -> u64 {
        self.facts.aged().map_or(self.entry.deadline, |(aging, expiry)| aging.gone(expiry))
    }

    /// For how long before its expiry it may be computed anew.
    pub(super) fn lead(self) -> u64 {
        self.facts.aged().map_or(0, |(aging, _)| aging.lead)
    }

    pub(super) fn last_used(self) -> u64 {
        self.entry.stamp.load(Ordering::Relaxed)
    }
}

/// Gives an entry another expiry; its grace and the like move along.
pub(super) fn expire_at<V>(entry: &mut Entry<V>, facts: &mut Facts, expiry: u64) {
    entry.deadline = expiry;
    if let Marks::More(more) = &mut facts.marks
        && let Some((aging, own)) = &mut more.aged
    {
        *own = expiry;
        entry.deadline = aging.deadline(expiry);
    }
}

/// Drops a value of the user's. A panic in its `drop` goes no further than the log.
pub(super) fn drop_contained<T>(value: T) {
    let mut value = Some(value);
    contained(&mut || drop(value.take()));
}

/// The same for all types.
fn contained(dropping: &mut dyn FnMut()) {
    if catch_unwind(AssertUnwindSafe(dropping)).is_err() {
        tracing::error!("a cached value panicked while it was dropped");
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
