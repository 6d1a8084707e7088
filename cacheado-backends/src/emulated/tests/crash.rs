//! A node dies between two steps, at each of them in turn.

use std::sync::Arc;
use std::time::Duration;

use super::{Emulated, Filled, Tier, WAYS, Way, World, at, at_once, block_on, new, unavailable};
use crate::memory::SharedMemory;
use crate::{Backend, BackendStats, Entry, Error, ErrorKind, Fault, Result};

/// Runs `check` with a fault at the first, the second, … operation, until the fault comes too late. `check`
/// says whether the work came to its end.
async fn sweep(mut check: impl AsyncFnMut(Fault) -> bool) {
    for fault in [Fault::fail(ErrorKind::Unavailable), Fault::lose(ErrorKind::Unavailable)] {
        let mut step = 0;
        while !check(fault.after(step)).await {
            step += 1;
            assert!(step < 50, "the work never ends");
        }
        assert!(step > 1, "nothing was swept");
    }
}

/// Afterwards everything works: a new value is stored, found in its group, and leaves nothing behind.
async fn works(world: &World) {
    world.b.store(&at(), "new").await;
    assert_eq!(world.read(&at()).await.as_deref(), Some("new"));
    assert_eq!(world.a.tier.evict_group(&at().groups[0], None).await.unwrap(), 1);
    assert_eq!(world.read(&at()).await, None);
    assert_eq!(world.entries("v:").await, [""; 0]);
}

#[test]
fn hazard_27_a_fill_that_stops_at_any_step_leaves_nothing_that_an_eviction_misses() {
    block_on(async {
        for way in WAYS {
            sweep(async |fault| {
                let world = World::new();
                let claim = world.a.begin(&at()).await;
                world.a.flaky.inject(fault);
                let filled = world.a.tier.fill(&at(), new("old"), &claim).await;
                world.a.flaky.heal();
                let before = world.read(&at()).await;
                assert!(before.is_none() || before.as_deref() == Some("old"));
                if let Way::Group | Way::Tag = way {
                    let group = &at().groups[usize::from(way == Way::Tag)];
                    let evicted = world.b.tier.evict_group(group, None).await.unwrap();
                    assert_eq!(evicted, u64::from(before.is_some()), "{way:?} misses what is read");
                }
                way.run(&world.b.tier, &at()).await.unwrap();
                assert_ne!(world.read(&at()).await.as_deref(), Some("old"), "{way:?}");
                works(&world).await;
                filled.is_ok()
            })
            .await;
        }
    });
}

#[test]
fn hazard_21_a_fill_that_an_eviction_has_overtaken_is_not_read_wherever_it_stops() {
    block_on(async {
        for way in WAYS {
            let world = World::new();
            let claim = world.a.begin(&at()).await;
            way.run(&world.b.tier, &at()).await.unwrap();
            let late = world.a.tier.fill(&at(), new("old"), &claim).await.unwrap();
            assert_eq!(late, Filled::Fenced, "{way:?}");
            let expected = (way == Way::Set).then_some("set");
            assert_eq!(world.read(&at()).await.as_deref(), expected, "a newer value is untouched");
        }
    });
}

#[test]
fn an_eviction_that_stops_at_any_step_can_be_repeated_and_then_holds() {
    block_on(async {
        for way in WAYS {
            sweep(async |fault| {
                let world = World::new();
                world.b.store(&at(), "old").await;
                let claim = world.b.begin(&at()).await;
                world.a.flaky.inject(fault);
                let first = way.run(&world.a.tier, &at()).await;
                world.a.flaky.heal();
                let is_done = first.is_ok();
                unavailable(first);
                if !is_done {
                    way.run(&world.b.tier, &at()).await.unwrap();
                }
                assert_ne!(world.read(&at()).await.as_deref(), Some("old"), "{way:?}");
                let late = world.b.tier.fill(&at(), new("old"), &claim).await.unwrap();
                assert_eq!(late, Filled::Fenced, "{way:?}");
                assert_ne!(world.read(&at()).await.as_deref(), Some("old"), "{way:?}");
                works(&world).await;
                is_done
            })
            .await;
        }
    });
}

