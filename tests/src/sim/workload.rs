//! What the nodes do: few keys in few tenants, so that everything meets everything.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cacheado::prelude::*;
use cacheado::{Scoped, with_cache_async};
use serde::{Deserialize, Serialize};

use super::executor::{Owner, TaskId};
use super::history::{Covers, Key};
use super::simulation::{Process, Simulation};
use super::{Mutant, TTL};

cacheado::scopes! {
    mod scopes {
        organization(org) { user(user) }
    }
}

const ORGS: [&str; 2] = ["acme", "globex"];
const USERS: [&str; 2] = ["ada", "brian"];

thread_local! {
    /// The simulation that runs on this thread: what a body has in the place of a database.
    static DATABASE: RefCell<Option<Arc<Simulation>>> = const { RefCell::new(None) };
}

/// While it lives, bodies on this thread belong to the simulation.
pub(super) struct Connected;

impl Connected {
    pub(super) fn to(sim: &Arc<Simulation>) -> Self {
        DATABASE.replace(Some(Arc::clone(sim)));
        Self
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        DATABASE.replace(None);
    }
}

/// What bodies return: it says for itself what it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Seen {
    computation: u64,
    of: String,
}

/// The database does not answer.
#[derive(Debug, Clone)]
pub(super) struct Failed;

/// Reads the database, which takes several steps: what it returns is as old as its beginning.
async fn compute(key: Key) -> Seen {
    let sim = DATABASE.with_borrow(Clone::clone).expect("a simulation");
    let (task, owner) = sim.world.current().expect("a body runs in a task");
    let Owner::Node(node, _) = owner else { unreachable!("a body runs on a node") };
    let computation = sim.history.computes(node, task, key);
    sim.log(|| format!("node {node} task {task}: {key} is computed: value {computation}"));
    for _ in 0..sim.world.below(3) {
        sim.world.hop().await;
    }
    sim.history.computed(computation, sim.clock.now());
    Seen { computation, of: key.to_string() }
}

async fn try_to_compute(key: Key) -> Result<Seen, Failed> {
    let seen = compute(key).await;
    let sim = DATABASE.with_borrow(Clone::clone).expect("a simulation");
    if !sim.is_calm() && sim.world.chance(8) { Err(Failed) } else { Ok(seen) }
}

#[cached(ttl = 8, scope = "user", tags("page:{page}"))]
async fn page(org: &'static str, user: &'static str, page: u8) -> Result<Seen, Failed> {
    try_to_compute(Key::Page { org, user, page }).await
}

#[cached(ttl = 8, single_flight = "distributed")]
async fn rate(code: u8) -> Seen {
    compute(Key::Rate { code }).await
}

#[cached(ttl = 8, scope = "organization", stale = 4, stale_if_error = 10)]
async fn price(org: &'static str) -> Result<Seen, Failed> {
    try_to_compute(Key::Price { org }).await
}

impl Process {
    fn any_key(&self) -> Key {
        let world = &self.sim.world;
        let (org, user) = (ORGS[world.below(2)], USERS[world.below(2)]);
        match world.below(10) {
            8.. => Key::Price { org },
            0..4 => Key::Page { org, user, page: u8::from(world.chance(50)) },
            4 => Key::Rate { code: 0 },
            _ => Key::Kept { org, user, name: 0 },
        }
    }

    fn scoped(&self, org: &'static str, user: &'static str) -> Scoped {
        self.cache.scoped(scopes::user(org, user))
    }

    fn process(&self) -> (usize, u32) {
        (self.node, self.start)
    }

    /// A task of its own for some operations.
    pub(super) fn work(&self, operations: usize) -> TaskId {
        let node = self.clone();
        self.sim.world.spawn(self.owner(), async move {
            node.sim.world.hop().await;
            for _ in 0..operations {
                node.operate().await;
                node.sim.world.hop().await;
            }
        })
    }

    async fn operate(&self) {
        let key = self.any_key();
        self.sim.history.calls(self.task());
        match self.sim.world.below(100) {
            0..50 => self.read(key).await,
            50..58 => self.look(key).await,
            58..66 => self.look_at_several(key).await,
            66..73 => self.set(key).await,
            73..79 => self.refresh(key).await,
            79..88 => self.evict(key).await,
            _ => self.evict_many(key).await,
        }
    }

