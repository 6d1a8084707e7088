//! What an entry of the backend stands for, and the copy of it that is kept here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::Entry;
use cacheado_backends::memory::{Aging, Fill};

use super::age::Reading;
use crate::codec::Header;
use crate::context::Tier;
use crate::engine::aging::{Age, aging};
use crate::engine::call::ScopeOf;
use crate::engine::computation::Computation;
use crate::engine::flight::Landed;
use crate::function::{Function, Held, Value};
use crate::remote::Chore;
use crate::rules::EntryMeta;
use crate::ttl::Ttl;

/// How long a copy lives, at most, of an entry of which the backend says that so much is left: no longer than it was
/// granted. A server that is asked for lifetime and value one after the other may have told the lifetime of the value
/// before this one.
pub(super) fn granted(header: &Header, left: Option<Duration>) -> Option<Duration> {
    left.into_iter().chain(header.lifetime).min()
}

impl Computation {
    /// What an entry of the backend stands for. A hit is counted, and handed to those who wait. No copy is kept
    /// of one whose remaining lifetime is not known.
    pub(in crate::engine) fn found(&mut self, entry: &Entry, lifetime_known: bool) -> Reading<Value> {
        self.try_found(entry, lifetime_known).unwrap_or(Reading::Nothing)
    }

    fn try_found(&mut self, entry: &Entry, lifetime_known: bool) -> Option<Reading<Value>> {
        let function = Arc::clone(self.call.function.as_ref()?);
        let far = self.far.as_ref()?;
        let asked = far.asked;
        let (header, value) = far.open(&entry.value)?;
        if !lifetime_known && !header.grace.is_zero() {
            return Some(Reading::OfUnknownAge);
        }
        if lifetime_known {
            self.note(&function, entry.remaining);
        }
        let age = header.age(entry.remaining);
        let (left, renewing) = self.use_at(&function, &header, age)?;
        let Some(remaining) = self.let_pass(&function, left, header.grace) else {
            self.call.rejected = true;
            // What is past its time is old for whoever a rule lets pass, too.
            self.has_spare |= matches!(age, Age::Past(_));
            self.far.as_mut()?.turn.refused();
            return None;
        };
        if lifetime_known && matches!(age, Age::Left(_)) {
            let ages = aging(self.lead(header.took), header.grace);
            self.keep_copy(&function, &value, granted(&header, remaining.or(None)), ages, asked);
        }
        self.call.count_served(age);
        let typed = self.call.typed;
        self.answered();
        self.land(|| match age {
            Age::Left(_) => Landed::Found(value.clone()),
            Age::Past(_) => Landed::Old(value.clone(), age),
        });
        let served = age.served(Tier::Remote, header.lifetime.filter(|_| lifetime_known));
        Some(Reading::Value(typed.restore(value)?, served, renewing))
    }

    /// How long the entry lives after the rules have seen the hit; `None` if they do not let it pass.
    pub(super) fn let_pass(
        &self,
        function: &Function,
        remaining: Option<Duration>,
        grace: Duration,
    ) -> Option<Ttl> {
        if !function.ruled {
            return Some(remaining.into());
        }
        let far = self.far.as_ref()?;
        let Some(cache) = function.cache.upgrade() else { return Some(remaining.into()) };
        let ScopeOf::Known(scope) = &self.call.scope else { return None };
        if cache.pipeline.is_empty() {
            return Some(remaining.into());
        }
        let decision = cache.pipeline.on_get(
            &self.call.whole_key(),
            EntryMeta::new(scope.clone(), remaining),
            function.default_ttl,
        );
        cache.evict_for_rule(decision.evict);
        if decision.reject {
            return None;
        }
        let Some(ttl) = decision.ttl else { return Some(remaining.into()) };
        if remaining.is_some_and(|remaining| remaining.is_zero()) {
            // What is past its time does not come back.
            return Some(remaining.into());
        }
        let ttl = ttl.or(function.default_ttl);
        let kept = ttl.map(|ttl| ttl.saturating_add(far.remote.grace(Some(ttl), grace)));
        far.remote.postpone(Chore::set_ttl(self.call.whole_key(), Arc::clone(&far.place), kept));
        self.note(function, kept);
        // It is not written yet, and may never be: a copy lives no longer than the entry does now.
        Some(remaining.into_iter().chain(ttl).min().into())
    }

    /// Keeps a copy in this process, if there is a near cache and no eviction has come since this call began.
    /// As of the reading `confirmed` no node had evicted it, short of notices that were lost: from there its life
    /// as a copy counts, and what remains of the entry's from when the backend was asked. It is not served past
    /// the value's time, but may be computed anew before it, and knows for how long the entry is kept after it.
    pub(in crate::engine) fn keep_copy(
        &self,
        function: &Function,
        value: &Held,
        remaining: Option<Duration>,
        ages: Option<Aging>,
        confirmed: u64,
    ) {
        let (Some(far), Some(ticket)) = (&self.far, &self.ticket) else { return };
        let Some(near_ttl) = far.remote.near_ttl else { return };
        let clock = function.store.clock();
        let expiry = clock.deadline_from(far.asked, remaining);
        let limit = clock.deadline_from(confirmed, Some(near_ttl)).min(expiry);
        if clock.expired(limit) || !far.has_heard_all() {
            return;
        }
        let now = clock.now();
        let fill = match ages {
            Some(aging) => Fill { aging: Some(Aging { limit, ..aging }), ..self.fill(now, expiry) },
            None => self.fill(now, limit),
        };
        // The copy runs code of the user's.
        if catch_unwind(AssertUnwindSafe(|| function.region.fill_any(fill, ticket, value.clone()))).is_err() {
            tracing::error!(target: "cacheado", "a value panicked while it was copied for the near cache");
        }
        if !far.has_heard_all() {
            function.region.withdraw(self.call.hash, ticket);
        }
    }

    /// An entry in memory of this call's.
    pub(in crate::engine) fn fill(&self, now: u64, deadline: u64) -> Fill {
        Fill {
            hash: self.call.hash,
            key: self.call.key.clone(),
            born: now,
            deadline,
            aging: None,
            labels: self.labels().cloned(),
        }
    }
}
