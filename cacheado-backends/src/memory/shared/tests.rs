//! Tests of what the conformance suite cannot see: bounds, the books, and a bus that is cut.

use std::sync::Arc;
use std::time::Duration;

use super::SharedMemory;
use crate::contract::{Event, FILL_WINDOW, Filled, New, Place, Subscription, Tier};
use crate::{Backend, ErrorKind, ManualClock, Memory};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn place(key: &str) -> Place {
    Place { key: key.to_owned(), route: key.into(), groups: Arc::new([]) }
}

const NEW: New<'_> = New { value: b"new", ttl: None };

/// What a subscription has to tell at once.
fn told(subscription: &mut dyn Subscription) -> Vec<Event> {
    let mut events = Vec::new();
    let waker = std::task::Waker::noop();
    while let std::task::Poll::Ready(event) =
        subscription.next().as_mut().poll(&mut std::task::Context::from_waker(waker))
    {
        events.push(event);
    }
    events
}

#[test]
fn clones_of_a_memory_share_bytes_and_others_do_not() {
    block_on(async {
        let memory = Memory::builder().max_items(10).build();
        memory.clone().put("key", b"value", None).await.unwrap();
        assert!(Backend::get(&memory, "key").await.unwrap().is_some());
        assert!(Backend::get(&memory.shared(), "key").await.unwrap().is_some());
        assert!(Backend::get(&Memory::new(), "key").await.unwrap().is_none());
    });
}

#[test]
fn a_bound_counts_bytes_and_drives_out_what_was_not_used() {
    block_on(async {
        let bounded = Memory::builder().max_weight(300).build();
        let memory = SharedMemory::open(&bounded, ManualClock::new());
        for key in ["a", "b"] {
            memory.put(key, &[0; 99], None).await.unwrap();
        }
        assert!(Backend::get(&memory, "a").await.unwrap().is_some());
        memory.put("c", &[0; 149], None).await.unwrap();
        let mut keys = memory.keys("").await.unwrap();
        keys.sort();
        assert_eq!(keys, ["a", "c"], "`b` was used least recently");
        let too_large = memory.put("d", &[0; 300], None).await.unwrap_err();
        assert_eq!(too_large.kind(), ErrorKind::TooLarge);
    });
}

#[test]
fn a_claim_that_nobody_takes_up_is_forgotten() {
    block_on(async {
        let clock = ManualClock::new();
        let memory = SharedMemory::with_clock(clock.clone());
        let old = memory.begin(&place("old")).await.unwrap();
        clock.advance(Duration::from_secs(1));
        let young = memory.begin(&place("young")).await.unwrap();
        clock.advance(FILL_WINDOW.saturating_sub(Duration::from_secs(1)));
        assert_eq!(memory.fill(&place("old"), NEW, &old).await.unwrap(), Filled::Fenced);
        assert_eq!(memory.fill(&place("young"), NEW, &young).await.unwrap(), Filled::Stored);

        for _ in 0..100 {
            memory.begin(&place("crashed")).await.unwrap();
        }
        assert_eq!(memory.0.claims.len(), 100);
        clock.advance(FILL_WINDOW);
        memory.begin(&place("next")).await.unwrap();
        assert_eq!(memory.0.claims.len(), 1);
    });
}

#[test]
fn hazard_32_a_cut_bus_loses_notices_and_tells_of_the_gap() {
    block_on(async {
        let memory = SharedMemory::new();
        let mut subscription = Arc::new(memory.clone()).subscribe().unwrap();
        assert_eq!(told(&mut *subscription), [Event::Gap]);
        memory.evict(&place("a"), Some(b"a")).await.unwrap();
        assert_eq!(told(&mut *subscription), [Event::Notice(b"a".to_vec())]);

        memory.cut_bus();
        memory.evict(&place("b"), Some(b"b")).await.unwrap();
        let mut late = Arc::new(memory.clone()).subscribe().unwrap();
        assert_eq!((told(&mut *subscription), told(&mut *late)), (vec![], vec![]));
        memory.mend_bus();
        memory.evict(&place("c"), Some(b"c")).await.unwrap();
        let expected = vec![Event::Gap, Event::Notice(b"c".to_vec())];
        assert_eq!((told(&mut *subscription), told(&mut *late)), (expected.clone(), expected));
    });
}

#[test]
fn whoever_does_not_listen_is_told_of_a_gap() {
    block_on(async {
        let memory = SharedMemory::new();
        let mut subscription = Arc::new(memory.clone()).subscribe().unwrap();
        for _ in 0..10_002 {
            memory.evict(&place("a"), Some(b"a")).await.unwrap();
        }
        let events = told(&mut *subscription);
        assert_eq!(events[0], Event::Gap);
        assert!(events.len() < 10_000, "{} events waited", events.len());
    });
}
