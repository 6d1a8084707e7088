//! The hit path: from borrowed arguments to the value.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::clock::NEVER;
use cacheado_backends::memory::{Found, KeyBox, Query};

use super::call::Call;
use super::miss::Miss;
use super::query::{KeyQuery, encode_key, hash_key};
use crate::cache::{Cache, CallCache};
use crate::codec::Codec;
use crate::context::{self, Outcome as How};
use crate::function::{Function, Held, Identity, Instance, InstanceId, Kind, Making, Shape, Site, Typed};
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
pub fn lookup<K: Kind, P: KeyPart + ?Sized, F>(
    site: &'static Site,
    cache: &impl CallCache,
    shape: Shape<K>,
    instance: Instance<F>,
    key: &P,
    refresh: bool,
) -> Lookup<K> {
    let hash = hash_key(key);
    let functions = &cache.as_cache().inner().functions;
    let mut seen = Probed::Unknown;
    // Whatever is no plain hit goes one way, so that a hit prepares nothing for others.
    if !refresh
        && !cache.is_surrounded()
        && let Some(function) = functions.get(site.number(), instance.marker())
    {
        seen = function.probe(shape.0, hash, key);
        if let Probed::Hit(value) = seen {
            return Lookup::Hit(value);
        }
    }
    missed(site, cache.as_cache(), shape, instance.id(), (hash, key), refresh, seen.void())
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
    mut seen: Probed<()>,
) -> Lookup<K> {
    let (mut call, mut asked) = (None, None);
    if matches!(seen, Probed::Unknown) {
        // What surrounds calls elsewhere in the process is no concern of this one.
        if context::is_any() && !context::is_asked() && !refresh {
            asked = cache.inner().functions.get(site.number(), instance.marker);
        }
        if asked.is_none() {
            let new = call_for(site, cache, shape, instance, (hash, key), refresh);
            asked = call.insert(new).whom_to_ask();
        }
    }
    if let Some(function) = asked {
        seen = match function.probe(shape.0, hash, key) {
            Probed::Hit(value) => {
                if let Some(call) = &call {
                    call.served_from_memory(How::Hit);
                }
                return Lookup::Hit(value);
            }
            seen => seen.void(),
        };
    }
    let call = match call {
        Some(call) => call,
        None => call_for(site, cache, shape, instance, (hash, key), refresh),
    };
    Lookup::Miss(Miss::new(call.after(&seen), shape.0))
}

/// What a probe found.
pub(crate) enum Probed<R> {
    /// The value, which has been counted.
    Hit(R),
    /// No live entry.
    Absent,
    /// A live entry that is to be computed anew already.
    Due,
    /// An entry that a rule does not let pass.
    Rejected,
    /// The function had no state yet, or one for values of another type.
    Unknown,
}

impl<R> Probed<R> {
    /// The same without the value.
    pub(crate) fn void(self) -> Probed<()> {
        match self {
            Self::Hit(_) => Probed::Hit(()),
            Self::Absent => Probed::Absent,
            Self::Due => Probed::Due,
            Self::Rejected => Probed::Rejected,
            Self::Unknown => Probed::Unknown,
        }
    }
}

/// The call for these arguments, without looking anything up.
pub(crate) fn call_for<K: Kind, P: KeyPart + ?Sized>(
    site: &'static Site,
    cache: &Cache,
    (kind, nature): Shape<K>,
    instance: InstanceId,
    (hash, key): (u64, &P),
    refresh: bool,
) -> Box<Call> {
    let key = (hash, encode_key(key));
    let typed = Typed::of(kind);
    let values = (typed, Making::of::<K>(), nature.inert, nature.codec);
    untyped(site, cache, values, instance, key, refresh)
}

/// What the engine needs to know of the values of a function.
type Untyped = (Typed, Making, bool, Option<Codec<Held>>);

#[inline(never)]
fn untyped(
    site: &'static Site,
    cache: &Cache,
    (typed, making, inert, codec): Untyped,
    instance: InstanceId,
    key: (u64, KeyBox),
    refresh: bool,
) -> Box<Call> {
    let codec = codec.filter(|codec| !codec.borrows());
    let function = function_of(site, cache, instance, codec.is_some(), making);
    Call::new(function, key, typed, (inert, codec), site.policy(), refresh)
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
        && function.region.holds(making.stored)
    {
        return Some(Arc::clone(function));
    }
    let path = site.path(instance);
    let function = inner.registry.function(number, &path, own, making, &|| {
        let identity = Identity { name: site.identity(&path).into(), version: site.version_number() };
        Function::open(inner, identity, site.scope_level().into(), leaves, site.policy(), making.region)
    });
    if let Some(marker) = own {
        inner.functions.add(number, marker, Arc::clone(&function));
    }
    Some(function)
}

impl Function {
    /// What is stored for this key. A hit is counted, anything else is not.
    ///
    /// Not inlined: it is as fast, and otherwise each caller has a copy of three thousand bytes.
    #[inline(never)]
    pub(crate) fn probe<K, P>(&self, kind: K, hash: u64, key: &P) -> Probed<K::Return>
    where
        K: Kind,
        P: KeyPart + ?Sized,
    {
        self.serve(kind, hash, &KeyQuery(key), || encode_key(key))
    }

    /// The same for a key whose bytes are there.
    pub(crate) fn probe_bytes<K: Kind>(&self, kind: K, hash: u64, bytes: &[u8]) -> Probed<K::Return> {
        self.serve(kind, hash, &bytes, || bytes.into())
    }

    #[inline]
    fn serve<K, Q>(&self, kind: K, hash: u64, query: &Q, bytes: impl FnOnce() -> KeyBox) -> Probed<K::Return>
    where
        K: Kind,
        Q: Query,
    {
        let Some(region) = self.entries::<K::Stored>() else { return Probed::Unknown };
        match region.get(hash, query) {
            Found::Hit(stored) => {
                if self.ruled && !self.rules_let_pass(hash, &bytes()) {
                    return Probed::Rejected;
                }
                let Some(value) = kind.restore(stored) else { return Probed::Absent };
                self.shared.tally.hit();
                Probed::Hit(value)
            }
            Found::Expired => self.expired(kind, hash, &bytes()),
            Found::Absent => Probed::Absent,
        }
    }

    #[cold]
    #[inline(never)]
    fn expired<K: Kind>(&self, kind: K, hash: u64, bytes: &KeyBox) -> Probed<K::Return> {
        match self.judge(hash, bytes) {
            Probed::Hit(held) => match kind.release(held) {
                Some(value) => {
                    self.shared.tally.hit();
                    Probed::Hit(value)
                }
                None => Probed::Absent,
            },
            Probed::Absent => Probed::Absent,
            Probed::Due => Probed::Due,
            Probed::Rejected => Probed::Rejected,
            Probed::Unknown => Probed::Unknown,
        }
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
