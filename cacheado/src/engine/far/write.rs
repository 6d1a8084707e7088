//! An outcome on its way to the backend.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::{Claim, Filled};
use cacheado_backends::memory::{Cause, Placed};

use super::Far;
use super::ask::Answer;
use crate::engine::aging::aging;
use crate::engine::computation::Computation;
use crate::engine::flight::{Boarded, Landed};
use crate::engine::leading::Leading;
use crate::engine::moment::Moment;
use crate::function::{Function, Held, Outcome, Value, Worth};
use crate::remote::{Chore, Remote, Reply, Request};
use crate::stats::count;
use crate::ttl::Ttl;

/// An outcome on its way to the backend.
pub(in crate::engine) struct Write {
    remote: Arc<Remote>,
    request: Request,
    written: Written,
}

/// What waits until it is written. The outcome itself is not held meanwhile, only what is stored of it: it may
/// be of a type that cannot be sent to another thread.
pub(in crate::engine) struct Written {
    computation: Computation,
    value: Held,
    /// For how long it was to be stored; `None`: nothing was, an older entry was taken back.
    ttl: Option<Ttl>,
    /// For how long the backend keeps it.
    kept: Option<Duration>,
}

/// What is to be written of an outcome.
pub(in crate::engine) type Draft = (Request, Held, Option<Ttl>);

impl Computation {
    /// What is to be written of an outcome that may be stored for `admitted`. `None`: nothing.
    pub(in crate::engine) fn draft(
        &mut self,
        function: &Function,
        outcome: &dyn Outcome,
        admitted: Option<Ttl>,
    ) -> Option<Draft> {
        let far = self.far.as_mut()?;
        far.asked = function.store.clock().now();
        let (is_announced, computed) = (far.claim.is_some(), far.computed);
        if let (Some(ttl), Some(value)) = (admitted, outcome.held()) {
            if !is_announced {
                // In an outage the copy here is better than nothing: it is short-lived.
                self.keep_copy(function, &value, ttl.or(None), None, computed);
                return None;
            }
            let grace = self.call.policy.grace_of(outcome.worth());
            if let Some(request) = self.request_fill(function, &value, ttl.or(None), grace) {
                return Some((request, value, Some(ttl)));
            }
        }
        // A body that ends with nothing to store has found out that what is stored, which a refresh and what is
        // past its time are about, is old. An error has found out nothing.
        if !self.is_about_old() || outcome.worth() == Worth::Failure {
            return None;
        }
        let held = outcome.held()?;
        Some((self.retracting()?, held, None))
    }

    /// The request that takes away what is old, and nothing that is newer than the announcement. Where there was none,
    /// in an outage, this process only knows what has come on this node.
    fn retracting(&mut self) -> Option<Request> {
        let notice = self.call.notice();
        let far = self.far.as_mut()?;
        let place = Arc::clone(&far.place);
        match far.claim.take() {
            Some(claim) => Some(Request::Retract { place, claim, notice }),
            None => self.is_current().then_some(Request::Evict { place, notice }),
        }
    }

    /// Whether nothing has come since it began, as far as this node knows: neither here, nor in a notice that may have
    /// been missed.
    fn is_current(&self) -> bool {
        self.ticket.as_ref().is_some_and(Boarded::is_current)
            && self.far.as_deref().is_none_or(Far::has_heard_all)
    }

    fn is_about_old(&self) -> bool {
        self.call.is_refresh() || self.has_spare || self.renewing.is_some()
    }

    /// Nothing is written of a value: if what it was to replace is old, that goes, and nothing that is newer than the
    /// announcement.
    pub(in crate::engine) fn leave_eviction_of_old(&mut self) {
        if !self.is_about_old() {
            return;
        }
        let claim = self.far.as_deref_mut().and_then(|far| {
            far.is_shown();
            far.turn.ended();
            far.claim.take()
        });
        let is_current = self.is_current();
        if is_current {
            self.forget_here();
        }
        if is_current || claim.is_some() {
            self.leave_retraction(claim);
        }
    }

    /// The entry is gone here, and whoever is next in a place to wait for the backend takes it out there.
    pub(in crate::engine) fn leave_eviction(&self) {
        self.forget_here();
        self.leave_retraction(None);
    }

    fn forget_here(&self) {
        let Some(function) = &self.call.function else { return };
        self.forget(function);
        function.region.evict(self.call.hash, self.call.key.as_bytes(), Cause::Evicted);
    }

    fn leave_retraction(&self, claim: Option<Claim>) {
        let Some(far) = &self.far else { return };
        far.remote.postpone(Chore::retract(self.call.whole_key(), Arc::clone(&far.place), claim));
    }

