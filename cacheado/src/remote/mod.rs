//! The remote side of a cache: the backend behind its circuit breaker, the near cache in front of it, and what
//! this process knows of its entries.
//!
//! | file | subject |
//! |---|---|
//! | `place` | where an entry lies: readable names for keys, scopes and tags |
//! | `request` | one operation as a value, and its reply |
//! | `operation` | a verb that may have to ask the backend: waited for, or blocked on |
//! | `background` | where that is done which nobody waits for |
//! | `lease` | one process at a time computes an entry; claims that find their way back |
//! | `several` | several requests at once |
//! | `panics` | a backend that panics |
//! | `breaker` | no hammering of a dead server |
//! | `notice`, `near` | what nodes tell each other, and what that does to the copies here |
//! | `chores` | what rules want done at the backend |
//! | `recent` | the label sets of recent calls |
//! | `ledger` | the rules' view of remote entries: keys without values |

mod background;
mod breaker;
mod chores;
mod lease;
pub(crate) mod ledger;
mod near;
mod notice;
mod operation;
mod panics;
mod place;
mod recent;
mod request;
mod several;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cacheado_backends::contract::{Entry, Place, Tier, Wanted};
use cacheado_backends::memory::{Label, Limits, Store};
use cacheado_backends::{Clock, Error, ErrorKind, Memory, Result, io};

use crate::cache::shares;
use crate::key::Key;

pub(crate) use background::Background;
use breaker::{Breaker, Permit};
use chores::{Chores, Concern, Taken, Walk};

pub(crate) use chores::Chore;
pub(crate) use lease::{Kept, Turn};
pub(crate) use notice::Notice;
pub(crate) use operation::Operation;
use panics::{contained, contained_blocking, is_panic};
pub(crate) use place::{Address, Title, function_group, place, scope_group, tag_group};
use recent::Recent;
pub(crate) use request::{Reply, Request};
use several::all;
pub(crate) use several::each;

/// What the remote side of a cache is made of.
pub(crate) struct Settings {
    pub(crate) near: Option<Memory>,
    /// The longest life of a copy.
    pub(crate) near_ttl: Duration,
    /// Outages in a row until the breaker opens, and for how long it does.
    pub(crate) breaker: (u32, Duration),
    /// The most bytes of a value.
    pub(crate) max_value_size: usize,
    pub(crate) background: Background,
    /// How long a lease lasts at most.
    pub(crate) lease: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            near: None,
            near_ttl: Duration::from_secs(30),
            breaker: (3, Duration::from_secs(1)),
            max_value_size: 16 << 20,
            background: Background::default(),
            lease: Duration::from_secs(10),
        }
    }
}

/// The remote side of a cache.
pub(crate) struct Remote {
    tier: Arc<dyn Tier>,
    /// Whether a read needs no groups: the backend compares fills with evictions when they are written.
    pub(crate) reads_keys: bool,
    /// Whether it has to know the route.
    has_routes: bool,
    breaker: Breaker,
    /// Copies of remote entries. Without a near cache it stays empty, and only knows which fills an eviction
    /// in this process has forbidden.
    pub(crate) near: Arc<Store>,
    /// The label sets of recent calls in it.
    pub(crate) recent: Recent,
    /// The longest life of a copy; `None`: there are none.
    pub(crate) near_ttl: Option<Duration>,
    /// What this process knows of remote entries, where there are rules to keep.
    pub(crate) ledger: Option<Arc<Store>>,
    pub(crate) max_value_size: usize,
    /// How long a lease lasts at most; `None`: the backend has none.
    pub(crate) lease: Option<Duration>,
    /// The longest lifetime that the backend keeps to; `None`: any.
    longest: Option<Duration>,
    /// How many entries evictions of more than one have removed.
    pub(crate) evictions: AtomicU64,
    background: Background,
    chores: Chores,
    bus: near::Bus,
    /// How often its notices may have been missed.
    gaps: AtomicU64,
}

