//! The hit path: from borrowed arguments to the value.

use std::any::TypeId;
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::clock::NEVER;
use cacheado_backends::memory::{AnyRegion, Found, KeyBox, Query};

use super::call::Call;
use super::flight::Flight;
use super::miss::Miss;
use super::query::{Encode, KeyQuery, hash_key};
use crate::cache::{Cache, CallCache, Named};
use crate::codec::Codec;
use crate::context::{self, Outcome as How};
use crate::function::{
    Function, Held, Identity, Instance, InstanceId, Kind, Making, Shape, Site, Typed, Wishes,
};
use crate::key::{Key, KeyPart};
use crate::remote::{Chore, place};
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
/// A hit in memory allocates nothing (unless there are rules of the user's, which are told of it), takes
/// one shared lock, and reads the clock once if the entry has a deadline.
#[inline]
pub fn lookup<K: Kind, P: KeyPart + ?Sized, F, G>(
    site: &'static Site,
    cache: &impl CallCache,
    shape: Shape<K>,
    instance: Instance<F, G>,
    key: &P,
    refresh: bool,
) -> Lookup<K> {
    let hash = hash_key(key);
    let mut reason = Reason::Unknown;
    if let Some(function) = at_hand(site, cache, typeid::of::<F>(), refresh) {
        match function.probe(shape.kind, hash, key).found() {
            Ok(value) => return Lookup::Hit(value),
            Err(because) => reason = because,
        }
    }
    missed(site, cache.as_cache(), shape, instance.id(""), (hash, key), refresh, reason)
}

/// The function's state, for a plain lookup. Whatever is none goes one way, so that a hit prepares nothing for others.
#[inline]
fn at_hand<'c>(
    site: &'static Site,
    cache: &'c impl CallCache,
    marker: TypeId,
    refresh: bool,
) -> Option<&'c Arc<Function>> {
    if refresh || cache.is_surrounded() {
        return None;
    }
    cache.as_cache().inner().functions.get(site.number(), marker)
}

/// What follows where there was no hit. The function's first use, too: its entry may have been set.
#[cold]
#[inline(never)]
fn missed<K: Kind, P: KeyPart + ?Sized>(
    site: &'static Site,
    cache: &Cache,
    shape: Shape<K>,
    instance: InstanceId,
    (hash, key): (u64, &P),
    refresh: bool,
    mut reason: Reason,
) -> Lookup<K> {
    let (values, query) = (Values::of(shape), KeyQuery(key));
    let mut asker = Asker { site, cache, values, instance, hash, key: &query, refresh, call: None };
    if matches!(reason, Reason::Unknown)
        && let Some(function) = asker.whom_to_ask()
    {
        match function.probe(shape.kind, hash, key).found() {
            Ok(value) => {
                asker.served();
                return Lookup::Hit(value);
            }
            Err(because) => reason = because,
        }
    }
    if matches!(reason, Reason::Expired) {
        match asker.judge() {
            Ok(held) => match shape.kind.release(held) {
                Some(value) => return Lookup::Hit(value),
                None => reason = Reason::Absent,
            },
            Err(because) => reason = because,
        }
    }
    // As `Miss::new` does, which would be another function for each type.
    Lookup::Miss(Miss { call: asker.into_call(reason), wishes: Wishes::none(shape.kind) })
}

/// What a probe found. One level of variants, unlike a `Result`, so that a number comes back in registers.
pub(crate) enum Probed<R> {
    /// The value, which has been counted.
    Hit(R),
    /// See [`Reason::Absent`].
    Absent,
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
    /// There is no live entry.
    Absent,
    /// There is one past its deadline, of which [`Function::judge`] has to say whether it is served.
    Expired,
    /// There is one that is to be computed anew already.
    Due,
    /// There is one that a rule does not let pass.
    Rejected,
    /// The function had no state yet, or one for values of another type.
    Unknown,
}

impl<R> Probed<R> {
    /// The value, or why there is none.
    #[inline]
    pub(crate) fn found(self) -> Result<R, Reason> {
        match self {
            Self::Hit(value) => Ok(value),
            Self::Absent => Err(Reason::Absent),
            Self::Expired => Err(Reason::Expired),
            Self::Rejected => Err(Reason::Rejected),
            Self::Unknown => Err(Reason::Unknown),
        }
    }
}

/// The call for these arguments, without looking anything up.
pub(crate) fn call_for<K: Kind, P: KeyPart + ?Sized>(
    site: &'static Site,
    cache: &Cache,
    shape: Shape<K>,
    instance: InstanceId,
    (hash, key): (u64, &P),
    refresh: bool,
) -> Box<Call> {
    let (values, query) = (Values::of(shape), KeyQuery(key));
    Asker { site, cache, values, instance, hash, key: &query, refresh, call: None }.into_call(Reason::Unknown)
}

/// What the engine needs to know of the values of a function.
#[derive(Clone, Copy)]
struct Values {
    typed: Typed,
    making: Making,
    codec: Option<Codec<Held>>,
}

impl Values {
    fn of<K: Kind>(shape: Shape<K>) -> Self {
        let typed = Typed::new(TypeId::of::<K::Held>(), TypeId::of::<K::Shared>());
        let making = Making::new(AnyRegion::open::<K::Stored, Flight>, typed);
        Self { typed, making, codec: shape.codec }
    }
}

/// Who asks for a value, without its type: the call is made when it is needed.
struct Asker<'a> {
    site: &'static Site,
    cache: &'a Cache,
    values: Values,
    instance: InstanceId,
    hash: u64,
    key: &'a dyn Encode,
    refresh: bool,
    call: Option<Box<Call>>,
}

