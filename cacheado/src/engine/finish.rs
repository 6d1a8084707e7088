//! From the outcome of a body to the store, and to those who wait for it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::{Fill, Placed};

use super::aging::Age;
use super::call::{Call, ScopeOf};
use super::computation::Computation;
use super::far::{Draft, Write};
use super::flight::{Boarded, Landed};
use crate::cache::Inner;
use crate::chance;
use crate::function::{Function, Outcome, Worth};
use crate::key::Key;
use crate::rules::EntryMeta;
use crate::stats::count;
use crate::ttl::Ttl;

impl Computation {
    /// Stores the outcome if it may be stored, and hands it to those who wait, before it is returned: also where code
    /// of the user's that decides or copies panics. What the backend is to be asked to store comes first, if there is
    /// something.
    pub(super) fn finish(mut self, outcome: &dyn Outcome) -> Option<Write> {
        // Rules, `cache_if`, a value's `clone`: what they call must not wait for this flight, nor for its places.
        let (_leading, _inside) = (self.leading(), self.inside());
        self.set_apart();
        let stored = catch_unwind(AssertUnwindSafe(|| self.store(outcome))).or_else(|_| {
            tracing::error!(
                target: "cacheado",
                "an outcome was not stored: what was asked about it, or copies it, panicked"
            );
            catch_unwind(AssertUnwindSafe(|| self.refuse(outcome)))
        });
        match stored {
            Ok(None) => {}
            Ok(Some(draft)) => return self.write(draft),
            // It cannot be copied, so that nothing can hold it while the backend is waited for.
            Err(_) => self.leave_eviction_of_old(),
        }
        self.land(|| match (outcome.held(), outcome.shared()) {
            (Some(held), _) => Landed::Value(held),
            (None, Some(shared)) => Landed::Shared(shared),
            (None, None) => Landed::Alone,
        });
        if let Some(far) = &self.far {
            // A rule may have wanted something, and the caller has nothing to wait for.
            far.remote.settle_later();
        }
        None
    }

    /// Stores the outcome of the body in this process, or says what is to be written to the backend.
    fn store(&mut self, outcome: &dyn Outcome) -> Option<Draft> {
        let (function, ticket) = (self.call.function.as_ref()?, self.ticket.as_ref()?);
        let is_failure = outcome.worth() == Worth::Failure;
        if is_failure && self.renewing.is_some() {
            self.note_failure(function);
        }
        if is_failure && self.has_better(function) {
            // Who waits for a renewal looks for the older value again, as the body is left alone now.
            if self.renewing.is_some() {
                self.land(|| Landed::Gone);
            }
            return None;
        }
        let admitted = self.admitted(function, outcome);
        if function.remote.is_some() {
            let function = Arc::clone(function);
            return self.draft(&function, outcome, admitted);
        }
        match admitted.and_then(|ttl| self.place(function, ticket, ttl, outcome)) {
            Some(_) => None,
            None => self.refuse(outcome),
        }
    }

    /// Stores nothing of the outcome. A body that ends with nothing to store has still found out that what is stored,
    /// which a refresh and what is past its time are about, is old. An error has found out nothing.
    fn refuse(&mut self, outcome: &dyn Outcome) -> Option<Draft> {
        let (function, ticket) = (self.call.function.as_ref()?, self.ticket.as_ref()?);
        if function.remote.is_some() {
            let function = Arc::clone(function);
            return self.draft(&function, outcome, None);
        }
        if outcome.worth() != Worth::Failure {
            self.retract_old_here(function, ticket);
        }
        None
    }

    /// Nothing is stored, and what is stored is old: it goes, here or in the backend.
    pub(super) fn takes_old_away(&mut self) {
        let (Some(function), Some(ticket)) = (&self.call.function, &self.ticket) else { return };
        if function.remote.is_some() {
            self.leave_eviction_of_old();
        } else {
            self.retract_old_here(function, ticket);
        }
    }

    fn retract_old_here(&self, function: &Function, ticket: &Boarded) {
        if self.is_about_old_here(function) {
            function.region.retract(self.call.hash, self.call.key.as_bytes(), ticket);
        }
    }

    /// Whether it is about what is past its time, or taken for old. What is fresh, and a rule alone has not let pass, is
    /// as good as before for whoever it lets pass.
    fn is_about_old_here(&self, function: &Function) -> bool {
        let is_past = || self.call.spare(function).is_some_and(|(_, age)| matches!(age, Age::Past(_)));
        self.call.is_refresh() || self.renewing.is_some() || (self.call.policy.ages() && is_past())
    }

    /// Whether there is an older value that is of more use than an error: also for those that a renewal leaves it to.
    fn has_better(&self, function: &Function) -> bool {
        let policy = self.call.policy;
        if self.call.is_refresh() {
            // It has not asked what there is.
            return policy.ages();
        }
        (!policy.stale_if_error.is_zero() || self.renewing.is_some())
            && (self.has_spare || self.call.is_rejected() || self.call.spare(function).is_some())
    }

