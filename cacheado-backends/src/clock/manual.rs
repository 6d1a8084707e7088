//! A clock that a test moves by hand.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

/// What is told each time that the clock has moved.
pub trait Subscriber: Send + Sync {
    /// The clock has moved.
    fn moved(&self);
}

/// A clock that stands still until [`advance`](Self::advance) moves it. Clones share the time.
///
/// Moving it also runs what would otherwise happen by itself as time passes, such as the sweep of
/// expired entries, before `advance` returns: a test of an expiry needs no sleep. A `timeout`, and a limit on what a
/// server does, are real time, which this clock does not move.
///
/// # Examples
///
/// With `cacheado` alone, it is `cacheado::testing::ManualClock`.
///
/// ```
/// use cacheado_backends::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_millis(3));
/// assert_eq!(clock.now() - before, 3_000_000);
/// ```
#[derive(Clone, Default)]
pub struct ManualClock(Arc<Inner>);

#[derive(Default)]
struct Inner {
    nanos: AtomicU64,
    subscribers: Mutex<Vec<Weak<dyn Subscriber>>>,
}

impl ManualClock {
    /// A clock that reads zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nanoseconds since the clock was made.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.0.nanos.load(Ordering::SeqCst)
    }

    /// Moves the time forward, then tells the subscribers. Stops short of the end of time.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let step = |now: u64| Some(now.saturating_add(by).min(super::NEVER - 1));
        // The closure always returns `Some`, so the update cannot fail.
        let _ = self.0.nanos.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step);
        let live: Vec<_> = {
            let mut subscribers = self.0.subscribers.lock();
            subscribers.retain(|subscriber| subscriber.strong_count() > 0);
            subscribers.iter().filter_map(Weak::upgrade).collect()
        };
        for subscriber in live {
            subscriber.moved();
        }
    }

    /// Tells `subscriber` of every move, for as long as it lives.
    pub fn subscribe(&self, subscriber: Weak<dyn Subscriber>) {
        self.0.subscribers.lock().push(subscriber);
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("nanos", &self.now()).finish_non_exhaustive()
    }
}
