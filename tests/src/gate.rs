//! A backend whose answers can be held, around any other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cacheado::backends::contract::{
    BoxFuture, Claim, Filled, Group, Leased, New, Place, Subscription, Terms, Tier, Wanted,
};
use cacheado::backends::{Backend, BackendStats, Capabilities, Entry, Error, ErrorKind, Result};
use tokio::sync::oneshot;

use crate::lock;

/// Where an operation can be held: it is done, and its answer does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A read has seen what there was.
    Get,
    /// A fill is stored, or fenced off.
    Fill,
    /// A value is set.
    Set,
    /// A lease is granted, or refused, or there is an entry.
    Lease,
}

/// Something that waits for leave to go on.
#[derive(Debug)]
pub struct Held {
    reached: oneshot::Receiver<()>,
    go: oneshot::Sender<()>,
}

/// The other end of a [`Held`].
#[derive(Debug)]
pub struct Holding {
    tell: oneshot::Sender<()>,
    gone: oneshot::Receiver<()>,
}

impl Held {
    /// One that nothing has come to yet, and what is to be given to whatever comes.
    pub fn new() -> (Self, Holding) {
        let (tell, reached) = oneshot::channel();
        let (go, gone) = oneshot::channel();
        (Self { reached, go }, Holding { tell, gone })
    }

    /// Resolves when somebody is held.
    pub async fn is_reached(&mut self) {
        (&mut self.reached).await.expect("whoever is to be held was dropped");
    }

    /// Lets it go on.
    pub fn release(self) {
        // Where it was dropped meanwhile, there is nothing to let go.
        let _ = self.go.send(());
    }
}

impl Holding {
    /// Waits for leave to go on.
    pub async fn hold(self) {
        let _ = self.tell.send(());
        let _ = self.gone.await;
    }

    /// The same, blocking.
    pub fn hold_blocking(self) {
        let _ = self.tell.send(());
        let _ = self.gone.blocking_recv();
    }
}

/// A backend whose answers can be held. Clones hold the same operations.
pub struct Gated<B> {
    backend: Arc<B>,
    tier: Arc<dyn Tier>,
    gates: Arc<Mutex<VecDeque<(Point, Holding)>>>,
    /// How many answers there are to the keys of [`Tier::get_many`] where it is not as many.
    answers: Arc<Mutex<Option<usize>>>,
    /// Whether nothing can be announced.
    takes_no_claims: Arc<AtomicBool>,
}

impl<B: Backend> Gated<B> {
    /// Around this one, holding nothing.
    pub fn new(backend: B) -> Self {
        let backend = Arc::new(backend);
        Self {
            tier: Arc::clone(&backend).tier(),
            backend,
            gates: Arc::default(),
            answers: Arc::default(),
            takes_no_claims: Arc::default(),
        }
    }

    /// Holds the next answer of this kind.
    pub fn hold(&self, point: Point) -> Held {
        let (held, holding) = Held::new();
        lock(&self.gates).push_back((point, holding));
        held
    }

    /// From here on there are so many answers, whatever is asked for; `None`: as many as keys.
    pub fn answer(&self, answers: Option<usize>) {
        *lock(&self.answers) = answers;
    }

    /// Whether a fill can be announced from here on, or that fails as in an outage.
    pub fn take_claims(&self, takes_claims: bool) {
        self.takes_no_claims.store(!takes_claims, Ordering::SeqCst);
    }

    fn answered(&self, mut entries: Vec<Option<Entry>>) -> Vec<Option<Entry>> {
        if let Some(answers) = *lock(&self.answers) {
            entries.resize(answers, None);
        }
        entries
    }

    async fn pass(&self, point: Point) {
        let holding = {
            let mut gates = lock(&self.gates);
            let next = gates.iter().position(|(at, _)| *at == point);
            next.and_then(|next| gates.remove(next))
        };
        if let Some((_, holding)) = holding {
            holding.hold().await;
        }
    }
}

impl<B> Clone for Gated<B> {
    fn clone(&self) -> Self {
        let (backend, tier) = (Arc::clone(&self.backend), Arc::clone(&self.tier));
        let (gates, answers) = (Arc::clone(&self.gates), Arc::clone(&self.answers));
        Self { backend, tier, gates, answers, takes_no_claims: Arc::clone(&self.takes_no_claims) }
    }
}

