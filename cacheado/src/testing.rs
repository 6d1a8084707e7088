//! For tests of code that caches: a clock to move by hand, and a backend that fails on command.
//!
//! [`Cache::disabled`](crate::Cache::disabled) never stores, and
//! [`with_cache`](crate::with_cache) gives each test a cache of its own.
//!
//! ```
//! use cacheado::Cache;
//! use cacheado::testing::ManualClock;
//! use std::time::Duration;
//!
//! let clock = ManualClock::new();
//! let cache = Cache::builder().clock(clock.clone()).build()?;
//! cache.set("answer", &42, Duration::from_secs(60))?;
//! clock.advance(Duration::from_secs(59));
//! assert_eq!(cache.get::<i32>("answer")?, Some(42));
//! clock.advance(Duration::from_secs(1));
//! assert_eq!(cache.get::<i32>("answer")?, None);
//! # Ok::<(), cacheado::Error>(())
//! ```

pub use cacheado_backends::{Fault, FlakyBackend, ManualClock, Operation};

/// Seeds the chance that `jitter` and `early` take on this thread, so that a test of them gives the same again.
///
/// # Examples
///
/// ```
/// use cacheado::testing::{ManualClock, seed};
/// use cacheado::{Cache, cached, with_cache};
///
/// #[cached(ttl = 100, jitter = 0.1)]
/// fn answer() -> u8 {
///     42
/// }
///
/// let lifetime = || {
///     let cache = Cache::builder().clock(ManualClock::new()).build()?;
///     with_cache(&cache, || {
///         seed(7);
///         answer();
///         answer_entry().remaining()
///     })
/// };
/// assert_eq!(lifetime()?, lifetime()?);
/// # Ok::<(), cacheado::Error>(())
/// ```
pub fn seed(seed: u64) {
    crate::chance::seed(seed);
}
