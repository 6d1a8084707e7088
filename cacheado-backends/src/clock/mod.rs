//! The clock that expiries are read from: the system's, or one that a test moves by hand.
//!
//! A reading is a number of nanoseconds since an origin of the clock's own. Readings of two processes
//! are never compared.

mod manual;
mod system;

use std::time::Duration;

pub use manual::{ManualClock, Subscriber};

/// The deadline of an entry that never expires.
pub const NEVER: u64 = u64::MAX;

/// A monotonic source of time, cheap to clone.
///
/// # Examples
///
/// With `cacheado` alone, it is `cacheado::backends::Clock`.
///
/// ```
/// use cacheado_backends::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let manual = ManualClock::new();
/// let clock = Clock::from(manual.clone());
/// let deadline = clock.deadline(Some(Duration::from_secs(5)));
/// assert!(!clock.expired(deadline));
/// manual.advance(Duration::from_secs(5));
/// assert!(clock.expired(deadline));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    Manual(ManualClock),
}

impl Clock {
    /// The system's monotonic clock. It does not count the time that a machine is suspended.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// Nanoseconds since the clock's origin, to the precision of the system.
    #[must_use]
    pub fn now(&self) -> u64 {
        match &self.0 {
            Source::System => system::precise(),
            Source::Manual(manual) => manual.now(),
        }
    }

    /// The same, for the begin of a life of this length; of a long one, it may be early by a tick of the system,
    /// which costs a tenth of a precise reading. What counts from it ends too soon rather than too late.
    #[must_use]
    pub fn begin_of(&self, ttl: Option<Duration>) -> u64 {
        match &self.0 {
            Source::System if ttl.is_none_or(|ttl| ttl >= Self::LONG) => system::coarse(),
            _ => self.now(),
        }
    }

    /// Of a life as long as this, a tick is no part to speak of: a thousandth at most.
    const LONG: Duration = Duration::from_secs(10);

    /// The reading at which something that lives for `ttl` from now has expired; [`NEVER`] without a
    /// `ttl`, and where the sum cannot be represented.
    #[must_use]
    pub fn deadline(&self, ttl: Option<Duration>) -> u64 {
        if ttl.is_none() { NEVER } else { self.deadline_from(self.now(), ttl) }
    }

    /// The same for what lives for `ttl` from an earlier reading on.
    #[must_use]
    pub fn deadline_from(&self, reading: u64, ttl: Option<Duration>) -> u64 {
        let ttl = ttl.and_then(|ttl| u64::try_from(ttl.as_nanos()).ok());
        ttl.map_or(NEVER, |ttl| reading.saturating_add(ttl))
    }

    /// Whether `deadline` has come.
    ///
    /// Far from the deadline this reads the kernel's coarse clock, which costs a tenth of a precise
    /// reading. The coarse clock lags behind by a tick; within 100 ms of the deadline, far
    /// more than it can lag, the precise one decides. So an expired entry is never taken for a live one.
    #[inline]
    #[must_use]
    pub fn expired(&self, deadline: u64) -> bool {
        if deadline == NEVER {
            return false;
        }
        match &self.0 {
            Source::System => system::expired(deadline),
            Source::Manual(manual) => manual.now() >= deadline,
        }
    }

    /// What is left until `deadline`; `None` if it never comes.
    #[must_use]
    pub fn remaining(&self, deadline: u64) -> Option<Duration> {
        (deadline != NEVER).then(|| Duration::from_nanos(deadline.saturating_sub(self.now())))
    }

    /// How long ago the clock showed `reading`.
    #[must_use]
    pub fn since(&self, reading: u64) -> Duration {
        Duration::from_nanos(self.now().saturating_sub(reading))
    }

    /// The manual clock behind this one, if it is one.
    #[must_use]
    pub fn as_manual(&self) -> Option<&ManualClock> {
        match &self.0 {
            Source::System => None,
            Source::Manual(manual) => Some(manual),
        }
    }
}

impl From<ManualClock> for Clock {
    fn from(manual: ManualClock) -> Self {
        Self(Source::Manual(manual))
    }
}
