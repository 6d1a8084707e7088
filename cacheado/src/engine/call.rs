//! A call that missed: what it carries from its arguments, and the plan of what it does next.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::{KeyBox, Label, Ticket};

use super::flight::{Boarding, Flight, Landed, Leader};
use super::leading::{Leading, leads};
use super::lookup::{Lookup, Probed};
use crate::codec::Codec;
use crate::error::Error;
use crate::function::{Function, Kind, Nature, Policy};
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

/// How often a call has been planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    Again,
    /// It has waited for an outcome that could not be handed on, and computes for itself.
    Alone,
}

/// A call that the cache could not serve at once.
///
/// Generated code adds what it knows of the call, then runs it.
#[must_use = "a call does nothing until it is run"]
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
    tags: Vec<Label>,
    refresh: bool,
    rejected: bool,
    stage: Stage,
}

impl<K: Kind> Call<K> {
    pub(crate) fn new(
        function: Option<Arc<Function<K::Stored>>>,
        (hash, key): (u64, KeyBox),
        kind: K,
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
            inert: false,
            codec: None,
            ttl: policy.ttl.map_or(Ttl::Default, Ttl::For),
            ttl_with: None,
            cache_if: None,
            on_backend_error: None,
            tags: Vec::new(),
            refresh,
            rejected: false,
            stage: Stage::First,
        }
    }

    /// What the runtime may do with the value.
    pub fn nature(mut self, nature: Nature<K::Stored>) -> Self {
        let Nature { inert, codec } = nature;
        self.inert = inert;
        self.codec = codec.filter(|codec| !codec.borrows());
        self
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

    pub(super) fn is_refresh(&self) -> bool {
        self.refresh
    }

    pub(crate) fn refreshing(mut self) -> Self {
        self.refresh = true;
        self
    }

    /// The groups that the entry can be evicted by: each scope from the tenant's root down, and the tags.
    pub(super) fn labels(&self) -> Option<Arc<[Label]>> {
        let scopes = match &self.scope {
            ScopeOf::Known(scope) => scope.labels().map(Label::from).collect(),
            ScopeOf::Missing => Vec::new(),
        };
        let labels: Arc<[Label]> = scopes.into_iter().chain(self.tags.iter().cloned()).collect();
        (!labels.is_empty()).then_some(labels)
    }

    /// What this call does next.
    pub(super) fn plan(mut self, leader: Leader) -> Next<K> {
        let Some(function) = self.function.clone() else {
            return Next::Compute(Computation::uncached(self));
        };
        let tally = &function.shared.tally;
        if matches!(self.scope, ScopeOf::Missing) {
            count(&tally.bypassed);
            return Next::Compute(Computation::uncached(self));
        }
        if self.stage == Stage::First {
            tally.missed();
            self.stage = Stage::Again;
        }
        let labels = self.labels();
        let list = labels.as_deref().unwrap_or_default();
        let ticket = function.region.ticket(self.hash, list);
        let joins = self.policy.single_flight && self.stage != Stage::Alone && !self.refresh;
        if !joins {
            return Next::Compute(Computation { call: self, labels, ticket: Some(ticket), flight: None });
        }
        let is_current = |ticket: &Ticket| function.region.is_current(ticket);
        let boarding = ticket.clone();
        match function.flights.board(self.hash, &self.key, leader, boarding, is_current) {
            Boarding::Wait(flight) if !leads(flight.address()) => Next::Wait(flight, self),
            // The body has called itself with the same arguments: waiting would be for ever.
            Boarding::Wait(_) => {
                Next::Compute(Computation { call: self, labels, ticket: Some(ticket), flight: None })
            }
            Boarding::Lead(flight) => {
                let flight = Some((flight, leader));
                let computation = Computation { call: self, labels, ticket: Some(ticket), flight };
                // Between the probe and here the previous leader may have stored it.
                match computation.look_again(&function) {
                    Some(value) => Next::Serve(value),
                    None => Next::Compute(computation),
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
        // What began before an eviction is not served to anybody but its leader after it.
        if function.region.is_current(&flight.ticket) {
            let value = match landed {
                Landed::Value(value) => self.kind.restore(K::Stored::clone(&value)),
                Landed::Shared(shared) => self.kind.unshare(&*shared),
                Landed::Gone => return self.plan(leader),
                Landed::Alone => None,
            };
            if let Some(value) = value {
                count(&function.shared.tally.coalesced);
                return Next::Serve(value);
            }
            self.stage = Stage::Alone;
        }
        self.plan(leader)
    }
}

/// What a call does next.
pub(super) enum Next<K: Kind> {
    /// It returns this.
    Serve(K::Return),
    /// It waits for somebody else's computation.
    Wait(Arc<Flight<K::Stored>>, Call<K>),
    /// It runs the body.
    Compute(Computation<K>),
}

/// The right, and the duty to others, to run the body. Dropping it unfinished (the body panicked, or its
/// future was dropped) lets those who wait elect another leader.
pub(super) struct Computation<K: Kind> {
    pub(super) call: Call<K>,
    pub(super) labels: Option<Arc<[Label]>>,
    /// `None`: the outcome is not stored.
    pub(super) ticket: Option<Ticket>,
    flight: Option<(Arc<Flight<K::Stored>>, Leader)>,
}

impl<K: Kind> Computation<K> {
    fn uncached(call: Call<K>) -> Self {
        Self { call, labels: None, ticket: None, flight: None }
    }

    pub(super) fn for_set(call: Call<K>) -> Self {
        Self { labels: call.labels(), call, ticket: None, flight: None }
    }

    fn look_again(&self, function: &Function<K::Stored>) -> Option<K::Return> {
        if self.call.rejected {
            return None;
        }
        let (stored, _) = function.region.peek(self.call.hash, self.call.key.as_bytes())?;
        self.call.kind.restore(stored)
    }

    /// Marks this thread as the leader's, while the guard lives.
    pub(super) fn leading(&self) -> Option<Leading> {
        self.flight.as_ref().map(|(flight, _)| Leading::of(flight.address()))
    }

    /// Ends the flight, if one is led.
    pub(super) fn land(&mut self, outcome: impl FnOnce() -> Landed<K::Stored>) {
        if let (Some((flight, leader)), Some(function)) = (self.flight.take(), &self.call.function) {
            function.flights.land(self.call.hash, &self.call.key, leader, &flight, outcome);
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
    pub(crate) fn function(&self) -> Option<&Arc<Function<K::Stored>>> {
        self.function.as_ref()
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn key_bytes(&self) -> &[u8] {
        self.key.as_bytes()
    }

    /// What is stored; a hit is counted.
    pub(crate) fn probe(&self) -> Probed<K::Return> {
        let Some(function) = &self.function else { return Probed::Absent };
        function.probe_bytes(self.kind, self.hash, self.key.as_bytes())
    }

    /// What the function returns, or the call that computes it.
    pub(crate) fn get(self) -> Lookup<K> {
        match self.probe() {
            Probed::Hit(value) => Lookup::Hit(value),
            probed => Lookup::Miss(Box::new(self.after(&probed))),
        }
    }

    /// The call after this probe: what a rule does not let pass is not looked at again.
    pub(crate) fn after(mut self, probed: &Probed<K::Return>) -> Self {
        self.rejected = matches!(probed, Probed::Rejected);
        self
    }

    /// The stored value and its deadline; nothing is counted or marked.
    pub(crate) fn peek(&self) -> Option<(K::Return, u64)> {
        let function = self.function.as_ref()?;
        let (stored, deadline) = function.region.peek(self.hash, self.key.as_bytes())?;
        Some((self.kind.restore(stored)?, deadline))
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
