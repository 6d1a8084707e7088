//! From the outcome of a body to the store, and to those who wait for it.

use std::time::Duration;

use cacheado_backends::memory::{Cause, Fill, Placed};

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

    /// Whether the outcome was stored.
    pub(super) fn store(&self, outcome: &K::Return) -> bool {
        let (Some(function), Some(ticket)) = (&self.call.function, self.ticket) else { return false };
        let Some(ttl) = self.call.lifetime(function, outcome) else { return false };
        let Some(ttl) = self.admitted(function, ttl) else { return false };
        let Some(stored) = self.call.kind.store(outcome) else { return false };
        let fill = Fill {
            hash: self.call.hash,
            key: self.call.key.clone(),
            deadline: function.store.clock().deadline(ttl.or(None)),
            labels: self.labels.clone(),
            ticket,
            inert: self.call.inert,
        };
        let placed = function.region.fill(fill, stored);
        if placed == Placed::Full {
            count(&function.shared.tally.rejections);
        }
        placed == Placed::Stored
    }

    /// Asks the rules of the user's: the lifetime that they leave, or `None` if the entry is not stored.
    fn admitted(&self, function: &Function<K::Stored>, ttl: Ttl) -> Option<Ttl> {
        let ScopeOf::Known(scope) = &self.call.scope else { return None };
        if !function.ruled {
            return Some(ttl);
        }
        let Some(cache) = function.cache.upgrade() else { return Some(ttl) };
        let key = function.shared.key(scope, self.call.key.as_bytes());
        let meta = EntryMeta::new(scope.clone(), ttl.or(None));
        let is_new = || function.region.describe(self.call.hash, &self.call.key.as_bytes()).is_none();
        let decision = cache.pipeline.on_set(&key, &meta, || is_new() && cache.is_full());
        cache.evict_for_rule(&decision.evict);
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
        if !computation.store(value) {
            // What was there before has been overwritten all the same, with nothing.
            let Call { hash, key, .. } = &computation.call;
            function.region.evict(*hash, key.as_bytes(), Cause::Evicted);
        }
    }
}