    fn task(&self) -> TaskId {
        self.sim.world.current().map_or(0, |(task, _)| task)
    }

    fn counts(&self, lookups: u64) {
        self.lookups.made.fetch_add(lookups, Ordering::SeqCst);
    }

    /// The value of a key, computed if need be.
    pub(super) async fn read(&self, key: Key) {
        let task = self.task();
        let read = self.sim.history.reads(self.process(), key, self.sim.clock.now());
        self.sim.log(|| format!("node {} task {task}: {key} is read", self.node));
        self.counts(1);
        let seen = match key {
            Key::Page { org, user, page: n } => with_cache_async(&self.cache, page(org, user, n)).await.ok(),
            Key::Rate { code } => Some(with_cache_async(&self.cache, rate(code)).await),
            Key::Price { org } => with_cache_async(&self.cache, price(org)).await.ok(),
            Key::Kept { org, user, name } => {
                let scoped = self.scoped(org, user);
                scoped.get_or_compute_async(name, TTL, || compute(key)).await.ok()
            }
        };
        self.judge(&read, key, seen);
    }

    fn judge(&self, read: &super::history::Read, key: Key, seen: Option<Seen>) {
        let task = self.task();
        self.sim.log(|| {
            let value = seen.as_ref().map(|seen| seen.computation);
            format!("node {} task {task}: {key} has been read: {value:?}", self.node)
        });
        if let Some(seen) = seen {
            self.sim.history.has_read(read, seen.computation, &seen.of);
        }
        self.sim.history.call_ended(task);
    }

    /// The value of a key if it is there.
    async fn look(&self, key: Key) {
        let Key::Kept { org, user, name } = key else { return self.read(key).await };
        let read = self.sim.history.reads(self.process(), key, self.sim.clock.now());
        self.counts(1);
        let seen = self.scoped(org, user).get_async::<Seen>(name).await;
        self.judge(&read, key, seen.ok().flatten());
    }

    /// Several of one tenant, one of them twice.
    pub(super) async fn look_at_several(&self, key: Key) {
        let Key::Kept { org, user, .. } = key else { return self.read(key).await };
        let names = [0, 1, 0];
        let reads = names.map(|name| {
            let key = Key::Kept { org, user, name };
            (key, self.sim.history.reads(self.process(), key, self.sim.clock.now()))
        });
        self.counts(names.len() as u64);
        let seen = self.scoped(org, user).get_many_async::<Seen>(names).await;
        for ((key, read), seen) in reads.iter().zip(seen.unwrap_or_default()) {
            self.judge(read, *key, seen);
        }
    }

    /// Computes and overwrites.
    pub(super) async fn refresh(&self, key: Key) {
        self.sim.log(|| format!("node {} refreshes {key}", self.node));
        let seen = match key {
            Key::Page { org, user, page } => {
                self.counts(1);
                let entry = async { page_entry(org, user, page).refresh().await };
                with_cache_async(&self.cache, entry).await.ok()
            }
            Key::Rate { code } => {
                self.counts(1);
                Some(with_cache_async(&self.cache, async { rate_entry(code).refresh().await }).await)
            }
            Key::Price { org } => {
                self.counts(1);
                with_cache_async(&self.cache, async { price_entry(org).refresh().await }).await.ok()
            }
            Key::Kept { .. } => return self.read(key).await,
        };
        let task = self.task();
        self.sim.log(|| format!("node {} has refreshed {key}: {seen:?}", self.node));
        self.sim.history.call_ended(task);
    }

    /// Overwrites with a value from elsewhere.
    pub(super) async fn set(&self, key: Key) {
        let (task, history) = (self.task(), &self.sim.history);
        let computation = history.sets(self.node, task, key);
        let id = history.invalidates(self.process(), task, Covers::One(key));
        self.sim.log(|| format!("node {} sets {key} to value {computation}: invalidation {id}", self.node));
        let seen = Seen { computation, of: key.to_string() };
        let done = match key {
            Key::Page { org, user, page } => {
                with_cache_async(&self.cache, async { page_entry(org, user, page).set(seen).await }).await
            }
            Key::Rate { code } => {
                with_cache_async(&self.cache, async { rate_entry(code).set(seen).await }).await
            }
            Key::Price { org } => {
                with_cache_async(&self.cache, async { price_entry(org).set(seen).await }).await
            }
            Key::Kept { org, user, name } => self.scoped(org, user).set_async(name, &seen, TTL).await,
        };
        if done.is_ok() {
            history.has_set(computation, self.sim.clock.now());
        }
        self.returned(id, task, &done);
    }

