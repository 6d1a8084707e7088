//! What becomes of a value by its age: served, served and computed anew, kept for a failure, or gone.
//!
//! ```text
//!  stored            due              expiry              stale          stale_if_error
//!   ├─── fresh ───────┼─ fresh, perhaps ─┼──── stale ────────┼─── spare ────────┤ gone
//!   served            renewed early      served, renewed     served where the body fails
//! ```

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::clock::NEVER;
use cacheado_backends::memory::{Aging, KeyBox, Seen, Taking, Ticket};
use parking_lot::Mutex;

use super::call::Call;
use super::computation::Computation;
use super::flight::{Boarded, Flight, Landed, Leader};
use super::lookup::Reason;
use super::plan::{Next, Wait, may_join};
use crate::chance;
use crate::context::{Outcome, Served, Tier};
use crate::function::{Function, Held, Policy, Typed, Value, Worth};
use crate::stats::count;

/// How old a value is, by the time that it was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// Its time is not over; how much of it is left, if it ends.
    Left(Option<Duration>),
    /// For so long its time has been over.
    Past(Duration),
}

impl Age {
    /// That of an entry in memory.
    fn of(expiry: u64, now: u64) -> Self {
        let between = |from: u64, to: u64| Duration::from_nanos(to - from);
        if now >= expiry {
            Self::Past(between(expiry, now))
        } else {
            Self::Left((expiry != NEVER).then(|| between(now, expiry)))
        }
    }
}

impl Age {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Left(_) => Outcome::Hit,
            Self::Past(_) => Outcome::Stale,
        }
    }

    /// How a value of this age serves a call, which was granted `lifetime`, if that is known.
    pub(super) fn served(self, tier: Tier, lifetime: Option<Duration>) -> Served {
        let age = lifetime.and_then(|lifetime| match self {
            Self::Left(left) => lifetime.checked_sub(left?),
            Self::Past(past) => lifetime.checked_add(past),
        });
        Served::from(self.outcome(), tier, age)
    }
}

/// What may be done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is served.
    Fresh,
    /// It is served while it is computed anew.
    Stale,
    /// It is served where the body fails.
    Spare,
    /// It is not used any more.
    Gone,
}

impl Policy {
    /// After a failure, the body is left alone for this long where there is a value to serve instead: a
    /// second, or a tenth of the time for which there is one, if that is less.
    pub(crate) fn retry(&self) -> Duration {
        const RETRY: Duration = Duration::from_secs(1);
        let grace = self.grace();
        if grace.is_zero() { RETRY } else { (grace / 10).min(RETRY) }
    }

    pub(crate) fn standing(&self, age: Age) -> Standing {
        match age {
            Age::Left(_) => Standing::Fresh,
            Age::Past(past) if past < self.stale => Standing::Stale,
            Age::Past(past) if past < self.stale_if_error => Standing::Spare,
            Age::Past(_) => Standing::Gone,
        }
    }

    /// Whether a value of this age is shown to who looks without calling.
    pub(crate) fn is_shown(&self, age: Age) -> bool {
        matches!(self.standing(age), Standing::Fresh | Standing::Stale)
    }

    /// For how long past its expiry an outcome of this worth is kept. An error is no value to fall back on.
    pub(crate) fn grace_of(&self, worth: Worth) -> Duration {
        if worth == Worth::Failure { Duration::ZERO } else { self.grace() }
    }
}

/// Why a value is computed anew while it is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewing {
    /// Its time is over.
    Past,
    /// So much of its time was left.
    Early(Duration),
}

impl Renewing {
    /// Whether a value of this age, which was granted `lifetime`, is not the one that is to be renewed, but
    /// the one that takes its place. Two readings of one entry's age may differ a little.
    pub(super) fn is_done_by(self, age: Age, lifetime: Option<Duration>) -> bool {
        match (self, age) {
            (_, Age::Past(_)) => false,
            (Self::Past, Age::Left(_)) | (_, Age::Left(None)) => true,
            (Self::Early(before), Age::Left(Some(left))) => {
                let used = lifetime.unwrap_or_default().saturating_sub(before);
                left > before.saturating_add(used / 2)
            }
        }
    }
}

/// What a function whose values age has besides.
pub(crate) struct Renewals {
    /// Until when a body that has failed is left alone.
    failures: Mutex<HashMap<KeyBox, u64>>,
    /// For how long past their expiry values are kept.
    pub(crate) grace: Duration,
}

