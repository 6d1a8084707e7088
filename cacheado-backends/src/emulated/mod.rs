//! A [`Tier`] over any [`Backend`](crate::Backend): groups, fences and counts by ordinary small entries.
//!
//! A small backend compares nothing when it stores, so an eviction cannot keep a late fill from being
//! stored. It keeps it from being *read*: fences on read.
//!
//! # How it fences
//!
//! There is an **epoch** for everything, for each group and for each key: a random number, compared for
//! equality only. An eviction begins by putting a new epoch. A claim carries the epochs of its place; they
//! are stored with the value, behind it. A read asks for the value and these epochs at once, and a value
//! whose epochs are not those that are there is a miss. So once an eviction has put its epoch, whatever is
//! computed under the one before is never read again, however late it is stored, and wherever the node
//! that evicts or the node that fills stops. What a fill finds out by looking at the epochs once more saves
//! a write, and a newer value from being replaced; nothing depends on it.
//!
//! Reading removes nothing: what looks like a value that is over may be another one by then.
//!
//! # Why epochs may be forgotten
//!
//! Where no epoch of a group or key is there, it has not been evicted for as long as epochs are remembered.
//! A value that was computed before an eviction would be read again if the epoch went before it. It does
//! not: a fill is refused a [`FILL_WINDOW`](crate::contract::FILL_WINDOW) after its claim, a value lives
//! for at most 30 days, and an epoch for 30 days and two windows. The second window is for a write that is on
//! its way, or a process that is stopped, between the last look at the epochs and the write. The epoch of
//! everything never expires, and where it is missing, as after the loss of all data, every value and every
//! claim is over. So is what was stored under an epoch that somebody else has written over; whoever announces a fill or
//! sets a value there puts a new one.
//!
//! So what has to be remembered grows with the evictions of 30 days, and not with the keys there are.
//! It also says what is asked of the backend: to keep what it has promised to keep. One that drops
//! entries when memory is short may drop an epoch before a value, and so serve what was evicted.
//!
//! # The index
//!
//! A value has an empty entry for each of its groups, put before it, so that the keys of a group are those
//! that begin with its name. The name of such an entry carries a fingerprint of the value's epochs: whoever
//! removes those of a value that is over cannot meet those of one that was computed later. What lies in a
//! group is decided by the value's own list; the index says only where to look.
//!
//! # What it costs
//!
//! | operation | round trips |
//! |---|---|
//! | `get`, `get_many` | 1; 2 if a value carries a group that its [`Place`] does not name |
//! | `begin` | 1; 3 the first time, and after `clear` |
//! | `fill` | 3: look, index, value |
//! | `set` | 4: look, index and epoch, value, look; more where others set the same key meanwhile |
//! | `evict` | 3: look, epoch, removal |
//! | `retract` | 4: look, and `evict` |
//! | `evict_group` | 3, and 4 for each 100 members |
//! | `clear` | 3 |
//!
//! # What is less than a native backend gives
//!
//! - A fill looks and writes in two steps. A newer value that is stored between them is lost, so that it is
//!   computed once more; the older one is not read. For the same reason [`set_ttl`](Tier::set_ttl) may
//!   bring back the value before one that is filled at the same time, if no eviction forbids it.
//! - [`retract`](Tier::retract) looks and evicts in two steps as well: what is set between them is lost.
//! - [`evict`](Tier::evict) says whether there was a value when it looked that it has removed itself: `false` also where one
//!   was stored, or removed by somebody else, in between. It is gone in any case.
//! - A value without a lifetime lives for 30 days.
//! - Where several begin to use an empty namespace at the same time, each puts an epoch of everything, and the last one
//!   stays: what was stored under another is not read, and is computed once more. So it is after the loss of all data.
//! - [`clear`](Tier::clear), and [`count`](Tier::count) of everything, count values by their names. What a
//!   late fill has left, which nothing reads, is among them until it expires. Groups are counted exactly.
//! - While [`clear`](Tier::clear) runs on a backend that removes one entry after another, an eviction of
//!   what is stored meanwhile may lose its epoch before the value is removed.
//!
//! | file | subject |
//! |---|---|
//! | `keys` | what the entries are called |
//! | `fences` | epochs, and what a value remembers of them |
//! | `frame` | a value with its fences |
//! | `read`, `write`, `evict` | the operations |
//! | `join` | several operations at the same time |

mod evict;
mod fences;
mod frame;
mod join;
mod keys;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;
use std::time::Duration;

use crate::contract::{
    BoxFuture, Capabilities, Claim, DynBackend, Entry, Filled, Group, New, Place, Tier, Wanted,
};
use crate::error::Result;
use crate::io;

