//! What is cached, and every way to evict it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cacheado::prelude::*;
use cacheado::{Cache, Scope};

use crate::gate::{Held, Holding};
use crate::lock;

cacheado::scopes! {
    mod scopes {
        organization(org) { user(user) }
    }
}

/// What bodies read: a number that is counted up.
#[derive(Default)]
pub(super) struct Database {
    pub(super) version: AtomicU32,
    /// Who computes next is held here, with what was read.
    pub(super) gate: Mutex<Option<Holding>>,
}

/// A node, as a body sees it.
#[derive(Clone)]
pub(super) struct At {
    pub(super) cache: Cache,
    pub(super) database: Arc<Database>,
}

impl At {
    pub(super) fn new(cache: Cache, database: &Arc<Database>) -> Self {
        Self { cache, database: Arc::clone(database) }
    }

    fn read(&self) -> (u32, Option<Holding>) {
        let version = self.database.version.load(Ordering::SeqCst);
        (version, lock(&self.database.gate).take())
    }

    async fn compute(&self) -> u32 {
        let (version, gate) = self.read();
        if let Some(gate) = gate {
            gate.hold().await;
        }
        version
    }

    pub(super) fn hold_body(&self) -> Held {
        let (held, holding) = Held::new();
        *lock(&self.database.gate) = Some(holding);
        held
    }
}

#[cached(cache = at.cache, ttl = 60, scope = "user", tags("kind:{kind}"), skip(at))]
async fn page(at: &At, org: &str, user: &str, kind: u8) -> u32 {
    let _ = (org, user, kind);
    at.compute().await
}

#[cached(cache = at.cache, ttl = 60, scope = "user", tags("kind:{kind}"), skip(at))]
fn page_blocking(at: &At, org: &str, user: &str, kind: u8) -> u32 {
    let _ = (org, user, kind);
    let (version, gate) = at.read();
    if let Some(gate) = gate {
        gate.hold_blocking();
    }
    version
}

/// The same, where nodes take turns.
#[cached(
    cache = at.cache, ttl = 60, scope = "user", tags("kind:{kind}"), skip(at), single_flight = "distributed"
)]
async fn page_in_turn(at: &At, org: &str, user: &str, kind: u8) -> u32 {
    let _ = (org, user, kind);
    at.compute().await
}

/// Values that are past their time almost at once, and are then served while they are computed anew.
#[cached(cache = at.cache, ttl = "10ms", stale = 60, scope = "user", tags("kind:{kind}"), skip(at))]
async fn stale(at: &At, org: &str, user: &str, kind: u8) -> u32 {
    let _ = (org, user, kind);
    at.compute().await
}

/// The same, where they are served if the body fails.
#[cached(cache = at.cache, ttl = "10ms", stale_if_error = 60, scope = "user", tags("kind:{kind}"), skip(at))]
async fn spare(at: &At, org: &str, user: &str, kind: u8) -> Result<u32, Failed> {
    let _ = (org, user, kind);
    let is_held = lock(&at.database.gate).is_some();
    let version = at.compute().await;
    if is_held { Err(Failed) } else { Ok(version) }
}

/// The database does not answer.
#[derive(Debug, Clone)]
struct Failed;

/// What is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    AsyncFunction,
    SyncFunction,
    FunctionInTurn,
    Key,
    /// Served past its time.
    Stale,
    /// Served past its time where the body fails.
    Spare,
}

pub(super) const ALL_KEPT: [Kept; 6] =
    [Kept::AsyncFunction, Kept::SyncFunction, Kept::FunctionInTurn, Kept::Key, Kept::Stale, Kept::Spare];

/// A way to evict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Entry,
    WholeKey,
    User,
    Organization,
    Scoped,
    Global,
    Tag,
    Function,
    Clear,
    /// Another value takes its place.
    Set,
}

pub(super) const WAYS: [Way; 10] = [
    Way::Entry,
    Way::WholeKey,
    Way::User,
    Way::Organization,
    Way::Scoped,
    Way::Global,
    Way::Tag,
    Way::Function,
    Way::Clear,
    Way::Set,
];

/// One entry, in scopes of its own.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) kept: Kept,
    pub(super) org: String,
    pub(super) user: String,
}

const KIND: u8 = 7;

/// What stands for no value, as the body has failed.
pub(super) const FAILURE: u32 = u32::MAX;

impl Subject {
    pub(super) async fn get(&self, at: &At) -> u32 {
        let (org, user) = (&*self.org, &*self.user);
        match self.kept {
            Kept::AsyncFunction => page(at, org, user, KIND).await,
            Kept::FunctionInTurn => page_in_turn(at, org, user, KIND).await,
            Kept::SyncFunction => {
                let (this, at) = (self.clone(), at.clone());
                let call = move || page_blocking(&at, &this.org, &this.user, KIND);
                tokio::task::spawn_blocking(call).await.expect("no body panics")
            }
            Kept::Key => {
                let scoped = at.cache.scoped(scopes::user(org, user));
                let ttl = Duration::from_secs(60);
                scoped.get_or_compute_async(KIND, ttl, || at.compute()).await.expect("it is computed")
            }
            Kept::Stale => stale(at, org, user, KIND).await,
            Kept::Spare => spare(at, org, user, KIND).await.unwrap_or(FAILURE),
        }
    }

