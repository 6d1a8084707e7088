//! The one backend under all nodes, and each node's client of it: both contracts, over the network.
//!
//! The server itself is a [`SharedMemory`], whose operations are done in one step. A client clones what it is
//! given into a message, so that a request goes on when the node that has sent it is gone.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cacheado::backends::contract::{
    BoxFuture, Claim, Filled, Group, Leased, New, Place, Subscription, Terms, Tier, Wanted,
};
use cacheado::backends::{Backend, BackendStats, Capabilities, Emulated, Entry, Result, SharedMemory};

use super::network::{Cause, Link};
use super::{Mutant, Storage, bus};

/// A node's client. It is both contracts; which one the engine sees is the simulation's choice.
#[derive(Clone)]
pub struct Client(pub(super) Link);

/// How often a node asks for a lease, until it computes without one.
const PATIENCE: u32 = 20;

const EMULATED_LIMIT: Duration = Duration::from_secs(3_600);

/// What the server does, which never waits.
fn now<T>(operation: impl Future<Output = T>) -> T {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("memory does not wait"),
    }
}

/// The value of [`New`], on its way.
struct Sent {
    value: Vec<u8>,
    ttl: Option<Duration>,
}

impl Client {
    fn server(&self) -> SharedMemory {
        self.0.sim.server.clone()
    }

    fn is_mutant(&self, mutant: Mutant) -> bool {
        self.0.sim.is_mutant(mutant)
    }

    fn sent(&self, new: New<'_>) -> Sent {
        let ttl = if self.is_mutant(Mutant::NoLifetimes) { None } else { new.ttl };
        Sent { value: new.value.to_vec(), ttl }
    }

    /// Where an entry lies: where it should, unless tenants are to be mixed up.
    fn at(&self, place: &Place) -> Place {
        let mut place = place.clone();
        if self.is_mutant(Mutant::MixesTenants) {
            place.key = place.key.replace("globex", "acme");
            place.key.truncate(place.key.rfind('~').unwrap_or(place.key.len()));
        }
        place
    }

    /// An eviction: it takes effect, then its notice goes to everybody, then the answer to its caller.
    async fn evict_by<T: Send + 'static>(
        &self,
        operation: &'static str,
        notice: Option<&[u8]>,
        effect: impl FnOnce(Cause) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sim, notice) = (Arc::clone(&self.0.sim), notice.map(<[u8]>::to_vec));
        self.0
            .send(operation, move |cause| {
                let done = effect(cause)?;
                if let Some(notice) = notice {
                    bus::publish(&sim, &notice, cause.invalidation);
                }
                Ok(done)
            })
            .await
    }
}

impl Tier for Client {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn capabilities(&self) -> Capabilities {
        Tier::capabilities(&self.0.sim.server)
    }

    fn get<'a>(&'a self, at: &'a Place, wanted: Wanted) -> BoxFuture<'a, Result<Option<Entry>>> {
        let (server, at) = (self.server(), self.at(at));
        Box::pin(self.0.send("get", move |_| now(Tier::get(&server, &at, wanted))))
    }

