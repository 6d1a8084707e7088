//! What a remote backend promises.
//!
//! There are two contracts. [`Backend`] is the small one: bytes under text keys, each with a lifetime. It is
//! what a third party implements. [`Tier`] is what the engine asks of a remote store: entries in groups (the
//! engine's scopes, tags and functions), groups that can be evicted, and fills that an eviction forbids.
//! [`Emulated`](crate::Emulated) makes a `Tier` of any `Backend`; a backend that can do better, because its
//! server has indexes and atomic steps, brings a `Tier` of its own by overriding [`Backend::tier`].
//!
//! | file | subject |
//! |---|---|
//! | `backend` | [`Backend`], and [`DynBackend`], its object-safe twin |
//! | `tier` | [`Tier`] and what its operations take and give |
//! | `lease` | [`Terms`] and [`Leased`]: who computes, where several nodes want to |
//! | `bus` | [`Subscription`]: what other nodes have evicted |

mod backend;
mod bus;
mod lease;
mod tier;

pub use backend::{Backend, BackendStats, Capabilities, DynBackend, Entry};
pub use bus::{Event, Subscription};
pub use lease::{Leased, Terms};
pub use tier::{Claim, FILL_WINDOW, Filled, Group, New, Place, Tier, Wanted};

use std::future::Future;
use std::pin::Pin;

/// A future behind a pointer, as the object-safe traits return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
