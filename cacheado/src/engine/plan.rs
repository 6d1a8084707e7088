//! What a call does next: serve, wait or compute. Nothing here blocks or awaits.

use std::ops::ControlFlow;
use std::sync::Arc;

use cacheado_backends::memory::{LabelSet, Taking};

use super::call::{Call, ScopeOf};
use super::computation::Computation;
use super::far::Ask;
use super::flight::{Boarded, Flight, Landed, Leader};
use super::leading::{Leading, leads};
use super::limit;
use super::moment::Moment;
use super::turn::Rest;
use crate::context::{self, Outcome, Served, Tier};
use crate::function::Value;

impl Call {
    /// What this call does next.
    pub(super) fn plan(mut self: Box<Self>, leader: Leader) -> Next {
        if let Some(found) = self.found.take() {
            return Next::Serve(Value::Stored(found));
        }
        let Some(function) = &self.function else {
            return Next::Compute(Computation::uncached(self));
        };
        if self.bypass || matches!(self.scope, ScopeOf::Missing) {
            self.count_each(&function.shared.tally.bypassed);
            // It is neither a hit nor a miss, however it ends.
            self.count_nothing();
            return Next::Compute(Computation::uncached(self));
        }
        if function.renewals.is_some() {
            let function = Arc::clone(function);
            match self.by_age(&function, leader) {
                ControlFlow::Break(next) => return next,
                ControlFlow::Continue(call) => self = call,
            }
        }
        let mut labels = self.labels();
        if self.is_remote() {
            self.begun.get_or_insert_with(Moment::now);
            if self.goes_by_spare() {
                let mut looking = Computation::alone(self, labels);
                looking.only_looks = true;
                return looking.start();
            }
        }
        if !self.joins() {
            self.misses_here();
            return Computation::alone(self, labels).start();
        }
        match self.board(&mut labels, leader, false) {
            Some(Taking::There(flight)) if may_join(&flight) => {
                self.misses_here();
                self.boards(Some(&flight));
                Next::Wait(Wait::Flight(flight, self))
            }
            // Waiting might be for ever.
            Some(Taking::There(_)) | None => {
                self.misses_here();
                Computation::alone(self, labels).start()
            }
            Some(Taking::Taken(flight)) => {
                self.boards(Some(&flight));
                let mut computation = Computation::leading_flight(self, flight);
                // Between the probe and here the previous leader may have stored it.
                if let Some(value) = computation.look_again() {
                    return Next::Serve(value);
                }
                computation.call.misses_here();
                computation.start()
            }
        }
    }

    /// Nothing is in this process: where values are kept here, it is a miss.
    fn misses_here(&mut self) {
        if !self.is_remote() {
            self.count_miss();
        }
    }

    /// Joins the flight for this key, or opens one, which takes the labels. A flight that began before an eviction is
    /// left to those who are on it. `None` without a cache.
    pub(super) fn board(
        &self,
        labels: &mut Option<LabelSet>,
        leader: Leader,
        is_renewal: bool,
    ) -> Option<Taking<Flight>> {
        let flight = || Flight::new(self.key.clone(), leader, is_renewal);
        let will_do = |other: &Flight| other.can_be_joined(&self.key, leader, is_renewal);
        Some(self.function.as_ref()?.tickets.take_or_join(self.hash, labels, flight, will_do))
    }

    /// What this call does after the flight that it waited for has ended.
    pub(super) fn landed(mut self: Box<Self>, flight: &Boarded, landed: Landed, leader: Leader) -> Next {
        let Some(function) = self.function.clone() else { return self.plan(leader) };
        self.boards(None);
        // What began before an eviction is not served to anybody but its leader after it: one on this node has
        // marked the ticket, one on another shows if the backend is asked after this call began.
        let until = flight.carried().map(|flight| &flight.until);
        let is_in_time = self.begun.is_none_or(|begun| until.is_some_and(|until| until.is_after(begun)));
        if is_in_time && flight.is_current() {
            let coalesced = |tier| Served::from(Outcome::Coalesced, tier, None);
            let served = match &landed {
                Landed::Found(_) => coalesced(Tier::Remote),
                // It is as old for who has waited as for who has found it.
                Landed::Old(_, age) if function.is_remote() => age.served(Tier::Remote, None),
                Landed::Old(_, age) => age.served(Tier::Memory, None),
                _ => coalesced(Tier::None),
            };
            let value = match landed {
                Landed::Value(value) => self.typed.restore(value),
                Landed::Found(value) => {
                    let value = self.typed.restore(value);
                    // It may be of another type than this caller asks for.
                    if value.is_some() {
                        self.count_hit();
                    }
                    value
                }
                Landed::Old(value, age) => {
                    let value = self.typed.restore(value);
                    if value.is_some() {
                        self.count_served(age);
                    }
                    value
                }
                Landed::Shared(shared) => self.typed.unshare(shared),
                Landed::Gone => return self.plan(leader),
                Landed::Alone => None,
            };
            self.count_miss();
            if let Some(value) = value {
                self.count_each(&function.shared.tally.coalesced);
                context::served(|| served);
                return Next::Serve(value);
            }
            self.alone = true;
        }
        self.plan(leader)
    }

    /// Whether it looks for an older value before it waits for a body that has just failed, or taken too long.
    fn goes_by_spare(&self) -> bool {
        let has_just_failed =
            || self.function.as_ref().is_some_and(|function| self.has_just_failed(function));
        !self.policy.stale_if_error.is_zero()
            && !self.refresh
            && !self.has_looked
            && !self.rejected
            && has_just_failed()
    }
}

/// Whether this thread may wait for the flight: not if it is in the body that the flight waits for, as a body that
/// has called itself with the same arguments; and not if it is in one whose place the flight may come to wait for.
pub(super) fn may_join(flight: &Boarded) -> bool {
    let is_settled = flight.carried().is_some_and(Flight::is_settled);
    !leads(flight.number()) && (is_settled || !limit::is_inside())
}

/// What a call does next.
pub(super) enum Next {
    /// It returns this.
    Serve(Value),
    /// It returns this, and the body is run in the background, if it is to be.
    Renew(Value, Option<Computation>),
    /// It runs the body.
    Compute(Computation),
    /// It waits.
    Wait(Wait),
}

impl Next {
    /// Marks this thread as the leader's of what it goes on with, while the guard lives.
    pub(super) fn leading(&self) -> Option<Leading> {
        match self {
            Self::Compute(computation) => computation.leading(),
            Self::Wait(Wait::Backend(ask)) => ask.leading(),
            _ => None,
        }
    }
}

/// What a call waits for.
pub(super) enum Wait {
    /// Somebody else's computation.
    Flight(Boarded, Box<Call>),
    /// The backend's answer.
    Backend(Ask),
    /// Another process's computation.
    Turn(Rest),
}
