//! From the outcome of a body to the store, and to those who wait for it.

use std::time::Duration;

use cacheado_backends::memory::{Fill, Placed, Ticket};

use super::call::{Call, Computation, ScopeOf};
use super::flight::Landed;
use crate::function::{Function, Kind};
use crate::rules::EntryMeta;
use crate::stats::count;
use crate::ttl::Ttl;

impl<K: Kind> Computation<K> {
    /// Stores the outcome if it may be stored, hands it to those who wait, and returns it.
    pub(super) fn finish(mut self, outcome: K::Return) -> K::Return {
        self.store(&outcome);
        let kind = self.call.kind;
        self.land(|| match (kind.store(&outcome), kind.share(&outcome)) {
            (Some(stored), _) => Landed::Value(stored.into()),
            (None, Some(shared)) => Landed::Shared(shared),
            (None, None) => Landed::Alone,
        });
        outcome
    }

    /// Stores the outcome if it may be stored.
    pub(super) fn store(&self, outcome: &K::Return) -> Kept {
        let (Some(function), Some(ticket)) = (&self.call.function, self.ticket) else { return Kept::Refused };
        let Some(ttl) = self.call.lifetime(function, outcome) else { return Kept::Refused };
        let Some((ttl, ticket)) = self.admitted(function, ttl, ticket) else { return Kept::Refused };
        let Some(stored) = self.call.kind.store(outcome) else { return Kept::Refused };
        let fill = Fill {
            hash: self.call.hash,
            key: self.call.key.clone(),
            deadline: function.store.clock().deadline(ttl.or(None)),
            labels: self.labels.clone(),
            ticket,
            inert: self.call.inert,
        };
        match function.region.fill(fill, stored) {
            Placed::Stored => Kept::Stored,
            Placed::Fenced | Placed::Superseded => Kept::Overtaken,
            Placed::Full => {
                count(&function.shared.tally.rejections);
                Kept::Refused
            }
        }
    }

    /// Asks the rules of the user's, and evicts what they ask for: the lifetime that they leave and the
    /// ticket that stands after it, or `None` if the entry is not stored.
    fn admitted(&self, function: &Function<K::Stored>, ttl: Ttl, ticket: Ticket) -> Option<(Ttl, Ticket)> {
        let ScopeOf::Known(scope) = &self.call.scope else { return None };
        if !function.ruled {
            return Some((ttl, ticket));
        }
        let Some(cache) = function.cache.upgrade() else { return Some((ttl, ticket)) };
        let key = function.shared.key(scope, self.call.key.as_bytes());
        let meta = EntryMeta::new(scope.clone(), ttl.or(None));
        let is_new = || function.region.describe(self.call.hash, &self.call.key.as_bytes()).is_none();
        let decision = cache.pipeline.on_set(&key, &meta, || is_new() && cache.is_full());
        let moved = cache.evict_for_rule(decision.evict);
        if decision.reject {
            count(&function.shared.tally.rejections);
            return None;
        }
        let labels = self.labels.as_deref().unwrap_or_default();
        let ticket = function.region.pardon(ticket, self.call.hash, labels, &moved);
        let ttl = stored_for(decision.ttl.map_or(ttl, |ttl| ttl.or(function.default_ttl).into()))?;
        Some((ttl, ticket))
    }
}

/// What became of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Stored,
    /// It may not be stored.
    Refused,
    /// An eviction, or a computation that began later, came before it.
    Overtaken,
}

/// What lives for no time is not stored.
fn stored_for(ttl: Ttl) -> Option<Ttl> {
    (ttl != Ttl::For(Duration::ZERO)).then_some(ttl)
}

impl<K: Kind> Call<K> {
    /// For how long the outcome is kept, or `None` if it is not.
    fn lifetime(&self, function: &Function<K::Stored>, outcome: &K::Return) -> Option<Ttl> {
        if self.cache_if.is_some_and(|cache_if| !cache_if(outcome)) {
            return None;
        }
        let own = self.ttl_with.zip(self.kind.payload(outcome)).map(|(ttl_with, value)| ttl_with(value));
        let ttl = own.map_or(self.ttl, Ttl::For).or(function.default_ttl);
        stored_for(self.policy.keep(self.kind.worth(outcome), ttl.into())?)
    }

    /// Stores a value as if the body had just computed it: fills that have begun are not stored any more.
    pub(crate) fn put(self, value: &K::Return) {
        let Some(function) = self.function.clone() else { return };
        if matches!(self.scope, ScopeOf::Missing) {
            count(&function.shared.tally.bypassed);
            return;
        }
        function.region.fence_off(self.hash);
        let labels = self.labels();
        let ticket = function.region.ticket(self.hash, labels.as_deref().unwrap_or_default());
        let computation = Computation::for_set(self, labels, ticket);
        if computation.store(value) == Kept::Refused {
            // What was there before has been overwritten all the same, with nothing.
            let Call { hash, key, .. } = &computation.call;
            function.region.retract(*hash, key.as_bytes(), ticket);
        }
    }
}