#[test]
fn an_eviction_that_has_put_its_epoch_holds_even_if_it_never_ends() {
    block_on(async {
        for way in [Way::Key, Way::Group, Way::Tag] {
            sweep(async |fault| {
                let world = World::new();
                world.b.store(&at(), "old").await;
                let epochs = async || world.entries("k:").await.len() + world.entries("g:").await.len();
                let before = epochs().await;
                world.a.flaky.inject(fault);
                let result = way.run(&world.a.tier, &at()).await;
                world.a.flaky.heal();
                let has_put = epochs().await > before;
                assert_eq!(world.read(&at()).await.is_none(), has_put, "{way:?}");
                result.is_ok()
            })
            .await;
        }
    });
}

#[test]
fn a_lifetime_that_is_set_by_half_is_the_old_one_or_the_new() {
    const HOUR: Duration = Duration::from_secs(3600);
    block_on(async {
        // Values are stored for an hour.
        for (ttl, later) in [(24 * HOUR, 2 * HOUR), (HOUR / 60, HOUR / 2)] {
            sweep(async |fault| {
                let world = World::new();
                world.b.store(&at(), "value").await;
                world.a.flaky.inject(fault);
                let result: Result<bool> = world.a.tier.set_ttl(&at(), Some(ttl)).await;
                world.a.flaky.heal();
                world.clock.advance(later);
                let left = world.read(&at()).await;
                assert!(left.is_some() == (ttl > HOUR) || result.is_err());
                let group = &at().groups[0];
                let counted = world.b.tier.count(Some(group)).await.unwrap();
                assert_eq!(counted, u64::from(left.is_some()), "the index has left before its entry");
                assert_eq!(world.b.tier.evict_group(group, None).await.unwrap(), counted);
                result.is_ok()
            })
            .await;
        }
    });
}

#[test]
fn a_clear_that_stops_half_way_brings_nothing_back() {
    /// Removes the epochs of groups and keys first, and then breaks.
    struct Breaking(SharedMemory);

    impl Backend for Breaking {
        fn name(&self) -> &'static str {
            "breaking"
        }
        async fn get(&self, key: &str) -> Result<Option<Entry>> {
            Backend::get(&self.0, key).await
        }
        async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
            Backend::get_many(&self.0, keys).await
        }
        async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
            self.0.put(key, value, ttl).await
        }
        async fn remove(&self, key: &str) -> Result<bool> {
            self.0.remove(key).await
        }
        async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
            self.0.keys(prefix).await
        }
        async fn clear(&self) -> Result<u64> {
            for prefix in ["g:", "k:"] {
                for key in self.keys(prefix).await? {
                    self.remove(&key).await?;
                }
            }
            Err(Error::new(ErrorKind::Unavailable, "clear", "broken"))
        }
        async fn stats(&self) -> Result<BackendStats> {
            self.0.stats().await
        }
    }

    block_on(async {
        let world = World::new();
        let at = at();
        let claim = world.a.begin(&at).await;
        // Its last look at the epochs is over when the eviction comes.
        world.a.flaky.inject(Fault::hang().after(1));
        let mut fill = world.a.tier.fill(&at, new("old"), &claim);
        assert!(at_once(&mut fill).is_none());
        world.b.tier.evict(&at, None).await.unwrap();
        world.a.flaky.heal();
        assert_eq!(fill.await.unwrap(), Filled::Stored);
        assert_eq!(world.read(&at).await, None);

        let breaking = Emulated::new(Arc::new(Breaking(world.memory.clone())));
        breaking.clear(None).await.unwrap_err();
        assert_eq!(world.read(&at).await, None);
    });
}