    pub(super) async fn refresh(&self, at: &At) -> u32 {
        let (this, at) = (self.clone(), at.clone());
        match self.kept {
            Kept::AsyncFunction => page_entry(&at, &this.org, &this.user, KIND).refresh().await,
            Kept::FunctionInTurn => page_in_turn_entry(&at, &this.org, &this.user, KIND).refresh().await,
            Kept::SyncFunction => {
                let call = move || page_blocking_entry(&at, &this.org, &this.user, KIND).refresh();
                tokio::task::spawn_blocking(call).await.expect("no body panics")
            }
            Kept::Key | Kept::Stale | Kept::Spare => unreachable!("it is not filled so"),
        }
    }

    pub(super) async fn set(&self, at: &At, value: u32) -> cacheado::Result<()> {
        let (this, at) = (self.clone(), at.clone());
        match self.kept {
            Kept::AsyncFunction => page_entry(&at, &this.org, &this.user, KIND).set(value).await,
            Kept::FunctionInTurn => page_in_turn_entry(&at, &this.org, &this.user, KIND).set(value).await,
            Kept::SyncFunction => {
                let set = move || page_blocking_entry(&at, &this.org, &this.user, KIND).set(value);
                tokio::task::spawn_blocking(set).await.expect("nothing panics")
            }
            Kept::Key => {
                let scoped = at.cache.scoped(scopes::user(&*this.org, &*this.user));
                scoped.set_async(KIND, &value, Duration::from_secs(60)).await
            }
            Kept::Stale => stale_entry(&at, &this.org, &this.user, KIND).set(value).await,
            Kept::Spare => spare_entry(&at, &this.org, &this.user, KIND).set(value).await,
        }
    }

    /// Evicts by this way; whether there is one for what is kept.
    pub(super) async fn evict(&self, way: Way, at: &At) -> cacheado::Result<bool> {
        let (org, user) = (&*self.org, &*self.user);
        let cache = &at.cache;
        match (way, self.kept) {
            (Way::Entry, Kept::AsyncFunction) => drop(page_entry(at, org, user, KIND).evict().await?),
            (Way::Entry, Kept::FunctionInTurn) => {
                page_in_turn_entry(at, org, user, KIND).evict().await?;
            }
            (Way::Entry, Kept::SyncFunction) => {
                let (this, at) = (self.clone(), at.clone());
                let evict = move || page_blocking_entry(&at, &this.org, &this.user, KIND).evict();
                tokio::task::spawn_blocking(evict).await.expect("nothing panics")?;
            }
            (Way::Entry, Kept::Stale) => drop(stale_entry(at, org, user, KIND).evict().await?),
            (Way::Entry, Kept::Spare) => drop(spare_entry(at, org, user, KIND).evict().await?),
            (Way::Entry, Kept::Key) => drop(cache.scoped(scopes::user(org, user)).evict_async(KIND).await?),
            (Way::WholeKey, Kept::AsyncFunction) => {
                let key = page_entry(at, org, user, KIND).key();
                cache.evict_key_async(&key).await?;
            }
            (Way::WholeKey, Kept::FunctionInTurn) => {
                let key = page_in_turn_entry(at, org, user, KIND).key();
                cache.evict_key_async(&key).await?;
            }
            (Way::WholeKey, Kept::SyncFunction) => {
                let key = page_blocking_entry(at, org, user, KIND).key();
                cache.evict_key_async(&key).await?;
            }
            (Way::WholeKey, Kept::Stale) => {
                cache.evict_key_async(&stale_entry(at, org, user, KIND).key()).await?;
            }
            (Way::WholeKey, Kept::Spare) => {
                cache.evict_key_async(&spare_entry(at, org, user, KIND).key()).await?;
            }
            (Way::User, _) => drop(cache.evict_by_scope_async(&scopes::user(org, user)).await?),
            (Way::Organization, _) => drop(cache.evict_by_scope_async(&scopes::organization(org)).await?),
            (Way::Scoped, _) => drop(cache.scoped(scopes::user(org, user)).evict_all_async().await?),
            (Way::Global, _) => drop(cache.evict_by_scope_async(&Scope::global()).await?),
            (Way::WholeKey | Way::Tag | Way::Function, Kept::Key) => return Ok(false),
            (Way::Tag, _) => {
                cache.evict_by_tag_async(&format!("kind:{KIND}")).await?;
            }
            (Way::Function, Kept::AsyncFunction) => drop(page_cache(at).evict_all().await?),
            (Way::Function, Kept::FunctionInTurn) => drop(page_in_turn_cache(at).evict_all().await?),
            (Way::Function, Kept::SyncFunction) => {
                let at = at.clone();
                let evict = move || page_blocking_cache(&at).evict_all();
                tokio::task::spawn_blocking(evict).await.expect("nothing panics")?;
            }
            (Way::Function, Kept::Stale) => drop(stale_cache(at).evict_all().await?),
            (Way::Function, Kept::Spare) => drop(spare_cache(at).evict_all().await?),
            (Way::Clear, _) => cache.clear_async().await?,
            (Way::Set, _) => self.set(at, at.database.version.load(Ordering::SeqCst)).await?,
        }
        Ok(true)
    }
}
