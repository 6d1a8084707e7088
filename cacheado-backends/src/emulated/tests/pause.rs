//! A node is stopped between two steps, at each of them in turn, while another goes on, and then continues.

use std::time::{Duration, Instant};

use super::{Filled, Tier, WAYS, Way, World, at, at_once, block_on, new, place};
use crate::contract::FILL_WINDOW;
use crate::{Backend, ErrorKind, Fault, Operation};

/// Runs `check` with a stop before the first, the second, … operation of node `a`, until there is none left.
/// `check` says whether the work was stopped.
async fn sweep(mut check: impl AsyncFnMut(Fault) -> bool) {
    let mut step = 0;
    while check(Fault::hang().after(step)).await {
        step += 1;
        assert!(step < 50, "the work never ends");
    }
    assert!(step > 1, "nothing was swept");
}

/// The same for two nodes. `check` says which of the two pieces of work were stopped.
async fn sweep_both(mut check: impl AsyncFnMut(Fault, Fault) -> (bool, bool)) {
    sweep(async |first| {
        let mut is_stopped = false;
        sweep(async |second| {
            let stopped = check(first, second).await;
            is_stopped |= stopped.0;
            stopped.1
        })
        .await;
        is_stopped
    })
    .await;
}

/// Work that has come as far as it does at once.
enum Work<F: Future> {
    Done(Option<F::Output>),
    Stopped(F),
}

impl<F: Future + Unpin> Work<F> {
    fn start(mut future: F) -> Self {
        at_once(&mut future).map_or_else(|| Self::Stopped(future), |output| Self::Done(Some(output)))
    }

    fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped(_))
    }

    async fn end(&mut self) -> F::Output {
        match self {
            Self::Done(output) => output.take().expect("work ends once"),
            Self::Stopped(future) => future.await,
        }
    }
}

#[test]
fn hazard_21_an_eviction_wins_over_a_fill_that_is_stopped_at_any_step() {
    block_on(async {
        for way in WAYS {
            sweep(async |fault| {
                let world = World::new();
                let (at, claim) = (at(), world.a.begin(&at()).await);
                world.a.flaky.inject(fault);
                let mut fill = Work::start(world.a.tier.fill(&at, new("old"), &claim));
                let is_stopped = fill.is_stopped();
                way.run(&world.b.tier, &at).await.unwrap();
                world.a.flaky.heal();
                let filled = fill.end().await.unwrap();
                assert!(is_stopped || filled == Filled::Stored);
                assert_ne!(world.read(&at).await.as_deref(), Some("old"), "{way:?}");
                world.b.store(&at, "new").await;
                assert_eq!(world.read(&at).await.as_deref(), Some("new"));
                is_stopped
            })
            .await;
        }
    });
}

#[test]
fn hazard_28_the_index_misses_nothing_that_is_stored_while_an_eviction_is_stopped() {
    block_on(async {
        for way in WAYS {
            for by_set in [false, true] {
                sweep(async |fault| {
                    let world = World::new();
                    let at = at();
                    world.b.store(&at, "old").await;
                    world.a.flaky.inject(fault);
                    let mut eviction = Work::start(Box::pin(way.run(&world.a.tier, &at)));
                    let is_stopped = eviction.is_stopped();
                    if by_set {
                        world.b.tier.set(&at, new("new"), None).await.unwrap();
                    } else {
                        world.b.store(&at, "new").await;
                    }
                    world.a.flaky.heal();
                    eviction.end().await.unwrap();
                    let read = world.read(&at).await;
                    assert_ne!(read.as_deref(), Some("old"), "{way:?}");
                    let group = &at.groups[0];
                    assert_eq!(world.a.tier.count(Some(group)).await.unwrap(), u64::from(read.is_some()));
                    let evicted = world.b.tier.evict_group(group, None).await.unwrap();
                    assert_eq!(evicted, u64::from(read.is_some()), "{way:?}, by set: {by_set}");
                    is_stopped
                })
                .await;
            }
        }
    });
}

#[test]
fn of_two_sets_at_the_same_time_one_is_read() {
    block_on(async {
        for (second_first, was_there) in [(false, false), (false, true), (true, false), (true, true)] {
            sweep_both(async |first_stop, second_stop| {
                let world = World::new();
                let at = at();
                if was_there {
                    world.b.store(&at, "old").await;
                }
                world.a.flaky.inject(first_stop);
                world.b.flaky.inject(second_stop);
                let mut first = Work::start(world.a.tier.set(&at, new("first"), None));
                let mut second = Work::start(world.b.tier.set(&at, new("second"), None));
                let stopped = (first.is_stopped(), second.is_stopped());
                if second_first {
                    world.b.flaky.heal();
                    second.end().await.unwrap();
                }
                world.a.flaky.heal();
                first.end().await.unwrap();
                if !second_first {
                    world.b.flaky.heal();
                    second.end().await.unwrap();
                }
                let read = world.read(&at).await;
                assert!(matches!(read.as_deref(), Some("first" | "second")), "{read:?} is read");
                assert_eq!(world.b.tier.evict_group(&at.groups[1], None).await.unwrap(), 1);
                stopped
            })
            .await;
        }
    });
}

