//! A call that missed, and what it carries from its arguments.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cacheado_backends::memory::{KeyBox, Label, LabelSet, Ticket, Version};
use parking_lot::Mutex;

use super::computation::Course;
use super::flight::Boarded;
use super::lookup::Reason;
use super::moment::Moment;
use super::query::{Encoded, hash_labels};
use crate::codec::MakeCodec;
use crate::context::{self, Mode, Origin, Outcome, Served, Tier};
use crate::function::{Function, Held, Identity, Policy, SingleFlight, Stateless, Typed};
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
#[derive(Default)]
struct Counts {
    lookup: AtomicBool,
    stale: AtomicBool,
    failure: AtomicBool,
    /// The flight that carries the body.
    flight: Mutex<Option<Boarded>>,
}

impl Counted {
    fn replace(&mut self, counted: bool) -> bool {
        match self {
            Self::Own(own) => std::mem::replace(own, counted),
            Self::Together(together) => together.lookup.swap(counted, Ordering::Relaxed),
        }
    }

    /// Whether its body fails for the first time: it can fail after it took too long, for each that waits for it.
    fn is_failure_new(&self) -> bool {
        let Self::Together(together) = self else { return true };
        let flight = together.flight.lock();
        match flight.as_ref().and_then(Ticket::carried) {
            Some(flight) => flight.fails(),
            None => !together.failure.swap(true, Ordering::Relaxed),
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
#[must_use = "a call does nothing until it is run"]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Call {
    /// `None` where the cache is disabled.
    pub(super) function: Option<Arc<Function>>,
    /// Whose it is then, if its key may be asked for.
    stateless: Option<Box<Stateless>>,
    pub(super) key: KeyBox,
    pub(super) hash: u64,
    /// What it is served with: a value that this process holds, and that has been counted as a hit.
    pub(super) found: Option<Held>,
    /// Which values are its function's own.
    pub(super) typed: Typed,
    pub(super) policy: &'static Policy,
    pub(super) scope: ScopeOf,
    /// How the value leaves the process, if it can.
    pub(super) codec: Option<MakeCodec>,
    pub(super) ttl: Ttl,
    /// Whether the function wants to know where the backend fails.
    pub(super) reports_outage: bool,
    pub(super) tags: Vec<Label>,
    pub(super) refresh: bool,
    /// It neither reads nor stores.
    pub(super) bypass: bool,
    pub(super) rejected: bool,
    /// It has looked in the backend for what is served where the body fails.
    pub(super) has_looked: bool,
    /// There is a live entry, but it is time to compute it anew.
    pub(super) due: bool,
    /// As of which version of its region there is no entry.
    pub(super) absent: Version,
    /// Whether the lookup has been counted as a hit or a miss.
    counted: Counted,
    /// How many lookups it is for: a batch can be asked for the same element several times.
    lookups: usize,
    /// It has waited for an outcome that could not be handed on, and computes for itself.
    pub(super) alone: bool,
    /// When it began, where other nodes can evict.
    pub(super) begun: Option<Moment>,
    /// What it has once it computes.
    pub(super) course: Course,
}

impl Call {
    /// A call whose key equals none bypasses the cache.
    pub(crate) fn new(
        function: Option<Arc<Function>>,
        (hash, key): (u64, Encoded),
        typed: Typed,
        codec: Option<MakeCodec>,
        policy: &'static Policy,
        refresh: bool,
    ) -> Box<Self> {
        Box::new(Self {
            function,
            stateless: None,
            key: key.bytes,
            hash,
            found: None,
            typed,
            policy,
            scope: ScopeOf::Known(Scope::global()),
            codec,
            ttl: policy.ttl.map_or(Ttl::Default, Ttl::For),
            reports_outage: false,
            tags: Vec::new(),
            refresh,
            bypass: key.has_failed,
            rejected: false,
            has_looked: false,
            due: false,
            absent: Version::NONE,
            counted: Counted::Own(false),
            lookups: 1,
            alone: false,
            begun: None,
            course: Course::default(),
        })
    }

    /// Whose it is, should the cache be disabled.
    pub(super) fn set_stateless(&mut self, whose: impl FnOnce() -> Stateless) {
        self.stateless = self.function.is_none().then(|| Box::new(whose()));
    }

    /// `None` where a value of the scope is missing.
    pub(super) fn set_scope(&mut self, scope: Option<Scope>) {
        self.scope = scope.map_or(ScopeOf::Missing, ScopeOf::Known);
    }

    pub(super) fn add_tag(&mut self, tag: &str) {
        self.tags.push(tag_label(tag));
    }

    /// Another call for the same value, which has been counted.
    pub(super) fn again(&self) -> Box<Self> {
        Box::new(self.copied())
    }

    fn copied(&self) -> Self {
        Self {
            function: self.function.clone(),
            stateless: self.stateless.clone(),
            key: self.key.clone(),
            found: None,
            scope: self.scope.clone(),
            tags: self.tags.clone(),
            counted: Counted::Own(true),
            course: Course::default(),
            ..*self
        }
    }

    /// The same call once more, of which nothing has been counted.
    pub(crate) fn anew(&self) -> Box<Self> {
        Box::new(Self { counted: Counted::Own(false), ..self.copied() })
    }

    /// This call after it has looked for an older value, and has found none.
    pub(super) fn onward(&self) -> Box<Self> {
        let counted = match &self.counted {
            Counted::Own(counted) => Counted::Own(*counted),
            Counted::Together(counted) => Counted::Together(Arc::clone(counted)),
        };
        Box::new(Self { counted, has_looked: true, ..self.copied() })
    }

    /// Another call for the same lookup: whichever of the two comes to it first counts it.
    pub(super) fn twin(&mut self) -> Box<Self> {
        let lookup = AtomicBool::new(self.counted.replace(false));
        let counted = Arc::new(Counts { lookup, ..Counts::default() });
        self.counted = Counted::Together(Arc::clone(&counted));
        Box::new(Self { counted: Counted::Together(counted), ..self.copied() })
    }

    /// What its body is to have around it, should it be run elsewhere.
    pub(crate) fn origin(&self) -> Origin {
        let scope = if let ScopeOf::Known(scope) = &self.scope { Some(scope) } else { None };
        Origin::here(self.policy, scope)
    }

    /// Whether it may wait for another's computation.
    pub(super) fn joins(&self) -> bool {
        self.policy.single_flight != SingleFlight::Off && !self.alone && !self.refresh
    }

    pub(super) fn rejected(mut self: Box<Self>) -> Box<Self> {
        self.rejected = true;
        self
    }

    /// Whether its value is kept remotely.
    pub(super) fn is_remote(&self) -> bool {
        self.function.as_ref().is_some_and(|function| function.is_remote())
    }

    pub(super) fn is_refresh(&self) -> bool {
        self.refresh
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.rejected
    }

    /// It is no lookup: it counts neither as a hit nor as a miss.
    pub(super) fn count_nothing(&mut self) {
        self.counted.replace(true);
    }

    /// It is for one more lookup, which counts as the first does.
    pub(super) fn is_asked_again(&mut self) {
        self.lookups += 1;
    }

    /// Counts what has become of each lookup that it is for.
    pub(super) fn count_each(&self, counter: &AtomicU64) {
        counter.fetch_add(self.lookups as u64, Ordering::Relaxed);
    }

    /// Counts the lookup as a miss, unless it has been counted.
    pub(super) fn count_miss(&mut self) {
        if let Some(function) = &self.function
            && !self.counted.replace(true)
        {
            (0..self.lookups).for_each(|_| function.shared.tally.missed());
        }
    }

    /// Counts the lookup as a hit, unless it has been counted.
    pub(super) fn count_hit(&mut self) {
        if let Some(function) = &self.function
            && !self.counted.replace(true)
        {
            (0..self.lookups).for_each(|_| function.shared.tally.hit());
        }
    }

    /// Its body, as its twin is to know, too, is that of this flight; `None`: its own.
    pub(super) fn boards(&self, flight: Option<&Boarded>) {
        if let Counted::Together(together) = &self.counted {
            let before = std::mem::replace(&mut *together.flight.lock(), flight.cloned());
            // It may be the last to have what others waited for.
            drop(before);
        }
    }

    /// Whether its body fails for the first time.
    pub(super) fn is_failure_new(&self) -> bool {
        self.counted.is_failure_new()
    }

    /// Counts it as served with a value past its time.
    pub(super) fn count_stale(&self, function: &Function) {
        if self.counted.is_stale_now() {
            count(&function.shared.tally.stale_hits);
        }
    }

    /// The groups that the entry can be evicted by: each scope from the tenant's root down, and the tags.
    pub(super) fn labels(&self) -> Option<LabelSet> {
        let function = self.function.as_ref()?;
        let (ScopeOf::Known(scope), tags) = (&self.scope, &*self.tags) else { return None };
        if scope.depth() == 0 && tags.is_empty() {
            return None;
        }
        // Most calls come in a scope in which there are entries already: its labels are there, too.
        let is_it = |labels: &[Label]| {
            let (scopes, others) = labels.split_at_checked(scope.depth()).unwrap_or_default();
            others == tags && scopes.last().is_none_or(|last| scope.is_labelled(last))
        };
        let (hash, are_new) = (hash_labels(scope, tags), Cell::new(false));
        let labels = || {
            are_new.set(true);
            scope.labels().chain(tags.iter().cloned()).collect()
        };
        let set = function.store.label_set(hash, is_it, labels);
        if are_new.get()
            && let Some(remote) = function.remote.as_ref().filter(|remote| remote.near_ttl.is_none())
        {
            remote.recent.keep(hash, &set);
        }
        Some(set)
    }
}

/// What one entry's handle asks of the call that would fill it.
impl Call {
    /// What surrounds the call may want no lookup of it.
    pub(super) fn skips_lookup(&mut self) -> bool {
        match Mode::now() {
            Mode::Usual => {}
            Mode::Bypass => self.bypass = true,
            Mode::Refresh => self.refresh = true,
        }
        self.bypass || self.refresh
    }

    /// The function, unless what surrounds the call wants no lookup of it.
    pub(super) fn whom_to_ask(&mut self) -> Option<&Arc<Function>> {
        if self.skips_lookup() { None } else { self.function.as_ref() }
    }

    /// What this process holds and may serve. A hit is counted.
    pub(super) fn find(&self) -> Result<Held, Reason> {
        let Some(function) = &self.function else { return Err(Reason::ABSENT) };
        function.judge(self.typed, self.hash, &self.key)
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
    pub(crate) fn after(mut self: Box<Self>, reason: Reason) -> Box<Self> {
        self.rejected = reason == Reason::Rejected;
        self.due = reason == Reason::Due;
        if let Reason::Absent(version) = reason {
            self.absent = version;
        }
        self
    }

    pub(crate) fn count_bypass(&self) {
        if let Some(function) = &self.function {
            count(&function.shared.tally.bypassed);
        }
    }

    /// The whole key.
    pub(crate) fn whole_key(&self) -> Key {
        let scope = match &self.scope {
            ScopeOf::Known(scope) => scope.clone(),
            ScopeOf::Missing => Scope::global(),
        };
        if let Some(function) = &self.function {
            return function.shared.key(&scope, self.key.as_bytes());
        }
        let identity = self.stateless.as_ref().map(|whose| whose.identity());
        let Identity { name, version, .. } = identity.unwrap_or_else(Identity::programmatic);
        Key::assemble(&scope, &name, version, self.key.as_bytes())
    }
}
