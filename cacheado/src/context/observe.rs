//! How calls were served, for who wants to know.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::layer::{self, Layer};

/// How a call was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// No annotated function was called, or only batch functions without an id.
    Uncalled,
    /// With a stored value.
    Hit,
    /// By the body, whose outcome was stored if the attribute lets it be.
    Miss,
    /// With a stored value whose time was over.
    Stale,
    /// With the outcome of another caller's computation, for which this one waited.
    Coalesced,
    /// By the body, past the cache: under [`bypass`](crate::bypass), where a scope was missing, or with a
    /// disabled cache.
    Bypassed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Uncalled => "uncalled",
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::Coalesced => "coalesced",
            Self::Bypassed => "bypassed",
        })
    }
}

/// Where a stored value was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// Nowhere: it was computed.
    None,
    /// In this process, where it belongs.
    Memory,
    /// In this process, as a copy of a remote entry.
    Near,
    /// In the backend.
    Remote,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Memory => "memory",
            Self::Near => "near",
            Self::Remote => "remote",
        })
    }
}

/// How the last call was served: what [`observe`] returns beside the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Served {
    /// How.
    pub outcome: Outcome,
    /// From where.
    pub tier: Tier,
    /// How long ago the value was stored, where that is known: for entries in memory, and for those in a
    /// backend that expire. Zero for what was computed just now.
    pub age: Option<Duration>,
}

impl Served {
    /// One that was not found in any tier.
    pub(crate) const fn anew(outcome: Outcome) -> Self {
        Self { outcome, tier: Tier::None, age: Some(Duration::ZERO) }
    }

    /// A stored value.
    pub(crate) const fn from(outcome: Outcome, tier: Tier, age: Option<Duration>) -> Self {
        Self { outcome, tier, age }
    }
}

impl fmt::Display for Served {
    /// `hit (memory, 3 s)`, `miss`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.outcome)?;
        match (self.tier, self.age) {
            (Tier::None, _) => Ok(()),
            (tier, None) => write!(f, " ({tier})"),
            (tier, Some(age)) => write!(f, " ({tier}, {} s)", age.as_secs()),
        }
    }
}

/// Runs `f`, and says how the last annotated call in it was served: the one that **returned** last, so that of
/// calls inside each other the outer one counts.
///
/// It sees annotated functions, `<fn>_entry(…).get()` and [`Cache::get_or_compute`](crate::Cache::get_or_compute) on
/// this thread. A call that is answered with an error of the backend (`on_backend_error = "error"`) is a miss. Of a
/// batch with hits and misses, the miss counts.
///
/// A future that `f` returns runs outside of it, and is not seen: the outcome is [`Outcome::Uncalled`]. Use
/// [`observe_async`].
///
/// # Examples
///
/// ```
/// use cacheado::{Outcome, Tier, cached, observe};
///
/// #[cached(ttl = 300)]
/// fn area(w: u64, h: u64) -> u64 {
///     w * h
/// }
///
/// let (value, served) = observe(|| area(3, 4));
/// assert_eq!((value, served.outcome, served.tier), (12, Outcome::Miss, Tier::None));
/// let (value, served) = observe(|| area(3, 4));
/// assert_eq!((value, served.outcome, served.tier), (12, Outcome::Hit, Tier::Memory));
/// assert!(served.age.is_some());
/// ```
pub fn observe<R>(f: impl FnOnce() -> R) -> (R, Served) {
    let mut layer = unobserved();
    let returned = layer.run(f);
    (returned, reported(&layer))
}

/// [`observe`] for a future, wherever it is polled. What it spawns is not seen.
///
/// # Examples
///
/// ```
/// # async fn example() {
/// use cacheado::{Outcome, cached, observe_async};
///
/// #[cached(ttl = 300)]
/// async fn area(w: u64, h: u64) -> u64 {
///     w * h
/// }
///
/// let (value, served) = observe_async(area(3, 4)).await;
/// assert_eq!((value, served.outcome), (12, Outcome::Miss));
/// # }
/// ```
pub async fn observe_async<F: Future>(future: F) -> (F::Output, Served) {
    let mut layer = unobserved();
    let returned = layer.run_async(future).await;
    (returned, reported(&layer))
}

const UNCALLED: Served = Served { outcome: Outcome::Uncalled, tier: Tier::None, age: None };

fn unobserved() -> Layer {
    Layer::Served(Some(UNCALLED))
}

/// What has been written down; an observer around this one is told as well.
fn reported(layer: &Layer) -> Served {
    let Layer::Served(Some(last)) = layer else { return UNCALLED };
    if last.outcome != Outcome::Uncalled {
        served(|| *last);
    }
    *last
}

/// Says how a call was served, just before it returns. Costs one load where nobody wants to know.
#[inline]
pub(crate) fn served(served: impl FnOnce() -> Served) {
    if layer::is_any() && layer::is_observed() {
        layer::write_down(served());
    }
}
