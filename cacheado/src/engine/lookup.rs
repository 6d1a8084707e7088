//! The hit path: from borrowed arguments to the value.

use std::any::TypeId;
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::clock::NEVER;
use cacheado_backends::memory::{AnyRegion, Found, KeyBox, Query, Version};

use super::call::Call;
use super::flight::Flight;
use super::miss::Miss;
use super::query::{Encode, KeyQuery, hash_key};
use crate::cache::{Cache, CallCache, Named};
use crate::codec::MakeCodec;
use crate::context::{self, Outcome as How};
use crate::function::{Function, Instance, InstanceId, Kind, Making, Names, Shape, Site, Stateless, Typed};
use crate::key::{Key, KeyPart};
use crate::remote::Chore;
use crate::rules::EntryMeta;
use crate::scope::Scope;

/// What a lookup found.
pub enum Lookup<K: Kind> {
    /// The value.
    Hit(K::Return),
    /// Nothing: the call has to be run. Boxed, so that a hit does not move what only a miss needs.
    Miss(Miss<K>),
}

/// Looks up what the function's cache holds for these arguments. With `refresh`, nothing.
///
/// A hit in memory allocates nothing (unless there are rules of the user's, which are told of it), takes no lock, or a
/// shared one for a while after its shard was written to, and reads the clock once if the entry has a deadline.
#[inline]
pub fn lookup<K: Kind, P: KeyPart + ?Sized, F, G>(
    site: &'static Site,
    cache: &impl CallCache,
    shape: Shape<K>,
    _instance: Instance<F, G>,
    key: &P,
    refresh: bool,
) -> Lookup<K> {
    look_up(site, cache, shape, (typeid::of::<F>(), Instance::<F, G>::NAMES), key, refresh)
}

/// The same for all functions with such values and arguments.
///
/// Where it is optimised, each has a copy: a hit is not to make a call for it.
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
fn look_up<K: Kind, P: KeyPart + ?Sized>(
    site: &'static Site,
    cache: &impl CallCache,
    shape: Shape<K>,
    (marker, instance): (TypeId, &'static Names),
    key: &P,
    refresh: bool,
) -> Lookup<K> {
    let (hash, key) = (hash_key(key), &KeyQuery(key));
    let mut reason = Reason::Unknown;
    if let Some(function) = at_hand(site, cache, marker, refresh) {
        reason = match function.probe(shape.kind, hash, key) {
            Probed::Hit(value) => return Lookup::Hit(value),
            Probed::Absent(version) => Reason::Absent(version),
            Probed::Expired => Reason::Expired,
            Probed::Rejected => Reason::Rejected,
            Probed::Unknown => Reason::Unknown,
        };
    }
    let cache = cache.as_cache();
    not_served(&Question { site, cache, instance, hash, key, refresh }, shape, reason)
}

/// The function's state, for a plain lookup. Whatever is none goes one way, so that a hit prepares nothing for others.
#[inline]
fn at_hand<'c>(
    site: &'static Site,
    cache: &'c impl CallCache,
    marker: TypeId,
    refresh: bool,
) -> Option<&'c Arc<Function>> {
    // What surrounds calls elsewhere in the process is no concern of this one.
    if refresh || (cache.is_surrounded() && context::is_asked()) {
        return None;
    }
    cache.as_cache().inner().functions.get(site.number(), marker)
}

/// What follows where there was no hit.
#[cold]
#[inline(never)]
fn not_served<K: Kind>(question: &Question<'_>, shape: Shape<K>, reason: Reason) -> Lookup<K> {
    Lookup::Miss(Miss::new(missed(question, &Values::of(&shape), reason), shape.kind))
}

/// What follows where there was no hit: the call, which may have found its value all the same. That is how values are
/// served that this function's first lookup finds, as its entry may have been set, how those in a call that somebody
/// observes, and those past their deadline that are served nevertheless.
fn missed(question: &Question<'_>, values: &Values, reason: Reason) -> Box<Call> {
    let mut call = question.call("", values);
    let asks = match reason {
        Reason::Unknown => call.whom_to_ask().is_some(),
        reason => reason == Reason::Expired,
    };
    if !asks {
        return call.after(reason);
    }
    match call.find() {
        Ok(held) => {
            call.served_from_memory(How::Hit);
            call.found = Some(held);
            call
        }
        Err(reason) => call.after(reason),
    }
}