/// A [`Tier`] over any backend: what the engine works with where a backend brings no tier of its own.
///
/// Each operation ends within five seconds, or the [limit](Self::with_timeout) that is set. It works on any
/// executor, and with clients that need a tokio runtime: where there is none, that of [`io`] is used.
///
/// Groups and fences are entries of the backend, beside the values. A hit is one round trip; a fill takes
/// three. Values live for at most 30 days, and what remembers an eviction lives longer than every value that
/// it forbids. So the backend must keep what it has promised to keep: one that drops entries when its memory
/// is short may forget an eviction before a value, and serve what was evicted.
///
/// # Examples
///
/// ```
/// use cacheado_backends::contract::{Group, New, Place, Tier, Wanted};
/// use cacheado_backends::memory::SharedMemory;
/// use cacheado_backends::Emulated;
/// use std::sync::Arc;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let tier = Emulated::new(Arc::new(SharedMemory::new()));
/// let users = Group { name: "users".into(), route: None };
/// let ada = Place { key: "user(1)".into(), route: "1".into(), groups: [users.clone()].into() };
///
/// let claim = tier.begin(&ada).await?;
/// tier.fill(&ada, New { value: b"Ada", ttl: None }, &claim).await?;
/// assert!(tier.get(&ada, Wanted::Value).await?.is_some());
/// assert_eq!(tier.evict_group(&users, None).await?, 1);
/// assert!(tier.get(&ada, Wanted::Value).await?.is_none());
/// # Ok::<(), cacheado_backends::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Emulated {
    core: Core,
    limit: Duration,
}

/// What the operations work with.
struct Core {
    backend: Arc<dyn DynBackend>,
    draw: Box<fences::Draw>,
}

impl Core {
    fn draw(&self) -> Result<fences::Epoch> {
        (self.draw)().map(fences::Epoch)
    }
}

impl Emulated {
    /// How long an operation takes at most, if nothing else is set.
    pub const TIMEOUT: Duration = Duration::from_secs(5);

    /// Over this backend.
    pub fn new(backend: Arc<dyn DynBackend>) -> Self {
        Self { core: Core { backend, draw: Box::new(fences::draw) }, limit: Self::TIMEOUT }
    }

    /// Each operation ends within `limit`, with an error of the kind
    /// [`Timeout`](crate::ErrorKind::Timeout) if need be.
    #[must_use]
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Draws epochs from `draw` instead of the system's randomness, so that a simulation can be repeated. It
    /// must never draw the same twice, on any node: an epoch that comes again brings back what was evicted.
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado_backends::Emulated;
    /// use cacheado_backends::memory::SharedMemory;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// let (server, drawn) = (Arc::new(SharedMemory::new()), Arc::new(AtomicU64::new(0)));
    /// let nodes = [(); 2].map(|()| {
    ///     let drawn = Arc::clone(&drawn);
    ///     let draw = move || u128::from(drawn.fetch_add(1, Ordering::SeqCst)).to_le_bytes();
    ///     Emulated::new(Arc::clone(&server) as _).with_epochs(draw)
    /// });
    /// # let _ = nodes;
    /// ```
    #[must_use]
    pub fn with_epochs(mut self, draw: impl Fn() -> [u8; 16] + Send + Sync + 'static) -> Self {
        self.core.draw = Box::new(move || Ok(draw()));
        self
    }

    fn bounded<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        work: impl Future<Output = Result<T>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T>> {
        Box::pin(io::timeout(self.limit, operation, work))
    }
}

impl std::fmt::Debug for Emulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulated").field("backend", &self.core.backend.name()).finish_non_exhaustive()
    }
}

/// There is no bus, so notices are told to nobody.
impl Tier for Emulated {
    fn name(&self) -> &'static str {
        self.core.backend.name()
    }

    fn capabilities(&self) -> Capabilities {
        // The rest is what this tier does in its place.
        Capabilities { expiry: self.core.backend.capabilities().expiry, ..Capabilities::default() }
    }

    fn longest(&self) -> Option<Duration> {
        Some(write::VALUE_LIFE)
    }

    fn get<'a>(&'a self, at: &'a Place, _: Wanted) -> BoxFuture<'a, Result<Option<Entry>>> {
        self.bounded("get", async { Ok(self.core.look(std::slice::from_ref(at)).await?.pop().flatten()) })
    }

    fn get_many<'a>(&'a self, at: &'a [Place], _: Wanted) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        self.bounded("get_many", self.core.look(at))
    }

    fn begin<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Claim>> {
        self.bounded("begin", self.core.begin(at))
    }

    fn fill<'a>(&'a self, at: &'a Place, new: New<'a>, claim: &'a Claim) -> BoxFuture<'a, Result<Filled>> {
        self.bounded("fill", self.core.fill(at, new, claim))
    }

    fn set<'a>(&'a self, at: &'a Place, new: New<'a>, _: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>> {
        self.bounded("set", self.core.set(at, new))
    }

    fn set_ttl<'a>(&'a self, at: &'a Place, ttl: Option<Duration>) -> BoxFuture<'a, Result<bool>> {
        self.bounded("set_ttl", self.core.set_ttl(at, ttl))
    }

    fn evict<'a>(&'a self, at: &'a Place, _: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>> {
        self.bounded("evict", self.core.evict(at))
    }

    fn retract<'a>(
        &'a self,
        at: &'a Place,
        claim: &'a Claim,
        _: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<bool>> {
        self.bounded("retract", self.core.retract(at, claim))
    }

    fn evict_group<'a>(&'a self, group: &'a Group, _: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        self.bounded("evict_group", self.core.evict_group(group))
    }

    fn clear<'a>(&'a self, _: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        self.bounded("clear", self.core.clear())
    }

    fn count<'a>(&'a self, group: Option<&'a Group>) -> BoxFuture<'a, Result<u64>> {
        self.bounded("count", self.core.count(group))
    }
}
