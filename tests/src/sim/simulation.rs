//! One simulation: the parts, and what goes wrong in it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cacheado::backends::{Memory, SharedMemory};
use cacheado::rules::{Effect, EntryMeta, Lru, Rule};
use cacheado::testing::ManualClock;
use cacheado::{Cache, Key};

use super::bus::Bus;
use super::executor::{Owner, World};
use super::history::History;
use super::network::Link;
use super::server::Client;
use super::{BREAKER, Config, Mutant, NEAR_TTL, Storage, TTL};
use crate::lock;

/// All that there is in one simulation.
pub struct Simulation {
    pub(super) config: Config,
    pub(super) world: Arc<World>,
    pub(super) clock: ManualClock,
    pub(super) server: SharedMemory,
    pub(super) bus: Bus,
    pub(super) history: History,
    /// From here on nothing is lost.
    is_calm: AtomicBool,
    /// Nodes without a connection, and until which step.
    cut: Mutex<BTreeMap<usize, u64>>,
    epochs: AtomicU64,
    log: Option<Mutex<Vec<String>>>,
}

impl Simulation {
    pub(super) fn new(seed: u64, config: Config, is_logged: bool) -> Arc<Self> {
        let clock = ManualClock::new();
        Arc::new(Self {
            config,
            world: World::new(seed),
            server: SharedMemory::with_clock(clock.clone()),
            clock,
            bus: Bus::default(),
            history: History::new(config.near),
            is_calm: AtomicBool::new(config.is_calm),
            cut: Mutex::default(),
            epochs: AtomicU64::new(0),
            log: is_logged.then(Mutex::default),
        })
    }

    pub(super) fn is_mutant(&self, mutant: Mutant) -> bool {
        self.config.mutant == Some(mutant)
    }

    pub(super) fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::SeqCst)
    }

    pub(super) fn calm_down(&self) {
        self.is_calm.store(true, Ordering::SeqCst);
        self.world.resume_all();
    }

    /// Cuts a node's connection for so many steps. Its subscriptions are told, once it is back.
    pub(super) fn cut(self: &Arc<Self>, node: usize, steps: u64) {
        let until = self.world.step() + steps;
        lock(&self.cut).insert(node, until);
        let sim = Arc::clone(self);
        self.world.spawn(Owner::World, async move {
            sim.world.sleep(steps).await;
            sim.bus.gap(&sim, node);
        });
    }

    pub(super) fn is_cut(&self, node: usize) -> bool {
        let cut = lock(&self.cut);
        cut.get(&node).is_some_and(|until| *until > self.world.step())
    }

    /// An epoch that was never drawn before.
    pub(super) fn epoch(&self) -> [u8; 16] {
        u128::from(self.epochs.fetch_add(1, Ordering::SeqCst)).to_le_bytes()
    }

    pub(super) fn log(&self, line: impl FnOnce() -> String) {
        if let Some(log) = &self.log {
            let line = format!("{:>6} {:>9?} {}", self.world.step(), self.now(), line());
            lock(log).push(line);
        }
    }

    pub(super) fn logged(&self) -> Vec<String> {
        let log = self.log.as_ref().map(|log| lock(log).clone());
        log.unwrap_or_default()
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.clock.now())
    }

    /// A process: a whole cache of its own.
    pub(super) fn start(self: &Arc<Self>, node: usize, start: u32) -> Process {
        let builder = Cache::builder().clock(self.clock.clone()).default_ttl(TTL);
        let builder = if self.config.bounded {
            builder.rule(Lru::new(MOST)).rule(Whim(Arc::clone(&self.world)))
        } else {
            builder
        };
        let cache = if self.config.storage == Storage::Memory {
            builder.build()
        } else {
            let (world, owner) = (Arc::clone(&self.world), Owner::Node(node, start));
            let link = Link { sim: Arc::clone(self), node, start };
            let builder = builder
                .backend(Client(link))
                .breaker(BREAKER.0, BREAKER.1)
                .background(move |task| world.spawn_background(owner, task));
            let life = if self.is_mutant(Mutant::LongCopies) { NEAR_TTL * 3 } else { NEAR_TTL };
            if self.config.near {
                builder.near(Memory::new()).near_ttl(life).build()
            } else {
                builder.build()
            }
        };
        let cache = cache.expect("nothing is wrong with it");
        Process { sim: Arc::clone(self), cache, node, start, lookups: Arc::default() }
    }
}

/// How many entries a node with a bound keeps.
const MOST: usize = 4;

/// Evicts what it meets, now and then, refuses some of what is found or stored, and shortens lives.
struct Whim(Arc<World>);

impl Rule for Whim {
    fn on_get(&self, key: &Key, _: &EntryMeta) -> Effect {
        match self.0.below(100) {
            0..3 => Effect::Evict(vec![key.clone()]),
            3..6 => Effect::Reject,
            _ => Effect::Continue,
        }
    }

    fn on_set(&self, _: &Key, _: &EntryMeta) -> Effect {
        match self.0.below(100) {
            0..5 => Effect::Reject,
            5..10 => Effect::SetTtl((TTL / 4).into()),
            _ => Effect::Continue,
        }
    }
}

/// A process of the simulation.
#[derive(Clone)]
pub struct Process {
    pub(super) sim: Arc<Simulation>,
    pub(super) cache: Cache,
    pub(super) node: usize,
    pub(super) start: u32,
    pub(super) lookups: Arc<Lookups>,
}

/// What the statistics of a process must come to.
#[derive(Default)]
pub(super) struct Lookups {
    pub(super) made: AtomicU64,
    /// A clear has begun the statistics again, or a call was dropped: nothing is known of them.
    pub(super) is_unknown: AtomicBool,
}

impl Process {
    pub(super) fn owner(&self) -> Owner {
        Owner::Node(self.node, self.start)
    }

    /// Every lookup is a hit or a miss.
    pub(super) fn check_statistics(&self) {
        if self.lookups.is_unknown.load(Ordering::SeqCst) {
            return;
        }
        let counted: u64 = self.cache.stats_by_function().values().map(|it| it.hits + it.misses).sum();
        let made = self.lookups.made.load(Ordering::SeqCst);
        if counted != made {
            self.sim.history.fail(format!("statistics of node {}: {counted} for {made} lookups", self.node));
        }
    }
}
