//! Notices, where there is a bus.

use std::sync::Arc;

use super::fences::{WAYS, Way, at};
use crate::conformance::Subject;
use crate::conformance::subject::Node;
use crate::conformance::tools::{Must, SOON, check, check_two, drop_after, ok};
use crate::contract::{Event, Subscription};

fn listen(node: &Node) -> Box<dyn Subscription> {
    let subscription = Arc::clone(&node.tier).subscribe();
    subscription.unwrap_or_else(|| {
        panic!("this check needs a bus: `subscribe` returned none; say `without(bus)` if there is none")
    })
}

async fn next(subscription: &mut dyn Subscription) -> Event {
    let event = tokio::time::timeout(SOON, subscription.next()).await;
    event.unwrap_or_else(|_| panic!("the subscription told nothing within {SOON:?}"))
}

/// Skips gaps, which may come at any time.
async fn notice(subscription: &mut dyn Subscription) -> Vec<u8> {
    loop {
        if let Event::Notice(notice) = next(subscription).await {
            return notice;
        }
    }
}

/// The first thing that a subscription tells is a gap: what came before it is unknown.
pub fn a_subscription_begins_with_a_gap(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        for node in subject.nodes() {
            ok("evict", node.tier.evict(&at(), Some(b"before")).await);
            assert_eq!(
                next(&mut *listen(&node)).await,
                Event::Gap,
                "whoever begins to listen has missed something"
            );
        }
    });
}

/// Every way to evict tells its notice, as it is, to the node that evicts.
pub fn every_eviction_tells_its_notice(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| tell_all(subject.node(), subject.node()).await);
}

/// Every way to evict tells its notice, as it is, to every other node.
pub fn another_node_is_told(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        tell_all(subject.node(), subject.peer()).await;
        tell_all(subject.peer(), subject.node()).await;
    });
}

async fn tell_all(evictor: &Node, listener: &Node) {
    let mut subscription = listen(listener);
    assert_eq!(next(&mut *subscription).await, Event::Gap);
    for way in WAYS {
        for was_there in [false, true] {
            if was_there {
                evictor.tier.load(&at(), "value").await;
            }
            // Bytes of all kinds, and the same notice more than once.
            let said = format!("{way:?}\0\r\n \u{202e}*").into_bytes();
            ok("evict", way.run(&*evictor.tier, "set", Some(&said)).await);
            let told = notice(&mut *subscription).await;
            assert_eq!(
                told, said,
                "{way:?} with a value there before ({was_there}): the notice that was given"
            );
            let read = listener.tier.read(&at()).await;
            let expected = (way == Way::Set).then_some("set");
            assert_eq!(
                read.as_deref(),
                expected,
                "{way:?}: a notice comes once the eviction has taken effect"
            );
        }
    }
}

/// What is given no notice tells nothing: fills, reads, and evictions without one.
pub fn without_a_notice_nothing_is_told(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let mut subscription = listen(subject.node());
        assert_eq!(next(&mut *subscription).await, Event::Gap);
        for way in WAYS {
            tier.load(&at(), "value").await;
            tier.read(&at()).await;
            ok("evict", way.run(tier, "set", None).await);
        }
        let claim = tier.claim(&at()).await;
        ok("evict", tier.evict(&at(), None).await);
        assert!(!ok("retract", tier.retract(&at(), &claim, Some(b"of what was not done")).await));
        let claim = tier.claim(&at()).await;
        assert!(ok("retract", tier.retract(&at(), &claim, Some(b"the first")).await));
        assert_eq!(notice(&mut *subscription).await, b"the first");
        ok("evict", tier.evict(&at(), Some(b"the only one")).await);
        assert_eq!(notice(&mut *subscription).await, b"the only one");
    });
}

/// A future of `next` that is dropped loses no event, and each notice comes once.
pub fn a_dropped_next_loses_no_event(fresh: impl AsyncFn() -> Subject) {
    check(fresh, async |subject| {
        let tier = subject.tier();
        let mut subscription = listen(subject.node());
        assert_eq!(next(&mut *subscription).await, Event::Gap);
        for number in 0..30_u8 {
            let mut told = drop_after(usize::from(number % 3), subscription.next()).await;
            assert_eq!(told, None, "nothing was evicted since the last notice");
            ok("evict", tier.evict(&at(), Some(&[number])).await);
            for polls in 0..3 {
                if told.is_none() {
                    told = drop_after(polls, subscription.next()).await;
                }
            }
            let told = match told {
                Some(event) => event,
                None => next(&mut *subscription).await,
            };
            assert_eq!(told, Event::Notice(vec![number]), "each notice comes, and comes once");
        }
    });
}

/// What is told in one namespace is not told in another.
pub fn a_notice_stays_in_its_namespace(fresh: impl AsyncFn() -> Subject) {
    check_two(fresh, async |one, other| {
        let mut subscription = listen(other.node());
        assert_eq!(next(&mut *subscription).await, Event::Gap);
        for way in WAYS {
            ok("evict", way.run(one.tier(), "set", Some(b"of a neighbour")).await);
        }
        ok("evict", other.tier().evict(&at(), Some(b"its own")).await);
        assert_eq!(notice(&mut *subscription).await, b"its own", "a notice of another namespace");
    });
}
