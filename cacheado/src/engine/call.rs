//! A call that missed: what it carries from its arguments, and the plan of what it does next.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cacheado_backends::memory::{KeyBox, Label, Ticket};

use super::aging::Renewing;
use super::far::{Ask, Far};
use super::flight::{Boarding, Flight, Landed, Leader};
use super::leading::{Leading, leads};
use super::limit::{self, Admission, Admitted};
use super::lookup::{Lookup, Probed};
use super::moment::Moment;
use super::turn::Rest;
use crate::codec::Codec;
use crate::context::{self, Mode, Outcome, Served, Tier};
use crate::error::Error;
use crate::function::{Function, Kind, Policy, Shape, SingleFlight};
use crate::key::{Key, KeyPart, KeySink};
use crate::scope::Scope;
use crate::stats::count;
use crate::ttl::Ttl;

/// The label of a scope: entries in it and below carry it.
pub(crate) fn scope_label(scope: &Scope) -> Label {
    Label::from(scope.label())
}

/// The label of a tag.
pub(crate) fn tag_label(tag: &str) -> Label {
    Label::from([b"t", tag.as_bytes()].concat())
}

/// A programmatic key in a scope: no choice of key can reach another scope's.
pub(crate) struct KeyParts<'k, P: ?Sized> {
    /// The bytes of the scope's label; none for the global scope.
    pub(crate) label: &'k [u8],
    pub(crate) part: &'k P,
}

impl<P: KeyPart + ?Sized> KeyPart for KeyParts<'_, P> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.bytes(self.label);
        self.part.encode(sink);
    }
}

/// The scope of a call.
#[derive(Debug, Clone)]
pub(crate) enum ScopeOf {
    Known(Scope),
    /// A value is missing at run time: the call is not cached.
    Missing,
}

/// Whether a lookup has been counted.
enum Counted {
    Own(bool),
    Together(Arc<Counts>),
}

/// What has been counted of a lookup that two calls are for.
struct Counts {
    lookup: AtomicBool,
    stale: AtomicBool,
}

impl Counted {
    fn replace(&mut self, counted: bool) -> bool {
        match self {
            Self::Own(own) => std::mem::replace(own, counted),
            Self::Together(together) => together.lookup.swap(counted, Ordering::Relaxed),
        }
    }

    /// Whether it is served with a value past its time for the first time: its body can fail after it took too long.
    fn is_stale_now(&self) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Together(together) => !together.stale.swap(true, Ordering::Relaxed),
        }
    }
}

/// A call that the cache could not serve at once.
///
/// Generated code adds what it knows of the call, then runs it.
#[must_use = "a call does nothing until it is run"]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Call<K: Kind> {
    /// `None` where the cache is disabled.
    pub(super) function: Option<Arc<Function<K::Stored>>>,
    pub(super) key: KeyBox,
    pub(super) hash: u64,
    pub(super) kind: K,
    pub(super) policy: &'static Policy,
    pub(super) scope: ScopeOf,
    pub(super) inert: bool,
    /// How the value leaves the process, if it can.
    pub(super) codec: Option<Codec<K::Stored>>,
    pub(super) ttl: Ttl,
    pub(super) ttl_with: Option<fn(&K::Payload) -> Duration>,
    pub(super) cache_if: Option<fn(&K::Return) -> bool>,
    /// What the function returns where the backend fails; left out, what the body does.
    pub(super) on_backend_error: Option<fn(Error) -> K::Return>,
    /// What the function returns where the body takes too long.
    pub(super) on_timeout: Option<fn(Error) -> K::Return>,
    pub(super) tags: Vec<Label>,
    refresh: bool,
    /// It neither reads nor stores.
    bypass: bool,
    rejected: bool,
    /// It has looked in the backend for what is served where the body fails.
    has_looked: bool,
    /// There is a live entry, but it is time to compute it anew.
    pub(super) due: bool,
    /// Whether the lookup has been counted as a hit or a miss.
    counted: Counted,
    /// It has waited for an outcome that could not be handed on, and computes for itself.
    alone: bool,
    /// When it began, where other nodes can evict.
    begun: Option<Moment>,
}

