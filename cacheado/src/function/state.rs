//! The state of one function in one cache.

use std::any::{Any, TypeId};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cacheado_backends::memory::{AnyRegion, Cause, Label, Listener, Opened, Region, Store, Tickets};

use super::{Held, Policy, Typed};
use crate::cache::Inner;
use crate::engine::flight::Flight;
use crate::engine::limit::Limiter;
use crate::engine::{Renewals, hash_bytes};
use crate::key::{self, Key};
use crate::remote::ledger::{Ledger, LedgerListener};
use crate::remote::{Address, Remote, Title};
use crate::scope::Scope;
use crate::stats::{Stats, Tally};

/// The version and the name that keys carry. Programmatic keys have the empty name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) name: Arc<str>,
    /// What all instances of the function have in common: the name without generic arguments. Brackets in a
    /// `name = "…"` are none.
    pub(crate) bare: Arc<str>,
    pub(crate) version: u32,
}

impl Identity {
    pub(crate) fn programmatic() -> Self {
        Self { name: "".into(), bare: "".into(), version: 0 }
    }

    pub(crate) fn is_programmatic(&self) -> bool {
        self.name.is_empty()
    }
}

/// What is known of a function without its type.
pub(crate) struct Shared {
    pub(crate) identity: Identity,
    /// What it is called in a remote backend.
    pub(crate) title: Title,
    pub(crate) level: Arc<str>,
    pub(crate) tally: Tally,
    cache: Weak<Inner>,
    /// Whether there are rules of the user's.
    has_rules: bool,
    /// Whether what is in memory are copies of remote entries.
    copies: bool,
}

impl Shared {
    /// The whole key of an entry, from its key bytes in the region and its labels.
    pub(crate) fn key(&self, scope: &Scope, bytes: &[u8]) -> Key {
        Key::assemble(scope, &self.identity.name, self.identity.version, self.args(bytes))
    }

    /// What the place of an entry is made of, from its scope and its key bytes in the region.
    pub(crate) fn address<'a>(&'a self, scope: &'a Scope, bytes: &'a [u8]) -> Address<'a> {
        Address { scope, title: &self.title, args: self.args(bytes) }
    }

    fn args<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        if self.identity.is_programmatic() {
            // Before a programmatic key stands its scope.
            key::split_value(bytes).map_or(bytes, |(_, args)| args)
        } else {
            bytes
        }
    }

    /// Tells the rules that an entry has left.
    pub(crate) fn tell_rules(&self, bytes: &[u8], labels: &[Label], cause: Cause) {
        if !self.has_rules {
            return;
        }
        let Some(cache) = self.cache.upgrade() else { return };
        let key = self.key(&Scope::of_labels(labels), bytes);
        let evict = cache.pipeline.on_evict(&key, cause);
        cache.evict_for_rule(evict);
    }
}

impl Listener for Shared {
    fn removed(&self, bytes: &[u8], labels: &[Label], cause: Cause) {
        if self.copies {
            return;
        }
        match cause {
            Cause::Expired => self.tally.expired(),
            Cause::Cleared => {}
            _ => self.tally.evicted(),
        }
        self.tell_rules(bytes, labels, cause);
    }
}

/// The state of one function in one cache.
// Each call that missed has a handle: the count of them stands on another line than what is read.
#[repr(align(128))]
pub(crate) struct Function {
    pub(crate) shared: Arc<Shared>,
    /// Its entries.
    pub(crate) region: Arc<AnyRegion>,
    /// The same, a [`Region`], for who knows its type.
    typed: Arc<dyn Any + Send + Sync>,
    /// The type of what is stored, also where it stands behind a pointer.
    pub(crate) stored: TypeId,
    /// The fills of its entries, and the computations under way, which their tickets carry.
    pub(crate) tickets: Arc<Tickets<Flight>>,
    /// Where values are used past their expiry, or computed anew before it.
    pub(crate) renewals: Option<Box<Renewals>>,
    /// Whether there is somebody who wants to see each hit: rules of the user's, or the ledger.
    pub(crate) ruled: bool,
    /// Where the values go that can leave the process; what is in memory are copies then.
    pub(crate) remote: Option<Arc<Remote>>,
    /// What this process knows of the remote entries, where rules need it.
    pub(crate) ledger: Option<Ledger>,
    pub(crate) store: Arc<Store>,
    pub(crate) cache: Weak<Inner>,
    pub(crate) default_ttl: Option<Duration>,
    /// How many bodies may run at the same time in a scope, where that is bounded.
    pub(crate) limiter: Option<Arc<Limiter>>,
}

/// How a function's region is opened.
pub(crate) type Open = fn(&Arc<Store>, Arc<dyn Listener>) -> Opened<Flight>;

/// How the state of a function is made whose type the engine does not know.
#[derive(Clone, Copy)]
pub(crate) struct Making {
    region: Open,
    /// The type of what is stored, also where it stands behind a pointer.
    pub(crate) stored: TypeId,
}

impl Making {
    pub(crate) fn new(region: Open, typed: Typed) -> Self {
        Self { region, stored: typed.stored }
    }

    /// Of programmatic keys, whose values are of many types.
    pub(crate) fn programmatic() -> Self {
        Self { region: AnyRegion::open::<Held, Flight>, stored: TypeId::of::<Held>() }
    }
}

