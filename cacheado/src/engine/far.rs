//! The remote side of a call: what it asks the backend, and what becomes of the answers.
//!
//! ```text
//! plan ─ read ─┬─ found ──────────────────────────────────► value
//!              ├─ absent ─ announce ─ body ─ write ───────► value (or a lease, see `turn`)
//!              └─ outage ─ body ──────────────────────────► value
//! ```
//!
//! The announcement is what lets the backend forbid the write if an eviction comes while the body runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cacheado_backends::contract::{Claim, Entry, Filled, Place, Wanted};
use cacheado_backends::memory::{Aging, Cause, Fill, Found, Placed, Ticket};

use super::aging::{Age, aging};
use super::call::{Call, Computation, Next, ScopeOf, Wait};
use super::far_age::Reading;
use super::flight::{Landed, Leader};
use super::moment::Moment;
use super::turn::InTurn;
use crate::codec::{CodecError, Envelope, Header, Limits};
use crate::context::{self, Outcome, Served, Tier};
use crate::error::Error;
use crate::function::{Function, Kind, Worth};
use crate::remote::{Chore, Notice, Remote, Reply, Request};
use crate::rules::EntryMeta;
use crate::stats::count;
use crate::ttl::Ttl;

pub(super) type Answer = cacheado_backends::Result<Reply>;

/// The remote side of one call.
pub(super) struct Far<V> {
    pub(super) remote: Arc<Remote>,
    pub(super) place: Arc<Place>,
    /// Whether the place names the groups of the entry, which only a write needs of every backend.
    is_grouped: bool,
    envelope: Envelope<V>,
    /// `None` until the fill has been announced.
    pub(super) claim: Option<Claim>,
    pub(super) turn: InTurn,
    /// When the computation began; `None` where there is none.
    pub(super) begun: Option<Instant>,
    /// What the clock showed when the backend was last asked: what it answers is no younger than that. Only
    /// the life of a copy depends on it.
    pub(super) asked: u64,
    /// What the clock showed when the body began: what the backend has not confirmed is as old as that. Only
    /// where there are copies.
    computed: u64,
    /// When the last question was sent whose answer others may be handed.
    pub(super) sent: Option<Moment>,
    /// With which ticket this call has entered the ledger, if it was not in there.
    noted: Option<Ticket>,
}

/// A claim that was not used is given up, however the computation has ended.
impl<V> Drop for Far<V> {
    fn drop(&mut self) {
        let claim = self.claim.take().filter(|_| !self.turn.has_lease());
        self.remote.abandon(&self.place, claim);
    }
}

impl<K: Kind> Call<K> {
    /// The remote side, if the function's values are kept remotely: for all but writing.
    pub(super) fn far(&self) -> Option<Far<K::Stored>> {
        let function = self.function.as_ref()?;
        let remote = function.remote.as_ref()?;
        let codec = self.codec?;
        let ScopeOf::Known(scope) = &self.scope else { return None };
        remote.listen(&function.cache);
        let address = function.shared.address(scope, self.key.as_bytes());
        Some(Far {
            remote: Arc::clone(remote),
            place: remote.spot(&address, &self.tags, || self.whole_key()),
            is_grouped: !remote.reads_keys,
            envelope: Envelope::new(
                codec,
                function.shared.identity.version,
                Limits { size: remote.max_value_size, ..Limits::default() },
            ),
            claim: None,
            turn: InTurn::default(),
            begun: None,
            asked: if remote.near_ttl.is_some() { function.store.clock().now() } else { 0 },
            computed: 0,
            sent: None,
            noted: None,
        })
    }

    /// Tells the other nodes that the entry is not what it was.
    pub(super) fn notice(&self) -> Vec<u8> {
        Notice::Key(self.whole_key()).to_bytes()
    }

    fn place(&self, function: &Function<K::Stored>) -> Option<Arc<Place>> {
        let ScopeOf::Known(scope) = &self.scope else { return None };
        let address = function.shared.address(scope, self.key.as_bytes());
        Some(address.place(&self.tags, || self.whole_key()))
    }
}

