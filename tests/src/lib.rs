//! What the tests share: scenarios of fences and leases, a simulation of several nodes, caches with a clock to
//! move by hand, seeded randomness, patient backends, and ways to wait without sleeping.

pub mod fencing;
pub mod gate;
pub mod leases;
#[cfg(feature = "servers")]
pub mod patient;
pub mod random;
pub mod sim;
pub mod stage;
pub mod tenancy;
pub mod wait;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cacheado::Cache;
use cacheado::testing::ManualClock;

/// `cacheado` under another path, for `crate = …`.
pub mod facade {
    pub use cacheado as memo;
}

/// What a mutex holds, also where a failed assertion has poisoned it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A cache in memory whose time stands still, and its clock.
pub fn clocked() -> (Cache, ManualClock) {
    let clock = ManualClock::new();
    let cache = Cache::builder().clock(clock.clone()).build().expect("nothing is wrong with it");
    (cache, clock)
}

/// How often a body has run.
#[derive(Debug, Default)]
pub struct Counter(AtomicUsize);

impl Counter {
    /// A counter at zero.
    pub const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Counts one more, and says how many there were before.
    pub fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    /// How many there have been.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Back to zero; how many there have been.
    pub fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }

    /// Counts one less.
    pub fn leave(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    /// Raises it to `at_least`.
    pub fn raise(&self, at_least: usize) {
        self.0.fetch_max(at_least, Ordering::SeqCst);
    }
}
