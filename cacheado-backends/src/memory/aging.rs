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

    pub(super) fn gone(self, expiry: u64) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_time_do_not_wrap() {
        let aging = Aging { lead: 5, grace: u64::MAX, limit: NEVER };
        assert_eq!((aging.deadline(NEVER), aging.gone(NEVER)), (NEVER, NEVER));
        assert_eq!((aging.deadline(3), aging.gone(3)), (0, NEVER));
        let limited = Aging { limit: 40, ..aging };
        assert_eq!((limited.deadline(NEVER), limited.gone(100)), (40, 40));
    }
}