impl Renewals {
    pub(crate) fn of(policy: &Policy) -> Option<Box<Self>> {
        policy.ages().then(|| Box::new(Self { failures: Mutex::default(), grace: policy.grace() }))
    }

    fn failed(&self, key: &KeyBox, now: u64, retry: Duration) {
        const SMALL: usize = 64;
        let mut failures = self.failures.lock();
        if failures.len() >= SMALL && failures.len() == failures.capacity() {
            failures.retain(|_, until| *until > now);
        }
        let retry = u64::try_from(retry.as_nanos()).unwrap_or(u64::MAX);
        failures.insert(key.clone(), now.saturating_add(retry));
    }

    fn has_just_failed(&self, key: &KeyBox, now: u64) -> bool {
        let mut failures = self.failures.lock();
        let recent = failures.get(key).is_some_and(|until| *until > now);
        if !recent {
            failures.remove(key);
        }
        recent
    }
}

impl fmt::Debug for Renewals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewals").field("grace", &self.grace).finish_non_exhaustive()
    }
}

impl Call {
    /// What follows from the age of what is in this process, if it can be served; else the call goes on.
    pub(super) fn by_age(
        mut self: Box<Self>,
        function: &Arc<Function>,
        leader: Leader,
    ) -> ControlFlow<Next, Box<Self>> {
        if function.renewals.is_none() || self.is_refresh() {
            return ControlFlow::Continue(self);
        }
        if !self.is_rejected()
            && let Some(seen) = function.region.read(self.hash, self.key.as_bytes())
        {
            let age = Age::of(seen.expiry, function.store.clock().now());
            let renewing = match (self.policy.standing(age), age) {
                (Standing::Fresh, Age::Left(Some(left))) if self.due => Some(Some(Renewing::Early(left))),
                (Standing::Fresh, _) => Some(None),
                (Standing::Stale, _) => Some(Some(Renewing::Past)),
                (Standing::Spare, _) if self.has_just_failed(function) => Some(None),
                _ => None,
            };
            if let Some(renewing) = renewing {
                if function.ruled && !function.rules_let_pass(self.hash, &self.key) {
                    self = self.rejected();
                } else if let Some(value) = self.typed.restore(seen.value) {
                    self.count_served(age);
                    self.served_from_memory(age.outcome());
                    let is_unchanged = || function.is_remote() || self.is_unchanged(function, seen.expiry);
                    let renewal = renewing.and_then(|why| self.renewal(function, why, leader));
                    let renewal = renewal.filter(|_| is_unchanged());
                    return ControlFlow::Break(Next::Renew(value, renewal));
                }
            }
        }
        match self.under_renewal(function, leader) {
            Some(flight) => {
                self.count_miss();
                self.boards(Some(&flight));
                ControlFlow::Break(Next::Wait(Wait::Flight(flight, self)))
            }
            None => ControlFlow::Continue(self),
        }
    }

    /// Counts a lookup that is served with a value of this age. Every value that is served past its time goes
    /// through here.
    pub(super) fn count_served(&mut self, age: Age) {
        self.count_hit();
        if let (Age::Past(_), Some(function)) = (age, &self.function) {
            self.count_stale(function);
        }
    }

    /// Whether the body has failed so recently that it is left alone.
    pub(super) fn has_just_failed(&self, function: &Function) -> bool {
        let now = function.store.clock().now();
        function.renewals.as_ref().is_some_and(|renewals| renewals.has_just_failed(&self.key, now))
    }

    /// Writes down that the body has failed where there is, or was, a value to serve instead.
    pub(super) fn note_failure(&self, function: &Function) {
        self.note_failure_if(function, || self.is_failure_new());
    }

    fn note_failure_if(&self, function: &Function, is_new: impl FnOnce() -> bool) {
        let Some(renewals) = &function.renewals else { return };
        renewals.failed(&self.key, function.store.clock().now(), self.policy.retry());
        if is_new() {
            count(&function.shared.tally.refresh_failures);
        }
    }

    fn is_unchanged(&self, function: &Function, expiry: u64) -> bool {
        let seen = function.region.peek(self.hash, self.key.as_bytes());
        seen.is_some_and(|seen| seen.expiry == expiry)
    }

    /// A computation that takes the place of what this call is served with, unless one is under way, or has
    /// just failed.
    pub(super) fn renewal(
        &self,
        function: &Arc<Function>,
        why: Renewing,
        leader: Leader,
    ) -> Option<Computation> {
        if self.has_just_failed(function) {
            return None;
        }
        match self.board(&mut self.labels(), leader, true)? {
            Taking::Taken(flight) => {
                self.boards(Some(&flight));
                Some(Computation::renewing(self.again(), flight, why))
            }
            Taking::There(_) => None,
        }
    }

