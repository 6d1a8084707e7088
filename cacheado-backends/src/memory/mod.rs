//! The memory store: typed values under byte keys, with bounds, expiry, labels and fences.
//!
//! A [`Store`] is one cache's memory. It is divided into [`Region`]s, one for each function, whose values
//! have one type, so that a hit needs no codec. Where their `clone` runs code of the user's, that type is a pointer to a
//! value of any type. What spans the regions (the bound on entries, the order of recency, the queue of expiries, the
//! label index, the fences) belongs to the store.
//!
//! | file | subject |
//! |---|---|
//! | `builder` | [`Memory`], the description that a store is opened from |
//! | `store` | what spans the regions |
//! | `region` | one function's entries: probe; in its folder fill, removal, what holds them, and what the store asks |
//! | `table`, `index` | the entries of one shard of a region, and where they are found |
//! | `slot`, `value` | one entry, and [`KeyBox`], its key; its value, also in the hands of who does not know its type |
//! | `ledger` | what is written down of each entry |
//! | `expiry` | when entries expire |
//! | `queue` | records that come almost in order |
//! | `order`, `recency`, `adaptive`, `ghosts` | the order of eviction: by recency, or by use |
//! | `aging` | entries that are used past their expiry, or computed anew before it |
//! | `labels`, `members` | which entries carry a label |
//! | `shares` | bounds on the entries of a label |
//! | `fence` | which fills began before an eviction |
//! | `shared` | [`SharedMemory`]: memory behind the contract of remote backends |
//! | `sweeper` | the thread that removes expired entries without a read |

mod adaptive;
mod aging;
mod builder;
mod expiry;
mod fence;
mod ghosts;
mod index;
mod labels;
mod ledger;
mod members;
mod order;
mod queue;
mod recency;
mod region;
mod shared;
mod shares;
mod slot;
mod store;
mod sweeper;
mod table;
#[cfg(test)]
mod tests;
mod value;

pub use aging::{Aging, Seen};
pub use builder::{Limits, Memory, MemoryBuilder, Weigher};
pub use fence::{Taking, Ticket, TicketNumber, Tickets};
pub use labels::{Label, LabelSet};
pub use region::{AnyRegion, Fill, Filling, Found, Opened, Placed, Query, Region, RegionOf, Version};
pub use shared::SharedMemory;
pub use shares::{MostOf, Shares};
pub use slot::KeyBox;
pub use store::{Listener, RegionId, Store};
pub use value::AnyValue;

/// Why an entry left the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// It was evicted by its key.
    Evicted,
    /// A scope that it lay in was evicted.
    Scope,
    /// A tag that it carried was evicted.
    Tag,
    /// All entries of its function were evicted.
    Function,
    /// The cache was cleared.
    Cleared,
    /// A bound on the number or the weight of entries drove it out.
    Capacity,
    /// Its time was over.
    Expired,
    /// A rule asked for it.
    Rule,
}

impl Cause {
    /// Whether a caller asked for the removal; otherwise time or a bound did.
    #[must_use]
    pub const fn is_explicit(self) -> bool {
        !matches!(self, Self::Capacity | Self::Expired)
    }
}