impl<'a> Asker<'a> {
    /// Where there may be a value; `None` where none is wanted.
    fn whom_to_ask(&mut self) -> Option<&Function> {
        // What surrounds calls elsewhere in the process is no concern of this one.
        if context::is_any()
            && !context::is_asked()
            && !self.refresh
            && let Some(function) = self.at_hand()
        {
            return Some(function);
        }
        let call = self.make();
        self.call.insert(call).whom_to_ask().map(|function| &**function)
    }

    /// What is served of the entry that a probe has found past its deadline, or why nothing is.
    fn judge(&self) -> Result<Held, Reason> {
        let function = match &self.call {
            Some(call) => call.function.as_ref(),
            None => self.at_hand(),
        };
        let Some(function) = function else { return Err(Reason::Absent) };
        let held = function.judge(self.hash, &self.key.encoded())?;
        self.served();
        Ok(held)
    }

    /// The function's state, if the function has been called.
    fn at_hand(&self) -> Option<&'a Arc<Function>> {
        self.cache.inner().functions.get(self.site.number(), self.instance.marker)
    }

    /// Says that the value was there.
    fn served(&self) {
        if let Some(call) = &self.call {
            call.served_from_memory(How::Hit);
        }
    }

    /// The call after a probe.
    fn into_call(mut self, reason: Reason) -> Box<Call> {
        self.call.take().unwrap_or_else(|| self.make()).after(reason)
    }

    fn make(&self) -> Box<Call> {
        let Values { typed, making, codec } = self.values;
        let codec = codec.filter(|codec| !codec.borrows());
        let function = function_of(self.site, self.cache, self.instance, codec.is_some(), making);
        let key = (self.hash, self.key.encoded());
        Call::new(function, key, typed, codec, self.site.policy(), self.refresh)
    }
}

/// The function's state in this cache, made on its first use; `None` where the cache is disabled. `leaves`
/// says whether its values can leave the process.
fn function_of(
    site: &'static Site,
    cache: &Cache,
    instance: InstanceId,
    leaves: bool,
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
    let leaves = leaves && site.owns_identity(&path, instance);
    let named = Named { site: number, path: &path, types: instance.types, marker: own };
    let function = inner.registry.function(named, making, leaves, &|| {
        let identity = Identity { name: site.identity(&path).into(), version: site.version_number() };
        Function::open(inner, identity, site.scope_level().into(), leaves, site.policy(), making)
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
    pub(crate) fn probe<K, P>(&self, kind: K, hash: u64, key: &P) -> Probed<K::Return>
    where
        K: Kind,
        P: KeyPart + ?Sized,
    {
        self.serve(kind, hash, &KeyQuery(key))
    }

    #[inline]
    fn serve<K, Q>(&self, kind: K, hash: u64, query: &Q) -> Probed<K::Return>
    where
        K: Kind,
        Q: Query + Encode,
    {
        let Some(region) = self.entries::<K::Stored>() else { return Probed::Unknown };
        match region.get(hash, query) {
            Found::Hit(stored) => {
                if self.ruled && !self.rules_let_key_pass(hash, query) {
                    return Probed::Rejected;
                }
                let Some(value) = kind.restore(stored) else { return Probed::Absent };
                self.shared.tally.hit();
                Probed::Hit(value)
            }
            Found::Expired => Probed::Expired,
            Found::Absent => Probed::Absent,
        }
    }

    /// What is stored for this key, whether or not the entry is past its deadline. A hit is counted, anything else is
    /// not.
    pub(crate) fn find<K, Q>(&self, kind: K, hash: u64, query: &Q) -> Result<K::Return, Reason>
    where
        K: Kind,
        Q: Query + Encode,
    {
        match self.serve(kind, hash, query).found() {
            Err(Reason::Expired) => {
                let held = self.judge(hash, &query.encoded())?;
                kind.release(held).ok_or(Reason::Absent)
            }
            found => found,
        }
    }

    /// Shows a hit to the rules of the user's, where the key has not been encoded.
    #[cold]
    #[inline(never)]
    fn rules_let_key_pass(&self, hash: u64, key: &dyn Encode) -> bool {
        self.rules_let_pass(hash, &key.encoded())
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
        let decision = cache.pipeline.on_get(&whole, &EntryMeta::new(scope, clock.remaining(deadline)));
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

    /// When the time of a remote entry is over that is kept until then: before its grace. An error has none, but is
    /// there as long as its copy at least.
    fn expiry_of(&self, hash: u64, bytes: &[u8], kept: u64) -> u64 {
        let Some(renewals) = self.renewals.as_ref().filter(|_| kept != NEVER) else { return kept };
        let grace = u64::try_from(renewals.grace.as_nanos()).unwrap_or(u64::MAX);
        let copied = self.region.describe(hash, bytes).map_or(0, |(_, expiry)| expiry);
        kept.saturating_sub(grace).max(copied).min(kept)
    }

    /// A rule has given a live entry another lifetime, from now.
    fn set_ttl(&self, hash: u64, bytes: &[u8], key: &Key, ttl: Option<Duration>) {
        let clock = self.store.clock();
        let Some(remote) = &self.remote else {
            self.region.set_deadline(hash, bytes, clock.deadline(ttl));
            return;
        };
        if let Some(ledger) = &self.ledger {
            ledger.set_deadline(hash, bytes, clock.deadline(self.kept_for(ttl)));
        }
        // The copy is as old as it was: it may end sooner, and never later.
        self.region.shorten(hash, bytes, clock.deadline(ttl));
        let kept = self.kept_for(ttl);
        remote.postpone(Chore::set_ttl(key.clone(), place(key, &[]), kept));
    }
}