impl<V> Far<V> {
    /// The value in an entry's bytes, and what is known of it; `None` if they are not one of this function,
    /// version and type.
    pub(super) fn open(&self, bytes: &[u8]) -> Option<(Header, V)> {
        let report =
            |mismatch| tracing::debug!(key = self.place.key, ?mismatch, "a stored entry is not used");
        self.envelope.open(bytes).map_err(report).ok()
    }

    /// The bytes of a value that is kept for `grace` after its time.
    pub(super) fn seal(
        &self,
        value: &V,
        ttl: Option<Duration>,
        grace: Duration,
    ) -> Result<Vec<u8>, CodecError> {
        let mut bytes = Vec::new();
        let took = self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        self.envelope.write(Header { lifetime: ttl, took, grace }, value, &mut bytes)?;
        Ok(bytes)
    }
}

/// A question to the backend before the body runs.
pub(super) struct Ask<K: Kind> {
    remote: Arc<Remote>,
    request: Request,
    asked: Asked<K>,
}

/// What waits for the answer.
pub(super) struct Asked<K: Kind> {
    computation: Box<Computation<K>>,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Is there an entry?
    Read,
    /// Are there these? The answer does not tell how long they live.
    ReadAmongMany,
    /// Is there an entry, and how old is it? It has turned out that this needs to be known.
    ReadAge,
    /// Has somebody else renewed it meanwhile?
    Recheck,
    /// There will be one.
    Announce,
    /// There will be one, if no other process makes it first.
    Lease,
}

impl<K: Kind> Computation<K> {
    /// The first thing to do: what the backend says comes before the body.
    pub(super) fn start(mut self) -> Next<K> {
        self.far = self.call.far();
        let step = if self.renewing.is_some() {
            Step::Recheck
        } else if self.call.is_refresh() || self.call.is_rejected() {
            Step::Announce
        } else {
            Step::Read
        };
        Box::new(self).ask(step)
    }

    /// The remote side, for writing.
    pub(super) fn far_to_write(&mut self) -> Option<&mut Far<K::Stored>> {
        let (function, far) = (self.call.function.as_ref()?, self.far.as_mut()?);
        if !std::mem::replace(&mut far.is_grouped, true) {
            far.place = self.call.place(function)?;
        }
        Some(far)
    }

    /// The request that takes the entry away.
    pub(super) fn evicting(&self) -> Option<Request> {
        let place = Arc::clone(&self.far.as_ref()?.place);
        Some(Request::Evict { place, notice: self.call.notice() })
    }

    pub(super) fn ask(mut self: Box<Self>, step: Step) -> Next<K> {
        let far = match step {
            Step::Read | Step::ReadAmongMany | Step::ReadAge | Step::Recheck => self.far.as_mut(),
            Step::Announce | Step::Lease => self.far_to_write(),
        };
        let Some(far) = far else { return Next::Compute(self) };
        far.sent = Some(Moment::now());
        let (remote, place) = (Arc::clone(&far.remote), Arc::clone(&far.place));
        let (step, request) = match step {
            Step::Read | Step::ReadAmongMany if !self.call.policy.ages() => {
                (step, Request::Get { place, wanted: remote.wanted() })
            }
            Step::Read | Step::ReadAmongMany | Step::ReadAge | Step::Recheck => {
                (step, Request::Get { place, wanted: Wanted::ValueAndLifetime })
            }
            Step::Announce | Step::Lease => self.announcement(place),
        };
        Next::Wait(Wait::Backend(Ask { remote, request, asked: Asked { computation: self, step } }))
    }

    /// The body is about to begin.
    pub(super) fn far_begins(&mut self) {
        let (Some(far), Some(function)) = (&mut self.far, &self.call.function) else { return };
        far.begun = Some(Instant::now());
        if far.remote.near_ttl.is_some() {
            far.computed = function.store.clock().now();
        }
    }

