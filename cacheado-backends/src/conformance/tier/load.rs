//! Everything at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::fences::{WAYS, at, groups};
use crate::conformance::Subject;
use crate::conformance::tools::{Must, check, eventually, join, new, ok, place};
use crate::contract::Tier;

/// What a function would compute, and what of it has been evicted.
#[derive(Default)]
struct World {
    /// What is true by now: a number that grows.
    now: AtomicU64,
    /// Evictions have returned that began when this was true.
    evicted: AtomicU64,
    /// How many values were loaded.
    loads: AtomicU64,
    is_over: AtomicBool,
}

impl World {
    /// Waits a moment for an eviction that a value of this state has not seen.
    async fn wait_for_an_eviction(&self, value: u64) {
        for _ in 0..30 {
            if self.evicted.load(Ordering::SeqCst) > value {
                return;
            }
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
    }

    /// Reads the entry, and holds it against the evictions that had returned when the read began.
    async fn read(&self, tier: &dyn Tier) {
        let evicted = self.evicted.load(Ordering::SeqCst);
        let Some(value) = tier.read(&at()).await else { return };
        let value: u64 = value.parse().unwrap_or_else(|_| panic!("{value:?} was never stored"));
        assert!(
            value >= evicted,
            "a value of state {value} is read after an eviction returned that began in state {evicted}: no value \
             is read whose claim was taken before the eviction began"
        );
    }
}

/// While nodes load, read and evict in every way, nothing is read that was announced before an eviction that
/// has returned.
pub fn hazard_21_nothing_old_is_read_under_load(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let (nodes, world) = (subject.nodes(), Arc::new(World::default()));
        let load = |number: usize| {
            let (node, world) = (nodes[number % nodes.len()].clone(), Arc::clone(&world));
            tokio::spawn(async move {
                while !world.is_over.load(Ordering::SeqCst) {
                    let claim = node.tier.claim(&at()).await;
                    let value = world.now.load(Ordering::SeqCst);
                    if number == 0 {
                        world.wait_for_an_eviction(value).await;
                    }
                    node.tier.fill_in(&at(), &value.to_string(), &claim).await;
                    world.read(&*node.tier).await;
                    world.loads.fetch_add(1, Ordering::SeqCst);
                    // Memory never waits, and a task that does not cannot be ended.
                    tokio::task::yield_now().await;
                }
            })
        };
        let loaders: Vec<_> = (0..3).map(load).collect();
        for round in 0..60 {
            let (node, way) = (&nodes[round % nodes.len()], WAYS[round % WAYS.len()]);
            let now = world.now.fetch_add(1, Ordering::SeqCst) + 1;
            ok("evict", way.run(&*node.tier, &now.to_string(), None).await);
            world.evicted.fetch_max(now, Ordering::SeqCst);
            for node in &nodes {
                world.read(&*node.tier).await;
            }
            let loads = world.loads.load(Ordering::SeqCst) + 1;
            let has_failed = || loaders.iter().any(JoinHandle::is_finished);
            eventually("values are loaded", async || {
                world.loads.load(Ordering::SeqCst) > loads || has_failed()
            })
            .await;
            if has_failed() {
                break;
            }
        }
        world.is_over.store(true, Ordering::SeqCst);
        for loader in loaders {
            join(loader).await;
        }
        for node in &nodes {
            world.read(&*node.tier).await;
        }
    });
}

/// Of values that are set at the same time one is read afterwards, by every node, and found by its groups.
pub fn of_parallel_sets_one_is_read(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let nodes = subject.nodes();
        for round in 0..10 {
            let set = |number: usize| {
                let node = nodes[number % nodes.len()].clone();
                let value = number.to_string();
                tokio::spawn(
                    async move { ok("set", node.tier.set(&at(), new(value.as_bytes()), None).await) },
                )
            };
            for task in (0..4).map(set).collect::<Vec<_>>() {
                join(task).await;
            }
            let read = subject.tier().read(&at()).await;
            assert!(read.is_some(), "round {round}: of several values that were set none is there");
            for node in &nodes {
                assert_eq!(node.tier.read(&at()).await, read, "round {round}: nodes read different values");
            }
            let evicted = ok("evict_group", subject.tier().evict_group(&groups()[2], None).await);
            assert_eq!(evicted, 1, "round {round}: the value lies in its groups");
        }
    });
}

/// Entries that are evicted by several at the same time are counted once, and are all gone.
pub fn parallel_evictions_count_nothing_twice(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let nodes = subject.nodes();
        let [function, org, user, _] = groups();
        for round in 0..5 {
            for number in 0..30 {
                let at = place(&format!("key-{number}"), &groups().each_ref());
                ok("set", subject.tier().set(&at, new(b"value"), None).await);
            }
            let evict = |number: usize| {
                let node = nodes[number % nodes.len()].clone();
                let group = [&function, &org, &user, &function][number].clone();
                tokio::spawn(async move { ok("evict_group", node.tier.evict_group(&group, None).await) })
            };
            let mut evicted = 0;
            for task in (0..4).map(evict).collect::<Vec<_>>() {
                evicted += join(task).await;
            }
            assert!(evicted <= 30, "round {round}: {evicted} of 30 entries were evicted");
            assert_eq!(ok("count", subject.tier().count(Some(&function)).await), 0);
            assert_eq!(subject.tier().read(&at()).await, None);
        }
    });
}
