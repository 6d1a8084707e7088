//! The task that listens to other nodes' evictions, on an executor that does not keep it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cacheado::backends::{Memory, SharedMemory};
use cacheado::prelude::*;
use cacheado::testing::ManualClock;
use cacheado::{Cache, CacheBuilder, Tier, Ttl, observe, with_cache_async};
use cacheado_tests::Counter;
use cacheado_tests::gate::{Gated, Point};
use cacheado_tests::wait::{in_time, on_one_thread, others_wait, until};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

const SECOND: Duration = Duration::from_secs(1);

/// A node whose copies would last for an hour.
fn near(server: &SharedMemory, clock: &ManualClock) -> CacheBuilder {
    Cache::builder().backend(server.clone()).clock(clock.clone()).near(Memory::new()).near_ttl(3_600 * SECOND)
}

/// A runtime with a thread of its own.
fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).build().unwrap()
}

/// Whether a node hears of what another sets.
fn until_it_hears(what: &str, near: &Cache, other: &Cache) {
    let mut number = 0_u32;
    until(what, || {
        number += 1;
        other.set("key", &number, Ttl::Never).unwrap();
        let before = near.get::<u32>("key").unwrap();
        other.set("key", &0_u32, Ttl::Never).unwrap();
        before == Some(number) && near.get::<u32>("key").unwrap() == Some(0)
    });
}

#[test]
fn hazard_32_a_node_listens_again_when_the_runtime_has_ended_that_did() {
    in_time(|| {
        let (server, clock) = (SharedMemory::with_clock(ManualClock::new()), ManualClock::new());
        let current = Arc::new(Mutex::new(runtime()));
        let executor = Arc::clone(&current);
        let near = near(&server, &clock).background(move |task| {
            drop(executor.lock().unwrap_or_else(PoisonError::into_inner).spawn(task));
        });
        let (near, other) =
            (near.build().unwrap(), Cache::builder().backend(server.clone()).build().unwrap());
        until_it_hears("it listens", &near, &other);

        let ended = std::mem::replace(&mut *current.lock().unwrap(), runtime());
        drop(ended);
        // Until then a notice may have been on its way, which would have taken the copy away.
        assert_eq!(near.get::<u32>("key").unwrap(), Some(0));
        other.set("key", &7_u32, Ttl::Never).unwrap();
        assert_eq!(near.get::<u32>("key").unwrap(), Some(0), "nobody has heard of it");
        clock.advance(SECOND);
        assert_eq!(near.get::<u32>("none").unwrap(), None);
        until("what was missed is made good", || near.get::<u32>("key").unwrap() == Some(7));
        until_it_hears("it listens again", &near, &other);
    });
}

/// Notices are short, whatever has been evicted: others go with it.
#[test]
fn hazard_32_copies_of_what_has_a_long_name_are_dropped() {
    #[cached(cache = cache, skip(cache), ttl = 60, tags("{text}"))]
    fn length(cache: &Cache, text: &str) -> usize {
        text.len()
    }
    #[cached(cache = cache, skip(cache), ttl = 60, name = "listening<named>")]
    fn named(cache: &Cache, text: &str) -> usize {
        text.len()
    }
    in_time(|| {
        let server = SharedMemory::new();
        let (near, other) =
            (near(&server, &ManualClock::new()).build().unwrap(), Cache::builder().backend(server).build());
        let (other, long) = (other.unwrap(), "x".repeat(200_000));
        for way in 0..5 {
            until_it_hears("it listens", &near, &other);
            length(&near, &long);
            named(&near, &long);
            near.set(&long, &1_u8, Ttl::Never).unwrap();
            until("there are copies", || {
                let tiers = [observe(|| length(&near, &long)).1.tier, observe(|| named(&near, &long)).1.tier];
                near.get::<u8>(&long).unwrap() == Some(1) && tiers == [Tier::Near; 2]
            });
            match way {
                0 => drop(other.evict(&long).unwrap()),
                1 => drop(length_entry(&other, &long).evict().unwrap()),
                2 => drop(other.evict_by_tag(&long).unwrap()),
                3 => drop(named_entry(&other, &long).evict().unwrap()),
                _ => other.set(&long, &2_u8, Ttl::Never).unwrap(),
            }
            until("they are dropped", || match way {
                0 => near.get::<u8>(&long).unwrap().is_none(),
                1 | 2 => length_entry(&near, &long).peek().unwrap().is_none(),
                3 => named_entry(&near, &long).peek().unwrap().is_none(),
                _ => near.get::<u8>(&long).unwrap() == Some(2),
            });
        }
    });
}

