//! What the arguments of the attribute say, in a form that a `static` can hold.

use std::time::Duration;

use crate::ttl::Ttl;

/// Whether an outcome that is not a plain value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// It is not.
    #[default]
    No,
    /// For as long as a value.
    Yes,
    /// For a time of its own.
    For(Duration),
}

/// Who waits while a value is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SingleFlight {
    /// Nobody: every caller computes.
    Off,
    /// Other callers of this process.
    #[default]
    Local,
    /// Those of other processes, too, where the backend has leases.
    Distributed,
}

/// The policy of one function.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    pub(crate) ttl: Option<Duration>,
    pub(crate) cache_none: Keep,
    pub(crate) cache_err: Keep,
    pub(crate) single_flight: SingleFlight,
    /// For how long past its expiry a value is served while it is computed anew.
    pub(crate) stale: Duration,
    /// For how long past its expiry a value is served where the body fails.
    pub(crate) stale_if_error: Duration,
    /// The beta of early refresh; 0: there is none.
    pub(crate) early: f64,
    /// By which part of it each lifetime may be shortened.
    pub(crate) jitter: f64,
    /// How long a caller waits.
    pub(crate) timeout: Option<Duration>,
    /// `scope = ambient`.
    pub(crate) ambient_scope: bool,
    /// `cache = …`: it has none from its surroundings.
    pub(crate) own_cache: bool,
}

impl Policy {
    pub(crate) const fn new() -> Self {
        Self {
            ttl: None,
            cache_none: Keep::No,
            cache_err: Keep::No,
            single_flight: SingleFlight::Local,
            stale: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            early: 0.0,
            jitter: 0.0,
            timeout: None,
            ambient_scope: false,
            own_cache: false,
        }
    }

    /// For how long past its expiry a value is kept.
    pub(crate) fn grace(&self) -> Duration {
        self.stale.max(self.stale_if_error)
    }

    /// Whether values are used past their expiry, or computed anew before it.
    pub(crate) fn ages(&self) -> bool {
        !self.grace().is_zero() || self.early > 0.0
    }

    /// For how long an outcome of this worth is kept, where a value is kept for `ttl`. `None`: not at all.
    pub(crate) fn keep(&self, worth: super::Worth, ttl: Ttl) -> Option<Ttl> {
        let keep = match worth {
            super::Worth::Value => Keep::Yes,
            super::Worth::Nothing => self.cache_none,
            super::Worth::Failure => self.cache_err,
        };
        match keep {
            Keep::No => None,
            Keep::Yes => Some(ttl),
            Keep::For(own) => Some(Ttl::For(own)),
        }
    }
}