/// What a probe found. One level of variants, unlike a `Result`, so that a number comes back in registers.
pub(crate) enum Probed<R> {
    /// The value, which has been counted.
    Hit(R),
    /// See [`Reason::Absent`].
    Absent(Version),
    /// See [`Reason::Expired`].
    Expired,
    /// See [`Reason::Rejected`].
    Rejected,
    /// See [`Reason::Unknown`].
    Unknown,
}

/// Why a probe serves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no live entry: as of this version of the region, if that is known.
    Absent(Version),
    /// There is one past its deadline, of which [`Function::judge`] has to say whether it is served.
    Expired,
    /// There is one that is to be computed anew already.
    Due,
    /// There is one that a rule does not let pass.
    Rejected,
    /// The function had no state yet, or one for values of another type.
    Unknown,
}

impl Reason {
    /// There is no live entry, as of no version that is known.
    pub(crate) const ABSENT: Self = Self::Absent(Version::NONE);
}

/// The call for these arguments, without looking anything up.
pub(crate) fn call_for<K: Kind>(
    question: &Question<'_>,
    suffix: &'static str,
    shape: &Shape<K>,
) -> Box<Call> {
    let mut call = question.call(suffix, &Values::of(shape));
    call.set_stateless(|| Stateless { site: question.site, instance: question.instance.with(suffix) });
    call
}

/// Which entry a call is for.
pub(crate) struct Question<'a> {
    pub(crate) site: &'static Site,
    pub(crate) cache: &'a Cache,
    /// Which instance of the function, by what its sibling's name has after the function's.
    pub(crate) instance: &'static Names,
    pub(crate) hash: u64,
    pub(crate) key: &'a dyn Encode,
    /// Whether it is to be computed anew, whatever there is.
    pub(crate) refresh: bool,
}

impl Question<'_> {
    fn call(&self, suffix: &'static str, values: &Values) -> Box<Call> {
        let Self { site, cache, instance, hash, key, refresh } = *self;
        let Values { typed, making, codec } = *values;
        let leaves = || codec.is_some_and(|codec| !codec().borrows());
        let function = function_of(site, cache, instance.with(suffix), &leaves, making);
        // One that stays here needs none.
        let is_remote = function.as_ref().is_some_and(|function| function.is_remote());
        let codec = codec.filter(|_| is_remote && leaves());
        Call::new(function, (hash, key.encoded()), typed, codec, site.policy(), refresh)
    }
}

/// What the engine needs to know of the values of a function.
#[derive(Clone, Copy)]
struct Values {
    typed: Typed,
    making: Making,
    codec: Option<MakeCodec>,
}

impl Values {
    fn of<K: Kind>(shape: &Shape<K>) -> Self {
        let typed = Typed::new(TypeId::of::<K::Held>(), TypeId::of::<K::Shared>());
        let making = Making::new(AnyRegion::open::<K::Stored, Flight>, typed);
        Self { typed, making, codec: shape.codec }
    }
}

/// The function's state in this cache, made on its first use; `None` where the cache is disabled. `leaves`
/// says whether its values can leave the process.
fn function_of(
    site: &'static Site,
    cache: &Cache,
    instance: InstanceId,
    leaves: &dyn Fn() -> bool,
    making: Making,
) -> Option<Arc<Function>> {
    let inner = cache.inner();
    if inner.disabled {
        return None;
    }
    let number = site.enrol();
    let own = (!instance.is_sibling()).then_some(instance.marker);
    if let Some(marker) = own
        && let Some(function) = inner.functions.get(number, marker)
        && function.stored == making.stored
    {
        return Some(Arc::clone(function));
    }
    let path = site.path(instance);
    let leaves = leaves() && site.owns_identity(&path, instance);
    let named = Named { site: number, path: &path, types: instance.types, marker: own };
    let function = inner.registry.function(named, making, leaves, &|| {
        Function::open(
            inner,
            site.identified(&path),
            site.scope_level().into(),
            leaves,
            site.policy(),
            making,
        )
    });
    if let Some(marker) = own {
        inner.functions.add(number, marker, Arc::clone(&function));
    }
    Some(function)
}

impl Function {
    /// What is stored for this key, if the entry is not past its deadline. A hit is counted, anything else is not.
    ///
    /// Not inlined: it is as fast, and otherwise each caller has a copy of three thousand bytes.
    #[inline(never)]
    pub(crate) fn probe<K, Q>(&self, kind: K, hash: u64, query: &Q) -> Probed<K::Return>
    where
        K: Kind,
        Q: Query + Encode,
    {
        let Some(region) = self.entries::<K::Stored>() else { return Probed::Unknown };
        match region.get(hash, query) {
            Found::Hit(stored) => match kind.restore(stored) {
                Some(value) if self.is_hit(hash, query) => Probed::Hit(value),
                Some(_) => Probed::Rejected,
                None => Probed::Absent(Version::NONE),
            },
            Found::Expired => Probed::Expired,
            Found::Absent(version) => Probed::Absent(version),
        }
    }