#[test]
fn hazard_16_an_executor_that_panics_once_does_so_once() {
    in_time(|| {
        let (server, clock) = (SharedMemory::with_clock(ManualClock::new()), ManualClock::new());
        let (mut has_panicked, runtime) = (false, runtime());
        let handle = runtime.handle().clone();
        let executor = Mutex::new(move |task| {
            assert!(std::mem::replace(&mut has_panicked, true), "it panics, as the test wants it");
            drop(handle.spawn(task));
        });
        let near = near(&server, &clock).background(move |task| {
            let mut spawn = executor.lock().unwrap_or_else(PoisonError::into_inner);
            spawn(task);
        });
        let (near, other) =
            (near.build().unwrap(), Cache::builder().backend(server.clone()).build().unwrap());
        assert!(catch_unwind(AssertUnwindSafe(|| near.get::<u32>("key"))).is_err());
        assert_eq!(near.get::<u32>("key").unwrap(), None);
        clock.advance(SECOND);
        assert_eq!(near.get::<u32>("key").unwrap(), None);
        until_it_hears("it listens", &near, &other);
    });
}

#[test]
fn hazard_20_a_computation_is_joined_though_listening_has_begun_meanwhile() {
    #[cached(remote, ttl = 60, skip(bodies, gate))]
    async fn slow(bodies: &Counter, gate: &Semaphore) -> usize {
        let number = bodies.next();
        gate.acquire().await.unwrap().forget();
        number
    }
    on_one_thread(|| async {
        let (server, clock) = (SharedMemory::with_clock(ManualClock::new()), ManualClock::new());
        let near = near(&server, &clock).background(|task| drop(tokio::spawn(task))).build().unwrap();
        let (bodies, gate) = (Arc::new(Counter::new()), Arc::new(Semaphore::new(0)));
        let call = || {
            let (near, bodies, gate) = (near.clone(), Arc::clone(&bodies), Arc::clone(&gate));
            tokio::spawn(async move { with_cache_async(&near, slow(&bodies, &gate)).await })
        };
        let first = call();
        // The body runs, and the first thing that is heard is that notices may have been missed.
        others_wait().await;
        let second = call();
        others_wait().await;
        assert_eq!(bodies.get(), 1);
        server.cut_bus();
        server.mend_bus();
        others_wait().await;
        let third = call();
        others_wait().await;
        gate.add_permits(3);
        for call in [first, second, third] {
            assert_eq!(call.await.unwrap(), 0);
        }
        assert_eq!(bodies.get(), 1);
    });
}

#[test]
fn hazard_32_what_was_asked_for_before_a_gap_is_not_kept() {
    on_one_thread(|| async {
        let (server, clock) = (SharedMemory::with_clock(ManualClock::new()), ManualClock::new());
        let gated = Gated::new(server.clone());
        let near = Cache::builder().backend(gated.clone()).clock(clock.clone());
        let near = near.near(Memory::new()).near_ttl(3_600 * SECOND);
        let near = near.background(|task| drop(tokio::spawn(task))).build().unwrap();
        let other = Cache::builder().backend(server.clone()).build().unwrap();
        assert_eq!(near.get_async::<u32>("none").await.unwrap(), None);
        others_wait().await;
        other.set_async("key", &1_u32, Ttl::Never).await.unwrap();
        others_wait().await;

        let mut read = gated.hold(Point::Get);
        let reader = near.clone();
        let reading = tokio::spawn(async move { reader.get_async::<u32>("key").await.unwrap() });
        read.is_reached().await;
        server.cut_bus();
        other.set_async("key", &2_u32, Ttl::Never).await.unwrap();
        server.mend_bus();
        others_wait().await;
        read.release();
        assert_eq!(reading.await.unwrap(), Some(1));
        assert_eq!(near.get_async::<u32>("key").await.unwrap(), Some(2));
    });
}