    fn get_many<'a>(&'a self, at: &'a [Place], wanted: Wanted) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        let (server, at) = (self.server(), at.iter().map(|at| self.at(at)).collect::<Vec<_>>());
        Box::pin(self.0.send("get_many", move |_| now(Tier::get_many(&server, &at, wanted))))
    }

    fn begin<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Claim>> {
        let (server, at) = (self.server(), self.at(at));
        Box::pin(self.0.send("begin", move |_| now(server.begin(&at))))
    }

    /// Who has to wait waits here, by steps, rather than by the engine's timer, which runs by real time.
    fn begin_leased<'a>(&'a self, at: &'a Place, mut terms: Terms) -> BoxFuture<'a, Result<Leased>> {
        Box::pin(async move {
            for _ in 0..PATIENCE {
                let (server, at) = (self.server(), self.at(at));
                let asked = self.0.send("begin_leased", move |_| now(server.begin_leased(&at, terms)));
                match asked.await {
                    Ok(Leased::Held(_)) => {}
                    Ok(leased) => return Ok(leased),
                    Err(error) => {
                        self.0.sim.history.lease_outage(self.0.node);
                        return Err(error);
                    }
                }
                terms.look = true;
                self.0.world().sleep(3 + self.0.world().below(10) as u64).await;
            }
            self.begin(at).await.map(Leased::Taken)
        })
    }

    fn fill<'a>(&'a self, at: &'a Place, new: New<'a>, claim: &'a Claim) -> BoxFuture<'a, Result<Filled>> {
        let (server, at, sent, claim) = (self.server(), self.at(at), self.sent(new), claim.clone());
        let (sim, fences) = (Arc::clone(&self.0.sim), !self.is_mutant(Mutant::NoFences));
        Box::pin(self.0.send("fill", move |cause| {
            let claim = if fences { claim } else { now(server.begin(&at))? };
            let filled = now(server.fill(&at, New { value: &sent.value, ttl: sent.ttl }, &claim))?;
            if filled == Filled::Stored {
                sim.history.stored(cause.computation, sim.clock.now());
            }
            Ok(filled)
        }))
    }

    fn keeps_claims(&self) -> bool {
        true
    }

    fn abandon<'a>(&'a self, at: &'a Place, claim: &'a Claim) -> BoxFuture<'a, Result<()>> {
        let (server, at, claim) = (self.server(), self.at(at), claim.clone());
        Box::pin(self.0.send("abandon", move |_| now(server.abandon(&at, &claim))))
    }

    fn set<'a>(&'a self, at: &'a Place, new: New<'a>, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>> {
        let (server, at, sent) = (self.server(), self.at(at), self.sent(new));
        let sim = Arc::clone(&self.0.sim);
        Box::pin(self.evict_by("set", notice, move |cause| {
            now(server.set(&at, New { value: &sent.value, ttl: sent.ttl }, None))?;
            sim.history.stored(cause.computation, sim.clock.now());
            Ok(())
        }))
    }

    fn set_ttl<'a>(&'a self, at: &'a Place, ttl: Option<Duration>) -> BoxFuture<'a, Result<bool>> {
        let (server, at) = (self.server(), self.at(at));
        Box::pin(self.0.send("set_ttl", move |_| now(server.set_ttl(&at, ttl))))
    }

    fn evict<'a>(&'a self, at: &'a Place, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>> {
        let (server, at) = (self.server(), self.at(at));
        Box::pin(self.evict_by("evict", notice, move |_| now(server.evict(&at, None))))
    }

    fn retract<'a>(
        &'a self,
        at: &'a Place,
        claim: &'a Claim,
        notice: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<bool>> {
        let (server, at, claim) = (self.server(), self.at(at), claim.clone());
        Box::pin(self.evict_by("retract", notice, move |_| now(server.retract(&at, &claim, None))))
    }

    fn evict_group<'a>(&'a self, group: &'a Group, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        let (server, group) = (self.server(), group.clone());
        Box::pin(self.evict_by("evict_group", notice, move |_| now(server.evict_group(&group, None))))
    }

    fn clear<'a>(&'a self, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        let server = self.server();
        Box::pin(self.evict_by("clear", notice, move |_| now(Tier::clear(&server, None))))
    }

    fn count<'a>(&'a self, group: Option<&'a Group>) -> BoxFuture<'a, Result<u64>> {
        let (server, group) = (self.server(), group.cloned());
        Box::pin(self.0.send("count", move |_| now(server.count(group.as_ref()))))
    }

    fn subscribe(self: Arc<Self>) -> Option<Box<dyn Subscription>> {
        Some(bus::subscribe(&self.0))
    }
}

/// The small contract: each step of [`Emulated`] is an operation, which others can come between.
impl Backend for Client {
    fn name(&self) -> &'static str {
        "simulated"
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let (server, key) = (self.server(), key.to_owned());
        self.0.send("get", move |_| now(Backend::get(&server, &key))).await
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        let (server, keys) = (self.server(), keys.iter().map(|&key| key.to_owned()).collect::<Vec<_>>());
        let effect = move |_| {
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            now(Backend::get_many(&server, &keys))
        };
        self.0.send("get_many", effect).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        let (server, key, sent) = (self.server(), key.to_owned(), self.sent(New { value, ttl }));
        let sim = Arc::clone(&self.0.sim);
        // What says that there was an eviction: without it, fills are fenced off by nothing.
        let is_lost = self.is_mutant(Mutant::NoFences) && (key.starts_with("k:") || key.starts_with("g:"));
        let effect = move |cause: Cause| {
            if is_lost {
                return Ok(());
            }
            now(server.put(&key, &sent.value, sent.ttl))?;
            sim.history.stored(cause.computation, sim.clock.now());
            Ok(())
        };
        self.0.send("put", effect).await
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        let (server, key) = (self.server(), key.to_owned());
        self.0.send("remove", move |_| now(server.remove(&key))).await
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let (server, prefix) = (self.server(), prefix.to_owned());
        let effect = move |_| {
            // In an order that does not depend on the process's hash.
            let mut keys = now(server.keys(&prefix))?;
            keys.sort();
            Ok(keys)
        };
        self.0.send("keys", effect).await
    }

    async fn clear(&self) -> Result<u64> {
        let server = self.server();
        self.0.send("clear", move |_| now(Backend::clear(&server))).await
    }

    async fn stats(&self) -> Result<BackendStats> {
        let server = self.server();
        self.0.send("stats", move |_| now(Backend::stats(&server))).await
    }

    fn tier(self: Arc<Self>) -> Arc<dyn Tier> {
        if self.0.sim.config.storage == Storage::Emulated {
            let sim = Arc::clone(&self.0.sim);
            // Its timer is the one thing here that runs by real time: it must never be what ends an operation.
            Arc::new(Emulated::new(self).with_timeout(EMULATED_LIMIT).with_epochs(move || sim.epoch()))
        } else {
            self
        }
    }
}
