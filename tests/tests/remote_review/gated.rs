//! A backend whose operations a test can hold.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cacheado::backends::contract::{BoxFuture, Claim, Filled, Group, New, Place, Subscription, Tier, Wanted};
use cacheado::backends::{
    Backend, BackendStats, Capabilities, Entry, Error, ErrorKind, Result, SharedMemory,
};
use cacheado::testing::ManualClock;
use tokio::sync::oneshot;

/// Where an operation can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Point {
    AfterGet,
    AfterBegin,
    BeforeEvict,
    BeforeEvictGroup,
    AfterFill,
}

/// What is said of the lifetime of each entry that is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Says {
    #[default]
    WhatIsTrue,
    Lives(Option<Duration>),
}

/// An operation that is held.
pub(crate) struct Held {
    reached: oneshot::Receiver<()>,
    go: oneshot::Sender<()>,
}

impl Held {
    pub(crate) async fn is_reached(&mut self) {
        (&mut self.reached).await.unwrap();
    }

    pub(crate) fn release(self) {
        self.go.send(()).unwrap();
    }
}

type Gates = HashMap<Point, Vec<(oneshot::Sender<()>, oneshot::Receiver<()>)>>;

/// A server in memory, without a bus, whose operations can be held, and that can be out of order.
#[derive(Clone, Default)]
pub(crate) struct Gated {
    pub(crate) server: SharedMemory,
    pub(crate) gates: Arc<Mutex<Gates>>,
    pub(crate) is_down: Arc<AtomicBool>,
    pub(crate) abandoned: Arc<AtomicU32>,
    /// How often it was asked to evict an entry.
    pub(crate) evictions: Arc<AtomicU32>,
    /// Whether it panics.
    pub(crate) panics: Arc<AtomicBool>,
    /// What is in the name of an entry at whose eviction it panics.
    pub(crate) panics_at: Arc<Mutex<Option<&'static str>>>,
    /// Whether it panics when somebody wants to listen, and how often somebody has wanted to.
    pub(crate) bus_panics: Arc<AtomicBool>,
    pub(crate) subscriptions: Arc<AtomicU32>,
    pub(crate) says: Arc<Mutex<Says>>,
}

impl Gated {
    pub(crate) fn by(clock: &ManualClock) -> Self {
        Self { server: SharedMemory::with_clock(clock.clone()), ..Self::default() }
    }

    /// Holds the next operation that comes here.
    pub(crate) fn hold(&self, point: Point) -> Held {
        let (tell, reached) = oneshot::channel();
        let (go, gone) = oneshot::channel();
        self.gates.lock().unwrap().entry(point).or_default().insert(0, (tell, gone));
        Held { reached, go }
    }

    pub(crate) async fn pass(&self, point: Point) -> Result<()> {
        let gate = self.gates.lock().unwrap().get_mut(&point).and_then(Vec::pop);
        if let Some((tell, gone)) = gate {
            tell.send(()).unwrap();
            let _ = gone.await;
        }
        self.is_up()
    }

    pub(crate) fn is_up(&self) -> Result<()> {
        assert!(!self.panics.load(Ordering::SeqCst), "a defect of the backend's");
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "test", "it is down"));
        }
        Ok(())
    }

    pub(crate) fn tier(&self) -> &dyn Tier {
        &self.server
    }
}

impl Backend for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }
    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        Backend::get(&self.server, key).await
    }
    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        Backend::get_many(&self.server, keys).await
    }
    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        self.server.put(key, value, ttl).await
    }
    async fn remove(&self, key: &str) -> Result<bool> {
        self.server.remove(key).await
    }
    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        self.server.keys(prefix).await
    }
    async fn clear(&self) -> Result<u64> {
        Backend::clear(&self.server).await
    }
    async fn stats(&self) -> Result<BackendStats> {
        self.server.stats().await
    }
    fn tier(self: Arc<Self>) -> Arc<dyn Tier> {
        self
    }
}

impl Tier for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
    fn get<'a>(&'a self, at: &'a Place, wanted: Wanted) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            self.is_up()?;
            let mut entry = self.tier().get(at, wanted).await?;
            if let (Some(entry), Says::Lives(so_long)) = (&mut entry, *self.says.lock().unwrap()) {
                entry.remaining = so_long;
            }
            self.pass(Point::AfterGet).await?;
            Ok(entry)
        })
    }
    fn get_many<'a>(&'a self, at: &'a [Place], wanted: Wanted) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        self.tier().get_many(at, wanted)
    }
    fn begin<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Claim>> {
        Box::pin(async move {
            self.is_up()?;
            let claim = self.tier().begin(at).await?;
            self.pass(Point::AfterBegin).await?;
            Ok(claim)
        })
    }
    fn fill<'a>(&'a self, at: &'a Place, new: New<'a>, claim: &'a Claim) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(async move {
            let filled = self.tier().fill(at, new, claim).await?;
            self.pass(Point::AfterFill).await?;
            Ok(filled)
        })
    }
    fn keeps_claims(&self) -> bool {
        true
    }
    fn abandon<'a>(&'a self, _: &'a Place, _: &'a Claim) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.abandoned.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    }
    fn set<'a>(&'a self, at: &'a Place, new: New<'a>, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>> {
        self.tier().set(at, new, notice)
    }
    fn set_ttl<'a>(&'a self, at: &'a Place, ttl: Option<Duration>) -> BoxFuture<'a, Result<bool>> {
        self.tier().set_ttl(at, ttl)
    }
    fn evict<'a>(&'a self, at: &'a Place, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            self.evictions.fetch_add(1, Ordering::SeqCst);
            let panics_at = *self.panics_at.lock().unwrap();
            assert!(!panics_at.is_some_and(|part| at.key.contains(part)), "a defect of the backend's");
            self.pass(Point::BeforeEvict).await?;
            self.tier().evict(at, notice).await
        })
    }
    fn retract<'a>(
        &'a self,
        at: &'a Place,
        claim: &'a Claim,
        notice: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            self.pass(Point::BeforeEvict).await?;
            self.tier().retract(at, claim, notice).await
        })
    }
    fn evict_group<'a>(&'a self, group: &'a Group, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            self.pass(Point::BeforeEvictGroup).await?;
            self.tier().evict_group(group, notice).await
        })
    }
    fn clear<'a>(&'a self, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        self.tier().clear(notice)
    }
    fn count<'a>(&'a self, group: Option<&'a Group>) -> BoxFuture<'a, Result<u64>> {
        self.tier().count(group)
    }
    fn subscribe(self: Arc<Self>) -> Option<Box<dyn Subscription>> {
        self.subscriptions.fetch_add(1, Ordering::SeqCst);
        assert!(!self.bus_panics.load(Ordering::SeqCst), "a defect of the backend's");
        None
    }
}