    /// The backend is not there: the body decides, unless the function wants to know.
    pub(super) fn without_backend(mut self: Box<Self>, error: cacheado_backends::Error) -> Next<K> {
        self.far_begins();
        self.call.count_miss();
        self.count_backend_error(&error);
        match self.call.on_backend_error {
            Some(returned) => {
                context::served(|| Served::anew(Outcome::Miss));
                Next::Serve(returned(Error::from(error)))
            }
            None => Next::Compute(self),
        }
    }

    pub(super) fn count_backend_error(&self, error: &cacheado_backends::Error) {
        if let Some(function) = &self.call.function {
            count(&function.shared.tally.backend_errors);
        }
        tracing::debug!(%error, "the cache backend failed");
    }
}

impl<K: Kind> Ask<K> {
    /// Who is asked, what, and what waits for the answer.
    pub(super) fn split(self) -> (Arc<Remote>, Request, Asked<K>) {
        (self.remote, self.request, self.asked)
    }
}

impl<K: Kind> Asked<K> {
    /// Whether it is asked for the first time, so that it can be a part of a question for many entries.
    pub(super) fn is_first(&self) -> bool {
        self.step == Step::Read
    }

    /// The same, where the question is a part of one for many entries.
    pub(super) fn among_many(self) -> Self {
        Self { step: Step::ReadAmongMany, ..self }
    }

    /// What follows from the answer.
    pub(super) fn answered(self, answer: Answer, leader: Leader) -> Next<K> {
        let Self { mut computation, step } = self;
        match step {
            Step::Read | Step::ReadAmongMany | Step::ReadAge => match answer.and_then(Reply::entry) {
                Ok(entry) => {
                    if let (None, Some(far)) = (&entry, &mut computation.far) {
                        far.turn.missed();
                    }
                    match entry.map(|entry| computation.found(&entry, computation.knows_age(step))) {
                        Some(Reading::Value(value, served, None)) => {
                            context::served(|| served);
                            Next::Serve(value)
                        }
                        Some(Reading::Value(value, served, Some(why))) => {
                            context::served(|| served);
                            let renewal = computation.renewal(why, leader);
                            Next::Renew(value, renewal)
                        }
                        Some(Reading::OfUnknownAge) => computation.ask(Step::ReadAge),
                        Some(Reading::Nothing) | None if computation.only_looks => {
                            computation.call.onward().plan(leader)
                        }
                        Some(Reading::Nothing) | None => computation.ask(Step::Announce),
                    }
                }
                Err(_) if computation.only_looks => computation.call.onward().plan(leader),
                Err(error) => computation.without_backend(error),
            },
            Step::Recheck => match answer.and_then(Reply::entry) {
                Ok(entry) => match entry.and_then(|entry| computation.renewed(&entry)) {
                    Some(value) => Next::Serve(value),
                    None => computation.ask(Step::Announce),
                },
                Err(error) => computation.without_backend(error),
            },
            Step::Announce => match answer.and_then(Reply::claim) {
                Ok(claim) => {
                    if let Some(far) = &mut computation.far {
                        far.claim = Some(claim);
                    }
                    computation.far_begins();
                    Next::Compute(computation)
                }
                Err(error) => computation.without_backend(error),
            },
            Step::Lease => computation.turned(answer),
        }
    }
}

impl<K: Kind> Computation<K> {
    /// What an entry of the backend stands for. A hit is counted, and handed to those who wait. No copy is kept
    /// of one whose remaining lifetime is not known.
    pub(super) fn found(&mut self, entry: &Entry, lifetime_known: bool) -> Reading<K::Return> {
        self.try_found(entry, lifetime_known).unwrap_or(Reading::Nothing)
    }

