//! The order of eviction of `rules::Adaptive`: two orders of recency, a haste that is learnt, and ghosts.
//!
//! A new entry goes on **probation**. One that was used when its turn to leave comes moves on to the **main** order.
//! Of the two entries whose turn it is, the older leaves, by the turn of its last use; those on probation age
//! faster by a factor, the **haste**. At 1 that is the order of recency. The greater it is, the less is kept of what
//! was used once, and from [`BY_USE`](Adaptive::BY_USE) on the main order counts uses, too: each grants one more
//! round. Which of these is right is learnt from keys that come back after they have left, by the test of LIRS
//! (Jiang and Zhang, SIGMETRICS 2002): was the key's gap shorter than the age of the next to leave the main order?
//! See `docs/decisions/0016-adaptive.md`.
//!
//! A hit writes to the entry alone; the orders learn of it when they come to the entry.

use super::ghosts::{Comeback, Ghosts};
use super::ledger::Locator;
use super::order::Entries;
use super::recency::{Recency, Stamps};
use super::store::RegionId;

/// The orders. See the module's documentation.
#[derive(Debug)]
pub(super) struct Adaptive {
    probation: Recency,
    main: Recency,
    /// The entry stored last, which is in neither order yet, so that it is not the one that makes room for itself.
    newest: Option<Newest>,
    left_probation: Ghosts,
    left_main: Ghosts,
    most: usize,
    haste: f64,
    /// The turn of the entry stored last.
    now: u64,
    /// Whether there was no room once: until then, entries go where they are worth more, to the main order.
    is_full: bool,
}

#[derive(Debug)]
struct Newest {
    at: Locator,
    comeback: Option<(Left, Comeback)>,
}

/// What a key that comes back has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Probation,
    Main,
}

/// The entry whose turn to leave the main order it was.
enum Next {
    /// It was not used. The turn of its last use.
    Idle(u64),
    /// It was, and has another turn now.
    Used,
    None,
}

impl Adaptive {
    /// Between recency and use, while nothing is known.
    const FIRST_HASTE: f64 = 12.0;
    /// Probation is then a thousand times as short as the main order.
    const MOST_HASTE: f64 = 1000.0;
    /// From this haste on, recency alone is known to be wrong, and uses count.
    const BY_USE: f64 = 4.0;
    /// A key that comes back just after it has left changes the haste by e to the power of this, divided by `n`: of
    /// comebacks that agree, fewer than `n / 3` lead from one end to the other.
    const LESSON: f64 = 24.0;
    /// So much is learnt from one that comes back later: there is not much that a slightly other haste would change.
    const HINT: f64 = 1.0;
    /// So much is learnt from a departure. Where a fourth of the keys come back, that is made up for.
    const SUSPICION: f64 = 0.25;
    /// So many ghosts are kept however few entries there are.
    const FEW: usize = 64;

