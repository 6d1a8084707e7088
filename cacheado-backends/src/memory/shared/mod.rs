//! Memory behind the contract of remote backends: bytes in this process, shared by all handles.
//!
//! | file | subject |
//! |---|---|
//! | `backend` | the small contract, for [`SharedMemory`] and for [`Memory`] |
//! | `tier` | groups are labels of the store, claims are its tickets |
//! | `claims` | the tickets of the fills that are announced |
//! | `bus` | notices to all subscriptions of the process |

mod backend;
mod bus;
mod claims;
#[cfg(test)]
mod tests;
mod tier;

use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

use self::bus::Bus;
use self::claims::Claims;
use super::{
    Cause, Fill, KeyBox, Label, LabelSet, Listener, Memory, Placed, Region, Seen, Store, Ticket, Tickets,
};
use crate::error::{Error, ErrorKind, Result};
use crate::{Clock, Entry};

/// Memory that stands where a server would: a [`Backend`](crate::Backend) that keeps bytes in this process.
///
/// Clones share the entries, as the nodes of a system share a server's. A cache that is given a [`Memory`]
/// keeps typed values, without a codec; one that is given a `SharedMemory` does all that it would do with a
/// server: it encodes, announces, fences, and listens to the bus. So this is for tests of what several nodes
/// do with each other, and for backends of one's own that wrap another.
///
/// Evictions are told to all subscriptions at once. [`cut_bus`](Self::cut_bus) is the broken connection.
///
/// # Examples
///
/// With `cacheado` alone, it is `cacheado::backends::SharedMemory`.
///
/// ```
/// use cacheado_backends::memory::SharedMemory;
/// use cacheado_backends::{Backend, ManualClock};
/// use std::time::Duration;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let clock = ManualClock::new();
/// let node = SharedMemory::with_clock(clock.clone());
/// let other_node = node.clone();
/// node.put("greeting", b"hello", Some(Duration::from_secs(5))).await?;
/// assert_eq!(other_node.get("greeting").await?.expect("stored").value, b"hello");
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(other_node.get("greeting").await?, None);
/// # Ok::<(), cacheado_backends::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SharedMemory(Arc<Shared>);

struct Shared {
    store: Arc<Store>,
    region: Arc<Region<Arc<[u8]>>>,
    tickets: Arc<Tickets>,
    hasher: RandomState,
    claims: Claims,
    bus: Arc<Bus>,
}

impl SharedMemory {
    /// Empty, without bounds, by the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Clock::system())
    }

    /// Empty, without bounds, by this clock.
    #[must_use]
    pub fn with_clock(clock: impl Into<Clock>) -> Self {
        Self::open(&Memory::new(), clock)
    }

    /// Empty, with the bounds of `memory`, by this clock. Without a weigher an entry weighs the bytes of its
    /// key and of its value. It knows nothing of scopes, and so holds no bound on each of them.
    #[must_use]
    pub fn open(memory: &Memory, clock: impl Into<Clock>) -> Self {
        let mut limits = memory.limits().clone();
        limits.weigher.get_or_insert_with(|| {
            Arc::new(|key, value| {
                let value = value.downcast_ref::<Arc<[u8]>>().map_or(0, |value| value.len());
                (key.len() + value) as u64
            })
        });
        let store = Store::open(limits, clock.into());
        let (region, tickets) = Region::open(&store, Arc::new(Nobody));
        let bus = Arc::new(Bus::default());
        Self(Arc::new(Shared {
            store,
            region,
            tickets,
            hasher: RandomState::default(),
            claims: Claims::default(),
            bus,
        }))
    }

    /// From here on notices are lost, as with a broken connection.
    pub fn cut_bus(&self) {
        self.0.bus.cut();
    }

    /// Notices come through again. Every subscription is told of the gap.
    pub fn mend_bus(&self) {
        self.0.bus.mend();
    }
}

impl Default for SharedMemory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMemory").field("entries", &self.0.store.len()).finish_non_exhaustive()
    }
}

/// The kind of storage, as statistics call it.
const NAME: &str = "in_memory";

/// What both contracts are made of.
impl Shared {
    fn hash(&self, key: &str) -> u64 {
        self.hasher.hash_one(key.as_bytes())
    }

    fn read(&self, key: &str) -> Option<Entry> {
        let Seen { value, expiry: deadline, .. } = self.region.read(self.hash(key), key.as_bytes())?;
        Some(Entry { value: value.to_vec(), remaining: self.store.clock().remaining(deadline) })
    }

    /// A ticket for a fill that begins now.
    fn ticket(&self, key: &str, labels: Option<&LabelSet>) -> Ticket {
        self.tickets.take(self.hash(key), labels)
    }

    fn fill(
        &self,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
        labels: Option<LabelSet>,
        ticket: &Ticket,
    ) -> Result<Placed> {
        let born = self.store.clock().now();
        let fill = Fill {
            hash: self.hash(key),
            key: KeyBox::from(key.as_bytes()),
            born,
            deadline: self.store.clock().deadline_from(born, ttl),
            aging: None,
            labels,
        };
        match self.region.fill(fill, ticket, value.into()) {
            // There is no bound that refuses an entry but the one on its weight.
            Placed::Full => Err(Error::new(ErrorKind::TooLarge, "put", "heavier than all entries may be")),
            placed => Ok(placed),
        }
    }

    fn remove(&self, key: &str) -> bool {
        self.region.evict(self.hash(key), key.as_bytes(), Cause::Evicted)
    }

    /// How many live entries there are.
    fn count(&self) -> u64 {
        self.store.sweep(usize::MAX);
        self.store.len() as u64
    }
}

/// Nobody is told of the entries that leave.
struct Nobody;

impl Listener for Nobody {
    fn removed(&self, _: &[u8], _: &[Label], _: Cause) {}
}