    fn try_found(&mut self, entry: &Entry, lifetime_known: bool) -> Option<Reading<K::Return>> {
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
        let remaining = self.let_pass(&function, left, header.grace)?;
        if lifetime_known && matches!(age, Age::Left(_)) {
            self.keep_copy(&function, &value, remaining.or(None), self.lead(header.took), asked);
        }
        self.call.count_served(age);
        let kind = self.call.kind;
        self.answered();
        self.land(|| match age {
            Age::Left(_) => Landed::Found(Arc::new(value.clone())),
            Age::Past(_) => Landed::Old(Arc::new(value.clone()), age),
        });
        let served = age.served(Tier::Remote, header.lifetime.filter(|_| lifetime_known));
        Some(Reading::Value(kind.restore(value)?, served, renewing))
    }

    /// How long the entry lives after the rules have seen the hit; `None` if they do not let it pass.
    fn let_pass(
        &self,
        function: &Function<K::Stored>,
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
        let decision =
            cache.pipeline.on_get(&self.call.whole_key(), &EntryMeta::new(scope.clone(), remaining));
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
        let kept = ttl.map(|ttl| ttl.saturating_add(grace));
        far.remote.postpone(Chore::set_ttl(self.call.whole_key(), Arc::clone(&far.place), kept));
        self.note(function, kept);
        // It is not written yet, and may never be: a copy lives no longer than the entry does now.
        Some(remaining.into_iter().chain(ttl).min().into())
    }

    /// Writes a remote entry that was read into the ledger, as used just now, if there is room.
    pub(super) fn note(&self, function: &Function<K::Stored>, ttl: Option<Duration>) {
        let Some(ledger) = &function.ledger else { return };
        let (hash, key) = (self.call.hash, &self.call.key);
        let deadline = function.store.clock().deadline(ttl);
        if let Found::Hit(()) = ledger.get(hash, &key.as_bytes()) {
            ledger.set_deadline(hash, key.as_bytes(), deadline);
            return;
        }
        let ticket = ledger.ticket(hash, self.labels.as_deref().unwrap_or_default());
        ledger.fill(self.fill_ledger(function, &ticket, ttl), ());
    }

    /// Enters the ledger for what is about to be written. `Full`: it is a new one, and there is no room.
    pub(super) fn reserve(&mut self, function: &Function<K::Stored>, ttl: Option<Duration>) -> Placed {
        let Some(ledger) = &function.ledger else { return Placed::Stored };
        if ledger.describe(self.call.hash, self.call.key.as_bytes()).is_some() {
            return Placed::Stored;
        }
        let ticket = ledger.ticket(self.call.hash, self.labels.as_deref().unwrap_or_default());
        let placed = ledger.fill(self.fill_ledger(function, &ticket, ttl), ());
        if let Some(far) = &mut self.far {
            far.noted = Some(ticket);
        }
        placed
    }

    /// It is written, and in the ledger under a ticket of its own: whoever fails to write the same entry, and
    /// has entered it, does not take it out again.
    pub(super) fn enter(&self, function: &Function<K::Stored>, ttl: Option<Duration>) {
        let (Some(ledger), Some(far)) = (&function.ledger, &self.far) else { return };
        let ticket = ledger.ticket(self.call.hash, self.labels.as_deref().unwrap_or_default());
        if ledger.fill(self.fill_ledger(function, &ticket, ttl), ()) == Placed::Full {
            // Another has taken the room meanwhile.
            far.remote.postpone(Chore::drive_out(self.call.whole_key(), Arc::clone(&far.place)));
        }
    }

    /// It is not written: what this call has entered into the ledger goes, and nothing of another's.
    pub(super) fn withdraw(&self, function: &Function<K::Stored>) {
        if let (Some(ledger), Some(ticket)) =
            (&function.ledger, self.far.as_ref().and_then(|far| far.noted.as_ref()))
        {
            ledger.withdraw(self.call.hash, ticket);
        }
    }

    fn fill_ledger(&self, function: &Function<K::Stored>, ticket: &Ticket, ttl: Option<Duration>) -> Fill {
        Fill { inert: true, ..self.fill(ticket, function.store.clock().deadline(ttl)) }
    }

