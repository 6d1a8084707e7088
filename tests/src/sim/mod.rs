//! A simulator: several nodes over one backend, in an order that a seed draws.
//!
//! Each node is a whole cache: the engine as it is, with its near cache and its fences. Under them is one
//! server, and between them a network where every operation is two messages. All of it runs on one thread, by
//! an executor of its own, and by a clock that is moved by hand; so one seed is one schedule, which can be
//! repeated. Messages are late, lost and reordered; connections are cut; nodes are paused, and killed between any
//! two steps. What the nodes read is judged by what has happened: see `history`.
//!
//! | file | subject |
//! |---|---|
//! | `executor` | tasks, and steps in an order that is drawn |
//! | `network` | what becomes of an operation on its way |
//! | `server` | the server, and the clients of both contracts |
//! | `bus` | notices of evictions |
//! | `simulation` | the parts of one simulation, and its processes |
//! | `workload` | what the nodes do |
//! | `history` | the oracle |
//! | `sweep` | one call, dropped after every number of polls |
//!
//! # What is not simulated
//!
//! Sync functions, which block a thread: their way through the engine is the same state machine, and their
//! threads are explored by the model checker (`tests/model`). The real servers: they have tests of their own.
//! Leases, whose pauses are of real time: each node asks for none here. Early refresh, which is drawn by the process,
//! and `timeout`, which is measured by a timer. `FILL_WINDOW` by real time, which no schedule lasts for.
//!
//! # How it repeats
//!
//! A failure prints its seed: `CACHEADO_SIM_SEED=<seed>` runs that one alone and prints what has happened.
//! `CACHEADO_SIM_SCHEDULES=<n>` says how many seeds a test tries.

mod bus;
mod executor;
mod history;
mod network;
mod server;
mod simulation;
mod sweep;
mod workload;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use executor::Owner;
use simulation::{Process, Simulation};

use crate::lock;
pub use sweep::sweep;

/// How long entries live.
const TTL: Duration = Duration::from_secs(8);

/// For how long past that some are served at most: where the body fails.
const PAST: Duration = Duration::from_secs(10);

/// How long copies live.
const NEAR_TTL: Duration = Duration::from_secs(3);

/// Outages in a row, and the pause.
const BREAKER: (u32, Duration) = (3, Duration::from_secs(1));

/// What nodes keep their entries in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Their own memory.
    Memory,
    /// A server with groups, fences and a bus.
    Native,
    /// A server that knows seven operations on bytes, and no bus.
    Emulated,
}

/// A defect that is put in on purpose, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// The server stores every fill, whatever was evicted meanwhile.
    NoFences,
    /// Near caches hear notices and do nothing.
    Deaf,
    /// Copies live three times as long as they may.
    LongCopies,
    /// The server forgets how long entries live.
    NoLifetimes,
    /// Two tenants' entries lie at one place.
    MixesTenants,
    /// An answer never comes, nor an error.
    Hangs,
    /// The caller takes an eviction that has failed for one that is done.
    TakesFailuresForDone,
}

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    storage: Storage,
    near: bool,
    bounded: bool,
    mutant: Option<Mutant>,
    /// Nothing is lost, cut, paused or killed; everything is late all the same.
    is_calm: bool,
}

impl Config {
    /// Nodes over this storage.
    pub const fn new(storage: Storage) -> Self {
        Self { storage, near: false, bounded: false, mutant: None, is_calm: false }
    }

    /// With near caches.
    #[must_use]
    pub const fn near(mut self) -> Self {
        self.near = true;
        self
    }

    /// Each node drives out of the store what it has used least, and evicts what it meets on a whim: rules
    /// leave work to be done by whoever asks next.
    #[must_use]
    pub const fn bounded(mut self) -> Self {
        self.bounded = true;
        self
    }

    /// With a defect.
    #[must_use]
    pub const fn with(mut self, mutant: Mutant) -> Self {
        self.mutant = Some(mutant);
        self
    }
}

/// What is wrong with a schedule.
#[derive(Debug)]
pub struct Failure {
    /// Which schedule.
    pub seed: u64,
    /// What was found.
    pub what: String,
    /// What has happened, in order.
    pub log: Vec<String>,
}