    /// Stores what the caller gives: after this, fills that have begun are not stored, and whatever
    /// becomes of the value, an older one is gone. Also where code of the user's that decides or copies panics, which
    /// the caller is told of.
    pub(super) fn set(&self, value: &dyn Outcome) {
        let Some(function) = &self.call.function else { return };
        let hash = self.call.hash;
        // Its number is that of its beginning: of two sets, the one that began later stays.
        let begun = function.tickets.take(hash, self.labels());
        let set = catch_unwind(AssertUnwindSafe(|| {
            let ttl = self.admitted(function, value);
            function.tickets.fence_off(hash);
            ttl.and_then(|ttl| self.replace(function, &begun, ttl, value))
        }));
        if let Ok(Some(_)) = set {
            return;
        }
        if set.is_err() {
            function.tickets.fence_off(hash);
        }
        function.region.retract(hash, self.call.key.as_bytes(), &begun);
        if let Err(panic) = set {
            resume_unwind(panic);
        }
    }

    /// Stores a value that is newer than what has been evicted since the ticket was taken. `None` as of
    /// [`place`](Self::place).
    fn replace(&self, function: &Function, begun: &Boarded, ttl: Ttl, value: &dyn Outcome) -> Option<Placed> {
        loop {
            let ticket = function.tickets.renew(begun, self.call.hash, self.labels());
            match self.place(function, &ticket, ttl, value)? {
                // An eviction has come between: the value comes after it.
                Placed::Fenced => {}
                placed => return Some(placed),
            }
        }
    }

    /// What became of the outcome in the store; `None`: it may not be stored, or there is no room.
    fn place(
        &self,
        function: &Function,
        ticket: &Boarded,
        ttl: Ttl,
        outcome: &dyn Outcome,
    ) -> Option<Placed> {
        let clock = function.store.clock();
        let now = clock.begin_of(ttl.or(None));
        let aging = self.aging(function, outcome.worth());
        let fill = Fill { aging, ..self.fill(now, clock.deadline_from(now, ttl.or(None))) };
        let mut filling = function.region.filling(fill, ticket);
        outcome.fill(&mut filling);
        let placed = filling.placed()?;
        if placed == Placed::Full {
            count(&function.shared.tally.rejections);
            return None;
        }
        Some(placed)
    }

    /// For how long the outcome is to be stored, after the rules of the user's have been asked and what
    /// they want evicted is; `None` if it is not.
    pub(super) fn admitted(&self, function: &Function, outcome: &dyn Outcome) -> Option<Ttl> {
        let ttl = self.call.lifetime(function, outcome)?;
        let ScopeOf::Known(scope) = &self.call.scope else { return None };
        if !function.ruled {
            return Some(ttl);
        }
        let Some(cache) = function.cache.upgrade() else { return Some(ttl) };
        let key = function.shared.key(scope, self.call.key.as_bytes());
        let meta = EntryMeta::new(scope.clone(), ttl.or(None));
        let (hash, bytes) = (self.call.hash, self.call.key.as_bytes());
        let is_full = || match (&function.ledger, &function.remote) {
            (Some(ledger), Some(remote)) => {
                ledger.describe(hash, bytes).is_none()
                    && remote.ledger.as_ref().is_some_and(|store| Inner::is_full(store))
            }
            _ => function.region.describe(hash, bytes).is_none() && Inner::is_full(&function.store),
        };
        let evict = |mut keys: Vec<Key>| {
            // What is about to be overwritten need not be evicted, which would forbid the fill as well.
            keys.retain(|other| *other != key);
            cache.evict_for_rule(keys);
        };
        let decision = cache.pipeline.on_set(&key, meta, function.default_ttl, evict, is_full);
        evict(decision.evict);
        if decision.reject {
            count(&function.shared.tally.rejections);
            return None;
        }
        stored_for(decision.ttl.map_or(ttl, |ttl| ttl.or(function.default_ttl).into()))
    }
}

/// What lives for no time is not stored.
fn stored_for(ttl: Ttl) -> Option<Ttl> {
    (ttl != Ttl::For(Duration::ZERO)).then_some(ttl)
}

impl Call {
    /// For how long the outcome is kept, or `None` if it is not.
    fn lifetime(&self, function: &Function, outcome: &dyn Outcome) -> Option<Ttl> {
        if !outcome.may_be_stored() {
            return None;
        }
        let ttl = outcome.ttl().map_or(self.ttl, Ttl::For).or(function.default_ttl);
        let kept = stored_for(self.policy.keep(outcome.worth(), ttl.into())?)?;
        Some(match kept {
            Ttl::For(time) => Ttl::For(chance::shortened(time, self.policy.jitter)),
            forever => forever,
        })
    }
}