    /// Keeps a copy in this process, if there is a near cache and no eviction has come since this call began.
    /// As of the reading `confirmed` no node had evicted it, short of notices that were lost: from there its life
    /// as a copy counts, and what remains of the entry's from when the backend was asked. It is not served past
    /// the value's time, but from `lead` before it on it may be computed anew.
    pub(super) fn keep_copy(
        &self,
        function: &Function<K::Stored>,
        value: &K::Stored,
        remaining: Option<Duration>,
        lead: Duration,
        confirmed: u64,
    ) {
        let (Some(far), Some(ticket)) = (&self.far, &self.ticket) else { return };
        let Some(near_ttl) = far.remote.near_ttl else { return };
        let clock = function.store.clock();
        let expiry = clock.deadline_from(far.asked, remaining);
        let limit = clock.deadline_from(confirmed, Some(near_ttl)).min(expiry);
        if clock.expired(limit) {
            return;
        }
        let copied = catch_unwind(AssertUnwindSafe(|| value.clone()));
        let Ok(value) = copied else {
            tracing::error!("a value panicked while it was copied for the near cache");
            return;
        };
        let fill = match aging(lead, Duration::ZERO) {
            Some(aging) => Fill { aging: Some(Aging { limit, ..aging }), ..self.fill(ticket, expiry) },
            None => self.fill(ticket, limit),
        };
        function.region.fill(fill, value);
    }

    /// An entry in memory of this call's.
    pub(super) fn fill(&self, ticket: &Ticket, deadline: u64) -> Fill {
        Fill {
            hash: self.call.hash,
            key: self.call.key.clone(),
            deadline,
            aging: None,
            labels: self.labels.clone(),
            ticket: ticket.clone(),
            inert: self.call.inert,
        }
    }
}

/// An outcome on its way to the backend.
pub(super) struct Write<K: Kind> {
    remote: Arc<Remote>,
    request: Request,
    written: Written<K>,
}

/// What waits until it is written. The outcome itself is not held meanwhile, only what is stored of it: it may
/// be of a type that cannot be sent to another thread.
pub(super) struct Written<K: Kind> {
    computation: Box<Computation<K>>,
    value: K::Stored,
    /// For how long it was to be stored; `None`: nothing was, an older entry was taken back.
    ttl: Option<Ttl>,
    /// For how long the backend keeps it.
    kept: Option<Duration>,
}

/// What is to be written of an outcome.
pub(super) type Draft<K> = (Request, <K as Kind>::Stored, Option<Ttl>);

impl<K: Kind> Computation<K> {
    /// What is to be written of an outcome that may be stored for `admitted`. `None`: nothing.
    pub(super) fn draft(
        &mut self,
        function: &Function<K::Stored>,
        outcome: &K::Return,
        admitted: Option<Ttl>,
    ) -> Option<Draft<K>> {
        let far = self.far.as_mut()?;
        far.asked = function.store.clock().now();
        let (is_announced, computed) = (far.claim.is_some(), far.computed);
        if let (Some(ttl), Some(value)) = (admitted, self.call.kind.store(outcome)) {
            if !is_announced {
                // In an outage the copy here is better than nothing: it is short-lived.
                self.keep_copy(function, &value, ttl.or(None), Duration::ZERO, computed);
                return None;
            }
            let grace = self.call.policy.grace_of(self.call.kind.worth(outcome));
            if let Some(request) = self.request_fill(function, &value, ttl.or(None), grace) {
                return Some((request, value, Some(ttl)));
            }
        }
        // A body that ends with nothing to store has found out that what is stored, which a refresh and what is
        // past its time are about, is old. An error has found out nothing.
        let is_about_old = self.call.is_refresh() || self.has_spare || self.renewing.is_some();
        if !is_about_old || self.call.kind.worth(outcome) == Worth::Failure {
            return None;
        }
        // An eviction strikes claims.
        self.far.as_mut()?.claim = None;
        Some((self.evicting()?, self.call.kind.store(outcome)?, None))
    }