impl<B: Backend> Backend for Gated<B> {
    fn name(&self) -> &'static str {
        self.backend.name()
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        self.backend.get(key).await
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        self.backend.get_many(keys).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        self.backend.put(key, value, ttl).await
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        self.backend.remove(key).await
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        self.backend.keys(prefix).await
    }

    async fn clear(&self) -> Result<u64> {
        self.backend.clear().await
    }

    async fn stats(&self) -> Result<BackendStats> {
        self.backend.stats().await
    }

    fn capabilities(&self) -> Capabilities {
        self.backend.capabilities()
    }

    fn tier(self: Arc<Self>) -> Arc<dyn Tier> {
        self
    }
}

/// A server may not tell how long an entry lives where that is not wanted.
fn as_wanted(mut entry: Entry, wanted: Wanted) -> Entry {
    entry.remaining = entry.remaining.filter(|_| wanted == Wanted::ValueAndLifetime);
    entry
}

impl<B: Backend> Tier for Gated<B> {
    fn name(&self) -> &'static str {
        self.tier.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.tier.capabilities()
    }

    fn longest(&self) -> Option<Duration> {
        self.tier.longest()
    }

    fn get<'a>(&'a self, at: &'a Place, wanted: Wanted) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            let entry = self.tier.get(at, wanted).await;
            self.pass(Point::Get).await;
            entry.map(|entry| entry.map(|entry| as_wanted(entry, wanted)))
        })
    }

    fn get_many<'a>(&'a self, at: &'a [Place], wanted: Wanted) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        Box::pin(async move {
            let entries = self.tier.get_many(at, wanted).await;
            self.pass(Point::Get).await;
            let entries = entries.map(|entries| self.answered(entries));
            entries.map(|entries| {
                entries.into_iter().map(|entry| entry.map(|entry| as_wanted(entry, wanted))).collect()
            })
        })
    }

    fn begin<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Claim>> {
        if self.takes_no_claims.load(Ordering::SeqCst) {
            let error = Error::new(ErrorKind::Unavailable, "begin", "the test does not want it");
            return Box::pin(async { Err(error) });
        }
        self.tier.begin(at)
    }

    fn begin_leased<'a>(&'a self, at: &'a Place, terms: Terms) -> BoxFuture<'a, Result<Leased>> {
        Box::pin(async move {
            let leased = self.tier.begin_leased(at, terms).await;
            self.pass(Point::Lease).await;
            leased
        })
    }

    fn fill<'a>(&'a self, at: &'a Place, new: New<'a>, claim: &'a Claim) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(async move {
            let filled = self.tier.fill(at, new, claim).await;
            self.pass(Point::Fill).await;
            filled
        })
    }

    fn keeps_claims(&self) -> bool {
        self.tier.keeps_claims()
    }

    fn abandon<'a>(&'a self, at: &'a Place, claim: &'a Claim) -> BoxFuture<'a, Result<()>> {
        self.tier.abandon(at, claim)
    }

    fn set<'a>(&'a self, at: &'a Place, new: New<'a>, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let done = self.tier.set(at, new, notice).await;
            self.pass(Point::Set).await;
            done
        })
    }

    fn set_ttl<'a>(&'a self, at: &'a Place, ttl: Option<Duration>) -> BoxFuture<'a, Result<bool>> {
        self.tier.set_ttl(at, ttl)
    }

    fn evict<'a>(&'a self, at: &'a Place, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>> {
        self.tier.evict(at, notice)
    }

    fn retract<'a>(
        &'a self,
        at: &'a Place,
        claim: &'a Claim,
        notice: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<bool>> {
        self.tier.retract(at, claim, notice)
    }

    fn evict_group<'a>(&'a self, group: &'a Group, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        self.tier.evict_group(group, notice)
    }

    fn clear<'a>(&'a self, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        self.tier.clear(notice)
    }

    fn count<'a>(&'a self, group: Option<&'a Group>) -> BoxFuture<'a, Result<u64>> {
        self.tier.count(group)
    }

    fn subscribe(self: Arc<Self>) -> Option<Box<dyn Subscription>> {
        Arc::clone(&self.tier).subscribe()
    }
}