    /// `None`: the value has no bytes, or there is no room.
    fn request_fill(
        &mut self,
        function: &Function,
        value: &Held,
        ttl: Option<Duration>,
        grace: Duration,
    ) -> Option<Request> {
        let far = self.far.as_ref()?;
        let grace = far.remote.grace(ttl, grace);
        let report = |error| {
            tracing::warn!(
                target: "cacheado",
                key = far.place.key,
                ?error,
                "a value was not stored: it has no bytes"
            );
        };
        let value = far.seal(value, ttl, grace).map_err(report).ok()?;
        let ttl = ttl.map(|ttl| ttl.saturating_add(grace));
        if self.reserve(function, ttl) == Placed::Full {
            count(&function.shared.tally.rejections);
            return None;
        }
        // What is refreshed is overwritten: copies of the old value are to go on all nodes.
        let notice = self.call.is_refresh().then(|| self.call.notice());
        let far = self.far.as_mut()?;
        Some(Request::Fill { place: Arc::clone(&far.place), value, ttl, claim: far.claim.take()?, notice })
    }

    /// The draft on its way; `None` without a remote side, which no draft comes from.
    pub(in crate::engine) fn write(mut self, (request, value, ttl): Draft) -> Option<Write> {
        let far = self.far.as_mut()?;
        far.sent = Some(Moment::now());
        let remote = Arc::clone(&far.remote);
        let kept = if let Request::Fill { ttl, .. } = &request { *ttl } else { None };
        Some(Write { remote, request, written: Written { computation: self, value, ttl, kept } })
    }
}

impl Write {
    /// Who is asked, what, and what waits until it is done.
    pub(in crate::engine) fn split(self) -> (Arc<Remote>, Request, Written) {
        (self.remote, self.request, self.written)
    }
}

impl Written {
    /// Marks this thread as the leader's, while the guard lives.
    pub(in crate::engine) fn leading(&self) -> Option<Leading> {
        self.computation.leading()
    }

    /// Hands the value to those who wait, and returns it: also where it could not be stored.
    pub(in crate::engine) fn answered(self, answer: &Answer) -> Value {
        let Self { mut computation, value, ttl, kept } = self;
        let _leading = computation.leading();
        if let Some(far) = &mut computation.far {
            far.is_shown();
            far.turn.written(answer);
        }
        if let Some(function) = computation.call.function.clone() {
            computation.after_writing(&function, &value, (ttl, kept), answer);
        }
        let typed = computation.call.typed;
        // What an eviction on some node has come before is not for those who may have called after it.
        computation.answered();
        let is_old = matches!(answer, Ok(Reply::Filled(Filled::Fenced)));
        computation.land(|| if is_old { Landed::Gone } else { Landed::Value(value.clone()) });
        #[expect(clippy::expect_used, reason = "it is what the kind has made of its own outcome")]
        typed.restore(value).expect("a kind restores what it stores")
    }
}

impl Computation {
    fn after_writing(
        &self,
        function: &Function,
        value: &Held,
        (ttl, kept): (Option<Ttl>, Option<Duration>),
        answer: &Answer,
    ) {
        if let Err(error) = answer {
            self.count_backend_error(error);
            // It is refused for what it is, as one that has no bytes.
            if ttl.is_some() && !error.kind().is_outage() && self.is_about_old() && self.is_current() {
                return self.leave_eviction();
            }
        }
        let is_stored = matches!(answer, Ok(Reply::Filled(Filled::Stored)));
        let is_fenced = matches!(answer, Ok(Reply::Filled(Filled::Fenced)));
        match ttl {
            Some(_) if is_stored => self.enter(function, kept),
            Some(_) => self.withdraw(function),
            // What is there is another's.
            None if is_fenced => {}
            None => self.forget(function),
        }
        match ttl {
            // What was computed is good for this process, whether or not the backend has it.
            Some(ttl) if is_stored || answer.is_err() => {
                let Some(far) = &self.far else { return };
                let confirmed = if is_stored { far.asked } else { far.computed };
                let lead = self.lead(far.begun.map(|begun| begun.elapsed()).unwrap_or_default());
                let ttl = ttl.or(None);
                let grace = kept.unwrap_or_default().saturating_sub(ttl.unwrap_or_default());
                self.keep_copy(function, value, ttl, aging(lead, grace), confirmed);
            }
            Some(_) => {}
            None => {
                function.region.evict(self.call.hash, self.call.key.as_bytes(), Cause::Evicted);
            }
        }
    }
}
