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
            tracing::warn!(%error, "no sweeper thread: expired entries leave only as others are stored");
        }
        Self { signal }
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
