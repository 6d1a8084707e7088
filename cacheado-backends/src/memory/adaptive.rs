//! The order of eviction of `rules::Adaptive`: two queues, a divide between them that moves, and ghosts.
//!
//! A new entry goes on **probation**. One that was used there moves on to the **main** queue when its turn to
//! leave comes; one that was not leaves. In the main queue each use grants one more round, up to three. What comes
//! back shortly after it has left goes to the main queue at once, if it beats the one whose turn it is there.
//!
//! That much is S3-FIFO (Yang et al., SOSP 2023). Two things are added. The share of the probation queue moves:
//! it grows where entries come back soon after they left it and the main queue has room that is not used, and
//! shrinks where those from the main queue come back. And what comes back does not drive out entries that are
//! used: in a loop longer than the cache, in which everything comes back, a part stays instead of nothing. See
//! `docs/decisions/0016-adaptive.md`.
//!
//! A hit counts in the entry alone; queues learn of it when they come to the entry.

use std::collections::VecDeque;

use super::ghosts::Ghosts;
use super::ledger::Locator;
use super::order::Entries;
use super::recency::Stamps;
use super::store::RegionId;

/// The queues. See the module's documentation.
#[derive(Debug)]
pub(super) struct Adaptive {
    probation: VecDeque<Locator>,
    main: VecDeque<Locator>,
    /// The entry stored last, which is in no queue yet, so that it is not the one that makes room for itself;
    /// and whether it has come back.
    newest: Option<(Locator, Return)>,
    left_probation: Ghosts,
    left_main: Ghosts,
    most: usize,
    /// How many entries are on probation when there is no room.
    share: usize,
    /// Whether there was no room once: until then, entries go where they are worth more, to the main queue.
    is_full: bool,
}

impl Adaptive {
    /// By so many entries a comeback makes the probation queue longer, or shorter.
    const LONGER: usize = 4;
    const SHORTER: usize = 2;

    pub(super) fn new(most: usize) -> Self {
        Self {
            probation: VecDeque::new(),
            main: VecDeque::new(),
            newest: None,
            left_probation: Ghosts::default(),
            left_main: Ghosts::default(),
            most,
            share: least_share(most),
            is_full: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.probation.len() + self.main.len() + usize::from(self.newest.is_some())
    }

    /// An entry has been stored.
    pub(super) fn push(&mut self, at: Locator, entries: &impl Entries) {
        self.settle(entries);
        // Emptied: it fills anew.
        self.is_full &= self.len() > self.most / 2;
        let returned = self.returned(identity(&at));
        self.newest = Some((at, returned));
    }

    /// Takes out the entry that is to leave.
    pub(super) fn pop(&mut self, entries: &impl Entries) -> Option<Locator> {
        self.is_full = true;
        loop {
            if let Some(at) = self.pop_probation(entries).or_else(|| self.pop_main(entries)) {
                return Some(at);
            }
            if self.probation.is_empty() {
                return self.newest.take().map(|(at, _)| at);
            }
        }
    }

    /// Drops the records of entries that are gone.
    pub(super) fn retain(&mut self, mut alive: impl FnMut(&Locator) -> bool) {
        self.probation.retain(&mut alive);
        self.main.retain(&mut alive);
        self.newest = self.newest.take().filter(|(at, _)| alive(at));
    }

    /// The first on probation that was not used. Those that were move on.
    fn pop_probation(&mut self, entries: &impl Entries) -> Option<Locator> {
        while self.main.is_empty() || self.probation.len() >= self.share {
            let at = self.probation.pop_front()?;
            match entries.uses(&at, Stamps::MOST_USES) {
                Some(0) => {
                    self.left_probation.left(identity(&at), self.most - self.most / 10);
                    return Some(at);
                }
                Some(_) => self.main.push_back(at),
                None => {}
            }
        }
        None
    }

    /// The first of the main queue that was not used since its last round.
    fn pop_main(&mut self, entries: &impl Entries) -> Option<Locator> {
        // Other threads may use entries as fast as this one forgets it.
        let mut patience = self.main.len() as u64 * (Stamps::MOST_USES + 1);
        loop {
            let at = self.main.pop_front()?;
            match entries.uses(&at, 1) {
                Some(uses) if uses > 0 && patience > 0 => self.main.push_back(at),
                Some(_) => {
                    self.left_main.left(identity(&at), self.most / 2);
                    return Some(at);
                }
                None => {}
            }
            patience = patience.saturating_sub(1);
        }
    }

    /// Puts the entry stored last into its queue.
    fn settle(&mut self, entries: &impl Entries) {
        let Some((at, returned)) = self.newest.take() else { return };
        let has_room = self.main.len() < self.most.saturating_sub(self.share);
        let defence = match returned {
            Return::No => None,
            _ if has_room => Some(0),
            _ => Some(self.defence(entries)),
        };
        // Room that is used is not taken away: in a loop, a longer queue would still be too short.
        if returned == Return::ToProbation && defence == Some(0) {
            self.share = (self.share + Self::LONGER).min(self.most - self.most / 5);
        }
        let is_main = defence.map_or(has_room && !self.is_full, |uses| uses == 0);
        if is_main { self.main.push_back(at) } else { self.probation.push_back(at) }
    }

    /// How often the next to leave the main queue was used since its last round. If it was, it has a round less:
    /// what comes back costs those that are there no more uses than they get in a loop.
    fn defence(&mut self, entries: &impl Entries) -> u64 {
        while let Some(at) = self.main.pop_front() {
            match entries.uses(&at, 1) {
                Some(0) => {
                    self.main.push_front(at);
                    return 0;
                }
                Some(uses) => {
                    self.main.push_back(at);
                    return uses;
                }
                None => {}
            }
        }
        0
    }

    /// Whether a key has left lately. If it left the main queue just now, that was too short.
    fn returned(&mut self, key: u64) -> Return {
        let just_now = |since: usize| since <= self.most / 5;
        if let Some(since) = self.left_probation.returned(key) {
            return if just_now(since) { Return::ToProbation } else { Return::Late };
        }
        let Some(since) = self.left_main.returned(key) else { return Return::No };
        if just_now(since) {
            self.share = self.share.saturating_sub(Self::SHORTER).max(least_share(self.most));
        }
        Return::Late
    }
}

/// Whether the key of a new entry has left lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Return {
    No,
    /// It would still be there if the probation queue were a little longer.
    ToProbation,
    Late,
}

/// One in a hundred, at least one.
fn least_share(most: usize) -> usize {
    (most / 100).max(1)
}

/// The key's hash among those of all regions.
fn identity(at: &Locator) -> u64 {
    let RegionId(region) = at.region();
    at.hash ^ u64::from(region).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests;
