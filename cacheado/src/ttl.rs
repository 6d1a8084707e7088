//! How long an entry lives.

use std::time::Duration;

/// How long an entry lives, counted from when its value was there.
///
/// A `Duration` converts into it, and so does an `Option` of one, where `None` never expires. A bare number does not, as
/// nobody sees its unit: write `Duration::from_secs(60)`. A duration of zero stores nothing.
///
/// # Examples
///
/// ```
/// use cacheado::{Cache, Ttl};
/// use std::time::Duration;
///
/// let cache = Cache::new();
/// cache.set("greeting", &"hello".to_string(), Duration::from_secs(60))?;
/// cache.set("answer", &42_u8, Ttl::Never)?;
/// assert_eq!(cache.get::<u8>("answer")?, Some(42));
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Ttl {
    /// The cache's `default_ttl`; without one, it never expires.
    #[default]
    Default,
    /// It never expires.
    Never,
    /// It lives for this long. Zero: it is not stored.
    For(Duration),
}

impl Ttl {
    /// The duration, where `Default` stands for `default`; `None`: never expires.
    pub(crate) fn or(self, default: Option<Duration>) -> Option<Duration> {
        match self {
            Self::Default => default,
            Self::Never => None,
            Self::For(duration) => Some(duration),
        }
    }
}

impl From<Duration> for Ttl {
    fn from(duration: Duration) -> Self {
        Self::For(duration)
    }
}

impl From<Option<Duration>> for Ttl {
    /// `None` never expires.
    fn from(duration: Option<Duration>) -> Self {
        duration.map_or(Self::Never, Self::For)
    }
}
