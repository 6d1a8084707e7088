//! What rules want done at the backend, by whoever is next in a place to wait for it.
//!
//! A chore is on the list until it is done: one whose caller gave up, or that met an outage, is done by the next.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cacheado_backends::contract::{Claim, FILL_WINDOW, Place};
use parking_lot::Mutex;

use super::{Notice, Request};
use crate::cache::Inner;
use crate::key::Key;

/// Something to be done for a rule.
pub(crate) struct Chore {
    key: Key,
    place: Arc<Place>,
    work: Work,
    /// Whether somebody is at it.
    is_taken: AtomicBool,
}

enum Work {
    /// A rule has asked for it, so nobody reads the entry after it: the next to come does not wait until
    /// another has done it, but does it as well.
    Evict(Weak<Inner>),
    /// It is old, and what was to replace it could not be written: nobody reads it after that, either. If that was
    /// announced, what is newer stays.
    Retract(Option<Claim>),
    /// There is no room for it.
    DriveOut,
    SetTtl(Option<Duration>),
}

impl Chore {
    pub(crate) fn evict(key: Key, place: Arc<Place>, cache: &Arc<Inner>) -> Self {
        Self::new(key, place, Work::Evict(Arc::downgrade(cache)))
    }

    pub(crate) fn retract(key: Key, place: Arc<Place>, claim: Option<Claim>) -> Self {
        Self::new(key, place, Work::Retract(claim))
    }

    pub(crate) fn drive_out(key: Key, place: Arc<Place>) -> Self {
        Self::new(key, place, Work::DriveOut)
    }

    pub(crate) fn set_ttl(key: Key, place: Arc<Place>, ttl: Option<Duration>) -> Self {
        Self::new(key, place, Work::SetTtl(ttl))
    }

    fn new(key: Key, place: Arc<Place>, work: Work) -> Self {
        Self { key, place, work, is_taken: AtomicBool::new(false) }
    }

    pub(super) fn request(&self) -> Request {
        let place = Arc::clone(&self.place);
        let notice = || Notice::Key(self.key.clone()).to_bytes();
        match &self.work {
            // Beyond that, a claim tells the backend nothing.
            Work::Retract(Some(claim)) if claim.taken.elapsed() < FILL_WINDOW => {
                Request::Retract { place, claim: claim.clone(), notice: notice() }
            }
            Work::Evict(_) | Work::Retract(_) | Work::DriveOut => Request::Evict { place, notice: notice() },
            Work::SetTtl(ttl) => Request::SetTtl { place, ttl: *ttl },
        }
    }

    /// Whether it is still wanted after an outage.
    pub(super) fn lasts(&self) -> bool {
        !matches!(self.work, Work::SetTtl(_))
    }

    /// The backend has done it.
    pub(super) fn done(&self, was_there: bool) {
        if let Work::Evict(cache) = &self.work
            && let Some(cache) = cache.upgrade()
        {
            cache.evicted_for_rule(&self.key, was_there);
        }
    }

    /// Of two for one entry the later one is enough, but for claims, each of which has to be shown.
    fn replaces(&self, other: &Self) -> bool {
        let is_alike = match (&self.work, &other.work) {
            (Work::Retract(claim), Work::Retract(others)) => claim.is_none() && others.is_none(),
            (work, others) => std::mem::discriminant(work) == std::mem::discriminant(others),
        };
        is_alike && self.key == other.key
    }

    fn is_free(&self) -> bool {
        matches!(self.work, Work::Evict(_) | Work::Retract(_)) || !self.is_taken.load(Ordering::Acquire)
    }
}

/// A chore that somebody is at. Dropping it lets another take it.
pub(super) struct Taken(Arc<Chore>);

impl std::ops::Deref for Taken {
    type Target = Chore;

    fn deref(&self) -> &Chore {
        &self.0
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.is_taken.store(false, Ordering::Release);
    }
}

/// The list.
#[derive(Default)]
pub(super) struct Chores {
    list: Mutex<Vec<Arc<Chore>>>,
    is_any: AtomicBool,
    /// How many there have been.
    added: AtomicU64,
    /// Whether a task of its own is at it.
    pub(super) is_tended: AtomicBool,
}

impl Chores {
    /// In a long outage the list grows to this, and no further.
    const MOST: usize = 10_000;

    pub(super) fn add(&self, chore: Chore) {
        let dropped = {
            let mut list = self.list.lock();
            list.retain(|other| !chore.replaces(other));
            let dropped = (list.len() >= Self::MOST).then(|| list.remove(0));
            list.push(Arc::new(chore));
            self.added.fetch_add(1, Ordering::Relaxed);
            self.is_any.store(true, Ordering::Release);
            dropped
        };
        // Who listens to the log can be code of the user's: not under the lock.
        if let Some(dropped) = dropped {
            tracing::warn!(
                key = dropped.place.key,
                "too much is left to be done for rules: this is given up"
            );
        }
    }

    pub(super) fn added(&self) -> u64 {
        self.added.load(Ordering::Acquire)
    }

    pub(super) fn is_any(&self) -> bool {
        self.is_any.load(Ordering::Acquire)
    }

    /// What there is to do now.
    pub(super) fn listed(&self) -> Vec<Arc<Chore>> {
        if self.is_any() { self.list.lock().clone() } else { Vec::new() }
    }

    /// Takes one, unless another has taken it or done it.
    pub(super) fn take(&self, chore: Arc<Chore>) -> Option<Taken> {
        let list = self.list.lock();
        if !list.iter().any(|other| Arc::ptr_eq(other, &chore)) || !chore.is_free() {
            return None;
        }
        chore.is_taken.store(true, Ordering::Release);
        Some(Taken(chore))
    }

    pub(super) fn strike(&self, chore: &Taken) {
        let mut list = self.list.lock();
        list.retain(|other| !Arc::ptr_eq(other, &chore.0));
        self.is_any.store(!list.is_empty(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::remote::place;
    use crate::scope::Scope;

    fn retract(claim: Option<Claim>) -> Chore {
        let key = Key::assemble(&Scope::global(), "f", 1, &crate::key::encode("x"));
        let at = place(&key);
        Chore::retract(key, at, claim)
    }

    #[test]
    fn each_claim_is_shown_and_an_eviction_without_one_is_enough_once() {
        let chores = Chores::default();
        for claim in [None, Some(Claim::now(vec![1])), None, Some(Claim::now(vec![2]))] {
            chores.add(retract(claim));
        }
        let claims = chores.listed().into_iter().map(|chore| match &chore.work {
            Work::Retract(claim) => claim.as_ref().map(|claim| claim.token.clone()),
            _ => None,
        });
        assert_eq!(claims.collect::<Vec<_>>(), [Some(vec![1]), None, Some(vec![2])]);
    }

    #[test]
    fn what_is_too_old_for_its_claim_goes_without_one() {
        let taken = Instant::now().checked_sub(FILL_WINDOW);
        let old = Claim { token: vec![1], taken: taken.unwrap() };
        assert!(matches!(retract(Some(old)).request(), Request::Evict { .. }));
        assert!(matches!(retract(Some(Claim::now(vec![1]))).request(), Request::Retract { .. }));
    }
}
