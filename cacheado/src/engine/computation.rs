//! The right to run a body, and the duty to those who wait for it.

use std::ops::{Deref, DerefMut};

use cacheado_backends::memory::LabelSet;

use super::aging::Renewing;
use super::call::{Call, ScopeOf};
use super::far::Far;
use super::flight::{Boarded, Flight, Landed};
use super::leading::Leading;
use super::limit::{self, Admission, Admitted, Inside, Places};
use crate::context::Outcome;
use crate::function::Value;

/// The right, and the duty to others, to run the body. Dropping it unfinished (the body panicked, or its
/// future was dropped) lets those who wait elect another leader.
///
/// What it has besides the call stands [in that](Call::course): a miss makes one allocation for both.
pub(super) struct Computation {
    pub(super) call: Box<Call>,
}

/// What a call has once it computes.
#[derive(Default)]
pub(super) struct Course {
    /// `None`: its ticket has them, or there are none.
    labels: Option<LabelSet>,
    /// `None`: the outcome is not stored.
    pub(super) ticket: Option<Boarded>,
    /// Whether its ticket carries a flight that has not landed.
    is_led: bool,
    /// The remote side; `None` where the value stays in this process, and in an outage.
    pub(super) far: Option<Box<Far>>,
    /// Why it runs while its caller is served with what is there; `None`: its caller waits for it.
    pub(super) renewing: Option<Renewing>,
    /// It looks for an older value and runs no body.
    pub(super) only_looks: bool,
    /// There is an older value in the backend that may be served where the body fails.
    pub(super) has_spare: bool,
    /// What the clock showed when the body began, where its cost is of interest.
    pub(super) begun: Option<u64>,
    /// The places of the bounded body that it was called inside, or its own once its body runs.
    within: Option<Places>,
}

impl Course {
    /// The groups that its entry can be evicted by.
    pub(super) fn labels(&self) -> Option<&LabelSet> {
        self.labels.as_ref().or_else(|| self.ticket.as_ref()?.labels())
    }
}

impl Deref for Computation {
    type Target = Course;

    fn deref(&self) -> &Course {
        &self.call.course
    }
}

impl DerefMut for Computation {
    fn deref_mut(&mut self) -> &mut Course {
        &mut self.call.course
    }
}

impl Computation {
    fn new(mut call: Box<Call>, labels: Option<LabelSet>, ticket: Option<Boarded>) -> Self {
        call.course.labels = labels;
        call.course.ticket = ticket;
        call.course.within = limit::inside();
        Self { call }
    }

    /// One whose outcome nobody else waits for.
    pub(super) fn alone(call: Box<Call>, labels: Option<LabelSet>) -> Self {
        let ticket = call.function.as_ref().map(|function| function.tickets.take(call.hash, labels.as_ref()));
        Self::new(call, labels, ticket)
    }

    /// One whose outcome others can wait for.
    pub(super) fn leading_flight(call: Box<Call>, flight: Boarded) -> Self {
        let mut computation = Self::new(call, None, Some(flight));
        computation.is_led = true;
        computation
    }

    /// One that takes the place of what its caller is served with.
    pub(super) fn renewing(call: Box<Call>, flight: Boarded, why: Renewing) -> Self {
        let mut computation = Self::leading_flight(call, flight);
        computation.renewing = Some(why);
        computation
    }

    /// One of a caller who does not wait for its body any longer.
    pub(super) fn late(call: Box<Call>) -> Self {
        let mut computation = Self::without_body(call);
        computation.has_spare = computation.far.is_some();
        computation
    }

    /// Whether there is a cache that has, or takes, its outcome.
    pub(super) fn is_cached(&self) -> bool {
        self.call.function.is_some() && !self.call.bypass && matches!(self.call.scope, ScopeOf::Known(_))
    }

    /// It is no part of a body any more: of its own, which is over, or of the one that asked for it and does not wait.
    pub(super) fn set_apart(&mut self) {
        self.within = None;
    }

    /// Nobody joins it before it has a thread, or its task has begun.
    pub(super) fn queue(&self) {
        if let Some(flight) = self.flight() {
            flight.queue();
        }
    }

    /// It has begun.
    pub(super) fn take_off(&self) {
        if let Some(flight) = self.flight() {
            flight.begin();
        }
    }

    pub(super) fn uncached(call: Box<Call>) -> Self {
        Self::new(call, None, None)
    }