impl Function {
    /// Opens the state of a function, whose values are kept remotely if they can be (`leaves`) and there is
    /// a backend for them.
    pub(crate) fn open(
        cache: &Arc<Inner>,
        identity: Identity,
        level: Arc<str>,
        leaves: bool,
        policy: &Policy,
        making: Making,
    ) -> Arc<Self> {
        let remote = cache.remote.clone().filter(|_| leaves);
        let tally = Tally::default();
        let copies = remote.is_some();
        let title = Title::new(&identity.name, &identity.bare, identity.version);
        let has_rules = !cache.pipeline.is_empty();
        let shared = Arc::new(Shared {
            identity,
            title,
            level,
            tally,
            cache: Arc::downgrade(cache),
            has_rules,
            copies,
        });
        let store = Arc::clone(remote.as_ref().map_or(&cache.store, |remote| &remote.near));
        let Opened { region, typed, tickets } =
            (making.region)(&store, Arc::clone(&shared) as Arc<dyn Listener>);
        let ledger = remote.as_ref().and_then(|remote| {
            let listener = LedgerListener { shared: Arc::clone(&shared), remote: Arc::downgrade(remote) };
            Some(Ledger::open(remote.ledger.as_ref()?, listener))
        });
        Arc::new(Self {
            shared,
            region,
            typed,
            stored: making.stored,
            tickets,
            renewals: Renewals::of(policy),
            ruled: has_rules || ledger.is_some(),
            remote,
            ledger,
            store,
            cache: Arc::downgrade(cache),
            default_ttl: cache.default_ttl,
            limiter: cache.limiter.clone(),
        })
    }

    /// Says so in the log if it keeps no values, or if there is a backend and they stay here all the same. Who listens
    /// can be code of the user's: not under a lock.
    pub(crate) fn warn_of_values(&self) {
        self.region.warn_if_it_keeps_nothing();
        if self.remote.is_none() && self.cache.upgrade().is_some_and(|cache| cache.remote.is_some()) {
            let function = &*self.shared.identity.name;
            tracing::warn!(
                target: "cacheado",
                function,
                "its values stay in this process: they have no serde, it is `local`, or its name is not its own: a \
                 function or a type has the same path, or one of its type arguments is a closure"
            );
        }
    }

    /// Its entries, for who knows what they hold; `None` if it is something else.
    #[inline]
    pub(crate) fn entries<V: Clone + Send + Sync + 'static>(&self) -> Option<&Region<V>> {
        self.typed.downcast_ref()
    }

    /// Whether its values are kept remotely.
    pub(crate) fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// For how long past its time a remote entry is kept, as its copy says; without one, as long as a value is.
    pub(crate) fn grace_of(&self, hash: u64, bytes: &[u8]) -> Duration {
        let usual = || self.renewals.as_ref().map_or(Duration::ZERO, |renewals| renewals.grace);
        self.region.grace(hash, bytes).unwrap_or_else(usual)
    }

    /// For how long an entry that is granted `ttl` is kept: past its time there may be a use for it.
    pub(crate) fn kept_for(&self, ttl: Option<Duration>, grace: Duration) -> Option<Duration> {
        let grace = self.remote.as_ref().map_or(grace, |remote| remote.grace(ttl, grace));
        ttl.map(|ttl| ttl.saturating_add(grace))
    }
}

/// Whoever fills the region has the function: nothing comes after this.
impl Drop for Function {
    fn drop(&mut self) {
        self.region.close();
    }
}

/// What a cache can do with a function without knowing its type.
pub(crate) trait AnyFunction: Send + Sync {
    fn shared(&self) -> &Shared;
    fn stats(&self) -> Stats;
    /// How many computations are under way that others can wait for.
    fn under_way(&self) -> usize;
    /// The backend of its values; `None` if they stay in this process.
    fn remote(&self) -> Option<&Arc<Remote>>;
    /// Evicts the entry with these key bytes from this process; whether a live one is gone for good.
    fn evict(&self, bytes: &[u8], cause: Cause) -> bool;
    /// Evicts all entries from this process; how many live ones are gone for good.
    fn evict_all(&self) -> u64;
    /// Drops a copy, if what is in memory are copies.
    fn drop_copy(&self, bytes: &[u8]);
    fn drop_all_copies(&self);
}

impl AnyFunction for Function {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn stats(&self) -> Stats {
        let mut stats = self.shared.tally.stats();
        if let Some(remote) = &self.remote {
            stats.storage_type = remote.name();
        } else {
            stats.total_keys = self.region.len() as u64;
            stats.storage_type = crate::cache::IN_MEMORY;
        }
        stats
    }

    fn under_way(&self) -> usize {
        self.tickets.count(Flight::is_open)
    }

    fn remote(&self) -> Option<&Arc<Remote>> {
        self.remote.as_ref()
    }

    fn evict(&self, bytes: &[u8], cause: Cause) -> bool {
        let Some(hash) = hash_bytes(bytes) else { return false };
        if let Some(ledger) = &self.ledger {
            ledger.evict(hash, bytes, cause);
        }
        self.region.evict(hash, bytes, cause) && self.remote.is_none()
    }

    fn evict_all(&self) -> u64 {
        if let Some(ledger) = &self.ledger {
            ledger.evict_all(Cause::Function);
        }
        let evicted = self.region.evict_all(Cause::Function);
        if self.remote.is_some() { 0 } else { evicted }
    }

    fn drop_copy(&self, bytes: &[u8]) {
        if self.remote.is_some()
            && let Some(hash) = hash_bytes(bytes)
        {
            self.region.evict(hash, bytes, Cause::Evicted);
        }
    }

    fn drop_all_copies(&self) {
        if self.remote.is_some() {
            self.region.evict_all(Cause::Function);
        }
    }
}
