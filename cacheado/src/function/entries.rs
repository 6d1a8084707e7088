//! A function's entries in memory, without their type.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::{Cause, Fill, Label, Listener, Region, Seen, Store, Tickets};

use super::Held;
use super::held::{behind, own};
use crate::engine::flight::{Boarded, Flight};

/// Entries that hold a `V` each, and the computations under way, which the tickets of their fills carry.
pub(crate) type EntriesOf<V> = Region<V, Flight>;

/// A [`Region`], for the engine. Its methods are those of the region.
pub(crate) trait Entries: Send + Sync {
    /// The region, of whatever type it is.
    fn typed(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    fn as_any(&self) -> &dyn Any;
    fn peek(&self, hash: u64, key: &[u8]) -> Option<Seen<Held>>;
    fn read(&self, hash: u64, key: &[u8]) -> Option<Seen<Held>>;
    fn describe(&self, hash: u64, key: &[u8]) -> Option<(Vec<Label>, u64)>;
    fn age(&self, hash: u64, key: &[u8]) -> Option<Duration>;
    fn set_deadline(&self, hash: u64, key: &[u8], deadline: u64);
    fn shorten(&self, hash: u64, key: &[u8], deadline: u64);
    fn expire(&self, hash: u64, key: &[u8]);
    fn tickets(&self) -> &Arc<Tickets<Flight>>;
    /// Stores a copy of the value.
    fn fill_copy(&self, fill: Fill, ticket: &Boarded, value: &Held);
    fn evict(&self, hash: u64, key: &[u8], cause: Cause) -> bool;
    fn retract(&self, hash: u64, key: &[u8], ticket: &Boarded);
    fn evict_all(&self, cause: Cause) -> u64;
    fn len(&self) -> usize;
}

/// How a region is opened.
pub(crate) type Open = fn(&Arc<Store>, Arc<dyn Listener>) -> Arc<dyn Entries>;

/// Opens a region of values.
pub(crate) fn open<V: Clone + Send + Sync + 'static>(
    store: &Arc<Store>,
    listener: Arc<dyn Listener>,
) -> Arc<dyn Entries> {
    EntriesOf::<V>::open(store, listener)
}

fn hold<V: Clone + Send + Sync + 'static>(seen: Seen<V>) -> Seen<Held> {
    Seen { value: behind(seen.value), expiry: seen.expiry, lead: seen.lead }
}

impl<V: Clone + Send + Sync + 'static> Entries for EntriesOf<V> {
    fn typed(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn peek(&self, hash: u64, key: &[u8]) -> Option<Seen<Held>> {
        Self::peek(self, hash, key).map(hold)
    }

    fn read(&self, hash: u64, key: &[u8]) -> Option<Seen<Held>> {
        Self::read(self, hash, key).map(hold)
    }

    fn describe(&self, hash: u64, key: &[u8]) -> Option<(Vec<Label>, u64)> {
        Self::describe(self, hash, key)
    }

    fn age(&self, hash: u64, key: &[u8]) -> Option<Duration> {
        Self::age(self, hash, key)
    }

    fn set_deadline(&self, hash: u64, key: &[u8], deadline: u64) {
        Self::set_deadline(self, hash, key, deadline);
    }

    fn shorten(&self, hash: u64, key: &[u8], deadline: u64) {
        Self::shorten(self, hash, key, deadline);
    }

    fn expire(&self, hash: u64, key: &[u8]) {
        Self::expire(self, hash, key);
    }

    fn tickets(&self) -> &Arc<Tickets<Flight>> {
        Self::tickets(self)
    }

    fn fill_copy(&self, fill: Fill, ticket: &Boarded, value: &Held) {
        if let Some(value) = own(Arc::clone(value)) {
            Self::fill(self, fill, ticket, value);
        }
    }

    fn evict(&self, hash: u64, key: &[u8], cause: Cause) -> bool {
        Self::evict(self, hash, key, cause)
    }

    fn retract(&self, hash: u64, key: &[u8], ticket: &Boarded) {
        Self::retract(self, hash, key, ticket);
    }

    fn evict_all(&self, cause: Cause) -> u64 {
        Self::evict_all(self, cause)
    }

    fn len(&self) -> usize {
        Self::len(self)
    }
}
