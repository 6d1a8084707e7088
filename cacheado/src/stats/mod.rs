//! What a cache has counted.

mod tally;

use std::fmt;
use std::ops::{AddAssign, Sub};

use serde::Serialize;

pub(crate) use tally::{Tally, count};

/// What a cache, or one of its functions or scope levels, has counted since it was made or last cleared.
///
/// Every lookup is a hit or a miss: `hits + misses` is the number of lookups.
///
/// # Examples
///
/// ```
/// use cacheado::{Cache, Ttl};
///
/// let cache = Cache::new();
/// cache.get::<u8>("answer")?;
/// cache.set("answer", &42_u8, Ttl::Never)?;
/// cache.get::<u8>("answer")?;
/// let stats = cache.stats();
/// assert_eq!((stats.hits, stats.misses, stats.total_keys), (1, 1, 1));
/// assert_eq!(stats.hit_rate(), 0.5);
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Lookups that were served from the cache.
    pub hits: u64,
    /// Lookups that were not.
    pub misses: u64,
    /// Entries that left because a caller, a rule or a bound drove them out.
    pub evictions: u64,
    /// Entries that left because their time was over.
    pub expirations: u64,
    /// Values that a rule or a bound kept from being stored.
    pub rejections: u64,
    /// Lookups that were served with a value past its time, within the bounds that the function sets. Also counted
    /// in `hits`, except when the body ran first and failed (then a miss).
    pub stale_hits: u64,
    /// Bodies that failed (with an `Err`, a panic, or by taking too long) where an older value was at hand.
    pub refresh_failures: u64,
    /// Calls that went past the cache: a scope value was missing, or the caller asked for it. A
    /// [disabled](crate::Cache::disabled) cache counts nothing.
    pub bypassed: u64,
    /// Operations of a backend that failed.
    pub backend_errors: u64,
    /// Misses that were served with the result of a computation that was already under way.
    pub coalesced: u64,
    /// Rules that panicked.
    pub rule_panics: u64,
    /// Entries that are there now.
    pub total_keys: u64,
    /// `"in_memory"`, or the [`Backend::name`](crate::backends::Backend::name) of the backend, such as `"redis"`.
    pub storage_type: &'static str,
}

impl Stats {
    /// The share of lookups that were hits, from 0 to 1; 0 where there was none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
    pub fn hit_rate(&self) -> f64 {
        match self.hits + self.misses {
            0 => 0.0,
            lookups => self.hits as f64 / lookups as f64,
        }
    }
}

impl AddAssign<&Self> for Stats {
    fn add_assign(&mut self, other: &Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.evictions += other.evictions;
        self.expirations += other.expirations;
        self.rejections += other.rejections;
        self.stale_hits += other.stale_hits;
        self.refresh_failures += other.refresh_failures;
        self.bypassed += other.bypassed;
        self.backend_errors += other.backend_errors;
        self.coalesced += other.coalesced;
        self.rule_panics += other.rule_panics;
        self.total_keys += other.total_keys;
        if self.storage_type.is_empty() {
            self.storage_type = other.storage_type;
        }
    }
}

impl Sub<&Self> for Stats {
    type Output = Self;

    fn sub(self, base: &Self) -> Self {
        Self {
            hits: self.hits.saturating_sub(base.hits),
            misses: self.misses.saturating_sub(base.misses),
            evictions: self.evictions.saturating_sub(base.evictions),
            expirations: self.expirations.saturating_sub(base.expirations),
            rejections: self.rejections.saturating_sub(base.rejections),
            stale_hits: self.stale_hits.saturating_sub(base.stale_hits),
            refresh_failures: self.refresh_failures.saturating_sub(base.refresh_failures),
            bypassed: self.bypassed.saturating_sub(base.bypassed),
            backend_errors: self.backend_errors.saturating_sub(base.backend_errors),
            coalesced: self.coalesced.saturating_sub(base.coalesced),
            rule_panics: self.rule_panics.saturating_sub(base.rule_panics),
            total_keys: self.total_keys,
            storage_type: self.storage_type,
        }
    }
}

impl fmt::Display for Stats {
    /// One line: `12 hits, 3 misses (80.0 %), 15 keys in_memory, 2 evictions`; what is zero is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.hit_rate() * 100.0;
        write!(f, "{} hits, {} misses ({rate:.1} %), {} keys", self.hits, self.misses, self.total_keys)?;
        if !self.storage_type.is_empty() {
            write!(f, " {}", self.storage_type)?;
        }
        let rest = [
            (self.evictions, "evictions"),
            (self.expirations, "expirations"),
            (self.rejections, "rejections"),
            (self.stale_hits, "stale hits"),
            (self.refresh_failures, "failed refreshes"),
            (self.bypassed, "bypassed"),
            (self.backend_errors, "backend errors"),
            (self.coalesced, "coalesced"),
            (self.rule_panics, "rule panics"),
        ];
        rest.iter()
            .filter(|(count, _)| *count > 0)
            .try_for_each(|(count, what)| write!(f, ", {count} {what}"))
    }
}