    /// The renewal under way of an entry that cannot be served any more, if this call can wait for it.
    fn under_renewal(&self, function: &Function, leader: Leader) -> Option<Boarded> {
        if !self.joins() || function.is_remote() {
            return None;
        }
        let will_do =
            |other: &Flight| other.is_led_by(leader) && other.can_be_joined(&self.key, leader, true);
        let flight = function.tickets.find(self.hash, will_do)?;
        let has_begun = flight.carried().is_some_and(Flight::has_begun);
        (has_begun && may_join(&flight)).then_some(flight)
    }

    /// What is in this process, if it may be served at all: where the body has failed, at least.
    pub(super) fn spare(&self, function: &Function) -> Option<(Seen<Held>, Age)> {
        let seen = function.region.peek(self.hash, self.key.as_bytes())?;
        let age = Age::of(seen.expiry, function.store.clock().now());
        (self.policy.standing(age) != Standing::Gone).then_some((seen, age))
    }
}

impl Computation {
    /// How an entry ages whose value is of this worth.
    pub(super) fn aging(&self, function: &Function, worth: Worth) -> Option<Aging> {
        let policy = self.call.policy;
        let lead = match self.begun {
            Some(begun) if worth != Worth::Failure => {
                let took = function.store.clock().now().saturating_sub(begun);
                chance::lead(Duration::from_nanos(took), policy.early)
            }
            _ => Duration::ZERO,
        };
        aging(lead, policy.grace_of(worth))
    }

    /// The body begins: of what may be computed early, the cost is measured.
    pub(super) fn begins(&mut self) {
        if let Some(function) = &self.call.function
            && self.call.policy.early > 0.0
        {
            self.begun = Some(function.store.clock().now());
        }
    }

    /// Whether an older value is served where the body fails.
    pub(super) fn is_guarded(&self) -> bool {
        !self.call.policy.stale_if_error.is_zero()
            && !self.call.is_refresh()
            && !self.call.is_rejected()
            && self.renewing.is_none()
            && self.is_cached()
    }

    /// Writes down that the body has failed: once for all that wait for it.
    pub(super) fn note_failure(&self, function: &Function) {
        self.call.note_failure_if(function, || match self.ticket.as_ref().and_then(Ticket::carried) {
            Some(flight) => flight.fails(),
            None => self.call.is_failure_new(),
        });
    }

    /// The body has failed. What is served instead is handed to those who wait.
    pub(super) fn serve_instead(
        &mut self,
        stored: Held,
        age: Age,
        served: Served,
    ) -> Option<(Value, Served)> {
        if let Some(function) = self.call.function.clone() {
            self.note_failure(&function);
        }
        self.call.count_served(age);
        let typed = self.call.typed;
        self.land(|| Landed::Old(stored.clone(), age));
        Some((typed.restore(stored)?, served))
    }
}

/// `None`: the entry does not age.
pub(super) fn aging(lead: Duration, grace: Duration) -> Option<Aging> {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    (!lead.is_zero() || !grace.is_zero()).then(|| Aging {
        lead: nanos(lead),
        grace: nanos(grace),
        limit: NEVER,
    })
}

impl Function {
    /// What is served of an entry, which may be one that ages. A hit is counted.
    #[cold]
    #[inline(never)]
    pub(super) fn judge(&self, typed: Typed, hash: u64, bytes: &KeyBox) -> Result<Held, Reason> {
        let Some(seen) = self.region.read(hash, bytes.as_bytes()) else {
            self.region.expire(hash, bytes.as_bytes());
            return Err(Reason::ABSENT);
        };
        let Age::Left(left) = Age::of(seen.expiry, self.store.clock().now()) else {
            // Whether it is served is for the plan to say.
            return Err(Reason::ABSENT);
        };
        if left.is_some_and(|left| chance::is_due(left, Duration::from_nanos(seen.lead))) {
            return Err(Reason::Due);
        }
        if seen.value.value_type() != Some(typed.stored) {
            return Err(Reason::ABSENT);
        }
        if self.ruled && !self.rules_let_pass(hash, bytes) {
            return Err(Reason::Rejected);
        }
        self.shared.tally.hit();
        Ok(seen.value)
    }
}