    /// Evicts one entry.
    pub(super) async fn evict(&self, key: Key) {
        let (task, id) = self.invalidates(Covers::One(key));
        let done = match key {
            Key::Page { org, user, page } => {
                with_cache_async(&self.cache, async { page_entry(org, user, page).evict().await }).await
            }
            Key::Rate { code } => {
                with_cache_async(&self.cache, async { rate_entry(code).evict().await }).await
            }
            Key::Price { org } => {
                with_cache_async(&self.cache, async { price_entry(org).evict().await }).await
            }
            Key::Kept { org, user, name } => self.scoped(org, user).evict_async(name).await,
        };
        self.returned(id, task, &done);
    }

    /// Evicts whatever has something in common with a key.
    async fn evict_many(&self, key: Key) {
        let covers = match key {
            Key::Page { page, .. } if self.sim.world.chance(40) => Covers::Tag(page),
            Key::Page { .. } if self.sim.world.chance(30) => Covers::Pages,
            Key::Page { org, .. } | Key::Kept { org, .. } if self.sim.world.chance(50) => {
                Covers::Organization(org)
            }
            Key::Page { org, user, .. } | Key::Kept { org, user, .. } => Covers::User(org, user),
            Key::Price { org } if self.sim.world.chance(50) => Covers::Organization(org),
            Key::Price { .. } => Covers::Prices,
            Key::Rate { .. } if self.sim.world.chance(15) => Covers::Everything,
            Key::Rate { .. } => Covers::Rates,
        };
        self.evict_all_of(covers).await;
    }

    /// Evicts a group, by the verb that there is for it.
    pub(super) async fn evict_all_of(&self, covers: Covers) {
        let (task, id) = self.invalidates(covers);
        let done = match covers {
            Covers::One(key) => return self.evict(key).await,
            Covers::Organization(org) => self.cache.evict_by_scope_async(&scopes::organization(org)).await,
            Covers::User(org, user) => self.cache.evict_by_scope_async(&scopes::user(org, user)).await,
            Covers::Tag(page) => self.cache.evict_by_tag_async(&format!("page:{page}")).await,
            Covers::Pages => with_cache_async(&self.cache, async { page_cache().evict_all().await }).await,
            Covers::Rates => with_cache_async(&self.cache, async { rate_cache().evict_all().await }).await,
            Covers::Prices => with_cache_async(&self.cache, async { price_cache().evict_all().await }).await,
            Covers::Everything => {
                self.lookups.is_unknown.store(true, Ordering::SeqCst);
                self.cache.clear_async().await.map(|()| 0)
            }
        };
        self.returned(id, task, &done);
    }

    fn invalidates(&self, covers: Covers) -> (TaskId, usize) {
        let task = self.task();
        let id = self.sim.history.invalidates(self.process(), task, covers);
        self.sim.log(|| format!("node {} evicts {covers:?}: invalidation {id}", self.node));
        (task, id)
    }

    fn returned<T>(&self, id: usize, task: TaskId, done: &cacheado::Result<T>) {
        self.sim.log(|| {
            let end = if done.is_ok() { "has returned" } else { "has failed" };
            format!("node {}: invalidation {id} {end}", self.node)
        });
        let is_done = done.is_ok() || self.sim.is_mutant(Mutant::TakesFailuresForDone);
        self.sim.history.invalidated(id, task, is_done, self.sim.clock.now());
        self.sim.history.call_ended(task);
    }

    /// Reads everything there is.
    pub(super) async fn read_all(&self) {
        for org in ORGS {
            for user in USERS {
                for n in 0..2 {
                    self.read(Key::Page { org, user, page: n }).await;
                    self.read(Key::Kept { org, user, name: n }).await;
                }
            }
        }
        self.read(Key::Rate { code: 0 }).await;
        for org in ORGS {
            self.read(Key::Price { org }).await;
        }
    }
}