/// Runs `schedules` seeds, or the one that is asked for; the first that fails.
///
/// # Errors
///
/// What was found, with what had happened before.
pub fn explore(config: Config, schedules: u64) -> Result<u64, Failure> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    if let Some(seed) = number("CACHEADO_SIM_SEED") {
        return run(seed, config, true).map(|digest| {
            println!("seed {seed} is well; its digest is {digest:016x}");
            1
        });
    }
    let schedules = number("CACHEADO_SIM_SCHEDULES").unwrap_or(schedules);
    let first = RandomState::new().hash_one(config.near);
    for n in 0..schedules {
        let seed = first.wrapping_add(n);
        if run(seed, config, false).is_err() {
            // Once more, to see what happens in it.
            run(seed, config, true)?;
        }
    }
    Ok(schedules)
}

/// Runs one seed; a digest of all that was drawn.
///
/// # Errors
///
/// What was found.
pub fn run(seed: u64, config: Config, is_logged: bool) -> Result<u64, Failure> {
    let sim = Simulation::new(seed, config, is_logged);
    let outcome = simulate(&sim);
    let what = sim.history.failure().or(outcome.err());
    let digest = sim.world.digest();
    match what {
        None => Ok(digest),
        Some(what) => Err(Failure { seed, what, log: sim.logged() }),
    }
}

/// The processes that there are now.
type Nodes = Arc<Mutex<Vec<Process>>>;

fn simulate(sim: &Arc<Simulation>) -> Result<(), String> {
    let _connected = workload::Connected::to(sim);
    let count = if sim.config.storage == Storage::Memory { 1 } else { 2 + sim.world.below(2) };
    let nodes: Nodes = Arc::new(Mutex::new((0..count).map(|node| sim.start(node, 0)).collect()));
    for node in lock(&nodes).iter() {
        // One node alone has more to do, so that as much meets.
        for _ in 0..3 {
            node.work(9 / count);
        }
    }
    sim.world.spawn(Owner::World, make_trouble(Arc::clone(sim), Arc::clone(&nodes)));
    sim.world.run(|| sim.history.has_failed())?;
    // Faults have ended: everybody reads everything, with their copies or when those are over.
    if sim.world.chance(50) {
        sim.clock.advance(NEAR_TTL);
    }
    for node in lock(&nodes).iter() {
        let reader = node.clone();
        sim.world.spawn(node.owner(), async move { reader.read_all().await });
    }
    sim.world.run(|| sim.history.has_failed())?;
    for node in lock(&nodes).iter() {
        node.check_statistics();
    }
    Ok(())
}

/// Moves the clock, cuts connections, pauses and kills nodes; then lets everything come to rest.
async fn make_trouble(sim: Arc<Simulation>, nodes: Nodes) {
    for _ in 0..6 + sim.world.below(10) {
        sim.world.sleep(1 + sim.world.below(60) as u64).await;
        let node = {
            let nodes = lock(&nodes);
            nodes[sim.world.below(nodes.len())].clone()
        };
        let what = sim.world.below(100);
        if what < 60 || sim.is_calm() {
            let by = Duration::from_millis([1, 200, 900, 1_500, 3_000, 8_000][sim.world.below(6)]);
            sim.clock.advance(by);
            sim.log(|| format!("{by:?} pass"));
        } else if what < 75 {
            sim.log(|| format!("node {} is paused", node.node));
            sim.world.pause(node.node, 20 + sim.world.below(200) as u64);
        } else if what < 90 {
            sim.log(|| format!("node {} is cut off", node.node));
            sim.cut(node.node, 10 + sim.world.below(80) as u64);
        } else {
            sim.log(|| format!("node {} is killed", node.node));
            let next = sim.start(node.node, node.start + 1);
            sim.world.kill(node.node, node.start);
            node.lookups.is_unknown.store(true, Ordering::SeqCst);
            next.work(3);
            next.work(2);
            lock(&nodes)[node.node] = next;
        }
    }
    sim.calm_down();
}
