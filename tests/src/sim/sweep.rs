//! One call, dropped after every number of polls, among others who want the same entry.
//!
//! Nothing else goes wrong here: whatever hangs, is left or is served too long is so because of the drop.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use super::history::{Covers, Key};
use super::simulation::{Process, Simulation};
use super::{Config, Failure, Storage, TTL, workload};

/// What is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Read,
    Refresh,
    Set,
    Evict,
    EvictScope,
    EvictTag,
    EvictFunction,
    Clear,
    LookAtSeveral,
}

const CALLS: [Call; 9] = [
    Call::Read,
    Call::Refresh,
    Call::Set,
    Call::Evict,
    Call::EvictScope,
    Call::EvictTag,
    Call::EvictFunction,
    Call::Clear,
    Call::LookAtSeveral,
];

/// Who evicts meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evictor {
    Nobody,
    Same,
    Other,
}

const PAGE: Key = Key::Page { org: "acme", user: "ada", page: 1 };
const PRICE: Key = Key::Price { org: "acme" };
const KEPT: Key = Key::Kept { org: "acme", user: "ada", name: 0 };

/// Schedules for each number of polls.
const SEEDS: u64 = 5;

/// No call takes so many polls.
const MOST_POLLS: usize = 500;

/// Drops each call after 0, 1, 2, … polls, until it has come to its end before; how many runs that took.
///
/// # Errors
///
/// What was found.
pub fn sweep(config: Config) -> Result<usize, Failure> {
    let config = Config { is_calm: true, ..config };
    let evictors: &[Evictor] = match config.storage {
        Storage::Memory => &[Evictor::Nobody, Evictor::Same],
        _ => &[Evictor::Nobody, Evictor::Same, Evictor::Other],
    };
    let mut runs = 0;
    for key in [PAGE, PRICE, KEPT] {
        for call in CALLS.into_iter().filter(|call| has(key, *call)) {
            for (evictor, is_stored) in evictors.iter().flat_map(|it| [(*it, false), (*it, true)]) {
                for polls in 0..MOST_POLLS {
                    let mut has_ended = true;
                    for seed in 0..SEEDS {
                        runs += 1;
                        let what = Scene { key, call, evictor, is_stored, polls };
                        has_ended &=
                            play(seed, config, what, false).or_else(|_| play(seed, config, what, true))?;
                    }
                    if has_ended {
                        break;
                    }
                }
            }
        }
    }
    Ok(runs)
}

/// Whether there is such a call for such a key.
fn has(key: Key, call: Call) -> bool {
    match call {
        Call::LookAtSeveral => key == KEPT,
        Call::Refresh | Call::EvictFunction => key != KEPT,
        Call::EvictTag => key == PAGE,
        _ => true,
    }
}

#[derive(Debug, Clone, Copy)]
struct Scene {
    key: Key,
    call: Call,
    evictor: Evictor,
    is_stored: bool,
    polls: usize,
}

/// Plays one scene; whether the call had ended before it was to be dropped.
fn play(seed: u64, config: Config, scene: Scene, is_logged: bool) -> Result<bool, Failure> {
    let sim = Simulation::new(seed, config, is_logged);
    let _connected = workload::Connected::to(&sim);
    let outcome = act(&sim, scene);
    match (sim.history.failure(), outcome) {
        (None, Ok(has_ended)) => Ok(has_ended),
        (failure, outcome) => {
            let what = failure.or(outcome.err()).unwrap_or_default();
            Err(Failure { seed, what: format!("{scene:?}: {what}"), log: sim.logged() })
        }
    }
}

fn act(sim: &Arc<Simulation>, scene: Scene) -> Result<bool, String> {
    let key = scene.key;
    let count = if sim.config.storage == Storage::Memory { 1 } else { 2 };
    let nodes: Vec<_> = (0..count).map(|node| sim.start(node, 0)).collect();
    let other = nodes.last().unwrap_or(&nodes[0]);
    let run = || sim.world.run(|| sim.history.has_failed());
    if scene.is_stored {
        let node = other.clone();
        sim.world.spawn(other.owner(), async move { node.read(key).await });
        run()?;
        if key == PRICE {
            // It is served once more, and computed anew.
            sim.clock.advance(TTL);
        }
    }

    let has_ended = Arc::new(AtomicBool::new(false));
    let (node, ended) = (nodes[0].clone(), Arc::clone(&has_ended));
    sim.world.spawn(nodes[0].owner(), async move {
        ended.store(drop_after(scene.polls, Box::pin(call(&node, scene))).await, Ordering::SeqCst);
    });
    for node in [&nodes[0], &nodes[0], &nodes[0], other] {
        let (sim, reader) = (Arc::clone(sim), node.clone());
        sim.world.clone().spawn(node.owner(), async move {
            sim.world.hop().await;
            reader.read(key).await;
        });
    }
    let evictor = match scene.evictor {
        Evictor::Nobody => None,
        Evictor::Same => Some(&nodes[0]),
        Evictor::Other => Some(other),
    };
    if let Some(evictor) = evictor.cloned() {
        let sim = Arc::clone(sim);
        sim.world.clone().spawn(evictor.owner(), async move {
            sim.world.hop().await;
            evictor.evict(key).await;
            evictor.read(key).await;
        });
    }
    run()?;
    for node in &nodes {
        let reader = node.clone();
        sim.world.spawn(node.owner(), async move { reader.read(key).await });
    }
    run()?;
    for node in &nodes {
        let state = format!("{:?}", node.cache);
        if !state.contains("under_way: 0") {
            return Err(format!("a flight is left on node {}: {state}", node.node));
        }
    }
    Ok(has_ended.load(Ordering::SeqCst))
}

async fn call(node: &Process, scene: Scene) {
    let key = scene.key;
    let covers = match scene.call {
        Call::Read => return node.read(key).await,
        Call::Refresh => return node.refresh(key).await,
        Call::Set => return node.set(key).await,
        Call::LookAtSeveral => return node.look_at_several(key).await,
        Call::Evict => Covers::One(key),
        Call::EvictScope => Covers::Organization("acme"),
        Call::EvictTag => Covers::Tag(1),
        Call::EvictFunction if key == PRICE => Covers::Prices,
        Call::EvictFunction => Covers::Pages,
        Call::Clear => Covers::Everything,
    };
    node.evict_all_of(covers).await;
}

/// Polls a future so often, then drops it; whether it has ended before.
async fn drop_after(polls: usize, call: Pin<Box<impl Future<Output = ()>>>) -> bool {
    let (mut call, mut left) = (Some(call), polls);
    poll_fn(|context| {
        let Some(polled) = call.as_mut().filter(|_| left > 0) else {
            call = None;
            return Poll::Ready(false);
        };
        left -= 1;
        polled.as_mut().poll(context).map(|()| true)
    })
    .await
}