#[test]
fn two_evictions_of_a_group_count_no_member_twice() {
    block_on(async {
        sweep_both(async |first_stop, second_stop| {
            let world = World::new();
            for key in ["1", "2", "3"] {
                world.b.store(&place(key, &["group", key]), "value").await;
            }
            let group = super::group("group");
            world.a.flaky.inject(first_stop);
            world.b.flaky.inject(second_stop);
            let mut first = Work::start(world.a.tier.evict_group(&group, None));
            let mut second = Work::start(world.b.tier.evict_group(&group, None));
            let stopped = (first.is_stopped(), second.is_stopped());
            world.a.flaky.heal();
            let first = first.end().await;
            world.b.flaky.heal();
            let second = second.end().await;
            assert!(first.unwrap() + second.unwrap() <= 3);
            assert_eq!(world.entries("v:").await, [""; 0]);
            stopped
        })
        .await;
    });
}

#[test]
fn hazard_28_the_index_lists_a_value_whose_fill_is_stopped_while_an_eviction_is() {
    block_on(async {
        for way in WAYS {
            sweep_both(async |eviction_stop, fill_stop| {
                let world = World::new();
                let at = at();
                world.b.store(&at, "old").await;
                world.a.flaky.inject(eviction_stop);
                let mut eviction = Work::start(Box::pin(way.run(&world.a.tier, &at)));
                let claim = world.b.begin(&at).await;
                world.b.flaky.inject(fill_stop);
                let mut fill = Work::start(world.b.tier.fill(&at, new("new"), &claim));
                let stopped = (eviction.is_stopped(), fill.is_stopped());
                world.a.flaky.heal();
                eviction.end().await.unwrap();
                world.b.flaky.heal();
                fill.end().await.unwrap();
                let read = world.read(&at).await;
                assert_ne!(read.as_deref(), Some("old"), "{way:?}");
                let evicted = world.a.tier.evict_group(&at.groups[0], None).await.unwrap();
                assert_eq!(evicted, u64::from(read.is_some()), "{way:?}");
                stopped
            })
            .await;
        }
    });
}

#[test]
fn hazard_22_an_eviction_of_a_group_removes_nothing_that_was_computed_since() {
    block_on(async {
        let (world, at) = (World::new(), at());
        world.b.store(&at, "old").await;
        world.a.flaky.inject(Fault::hang().on(Operation::Keys));
        let mut eviction = Work::start(world.a.tier.evict_group(&at.groups[0], None));
        world.b.store(&at, "new").await;
        world.a.flaky.heal();
        eviction.end().await.unwrap();
        assert_eq!(world.read(&at).await.as_deref(), Some("new"));
    });
}

#[test]
fn a_fill_that_comes_too_late_or_after_a_loss_of_all_data_is_refused() {
    block_on(async {
        let world = World::new();
        let mut claim = world.a.begin(&at()).await;
        claim.taken = Instant::now().checked_sub(FILL_WINDOW).unwrap();
        assert_eq!(world.a.tier.fill(&at(), new("old"), &claim).await.unwrap(), Filled::Fenced);

        let claim = world.a.begin(&at()).await;
        Backend::clear(&world.memory).await.unwrap();
        assert_eq!(world.a.tier.fill(&at(), new("old"), &claim).await.unwrap(), Filled::Fenced);
        world.b.begin(&at()).await;
        assert_eq!(world.a.tier.fill(&at(), new("old"), &claim).await.unwrap(), Filled::Fenced);
    });
}

#[test]
fn hazard_26_a_backend_that_never_answers_is_given_up_on() {
    block_on(async {
        let world = World::new();
        let limit = Duration::from_millis(20);
        let tier = super::Emulated::new(std::sync::Arc::new(world.a.flaky.clone())).with_timeout(limit);
        world.a.flaky.inject(Fault::hang());
        for way in WAYS {
            let error = way.run(&tier, &at()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{way:?}");
        }
        assert_eq!(tier.get(&at(), super::Wanted::Value).await.unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(world.a.flaky.hanging(), 0, "what is given up on is dropped");
        assert!(!matches!(Way::Key.run(&world.b.tier, &at()).await, Err(error) if error.kind().is_outage()));
    });
}
