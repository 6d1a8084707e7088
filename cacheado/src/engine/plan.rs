//! What a call does next: serve, wait or compute. Nothing here blocks or awaits.

use std::ops::ControlFlow;
use std::sync::Arc;

use cacheado_backends::memory::Ticket;

use super::call::{Call, ScopeOf};
use super::computation::Computation;
use super::far::Ask;
use super::flight::{Boarding, Flight, Landed, Leader};
use super::leading::leads;
use super::limit;
use super::moment::Moment;
use super::turn::Rest;
use crate::context::{self, Outcome, Served, Tier};
use crate::function::{Function, Held, Value};
use crate::stats::count;

impl Call {
    /// What this call does next.
    pub(super) fn plan(mut self, leader: Leader) -> Next {
        let Some(function) = self.function.clone() else {
            return Next::Compute(Computation::uncached(self).into());
        };
        if self.bypass || matches!(self.scope, ScopeOf::Missing) {
            count(&function.shared.tally.bypassed);
            // It is neither a hit nor a miss, however it ends.
            self.count_nothing();
            return Next::Compute(Computation::uncached(self).into());
        }
        if function.renewals.is_some() {
            match self.by_age(&function, leader) {
                ControlFlow::Break(next) => return next,
                ControlFlow::Continue(call) => self = call,
            }
        }
        if function.remote.is_some() {
            self.begun.get_or_insert_with(Moment::now);
        } else {
            self.count_miss();
        }
        let labels = self.labels();
        let list = labels.as_deref().unwrap_or_default();
        let ticket = function.region.ticket(self.hash, list);
        if function.is_remote() && self.goes_by_spare(&function) {
            let mut looking = Computation::new(self, labels, Some(ticket), None);
            looking.only_looks = true;
            return looking.start();
        }
        if !self.joins() {
            return Computation::new(self, labels, Some(ticket), None).start();
        }
        let is_current = |ticket: &Ticket| function.region.is_current(ticket);
        let boarding = ticket.clone();
        match function.flights.board(self.hash, &self.key, leader, boarding, is_current) {
            Boarding::Wait(flight) if may_join(&flight) => Next::Wait(Wait::Flight(flight, self)),
            // Waiting might be for ever.
            Boarding::Wait(_) => Computation::new(self, labels, Some(ticket), None).start(),
            Boarding::Lead(flight) => {
                let mut computation = Computation::new(self, labels, Some(ticket), Some((flight, leader)));
                // Between the probe and here the previous leader may have stored it.
                match computation.look_again(&function) {
                    Some(value) => {
                        computation.call.count_hit();
                        computation.call.served_from_memory(Outcome::Hit);
                        Next::Serve(value)
                    }
                    None => computation.start(),
                }
            }
        }
    }

    /// What this call does after the flight that it waited for has ended.
    pub(super) fn landed(mut self, flight: &Flight<Held>, landed: Landed<Held>, leader: Leader) -> Next {
        let Some(function) = self.function.clone() else { return self.plan(leader) };
        // What began before an eviction is not served to anybody but its leader after it: one on this node has
        // marked the ticket, one on another shows if the backend is asked after this call began.
        let is_in_time = self.begun.is_none_or(|begun| flight.until.is_after(begun));
        if is_in_time && function.region.is_current(&flight.ticket) {
            let coalesced = |tier| Served::from(Outcome::Coalesced, tier, None);
            let served = match &landed {
                Landed::Found(_) => coalesced(Tier::Remote),
                // It is as old for who has waited as for who has found it.
                Landed::Old(_, age) if function.is_remote() => age.served(Tier::Remote, None),
                Landed::Old(_, age) => age.served(Tier::Memory, None),
                _ => coalesced(Tier::None),
            };
            let value = match landed {
                Landed::Value(value) => self.typed.restore(Held::clone(&value)),
                Landed::Found(value) => {
                    let value = self.typed.restore(Held::clone(&value));
                    // It may be of another type than this caller asks for.
                    if value.is_some() {
                        self.count_hit();
                    }
                    value
                }
                Landed::Old(value, age) => {
                    let value = self.typed.restore(Held::clone(&value));
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
                count(&function.shared.tally.coalesced);
                context::served(|| served);
                return Next::Serve(value);
            }
            self.alone = true;
        }
        self.plan(leader)
    }

    /// Whether it looks for an older value before it waits for a body that has just failed, or taken too long.
    fn goes_by_spare(&self, function: &Function) -> bool {
        !self.policy.stale_if_error.is_zero()
            && !self.refresh
            && !self.has_looked
            && !self.rejected
            && self.has_just_failed(function)
    }
}

/// Whether this thread may wait for the flight: not if it is in the body that the flight waits for, as a body that
/// has called itself with the same arguments; and not if it is in one whose place the flight may come to wait for.
pub(super) fn may_join<V>(flight: &Arc<Flight<V>>) -> bool {
    !leads(flight.number()) && (flight.is_settled() || !limit::is_inside())
}

/// What a call does next.
pub(super) enum Next {
    /// It returns this.
    Serve(Value),
    /// It returns this, and the body is run in the background, if it is to be.
    Renew(Value, Option<Box<Computation>>),
    /// It runs the body.
    Compute(Box<Computation>),
    /// It waits.
    Wait(Wait),
}

/// What a call waits for.
pub(super) enum Wait {
    /// Somebody else's computation.
    Flight(Arc<Flight<Held>>, Call),
    /// The backend's answer.
    Backend(Ask),
    /// Another process's computation.
    Turn(Rest),
}