impl Remote {
    /// Opens the remote side; connects to nothing yet. With `bounds` or rules of the user's, `is_ruled`.
    pub(crate) fn open(
        tier: Arc<dyn Tier>,
        settings: Settings,
        bounds: &Limits,
        is_ruled: bool,
        clock: &Clock,
    ) -> Arc<Self> {
        let near_ttl = settings.near.is_some().then_some(settings.near_ttl);
        let near = settings.near.unwrap_or_default();
        // Where no copies are kept, there is nothing to sweep.
        let sweep = bounds.sweep && near_ttl.is_some();
        let limits = Limits { shares: shares(&near), sweep, ..Limits::default() };
        let near = near.open(limits, clock.clone());
        let is_bound = bounds.lru.is_some() || bounds.max_items.is_some();
        let ledger = (is_bound || is_ruled).then(|| {
            // Entries whose time is over leave the ledger by themselves: its size is theirs.
            let bounds = Limits { sweep: true, max_weight: None, weigher: None, ..bounds.clone() };
            Memory::new().open(bounds, clock.clone())
        });
        let (failures, pause) = settings.breaker;
        let lease = tier.capabilities().leases.then_some(settings.lease);
        let longest = tier.longest();
        Arc::new(Self {
            reads_keys: tier.capabilities().fences,
            has_routes: tier.capabilities().routes,
            tier,
            breaker: Breaker::new(failures, pause, clock.clone()),
            near,
            recent: Recent::default(),
            near_ttl,
            ledger,
            max_value_size: settings.max_value_size,
            lease,
            longest,
            evictions: AtomicU64::new(0),
            background: settings.background,
            chores: Chores::default(),
            bus: near::Bus::default(),
            gaps: AtomicU64::new(0),
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.tier.name()
    }

    /// Where an entry is to be read.
    pub(crate) fn spot(
        &self,
        address: &Address<'_>,
        labels: &[Label],
        key: impl FnOnce() -> Key,
    ) -> Arc<Place> {
        if self.reads_keys { address.spot(self.has_routes, key) } else { address.place(labels, key) }
    }

    /// For how long past its time an entry is kept that is granted `ttl`, and is to be kept for `grace`. Its age is told
    /// by what remains of both, which the backend has to keep to.
    pub(crate) fn grace(&self, ttl: Option<Duration>, grace: Duration) -> Duration {
        let Some(longest) = self.longest else { return grace };
        grace.min(longest.saturating_sub(ttl.unwrap_or(longest / 2)))
    }

    /// What a read has to bring.
    pub(crate) fn wanted(&self) -> Wanted {
        if self.near_ttl.is_some() || self.ledger.is_some() {
            Wanted::ValueAndLifetime
        } else {
            Wanted::Value
        }
    }

    /// Runs a request, unless the breaker is open.
    pub(crate) async fn perform(&self, request: Request) -> Result<Reply> {
        self.run(self.permit(request.is_eviction())?, request).await
    }

    /// The same, while this thread waits.
    pub(crate) fn perform_blocking(&self, request: Request) -> Result<Reply> {
        self.run_blocking(self.permit(request.is_eviction())?, request)
    }

    async fn run(&self, permit: Permit<'_>, request: Request) -> Result<Reply> {
        let reply = contained(request.on(&self.tier, &self.background, &self.background)).await;
        report(permit, &reply);
        reply
    }

    fn run_blocking(&self, permit: Permit<'_>, request: Request) -> Result<Reply> {
        let reply = contained_blocking(|| request.on_blocking(&*self.tier)).unwrap_or_else(|| {
            let (tier, background) = (Arc::clone(&self.tier), self.background.clone());
            // An executor of the user's may need this thread, which waits.
            let asked =
                async move { contained(request.on(&tier, &Background::default(), &background)).await };
            io::block_on(asked).and_then(|reply| reply)
        });
        report(permit, &reply);
        reply
    }

    /// Runs a request, and before and after it what rules have left to be done.
    pub(crate) async fn ask(&self, request: Request) -> Result<Reply> {
        match request {
            // Most of what is asked is a read: its future carries no other request.
            Request::Get { place, wanted } => self.read(&place, wanted).await.map(Reply::Entry),
            request => Box::pin(self.ask_at_length(request)).await,
        }
    }

    async fn read(&self, place: &Arc<Place>, wanted: Wanted) -> Result<Option<Entry>> {
        if self.chores.is_any() {
            Box::pin(self.settle_for(Concern::With(std::slice::from_ref(place)))).await;
        }
        let permit = self.permit(false)?;
        let entry = contained(async { self.tier.get(place, wanted).await }).await;
        report(permit, &entry);
        if self.chores.is_any() {
            Box::pin(self.settle_for(Concern::NONE)).await;
        }
        entry
    }

    async fn ask_at_length(&self, request: Request) -> Result<Reply> {
        self.settle_for(Concern::of(&request)).await;
        let reply = self.perform(request).await;
        self.settle_for(Concern::NONE).await;
        reply
    }

    /// The same, while this thread waits.
    pub(crate) fn ask_blocking(&self, request: Request) -> Result<Reply> {
        self.settle_blocking_for(Concern::of(&request));
        let reply = self.perform_blocking(request);
        self.settle_blocking_for(Concern::NONE);
        reply
    }

    /// [`ask`](Self::ask) for several requests at once: the answers in their order.
    pub(crate) async fn ask_all(&self, requests: Vec<Request>) -> Vec<Result<Reply>> {
        if self.chores.is_any() {
            let places = requests.iter().map(Request::places).collect::<Option<Vec<_>>>();
            let places = places.map(|places| places.concat());
            self.settle_for(places.as_deref().map_or(Concern::All, Concern::With)).await;
        }
        let replies = all(requests.into_iter().map(|request| self.perform(request))).await;
        self.settle_for(Concern::NONE).await;
        replies
    }

    /// The same, while this thread waits.
    pub(crate) fn ask_all_blocking(self: Arc<Self>, mut requests: Vec<Request>) -> Vec<Result<Reply>> {
        if requests.len() == 1
            && let Some(request) = requests.pop()
        {
            return vec![self.ask_blocking(request)];
        }
        let how_many = requests.len();
        match io::block_on(async move { self.ask_all(requests).await }) {
            Ok(replies) => replies,
            Err(error) => (0..how_many).map(|_| Err(error.clone())).collect(),
        }
    }

    /// Has what is left to be done done in the background, for a caller that has nothing to wait for.
    pub(crate) fn settle_later(self: &Arc<Self>) {
        if !self.chores.is_any() || self.chores.is_tended.swap(true, Ordering::AcqRel) {
            return;
        }
        let tending = Tending(Arc::clone(self));
        // Where nothing can be spawned, whoever asks the backend next does it.
        self.background.spawn(async move {
            let remote = Arc::clone(&tending.0);
            let added = remote.chores.added();
            remote.settle().await;
            drop(tending);
            // What has come meanwhile found it tended, and may not have been listed.
            if remote.chores.added() != added {
                remote.settle_later();
            }
        });
    }

    /// An eviction is tried even where the breaker is open: its caller needs to know that it was done.
    fn permit(&self, is_eviction: bool) -> Result<Permit<'_>> {
        if is_eviction { Ok(self.breaker.insist()) } else { self.breaker.admit().ok_or_else(is_down) }
    }

    /// Leaves something to whoever is next in a place to wait for it.
    pub(crate) fn postpone(&self, chore: Chore) {
        self.chores.add(chore);
    }

    /// How many chores have been left by now.
    pub(crate) fn postponed(&self) -> u64 {
        self.chores.added()
    }

    /// Does what has been left to be done.
    pub(crate) async fn settle(&self) {
        self.settle_for(Concern::All).await;
    }

    /// The same, of which what has been left after so many is done when it returns.
    async fn settle_since(&self, before: u64) {
        self.settle_for(Concern::Since(before)).await;
    }

    /// The same, where somebody has to see these done.
    async fn settle_for(&self, concern: Concern<'_>) {
        let mut walk = self.chores.walk();
        while let Some(chore) = self.chores.take(&mut walk, concern) {
            let Some(permit) = self.breaker.admit() else { return };
            let reply = self.run(permit, chore.request()).await;
            if !self.settled(&mut walk, &chore, reply) {
                return;
            }
        }
    }

    /// [`settle`](Self::settle), while this thread waits.
    pub(crate) fn settle_blocking(&self) {
        self.settle_blocking_for(Concern::All);
    }

    fn settle_blocking_since(&self, before: u64) {
        self.settle_blocking_for(Concern::Since(before));
    }

    fn settle_blocking_for(&self, concern: Concern<'_>) {
        let mut walk = self.chores.walk();
        while let Some(chore) = self.chores.take(&mut walk, concern) {
            let Some(permit) = self.breaker.admit() else { return };
            let reply = self.run_blocking(permit, chore.request());
            if !self.settled(&mut walk, &chore, reply) {
                return;
            }
        }
    }

    /// What follows from the reply to a chore; whether there is somebody to do the others.
    fn settled(&self, walk: &mut Walk, chore: &Taken, reply: Result<Reply>) -> bool {
        let was_there = match reply.and_then(Reply::was_taken_away) {
            Ok(was_there) => was_there,
            Err(error) => {
                let (is_outage, is_panic) = (error.kind().is_outage(), is_panic(&error));
                tracing::warn!(target: "cacheado", %error, is_outage, "what a rule wanted failed");
                if is_outage || is_panic {
                    if !chore.lasts() {
                        self.chores.strike(chore);
                    }
                    return is_panic && walk.goes_on();
                }
                false
            }
        };
        chore.done(was_there);
        self.chores.strike(chore);
        true
    }
}

/// The one task that tends to the chores.
struct Tending(Arc<Remote>);

impl Drop for Tending {
    fn drop(&mut self) {
        // Whoever has found it tended until now has added its chore before, and it is seen by whoever looks after this.
        self.0.chores.is_tended.swap(false, Ordering::AcqRel);
    }
}

fn is_down() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "ask the backend",
        "it has just failed several times; it is left in peace",
    )
}

fn report<T>(permit: Permit<'_>, reply: &Result<T>) {
    match reply {
        Err(error) if error.kind().is_outage() => permit.failed(),
        Err(error) if is_panic(error) => drop(permit),
        _ => permit.answered(),
    }
}