impl<K: Kind> Call<K> {
    pub(crate) fn new(
        function: Option<Arc<Function<K::Stored>>>,
        (hash, key): (u64, KeyBox),
        (kind, nature): Shape<K>,
        policy: &'static Policy,
        refresh: bool,
    ) -> Self {
        Self {
            function,
            key,
            hash,
            kind,
            policy,
            scope: ScopeOf::Known(Scope::global()),
            inert: nature.inert,
            codec: nature.usable_codec(),
            ttl: policy.ttl.map_or(Ttl::Default, Ttl::For),
            ttl_with: None,
            cache_if: None,
            on_backend_error: None,
            on_timeout: None,
            tags: Vec::new(),
            refresh,
            bypass: false,
            rejected: false,
            has_looked: false,
            due: false,
            counted: Counted::Own(false),
            alone: false,
            begun: None,
        }
    }

    /// The scope; `None` where a value of it is missing.
    pub fn scope(mut self, scope: Option<Scope>) -> Self {
        self.scope = scope.map_or(ScopeOf::Missing, ScopeOf::Known);
        self
    }

    /// How long the value is to live.
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.ttl = ttl.into();
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: impl AsRef<str>) -> Self {
        self.tags.push(tag_label(tag.as_ref()));
        self
    }

    /// How long the value is to live, from the value.
    pub fn ttl_with(mut self, ttl_with: fn(&K::Payload) -> Duration) -> Self {
        self.ttl_with = Some(ttl_with);
        self
    }

    /// Whether the outcome may be stored.
    pub fn cache_if(mut self, cache_if: fn(&K::Return) -> bool) -> Self {
        self.cache_if = Some(cache_if);
        self
    }

    /// What the function returns where the backend fails.
    pub fn on_backend_error(mut self, returned: fn(Error) -> K::Return) -> Self {
        self.on_backend_error = Some(returned);
        self
    }

    /// What the function returns where the body takes too long.
    pub fn on_timeout(mut self, returned: fn(Error) -> K::Return) -> Self {
        self.on_timeout = Some(returned);
        self
    }

    /// Another call for the same value, which has been counted.
    pub(super) fn again(&self) -> Self {
        Self {
            function: self.function.clone(),
            key: self.key.clone(),
            scope: self.scope.clone(),
            tags: self.tags.clone(),
            counted: Counted::Own(true),
            ..*self
        }
    }

    /// Whether it looks for an older value before it waits for a body that has just failed, or taken too long.
    fn goes_by_spare(&self, function: &Function<K::Stored>) -> bool {
        !self.policy.stale_if_error.is_zero()
            && !self.refresh
            && !self.has_looked
            && !self.rejected
            && self.has_just_failed(function)
    }

    /// This call after it has looked for an older value, and has found none.
    pub(super) fn onward(&self) -> Self {
        let counted = match &self.counted {
            Counted::Own(counted) => Counted::Own(*counted),
            Counted::Together(counted) => Counted::Together(Arc::clone(counted)),
        };
        Self { counted, has_looked: true, ..self.again() }
    }

    /// Another call for the same lookup: whichever of the two comes to it first counts it.
    pub(super) fn twin(&mut self) -> Self {
        let lookup = AtomicBool::new(self.counted.replace(false));
        let counted = Arc::new(Counts { lookup, stale: AtomicBool::new(false) });
        self.counted = Counted::Together(Arc::clone(&counted));
        Self { counted: Counted::Together(counted), ..self.again() }
    }

    /// Whether it may wait for another's computation.
    pub(super) fn joins(&self) -> bool {
        self.policy.single_flight != SingleFlight::Off && !self.alone && !self.refresh
    }

    pub(super) fn rejected(mut self) -> Self {
        self.rejected = true;
        self
    }

    pub(super) fn is_refresh(&self) -> bool {
        self.refresh
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.rejected
    }

    /// Counts the lookup as a miss, unless it has been counted.
    pub(super) fn count_miss(&mut self) {
        if let Some(function) = &self.function
            && !self.counted.replace(true)
        {
            function.shared.tally.missed();
        }
    }

    /// Counts the lookup as a hit, unless it has been counted.
    pub(super) fn count_hit(&mut self) {
        if let Some(function) = &self.function
            && !self.counted.replace(true)
        {
            function.shared.tally.hit();
        }
    }

    /// Counts it as served with a value past its time.
    pub(super) fn count_stale(&self, function: &Function<K::Stored>) {
        if self.counted.is_stale_now() {
            count(&function.shared.tally.stale_hits);
        }
    }

    pub(crate) fn refreshing(mut self) -> Self {
        self.refresh = true;
        self
    }

    /// The groups that the entry can be evicted by: each scope from the tenant's root down, and the tags.
    pub(super) fn labels(&self) -> Option<Arc<[Label]>> {
        let global = Scope::global();
        let scope = match &self.scope {
            ScopeOf::Known(scope) => scope,
            ScopeOf::Missing => &global,
        };
        if scope.depth() == 0 && self.tags.is_empty() {
            return None;
        }
        let mut labels = Vec::with_capacity(scope.depth() + self.tags.len());
        labels.extend(scope.labels());
        labels.extend_from_slice(&self.tags);
        Some(labels.into())
    }

    /// What this call does next.
    pub(super) fn plan(mut self, leader: Leader) -> Next<K> {
        let Some(function) = self.function.clone() else {
            return Next::Compute(Computation::uncached(self).into());
        };
        if self.bypass || matches!(self.scope, ScopeOf::Missing) {
            count(&function.shared.tally.bypassed);
            // It is neither a hit nor a miss, however it ends.
            self.counted.replace(true);
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
    pub(super) fn landed(
        mut self,
        flight: &Flight<K::Stored>,
        landed: Landed<K::Stored>,
        leader: Leader,
    ) -> Next<K> {
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
                Landed::Value(value) => self.kind.restore(K::Stored::clone(&value)),
                Landed::Found(value) => {
                    let value = self.kind.restore(K::Stored::clone(&value));
                    // It may be of another type than this caller asks for.
                    if value.is_some() {
                        self.count_hit();
                    }
                    value
                }
                Landed::Old(value, age) => {
                    let value = self.kind.restore(K::Stored::clone(&value));
                    if value.is_some() {
                        self.count_served(age);
                    }
                    value
                }
                Landed::Shared(shared) => self.kind.unshare(&*shared),
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
}

/// Whether this thread may wait for the flight: not if it is in the body that the flight waits for, as a body that
/// has called itself with the same arguments; and not if it is in one whose place the flight may come to wait for.
pub(super) fn may_join<V>(flight: &Arc<Flight<V>>) -> bool {
    !leads(flight.number()) && (flight.is_settled() || !limit::is_inside())
}

/// What a call does next.
#[expect(clippy::large_enum_variant, reason = "it lives for a moment, and a box would live no longer")]
pub(super) enum Next<K: Kind> {
    /// It returns this.
    Serve(K::Return),
    /// It returns this, and the body is run in the background, if it is to be.
    Renew(K::Return, Option<Box<Computation<K>>>),
    /// It runs the body.
    Compute(Box<Computation<K>>),
    /// It waits.
    Wait(Wait<K>),
}

/// What a call waits for.
pub(super) enum Wait<K: Kind> {
    /// Somebody else's computation.
    Flight(Arc<Flight<K::Stored>>, Call<K>),
    /// The backend's answer.
    Backend(Ask<K>),
    /// Another process's computation.
    Turn(Rest<K>),
}

/// The right, and the duty to others, to run the body. Dropping it unfinished (the body panicked, or its
/// future was dropped) lets those who wait elect another leader.
pub(super) struct Computation<K: Kind> {
    pub(super) call: Call<K>,
    pub(super) labels: Option<Arc<[Label]>>,
    /// `None`: the outcome is not stored.
    pub(super) ticket: Option<Ticket>,
    /// The remote side; `None` where the value stays in this process, and in an outage.
    pub(super) far: Option<Far<K::Stored>>,
    flight: Option<(Arc<Flight<K::Stored>>, Leader)>,
    /// Why it runs while its caller is served with what is there; `None`: its caller waits for it.
    pub(super) renewing: Option<Renewing>,
    /// It looks for an older value and runs no body.
    pub(super) only_looks: bool,
    /// There is an older value in the backend that may be served where the body fails.
    pub(super) has_spare: bool,
    /// What the clock showed when the body began, where its cost is of interest.
    pub(super) begun: Option<u64>,
    /// Whether it was called inside a body that has a place in its scope.
    is_within: bool,
}

impl<K: Kind> Computation<K> {
    fn new(
        call: Call<K>,
        labels: Option<Arc<[Label]>>,
        ticket: Option<Ticket>,
        flight: Option<(Arc<Flight<K::Stored>>, Leader)>,
    ) -> Self {
        Self {
            call,
            labels,
            ticket,
            far: None,
            flight,
            renewing: None,
            only_looks: false,
            has_spare: false,
            is_within: limit::is_inside(),
            begun: None,
        }
    }

    /// One that takes the place of what its caller is served with.
    pub(super) fn renewing(
        call: Call<K>,
        labels: Option<Arc<[Label]>>,
        ticket: Ticket,
        flight: (Arc<Flight<K::Stored>>, Leader),
        why: Renewing,
    ) -> Self {
        let mut computation = Self::new(call, labels, Some(ticket), Some(flight));
        computation.renewing = Some(why);
        computation
    }

    /// One of a caller who does not wait for its body any longer.
    pub(super) fn late(call: Call<K>) -> Box<Self> {
        let mut computation = Self::without_body(call);
        computation.has_spare = computation.far.is_some();
        Box::new(computation)
    }

    /// Whether there is a cache that has, or takes, its outcome.
    pub(super) fn is_cached(&self) -> bool {
        self.call.function.is_some() && !self.call.bypass && matches!(self.call.scope, ScopeOf::Known(_))
    }

    /// It is no part of the body that asked for it, which does not wait for it.
    pub(super) fn apart(mut self: Box<Self>) -> Box<Self> {
        self.is_within = false;
        self
    }

    /// Where nobody joins it before it has a thread.
    pub(super) fn queue(&self) {
        if let Some((flight, _)) = &self.flight {
            flight.queue();
        }
    }

    /// It has a thread.
    pub(super) fn take_off(&self) {
        if let Some((flight, _)) = &self.flight {
            flight.begin();
        }
    }

    fn uncached(call: Call<K>) -> Self {
        Self::new(call, None, None, None)
    }

    /// One that runs no body: for what is set, or only looked up.
    pub(super) fn without_body(call: Call<K>) -> Self {
        let (labels, far) = (call.labels(), call.far());
        let mut computation = Self::new(call, labels, None, None);
        computation.far = far;
        computation
    }

    /// How the call is served that runs this body.
    pub(super) fn outcome(&self) -> Outcome {
        if self.ticket.is_some() { Outcome::Miss } else { Outcome::Bypassed }
    }

    fn look_again(&self, function: &Function<K::Stored>) -> Option<K::Return> {
        let keeps_none = function.remote.as_ref().is_some_and(|remote| remote.near_ttl.is_none());
        if self.call.rejected || keeps_none {
            return None;
        }
        let seen = function.region.peek(self.call.hash, self.call.key.as_bytes())?;
        let is_old = function.renewals.is_some() && function.store.clock().expired(seen.expiry);
        if is_old { None } else { self.call.kind.restore(seen.value) }
    }

    /// Marks this thread as the leader's, while the guard lives.
    pub(super) fn leading(&self) -> Option<Leading> {
        self.flight.as_ref().map(|(flight, _)| Leading::of(flight.number()))
    }

    /// The backend has answered: those who have come since it was asked look for themselves.
    pub(super) fn answered(&self) {
        if let (Some((flight, _)), Some(sent)) = (&self.flight, self.far.as_ref().and_then(|far| far.sent)) {
            flight.until.set(sent);
        }
    }

    /// Whether others wait for this computation, should there be any. They do not where a body has called
    /// itself, and where each computes for itself alone.
    pub(super) fn is_led(&self) -> bool {
        self.flight.is_some()
    }

    /// What the bodies of these need before they run together.
    pub(super) fn admission<'c>(computations: impl Iterator<Item = &'c Self> + Clone) -> Admission
    where
        K: 'c,
    {
        let function = computations.clone().find_map(|computation| computation.call.function.as_ref());
        let is_within = computations.clone().any(|computation| computation.is_within);
        let limiter = function.and_then(|function| function.limiter.as_ref());
        let scopes = computations.filter_map(|computation| match &computation.call.scope {
            ScopeOf::Known(scope) => Some(scope),
            ScopeOf::Missing => None,
        });
        Admission::to(limiter, is_within, scopes)
    }

    /// What its body needs before it runs.
    pub(super) fn own_admission(&self) -> Admission {
        Self::admission(std::iter::once(self))
    }

    /// The body runs now, with these places.
    pub(super) fn runs(&self, admitted: &Admitted) {
        if let Some((flight, _)) = &self.flight
            && admitted.is_settled()
        {
            flight.settles();
        }
    }

    /// Ends the flight, if one is led.
    pub(super) fn land(&mut self, outcome: impl FnOnce() -> Landed<K::Stored>) {
        if let (Some((flight, leader)), Some(function)) = (self.flight.take(), &self.call.function) {
            let flights = match (&function.renewals, self.renewing) {
                (Some(renewals), Some(_)) => &renewals.flights,
                _ => &function.flights,
            };
            flights.land(self.call.hash, leader, &flight, outcome);
        }
    }
}

impl<K: Kind> Drop for Computation<K> {
    fn drop(&mut self) {
        self.land(|| Landed::Gone);
    }
}

/// What one entry's handle asks of the call that would fill it.
impl<K: Kind> Call<K> {
    /// What is stored; a hit is counted.
    pub(crate) fn probe(&self) -> Probed<K::Return> {
        let Some(function) = &self.function else { return Probed::Absent };
        function.probe_bytes(self.kind, self.hash, self.key.as_bytes())
    }

    /// What the function returns, or the call that computes it: as the call's surroundings want it.
    pub(crate) fn get(mut self) -> Lookup<K> {
        match Mode::now() {
            Mode::Usual => {}
            Mode::Bypass => self.bypass = true,
            Mode::Refresh => self.refresh = true,
        }
        if self.bypass || self.refresh {
            return Lookup::Miss(Box::new(self));
        }
        match self.probe() {
            Probed::Hit(value) => {
                self.served_from_memory(Outcome::Hit);
                Lookup::Hit(value)
            }
            probed => Lookup::Miss(Box::new(self.after(&probed))),
        }
    }

    /// Says that the call is served with what this process holds.
    pub(super) fn served_from_memory(&self, outcome: Outcome) {
        context::served(|| {
            let function = self.function.as_ref();
            let is_copy = function.is_some_and(|function| function.remote.is_some());
            // A copy is younger than what it is a copy of.
            let age = function.filter(|_| !is_copy);
            let age = age.and_then(|function| function.region.age(self.hash, self.key.as_bytes()));
            Served::from(outcome, if is_copy { Tier::Near } else { Tier::Memory }, age)
        });
    }

    /// The call after this probe: what a rule does not let pass is not looked at again.
    pub(crate) fn after(mut self, probed: &Probed<K::Return>) -> Self {
        self.rejected = matches!(probed, Probed::Rejected);
        self.due = matches!(probed, Probed::Due);
        self
    }

    pub(crate) fn count_bypass(&self) {
        if let Some(function) = &self.function {
            count(&function.shared.tally.bypassed);
        }
    }

    /// The whole key. Where the cache is disabled, one without a function.
    pub(crate) fn whole_key(&self) -> Key {
        let scope = match &self.scope {
            ScopeOf::Known(scope) => scope.clone(),
            ScopeOf::Missing => Scope::global(),
        };
        match &self.function {
            Some(function) => function.shared.key(&scope, self.key.as_bytes()),
            None => Key::assemble(&scope, "", 0, self.key.as_bytes()),
        }
    }
}