    /// `None`: the value has no bytes, or there is no room.
    fn request_fill(
        &mut self,
        function: &Function<K::Stored>,
        value: &K::Stored,
        ttl: Option<Duration>,
        grace: Duration,
    ) -> Option<Request> {
        let far = self.far.as_ref()?;
        let report =
            |error| tracing::warn!(key = far.place.key, ?error, "a value was not stored: it has no bytes");
        let value = far.seal(value, ttl, grace).map_err(report).ok()?;
        let ttl = ttl.map(|ttl| ttl.saturating_add(grace));
        if self.reserve(function, ttl) == Placed::Full {
            count(&function.shared.tally.rejections);
            return None;
        }
        let far = self.far.as_mut()?;
        Some(Request::Fill { place: Arc::clone(&far.place), value, ttl, claim: far.claim.take()? })
    }

    /// The draft on its way; `None` without a remote side, which no draft comes from.
    pub(super) fn write(mut self: Box<Self>, (request, value, ttl): Draft<K>) -> Option<Write<K>> {
        let far = self.far.as_mut()?;
        far.sent = Some(Moment::now());
        let remote = Arc::clone(&far.remote);
        let kept = if let Request::Fill { ttl, .. } = &request { *ttl } else { None };
        Some(Write { remote, request, written: Written { computation: self, value, ttl, kept } })
    }

    /// The entry is not in the backend: neither is it in the ledger.
    pub(super) fn forget(&self, function: &Function<K::Stored>) {
        if let Some(ledger) = &function.ledger {
            ledger.evict(self.call.hash, self.call.key.as_bytes(), Cause::Evicted);
        }
    }
}

impl<K: Kind> Write<K> {
    /// Who is asked, what, and what waits until it is done.
    pub(super) fn split(self) -> (Arc<Remote>, Request, Written<K>) {
        (self.remote, self.request, self.written)
    }
}

impl<K: Kind> Written<K> {
    /// Hands the value to those who wait, and returns it: also where it could not be stored.
    pub(super) fn answered(self, answer: &Answer) -> K::Return {
        let Self { mut computation, value, ttl, kept } = self;
        if let Some(far) = &mut computation.far {
            far.turn.written(answer);
        }
        if let Some(function) = computation.call.function.clone() {
            computation.after_writing(&function, &value, (ttl, kept), answer);
        }
        let kind = computation.call.kind;
        // What an eviction on some node has come before is not for those who may have called after it.
        computation.answered();
        let is_old = matches!(answer, Ok(Reply::Filled(Filled::Fenced)));
        computation.land(|| if is_old { Landed::Gone } else { Landed::Value(Arc::new(value.clone())) });
        #[expect(clippy::expect_used, reason = "it is what the kind has made of its own outcome")]
        kind.restore(value).expect("a kind restores what it stores")
    }
}

impl<K: Kind> Computation<K> {
    fn after_writing(
        &self,
        function: &Function<K::Stored>,
        value: &K::Stored,
        (ttl, kept): (Option<Ttl>, Option<Duration>),
        answer: &Answer,
    ) {
        if let Err(error) = answer {
            self.count_backend_error(error);
        }
        let is_stored = matches!(answer, Ok(Reply::Filled(Filled::Stored)));
        match ttl {
            Some(_) if is_stored => self.enter(function, kept),
            Some(_) => self.withdraw(function),
            None => self.forget(function),
        }
        match ttl {
            // What was computed is good for this process, whether or not the backend has it.
            Some(ttl) if is_stored || answer.is_err() => {
                let Some(far) = &self.far else { return };
                let confirmed = if is_stored { far.asked } else { far.computed };
                let lead = self.lead(far.begun.map(|begun| begun.elapsed()).unwrap_or_default());
                self.keep_copy(function, value, ttl.or(None), lead, confirmed);
            }
            Some(_) => {}
            None => {
                function.region.evict(self.call.hash, self.call.key.as_bytes(), Cause::Evicted);
            }
        }
    }
}
