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
}

impl Policy {
    pub(crate) const fn new() -> Self {
        Self { ttl: None, cache_none: Keep::No, cache_err: Keep::No, single_flight: SingleFlight::Local }
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
