//! What rules want done at the backend, by whoever is next in a place to wait for it.
//!
//! A chore is on the list until it is done: one whose caller gave up, or that met an outage, is done by the next.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
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
    /// How many there had been before it.
    number: u64,
    /// How many are at it.
    takers: AtomicUsize,
}

enum Work {
    /// A rule has asked for it, so nobody reads the entry after it: whom it concerns does not wait until another has
    /// done it, but does it as well.
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
        Self { key, place, work, number: 0, takers: AtomicUsize::new(0) }
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

    /// Whether it is to be done now, by somebody whom these concern.
    fn is_due(&self, concern: Concern<'_>) -> bool {
        let is_taken = self.takers.load(Ordering::Acquire) > 0;
        !is_taken || matches!(self.work, Work::Evict(_) | Work::Retract(_)) && concern.is_with(self)
    }
}

/// Which chores somebody has to see done. What others are at is left to them: of a thousand who come at a time, each
/// would do what all have left.
#[derive(Clone, Copy)]
pub(super) enum Concern<'a> {
    /// Those of entries that are asked for.
    With(&'a [Arc<Place>]),
    /// Those that came after so many.
    Since(u64),
    /// All of them.
    All,
}

impl<'a> Concern<'a> {
    pub(super) const NONE: Self = Self::With(&[]);

    /// What a request that is about to be sent must find done.
    pub(super) fn of(request: &'a Request) -> Self {
        request.places().map_or(Self::All, Self::With)
    }

    fn is_with(self, chore: &Chore) -> bool {
        match self {
            Self::With(places) => places.iter().any(|place| place.key == chore.place.key),
            Self::Since(number) => chore.number >= number,
            Self::All => true,
        }
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
        self.0.takers.fetch_sub(1, Ordering::Release);
    }
}

/// A way through the list, past what is added meanwhile.
pub(super) struct Walk {
    next: u64,
    end: u64,
    has_met_a_panic: bool,
}

impl Walk {
    /// Whether there is a way on after a panic: of the backend at one of them, which must not keep all from the others, and
    /// not at two.
    pub(super) fn goes_on(&mut self) -> bool {
        !std::mem::replace(&mut self.has_met_a_panic, true)
    }
}

/// The list.
#[derive(Default)]
pub(super) struct Chores {
    /// In the order of their numbers.
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

    pub(super) fn add(&self, mut chore: Chore) {
        let dropped = {
            let mut list = self.list.lock();
            list.retain(|other| !chore.replaces(other));
            let dropped = (list.len() >= Self::MOST).then(|| list.remove(0));
            chore.number = self.added.fetch_add(1, Ordering::Relaxed);
            list.push(Arc::new(chore));
            self.is_any.store(true, Ordering::Release);
            dropped
        };
        // Who listens to the log can be code of the user's: not under the lock.
        if let Some(dropped) = dropped {
            tracing::warn!(
                target: "cacheado",
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

    /// The way through what there is to do now.
    pub(super) fn walk(&self) -> Walk {
        Walk { next: 0, end: self.added(), has_met_a_panic: false }
    }

    /// Takes the next on the way, unless another is at it or has done it.
    pub(super) fn take(&self, walk: &mut Walk, concern: Concern<'_>) -> Option<Taken> {
        if !self.is_any() {
            return None;
        }
        let list = self.list.lock();
        // They stand in the order of their numbers.
        let [from, end] =
            [walk.next, walk.end].map(|number| list.partition_point(|chore| chore.number < number));
        let chore = list.get(from..end)?.iter().find(|chore| chore.is_due(concern))?;
        walk.next = chore.number + 1;
        chore.takers.fetch_add(1, Ordering::Relaxed); // under the lock, as whoever looks is
        Some(Taken(Arc::clone(chore)))
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
        let mut walk = chores.walk();
        let taken = std::iter::from_fn(|| chores.take(&mut walk, Concern::NONE));
        let claims = taken.map(|chore| match &chore.work {
            Work::Retract(claim) => claim.as_ref().map(|claim| claim.token.clone()),
            _ => None,
        });
        assert_eq!(claims.collect::<Vec<_>>(), [Some(vec![1]), None, Some(vec![2])]);
    }

    #[test]
    fn what_another_is_at_is_done_as_well_by_whom_it_concerns_alone() {
        let chores = Chores::default();
        let next = |walk: &mut Walk, concern| chores.take(walk, concern).map(|chore| chore.number);
        chores.add(retract(Some(Claim::now(vec![1]))));
        let mut walk = chores.walk();
        chores.add(retract(Some(Claim::now(vec![2]))));
        let first = chores.take(&mut walk, Concern::NONE).expect("it is free");
        assert_eq!(next(&mut walk, Concern::All), None, "what was added meanwhile is not on the way");

        assert_eq!(next(&mut chores.walk(), Concern::NONE), Some(1));
        let of_it = [Arc::clone(&first.place)];
        let of_another = [place(&Key::assemble(&Scope::global(), "f", 1, &crate::key::encode("y")))];
        for (concern, is_done) in [
            (Concern::With(&of_it), true),
            (Concern::With(&of_another), false),
            (Concern::Since(0), true),
            (Concern::Since(1), false),
            (Concern::All, true),
        ] {
            // Nobody is at the other one.
            assert_eq!(next(&mut chores.walk(), concern), Some(u64::from(!is_done)));
        }
        chores.strike(&first);
        assert_eq!(next(&mut chores.walk(), Concern::All), Some(1));
    }

    #[test]
    fn what_is_too_old_for_its_claim_goes_without_one() {
        let taken = Instant::now().checked_sub(FILL_WINDOW);
        let old = Claim { token: vec![1], taken: taken.unwrap() };
        assert!(matches!(retract(Some(old)).request(), Request::Evict { .. }));
        assert!(matches!(retract(Some(Claim::now(vec![1]))).request(), Request::Retract { .. }));
    }
}