    /// Counts a hit, unless a rule does not let it pass.
    #[inline]
    fn is_hit(&self, hash: u64, query: &dyn Encode) -> bool {
        let passes = !self.ruled || self.rules_let_key_pass(hash, query);
        if passes {
            self.shared.tally.hit();
        }
        passes
    }

    /// What is stored for this key, whether or not the entry is past its deadline. A hit is counted, anything else is
    /// not.
    pub(crate) fn find<K, Q>(&self, kind: K, hash: u64, query: &Q) -> Result<K::Return, Reason>
    where
        K: Kind,
        Q: Query + Encode,
    {
        match self.probe(kind, hash, query) {
            Probed::Hit(value) => Ok(value),
            Probed::Expired => {
                let typed = Typed::new(TypeId::of::<K::Held>(), TypeId::of::<K::Shared>());
                let mut held = self.judge(typed, hash, &query.encoded().bytes)?;
                kind.release(&mut held).ok_or(Reason::ABSENT)
            }
            Probed::Absent(version) => Err(Reason::Absent(version)),
            Probed::Rejected => Err(Reason::Rejected),
            Probed::Unknown => Err(Reason::Unknown),
        }
    }

    /// Shows a hit to the rules of the user's, where the key has not been encoded.
    #[cold]
    #[inline(never)]
    fn rules_let_key_pass(&self, hash: u64, key: &dyn Encode) -> bool {
        self.rules_let_pass(hash, &key.encoded().bytes)
    }

    /// Shows a hit to the rules of the user's.
    #[cold]
    #[inline(never)]
    pub(super) fn rules_let_pass(&self, hash: u64, bytes: &KeyBox) -> bool {
        let bytes = bytes.as_bytes();
        // What is in memory may be a copy, which lives shorter than its entry: the ledger knows that.
        let described = match &self.ledger {
            Some(ledger) => {
                ledger.get(hash, &bytes);
                let described = ledger.describe(hash, bytes);
                described.map(|(labels, kept)| (labels, self.expiry_of(hash, bytes, kept)))
            }
            None => self.region.describe(hash, bytes),
        };
        let (Some(cache), Some((labels, deadline))) = (self.cache.upgrade(), described) else { return true };
        if cache.pipeline.is_empty() {
            return true;
        }
        let clock = self.store.clock();
        let scope = Scope::of_labels(&labels);
        let whole = self.shared.key(&scope, bytes);
        let meta = EntryMeta::new(scope, clock.remaining(deadline));
        let decision = cache.pipeline.on_get(&whole, meta, self.default_ttl);
        if let Some(ttl) = decision.ttl {
            let ttl = ttl.or(self.default_ttl);
            self.set_ttl(hash, bytes, &whole, ttl);
        }
        cache.evict_for_rule(decision.evict);
        if let Some(remote) = &self.remote {
            remote.settle_later();
        }
        !decision.reject
    }

    /// When the time of a remote entry is over that is kept until then: before its grace.
    fn expiry_of(&self, hash: u64, bytes: &[u8], kept: u64) -> u64 {
        if self.renewals.is_none() || kept == NEVER {
            return kept;
        }
        let grace = u64::try_from(self.grace_of(hash, bytes).as_nanos()).unwrap_or(u64::MAX);
        kept.saturating_sub(grace)
    }

    /// A rule has given a live entry another lifetime, from now.
    fn set_ttl(&self, hash: u64, bytes: &[u8], key: &Key, ttl: Option<Duration>) {
        let clock = self.store.clock();
        let Some(remote) = &self.remote else {
            self.region.set_deadline(hash, bytes, clock.deadline(ttl));
            return;
        };
        let kept = self.kept_for(ttl, self.grace_of(hash, bytes));
        if let Some(ledger) = &self.ledger {
            ledger.set_deadline(hash, bytes, clock.deadline(kept));
        }
        // The copy is as old as it was: it may end sooner, and never later.
        self.region.shorten(hash, bytes, clock.deadline(ttl));
        remote.postpone(Chore::set_ttl(key.clone(), self.shared.title.place(key), kept));
    }
}