    /// One that runs no body: for what is set, or only looked up.
    pub(super) fn without_body(call: Box<Call>) -> Self {
        let (labels, far) = (call.labels(), call.far().map(Box::new));
        let mut computation = Self::new(call, labels, None);
        computation.far = far;
        computation
    }

    /// How the call is served that runs this body.
    pub(super) fn outcome(&self) -> Outcome {
        if self.ticket.is_some() { Outcome::Miss } else { Outcome::Bypassed }
    }

    /// What is in this process by now, which is a hit like any other.
    pub(super) fn look_again(&mut self) -> Option<Value> {
        let function = self.call.function.as_ref()?;
        // Who led before has stored before that flight was closed, which was before this one was opened.
        if self.call.rejected || function.region.is_as_of(self.call.hash, self.call.absent) {
            return None;
        }
        if function.remote.as_ref().is_some_and(|remote| remote.near_ttl.is_none()) {
            return None;
        }
        let _leading = self.leading();
        let seen = function.region.peek(self.call.hash, self.call.key.as_bytes())?;
        let is_old = function.renewals.is_some() && function.store.clock().expired(seen.expiry);
        if is_old {
            return None;
        }
        let value = self.call.typed.restore(seen.value)?;
        if function.ruled && !function.rules_let_pass(self.call.hash, &self.call.key) {
            self.call.rejected = true;
            return None;
        }
        self.call.count_hit();
        self.call.served_from_memory(Outcome::Hit);
        Some(value)
    }

    /// Marks this thread as the leader's, while the guard lives.
    pub(super) fn leading(&self) -> Option<Leading> {
        self.ticket.as_ref().filter(|_| self.is_led).map(|flight| Leading::of(flight.number()))
    }

    /// Marks this thread as in the body, while the guard lives.
    pub(super) fn inside(&self) -> Option<Inside> {
        self.within.as_ref().map(Inside::enter)
    }

    /// The backend has answered: those who have come since it was asked look for themselves.
    pub(super) fn answered(&self) {
        if let (Some(flight), Some(sent)) = (self.flight(), self.far.as_ref().and_then(|far| far.sent)) {
            flight.until.set(sent);
        }
    }

    /// Whether others wait for this computation, should there be any. They do not where a body has called
    /// itself, and where each computes for itself alone.
    pub(super) fn is_led(&self) -> bool {
        self.is_led
    }

    /// The flight that it leads, until it lands.
    fn flight(&self) -> Option<&Flight> {
        self.ticket.as_ref().filter(|_| self.is_led)?.carried()
    }

    /// What the bodies of these need before they run together.
    pub(super) fn admission<'c>(computations: impl Iterator<Item = &'c Self> + Clone) -> Admission {
        let function = computations.clone().find_map(|computation| computation.call.function.as_ref());
        let within = computations.clone().find_map(|computation| computation.within.clone());
        let limiter = function.and_then(|function| function.limiter.as_ref());
        let scopes = computations.filter_map(|computation| match &computation.call.scope {
            ScopeOf::Known(scope) => Some(scope),
            ScopeOf::Missing => None,
        });
        Admission::to(limiter, within, scopes)
    }

    /// What its body needs before it runs.
    pub(super) fn own_admission(&self) -> Admission {
        Self::admission(std::iter::once(self))
    }

    /// The body runs now, with these places, which it keeps until its outcome is stored: what a rule or a value calls then
    /// is a part of it, as those who wait for the outcome may have the places that it would wait for.
    pub(super) fn runs(&mut self, admitted: &Admitted) {
        self.within = admitted.places();
        if let Some(flight) = self.flight()
            && admitted.is_settled()
        {
            flight.settles();
        }
    }

    /// Ends the flight, if one is led: the next caller opens a new one, then those who wait learn of the outcome.
    /// What is to be stored has been stored before.
    pub(super) fn land(&mut self, outcome: impl FnOnce() -> Landed) {
        if let (Some(function), Some(ticket), Some(flight)) =
            (&self.call.function, &self.ticket, self.flight())
            && !function.tickets.close(ticket, || flight.close())
        {
            flight.land(outcome);
        }
        self.is_led = false;
    }
}

impl Drop for Computation {
    fn drop(&mut self) {
        // Before those who wait come for them.
        self.set_apart();
        self.land(|| Landed::Gone);
    }
}