    pub(super) fn new(most: usize) -> Self {
        Self {
            probation: Recency::default(),
            main: Recency::default(),
            newest: None,
            left_probation: Ghosts::default(),
            left_main: Ghosts::default(),
            most,
            haste: Self::FIRST_HASTE,
            now: 0,
            is_full: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.probation.len() + self.main.len() + usize::from(self.newest.is_some())
    }

    /// An entry has been stored.
    pub(super) fn push(&mut self, stamp: u64, at: Locator, entries: &impl Entries) {
        self.settle(entries);
        // Emptied: it fills anew.
        self.is_full &= self.len() > self.most / 2;
        (self.now, _) = Stamps::turn_and_uses(stamp);
        let key = identity(&at);
        let comeback = self.comeback(Left::Probation, key).or_else(|| self.comeback(Left::Main, key));
        self.newest = Some(Newest { at, comeback });
    }

    /// Takes out the entry that is to leave.
    pub(super) fn pop(&mut self, entries: &impl Entries) -> Option<Locator> {
        self.is_full = true;
        // Other threads may use entries as fast as this one forgets it.
        let mut patience = self.len() as u64 * (Stamps::MOST_USES + 1);
        loop {
            self.promote(entries);
            if self.is_probation_next() {
                let (last_use, at) = self.probation.take()?;
                let most = self.remembered(self.most.saturating_add(self.most / 2));
                self.left_probation.left(identity(&at), last_use, most);
                self.hurry(Self::SUSPICION);
                return Some(at);
            }
            match self.visit(entries) {
                Next::Idle(last_use) => return self.pop_main(last_use),
                Next::Used if patience == 0 => return self.pop_main(self.now),
                Next::Used => patience -= 1,
                // What was older there is gone: those on probation are next after all.
                Next::None if self.probation.len() > 0 => {}
                Next::None => return self.newest.take().map(|newest| newest.at),
            }
        }
    }

    #[cfg(test)]
    pub(super) fn ghosts(&self) -> usize {
        self.left_probation.len() + self.left_main.len()
    }

    /// Drops the records of entries that are gone.
    pub(super) fn retain(&mut self, mut alive: impl FnMut(&Locator) -> bool) {
        self.probation.retain(&mut alive);
        self.main.retain(&mut alive);
        self.newest = self.newest.take().filter(|newest| alive(&newest.at));
    }

    fn pop_main(&mut self, last_use: u64) -> Option<Locator> {
        let (_, at) = self.main.take()?;
        let most = self.remembered(self.most / 2);
        self.left_main.left(identity(&at), last_use, most);
        Some(at)
    }

    /// How many ghosts there may be where `most` are wanted: if not the bound but the weight makes entries leave, there
    /// are fewer entries than it allows, and no more than twice as many ghosts.
    fn remembered(&self, most: usize) -> usize {
        most.min(self.len().saturating_mul(2).max(Self::FEW))
    }

    /// Moves those whose turn to leave probation it is and that were used there to the main order.
    fn promote(&mut self, entries: &impl Entries) {
        while let Some((_, at)) = self.probation.first() {
            let stamp = entries.uses(&at, Stamps::MOST_USES);
            match stamp.map(Stamps::turn_and_uses) {
                Some((_, 0)) => return,
                Some((last_use, _)) => self.main.push(last_use, at),
                None => {}
            }
            self.probation.take();
        }
    }

    /// Asks the next to leave the main order whether it was used. If it was, it has another turn, and a use less.
    fn visit(&mut self, entries: &impl Entries) -> Next {
        while let Some((recorded, at)) = self.main.first() {
            let stamp = entries.uses(&at, 1);
            let again = match stamp.map(Stamps::turn_and_uses) {
                Some((_, 1..)) if self.haste >= Self::BY_USE => Some(self.now),
                Some((last_use, _)) if last_use > recorded => Some(last_use),
                Some((last_use, _)) => return Next::Idle(last_use),
                None => None,
            };
            self.main.take();
            if let Some(turn) = again {
                self.main.push(turn, at);
                return Next::Used;
            }
        }
        Next::None
    }

    /// Whether the next on probation is to leave before the next of the main order.
    fn is_probation_next(&self) -> bool {
        match (self.age(&self.probation), self.age(&self.main)) {
            (Some(probation), Some(main)) => real(probation) * self.haste >= real(main),
            (probation, _) => probation.is_some(),
        }
    }

    /// Puts the entry stored last into its order.
    fn settle(&mut self, entries: &impl Entries) {
        let Some(Newest { at, comeback }) = self.newest.take() else { return };
        let is_main = match comeback {
            Some((left, comeback)) => self.learn(left, comeback, entries),
            None => !self.is_full,
        };
        let order = if is_main { &mut self.main } else { &mut self.probation };
        order.push(self.now, at);
    }

    /// Learns from a key that has come back. Whether it belongs to the main order.
    fn learn(&mut self, left: Left, comeback: Comeback, entries: &impl Entries) -> bool {
        self.promote(entries);
        let is_better = self.age(&self.main).is_none_or(|age| age > comeback.gap);
        // What comes back costs those that are there a use at most. In a loop, in which everything comes back and is
        // used once a round, they stay.
        let is_defended = matches!(self.visit(entries), Next::Used);
        // Probation holds more than its haste grants it: the main order has shrunk.
        let has_room = self.age(&self.main).is_some() && self.is_probation_next();
        let just_now = comeback.departures <= self.most / 5;
        self.hurry(match left {
            // By recency it would still be there.
            Left::Probation if is_better && just_now => -Self::LESSON - Self::HINT,
            Left::Probation if is_better => -Self::HINT,
            Left::Probation => Self::HINT,
            Left::Main if just_now => Self::LESSON,
            Left::Main => 0.0,
        });
        has_room || (is_better && !is_defended)
    }

    /// How many turns ago the first of an order was used, as far as is written down.
    fn age(&self, order: &Recency) -> Option<u64> {
        // Threads take turns, and may write them down in another order.
        order.first().map(|(turn, _)| self.now.saturating_sub(turn))
    }

    /// What is remembered of a key that is stored. It is forgotten.
    fn comeback(&mut self, left: Left, key: u64) -> Option<(Left, Comeback)> {
        let ghosts = match left {
            Left::Probation => &mut self.left_probation,
            Left::Main => &mut self.left_main,
        };
        Some((left, ghosts.returned(key, self.now)?))
    }

    /// Makes those on probation age faster, or slower.
    fn hurry(&mut self, by: f64) {
        let haste = self.haste * (by / real(self.most.max(1) as u64)).exp();
        self.haste = haste.clamp(1.0, Self::MOST_HASTE);
    }
}

#[expect(clippy::cast_precision_loss, reason = "ages are compared, and none is known to the last digit")]
fn real(number: u64) -> f64 {
    number as f64
}

/// The key's hash among those of all regions.
fn identity(at: &Locator) -> u64 {
    let RegionId(region) = at.region();
    at.hash ^ u64::from(region).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests;
