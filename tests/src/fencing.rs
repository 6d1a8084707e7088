//! Every way to evict against every way to fill: a fill begins, an eviction returns, the fill ends; what it has
//! brought must not be served.
//!
//! A new way is a variant of [`Way`] or of [`Fill`], and a line where the compiler asks for it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cacheado::backends::contract::Tier;
use cacheado::backends::{Backend, Memory};
use cacheado::prelude::*;
use cacheado::{Cache, Scope};
use tokio::task::JoinHandle;

use crate::gate::{Gated, Held, Holding, Point};
use crate::lock;
use crate::wait::others_wait;

cacheado::scopes! {
    mod scopes {
        organization(org) { user(user) }
    }
}

/// How long a notice may take to another node.
const MOMENTS: Duration = Duration::from_secs(10);

/// What bodies read: a number that is counted up.
#[derive(Default)]
struct Database {
    version: AtomicU32,
    /// Who computes next is held here, with what was read.
    gate: Mutex<Option<Holding>>,
}

/// A node, as a body sees it.
#[derive(Clone)]
struct At {
    cache: Cache,
    database: Arc<Database>,
}

impl At {
    fn new(cache: Cache, database: &Arc<Database>) -> Self {
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

    fn hold_body(&self) -> Held {
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

/// How long the shortest lives last, and a little.
const PAST: Duration = Duration::from_millis(15);

/// Waits until what was stored before is past its time, on whatever clock its server has.
async fn pass_time() {
    let begun = std::time::Instant::now();
    while begun.elapsed() < PAST {
        tokio::task::yield_now().await;
    }
}

/// What is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    AsyncFunction,
    SyncFunction,
    FunctionInTurn,
    Key,
    /// Served past its time.
    Stale,
    /// Served past its time where the body fails.
    Spare,
}

const ALL_KEPT: [Kept; 6] =
    [Kept::AsyncFunction, Kept::SyncFunction, Kept::FunctionInTurn, Kept::Key, Kept::Stale, Kept::Spare];

/// A way to evict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
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

const WAYS: [Way; 10] = [
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

/// A way to fill, and where it is held while the eviction goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    /// A body runs because nothing was there.
    Foreground,
    /// A body runs although something is there.
    Refresh,
    /// The body has ended and its value is stored; nobody has heard of it yet.
    Stored,
    /// The backend has answered with what was there, for the caller and for a copy.
    NearRefill,
    /// A value from elsewhere is stored; nobody has heard of it yet.
    Set,
    /// A body runs on another node, for whose lease this one waits.
    Awaited,
    /// This node has asked for a lease; the backend has answered with what another has stored meanwhile.
    FoundInTurn,
    /// A body runs for nobody, as what is there is past its time.
    Renewal,
    /// A body has failed, and the backend has answered with what may be served instead.
    Fallback,
}

const FILLS: [Fill; 9] = [
    Fill::Foreground,
    Fill::Refresh,
    Fill::Stored,
    Fill::NearRefill,
    Fill::Set,
    Fill::Awaited,
    Fill::FoundInTurn,
    Fill::Renewal,
    Fill::Fallback,
];

impl Fill {
    /// Whether what is kept so is filled so.
    fn is_of(self, kept: Kept) -> bool {
        match kept {
            Kept::Stale => self == Self::Renewal,
            Kept::Spare => self == Self::Fallback,
            Kept::Key => !matches!(self, Self::Refresh | Self::Renewal | Self::Fallback),
            _ => !matches!(self, Self::Renewal | Self::Fallback),
        }
    }
}

/// One entry, in scopes of its own.
#[derive(Clone)]
struct Subject {
    kept: Kept,
    org: String,
    user: String,
}

const KIND: u8 = 7;

/// What stands for no value, as the body has failed.
const FAILURE: u32 = u32::MAX;

impl Subject {
    async fn get(&self, at: &At) -> u32 {
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

    async fn refresh(&self, at: &At) -> u32 {
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

    async fn set(&self, at: &At, value: u32) -> cacheado::Result<()> {
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
    async fn evict(&self, way: Way, at: &At) -> cacheado::Result<bool> {
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

/// Two nodes over one store, or one over its own memory.
pub struct Stage {
    nodes: Vec<At>,
    hold: Option<Box<dyn Fn(Point) -> Held + Send + Sync>>,
    has_copies: bool,
    has_leases: bool,
}

impl Stage {
    /// A cache in memory.
    pub fn memory() -> Self {
        let nodes = vec![At::new(Cache::new(), &Arc::default())];
        Self { nodes, hold: None, has_copies: false, has_leases: false }
    }

    /// Two nodes with these clients of one backend, with or without near caches.
    pub fn over<B: Backend>(clients: [B; 2], has_copies: bool) -> Self {
        let database = Arc::default();
        let clients = clients.map(Gated::new);
        let first = clients[0].clone();
        let has_leases = Tier::capabilities(&first).leases;
        let node = |client: Gated<B>| {
            let builder = Cache::builder().backend(client);
            let builder = if has_copies { builder.near(Memory::new()) } else { builder };
            At::new(builder.build().expect("nothing is wrong with it"), &database)
        };
        let nodes = clients.into_iter().map(node).collect();
        Self { nodes, hold: Some(Box::new(move |point| first.hold(point))), has_copies, has_leases }
    }

    /// Every way to evict against every way to fill, from the node that fills and from the other.
    ///
    /// # Panics
    ///
    /// If what was evicted is served, with all the cells where it is.
    pub async fn every_eviction_wins_over_every_fill(&self) {
        let mut broken = Vec::new();
        let (mut tried, mut cells) = (0, 0);
        for evictor in 0..self.nodes.len() {
            for kept in ALL_KEPT {
                let fills = FILLS.iter().filter(|fill| fill.is_of(kept));
                for (fill, way) in fills.flat_map(|fill| WAYS.map(|way| (*fill, way))) {
                    tried += 1;
                    let subject = Subject { kept, org: format!("org{tried}"), user: "ada".to_owned() };
                    match self.cell(&subject, fill, way, evictor).await {
                        Some(Ok(())) => cells += 1,
                        Some(Err(problem)) => {
                            broken.push(format!("{kept:?} {fill:?} {way:?} by node {evictor}: {problem}"));
                        }
                        None => {}
                    }
                }
            }
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        println!("{cells} cells hold");
    }

    /// One cell; `None` if there is no such thing.
    async fn cell(
        &self,
        subject: &Subject,
        fill: Fill,
        way: Way,
        evictor: usize,
    ) -> Option<Result<(), String>> {
        let filler = &self.nodes[0];
        let database = &filler.database;
        let old = database.version.fetch_add(1, Ordering::SeqCst) + 1;
        let (mut held, filling) = self.begin(subject, fill, old).await?;
        held.is_reached().await;
        if fill == Fill::Fallback
            && let Some(hold) = &self.hold
        {
            // The body fails; what is looked for in its place is held.
            let mut fallback = hold(Point::Get);
            held.release();
            fallback.is_reached().await;
            held = fallback;
        }
        let new = database.version.fetch_add(1, Ordering::SeqCst) + 1;
        let evicted = subject.evict(way, &self.nodes[evictor]).await;
        let is_way = matches!(evicted, Ok(true) | Err(_));
        // One that comes while the fill is still under way.
        let (reader, at) = (subject.clone(), filler.clone());
        let beside = tokio::spawn(async move { reader.get(&at).await });
        others_wait().await;
        held.release();
        filling.await.expect("nothing panics");
        self.is_at_rest().await;
        let beside = beside.await.expect("nothing panics");
        if !is_way {
            return None;
        }
        Some(
            self.judge(subject, evictor, new, beside)
                .await
                .and(evicted.map(drop).map_err(|it| it.to_string())),
        )
    }

    async fn begin(&self, subject: &Subject, fill: Fill, old: u32) -> Option<(Held, JoinHandle<()>)> {
        let at = self.nodes[0].clone();
        let answer = |point| self.hold.as_ref().map(|hold| hold(point));
        let held = match fill {
            Fill::Foreground => at.hold_body(),
            Fill::Refresh => {
                subject.get(&at).await;
                at.hold_body()
            }
            Fill::Stored => answer(Point::Fill)?,
            Fill::NearRefill => {
                // Stored by the other node, so that this one has to ask.
                subject.get(self.nodes.get(1)?).await;
                answer(Point::Get)?
            }
            Fill::Set => answer(Point::Set)?,
            Fill::Awaited => return self.begin_awaited(subject).await,
            Fill::FoundInTurn => {
                let other = self.in_turn(subject)?;
                let mut read = answer(Point::Get)?;
                let subject = subject.clone();
                let (mine, reader) = (subject.clone(), at.clone());
                let filling = tokio::spawn(async move {
                    mine.get(&reader).await;
                });
                read.is_reached().await;
                subject.get(other).await;
                let held = answer(Point::Lease)?;
                read.release();
                return Some((held, filling));
            }
            Fill::Renewal | Fill::Fallback => {
                subject.get(&at).await;
                pass_time().await;
                at.hold_body()
            }
        };
        let subject = subject.clone();
        let filling = tokio::spawn(async move {
            match fill {
                Fill::Foreground | Fill::Stored | Fill::NearRefill | Fill::Renewal | Fill::Fallback => {
                    subject.get(&at).await;
                }
                Fill::Refresh => drop(subject.refresh(&at).await),
                Fill::Set => subject.set(&at, old).await.expect("the backend is there"),
                Fill::Awaited | Fill::FoundInTurn => unreachable!("it has begun"),
            }
        });
        Some((held, filling))
    }

    /// The other node, where nodes take turns to compute this.
    fn in_turn(&self, subject: &Subject) -> Option<&At> {
        self.nodes.get(1).filter(|_| self.has_leases && subject.kept == Kept::FunctionInTurn)
    }

    /// The body of the other node is held, and this one waits for it.
    async fn begin_awaited(&self, subject: &Subject) -> Option<(Held, JoinHandle<()>)> {
        let (at, other) = (self.nodes[0].clone(), self.in_turn(subject)?.clone());
        let misses = at.cache.stats().misses;
        let held = other.hold_body();
        let (mine, theirs) = (subject.clone(), subject.clone());
        let computing = tokio::spawn(async move { theirs.get(&other).await });
        while lock(&at.database.gate).is_some() {
            tokio::task::yield_now().await;
        }
        let here = at.clone();
        let waiting = tokio::spawn(async move { mine.get(&here).await });
        while at.cache.stats().misses == misses {
            tokio::task::yield_now().await;
        }
        let both = async move {
            for call in [computing, waiting] {
                call.await.expect("nothing panics");
            }
        };
        Some((held, tokio::spawn(both)))
    }

    async fn judge(&self, subject: &Subject, evictor: usize, new: u32, beside: u32) -> Result<(), String> {
        if beside != new && beside != FAILURE && (evictor == 0 || !self.has_copies) {
            return Err(format!("{beside} was read beside the fill, for {new}"));
        }
        for (node, at) in self.nodes.iter().enumerate() {
            let seen = if self.has_copies && node != evictor {
                // Its copy goes when the notice has come.
                self.within_moments(subject, at, new).await
            } else {
                subject.get(at).await
            };
            let then = subject.get(at).await;
            if (seen, then) != (new, new) {
                return Err(format!("node {node} read {seen}, then {then}, for {new}"));
            }
        }
        Ok(())
    }

    /// Resolves when nothing is computed any more, for whomever it may be.
    async fn is_at_rest(&self) {
        let rests = |at: &At| format!("{:?}", at.cache).contains("under_way: 0");
        while !self.nodes.iter().all(rests) {
            tokio::task::yield_now().await;
        }
    }

    async fn within_moments(&self, subject: &Subject, at: &At, new: u32) -> u32 {
        let begun = std::time::Instant::now();
        loop {
            let seen = subject.get(at).await;
            if seen == new || begun.elapsed() > MOMENTS {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    }
}
