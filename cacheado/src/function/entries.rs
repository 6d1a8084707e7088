//! A function's entries in memory, without their type.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::{Cause, Fill, Label, LabelSet, Listener, Region, Seen, Store, Taking};

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
    fn ticket(&self, hash: u64, labels: Option<&LabelSet>) -> Boarded;
    fn renew(&self, ticket: &Boarded, hash: u64, labels: Option<&LabelSet>) -> Boarded;
    fn take_or_join(
        &self,
        hash: u64,
        labels: Option<&LabelSet>,
        flight: &dyn Fn() -> Flight,
        will_do: &dyn Fn(&Flight) -> bool,
    ) -> Taking<Flight>;
    fn find_ticket(&self, hash: u64, will_do: &dyn Fn(&Flight) -> bool) -> Option<Boarded>;
    fn close(&self, ticket: &Boarded, close: &dyn Fn()) -> bool;
    fn count_tickets(&self, holds: &dyn Fn(&Flight) -> bool) -> usize;
    fn fence_off(&self, hash: u64);
    fn is_current(&self, ticket: &Boarded) -> bool;
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

    fn ticket(&self, hash: u64, labels: Option<&LabelSet>) -> Boarded {
        Self::ticket(self, hash, labels)
    }

    fn renew(&self, ticket: &Boarded, hash: u64, labels: Option<&LabelSet>) -> Boarded {
        Self::renew(self, ticket, hash, labels)
    }

    fn take_or_join(
        &self,
        hash: u64,
        labels: Option<&LabelSet>,
        flight: &dyn Fn() -> Flight,
        will_do: &dyn Fn(&Flight) -> bool,
    ) -> Taking<Flight> {
        Self::take_or_join(self, hash, labels, flight, will_do)
    }

    fn find_ticket(&self, hash: u64, will_do: &dyn Fn(&Flight) -> bool) -> Option<Boarded> {
        Self::find_ticket(self, hash, will_do)
    }

    fn close(&self, ticket: &Boarded, close: &dyn Fn()) -> bool {
        Self::close(self, ticket, close)
    }

    fn count_tickets(&self, holds: &dyn Fn(&Flight) -> bool) -> usize {
        Self::count_tickets(self, holds)
    }

    fn fence_off(&self, hash: u64) {
        Self::fence_off(self, hash);
    }

    fn is_current(&self, ticket: &Boarded) -> bool {
        Self::is_current(self, ticket)
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
