//! The thread that removes expired entries without waiting for an operation that meets them.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::Store;

/// A thread of one store. It sleeps until the next entry expires, holds the store only while it sweeps,
/// and ends when the store is dropped.
pub(super) struct Sweeper {
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    woken: bool,
    closed: bool,
}

impl Sweeper {
    /// Expiries that lie closer together than this are swept at once.
    const BATCH: Duration = Duration::from_millis(20);

    pub(super) fn new(store: Weak<Store>) -> Self {
        let signal = Arc::new(Signal::default());
        let shared = Arc::clone(&signal);
        let spawned =
            thread::Builder::new().name("cacheado-sweeper".into()).spawn(move || run(&store, &shared));
        if let Err(error) = spawned {
            tracing::warn!(
                target: "cacheado",
                %error,
                "no sweeper thread: expired entries leave only as others are stored"
            );
        }
        Self { signal }
    }

    /// One that sweeps nothing, to see whether it is woken.
    #[cfg(test)]
    pub(super) fn without_thread() -> Self {
        Self { signal: Arc::default() }
    }

    /// Whether it has been woken since this was last asked.
    #[cfg(test)]
    pub(super) fn was_woken(&self) -> bool {
        std::mem::take(&mut self.signal.state.lock().woken)
    }

    /// The next expiry has changed.
    pub(super) fn wake(&self) {
        self.signal.state.lock().woken = true;
        self.signal.changed.notify_one();
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.signal.state.lock().closed = true;
        self.signal.changed.notify_one();
    }
}

fn run(store: &Weak<Store>, signal: &Signal) {
    loop {
        let wait = {
            let Some(store) = store.upgrade() else { return };
            store.sweep(usize::MAX);
            store.next_expiry().map(|at| Duration::from_nanos(at.saturating_sub(store.clock().now())))
        };
        let mut state = signal.state.lock();
        if !state.woken && !state.closed {
            match wait {
                Some(wait) => drop(signal.changed.wait_for(&mut state, wait.max(Sweeper::BATCH))),
                None => signal.changed.wait(&mut state),
            }
        }
        if state.closed {
            return;
        }
        state.woken = false;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Fixture;
    use super::super::{Limits, Memory};
    use super::*;
    use crate::ManualClock;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_entry_that_has_come_to_live_longer_wakes_it_as_its_record_is_put_back() {
        let clock = ManualClock::new();
        let fixture = Fixture::new(&Memory::new(), Limits::default(), clock.clone());
        fixture.fill(1, Some(SECOND), &[]);
        assert!(fixture.set_deadline(1, Some(4 * SECOND)));
        let sweeper = fixture.store.watch_sweeper();
        fixture.fill(2, None, &[]);
        assert!(!sweeper.was_woken(), "nothing that it waits for has changed");
        clock.advance(SECOND);
        fixture.fill(2, None, &[]);
        assert_eq!(fixture.store.next_expiry(), Some(fixture.store.clock().deadline(Some(3 * SECOND))));
        assert!(sweeper.was_woken());
    }

    #[test]
    fn a_victim_that_stays_wakes_it_as_its_record_is_put_back() {
        let limits = Limits { lru: Some(2), ..Limits::default() };
        let fixture = Fixture::new(&Memory::new(), limits, ManualClock::new());
        fixture.fill(1, Some(SECOND), &[]);
        fixture.fill(2, None, &[]);
        assert_eq!(fixture.get(1), Some(1));
        let sweeper = fixture.store.watch_sweeper();
        fixture.fill(3, None, &[]);
        assert_eq!((fixture.get(1), fixture.get(2), fixture.get(3)), (Some(1), None, Some(3)));
        assert!(sweeper.was_woken());
    }
}
