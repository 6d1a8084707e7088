//! Entries that are used past their expiry, or computed anew before it.
//!
//! ```text
//!        the hit path serves           the cold path decides
//! ├────────────────────────────┬──────────────┬───────────────────────────┤
//! stored                    deadline        expiry                       gone
//!                              ├──── lead ────┼────────── grace ──────────┤
//! ```
//!
//! A probe compares with the slot's deadline and with nothing else; for an entry that does not age, deadline,
//! expiry and end are one. What an aging entry has besides stands where others have their labels, so that it
//! costs the others nothing.

use std::sync::Arc;

use super::Label;
use crate::clock::NEVER;

/// How an entry ages. In nanoseconds, but for `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aging {
    /// For how long before its expiry a probe does not serve it by itself.
    pub lead: u64,
    /// For how long after its expiry it is still there.
    pub grace: u64,
    /// When it is gone in any case, a reading of the store's clock.
    pub limit: u64,
}

impl Aging {
    /// From when on a probe does not serve the entry by itself.
    pub(super) fn deadline(self, expiry: u64) -> u64 {
        let due = if expiry == NEVER { NEVER } else { expiry.saturating_sub(self.lead) };
        due.min(self.limit)
    }

    fn gone(self, expiry: u64) -> u64 {
        expiry.saturating_add(self.grace).min(self.limit)
    }
}

/// An entry of any age that is there.
#[derive(Debug, Clone, Copy)]
pub struct Seen<V> {
    /// The value.
    pub value: V,
    /// When its time is over, a reading of the store's clock; its grace follows.
    pub expiry: u64,
    /// For how long before that it may be computed anew.
    pub lead: u64,
}

/// An aging entry's own.
pub(super) struct Aged {
    pub(super) labels: Option<Arc<[Label]>>,
    pub(super) expiry: u64,
    pub(super) aging: Aging,
}

impl Aged {
    pub(super) fn gone(&self) -> u64 {
        self.aging.gone(self.expiry)
    }
}

/// What few entries have: labels, an age with or without labels, or neither. No larger than the labels alone.
pub(super) enum Marks {
    Labels(Arc<[Label]>),
    Aged(Option<Box<Aged>>),
}

impl Marks {
    pub(super) fn new(labels: Option<Arc<[Label]>>, expiry: u64, aging: Option<Aging>) -> Self {
        match (labels, aging) {
            (labels, Some(aging)) => Self::Aged(Some(Box::new(Aged { labels, expiry, aging }))),
            (Some(labels), None) => Self::Labels(labels),
            (None, None) => Self::Aged(None),
        }
    }

    pub(super) fn labels(&self) -> &[Label] {
        match self {
            Self::Labels(labels) => labels,
            Self::Aged(aged) => aged.as_ref().and_then(|aged| aged.labels.as_deref()).unwrap_or_default(),
        }
    }

    pub(super) fn aged(&self) -> Option<&Aged> {
        match self {
            Self::Labels(_) => None,
            Self::Aged(aged) => aged.as_deref(),
        }
    }

    pub(super) fn aged_mut(&mut self) -> Option<&mut Aged> {
        match self {
            Self::Labels(_) => None,
            Self::Aged(aged) => aged.as_deref_mut(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_costs_the_entries_without_one_nothing() {
        assert_eq!(size_of::<Marks>(), size_of::<Option<Arc<[Label]>>>());
    }

    #[test]
    fn the_ends_of_time_do_not_wrap() {
        let aging = Aging { lead: 5, grace: u64::MAX, limit: NEVER };
        assert_eq!((aging.deadline(NEVER), aging.gone(NEVER)), (NEVER, NEVER));
        assert_eq!((aging.deadline(3), aging.gone(3)), (0, NEVER));
        let limited = Aging { limit: 40, ..aging };
        assert_eq!((limited.deadline(NEVER), limited.gone(100)), (40, 40));
    }
}
