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
