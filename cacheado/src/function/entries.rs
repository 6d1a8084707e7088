//! A function's entries in memory, without their type.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::{Cause, Fill, Label, Listener, Region, Seen, Store, Ticket};

use super::Held;

/// A [`Region`], for the engine. Its methods are those of the region.
pub(crate) trait Entries: Send + Sync {
    /// The region, of what type it may be.
    fn typed(&self) -> &(dyn Any + Send + Sync);
    fn peek(&self, hash: u64, key: &[u8]) -> Option<Seen<Held>>;
    fn read(&self, hash: u64, key: &[u8]) -> Option<Seen<Held>>;
    fn describe(&self, hash: u64, key: &[u8]) -> Option<(Vec<Label>, u64)>;
    fn age(&self, hash: u64, key: &[u8]) -> Option<Duration>;
    fn set_deadline(&self, hash: u64, key: &[u8], deadline: u64);
    fn shorten(&self, hash: u64, key: &[u8], deadline: u64);
    fn expire(&self, hash: u64, key: &[u8]);
    fn ticket(&self, hash: u64, labels: &[Label]) -> Ticket;
    fn renew(&self, ticket: &Ticket, hash: u64, labels: &[Label]) -> Ticket;
    fn fence_off(&self, hash: u64);
    fn is_current(&self, ticket: &Ticket) -> bool;
    /// Stores a copy of the value, unless that panics.
    fn fill_copy(&self, fill: Fill, value: &Held);
    fn evict(&self, hash: u64, key: &[u8], cause: Cause) -> bool;
    fn retract(&self, hash: u64, key: &[u8], ticket: &Ticket);
    fn evict_all(&self, cause: Cause) -> u64;
    fn len(&self) -> usize;
}

/// How a region is opened.
pub(crate) type Open = fn(&Arc<Store>, Arc<dyn Listener>) -> Arc<dyn Entries>;

/// A region, and how its values come behind a pointer and from there.
struct Behind<V> {
    region: Arc<Region<V>>,
    hold: fn(V) -> Held,
    copy: fn(&Held) -> Option<V>,
}

/// Opens a region of values.
pub(crate) fn open<V: Clone + Send + Sync + 'static>(
    store: &Arc<Store>,
    listener: Arc<dyn Listener>,
) -> Arc<dyn Entries> {
    Arc::new(Behind::<V> {
        region: Region::open(store, listener),
        hold: |value| Arc::new(value),
        copy: |held| held.downcast_ref().cloned(),
    })
}

/// Opens a region of values that are behind pointers by themselves.
pub(crate) fn open_held(store: &Arc<Store>, listener: Arc<dyn Listener>) -> Arc<dyn Entries> {
    let region = Region::open(store, listener);
    Arc::new(Behind::<Held> { region, hold: |held| held, copy: |held| Some(Arc::clone(held)) })
}

impl<V: Clone + Send + Sync + 'static> Behind<V> {
    fn seen(&self, seen: Seen<V>) -> Seen<Held> {
        Seen { value: (self.hold)(seen.value), expiry: seen.expiry, lead: seen.lead }
    }
}

impl<V: Clone + Send + Sync + 'static> Entries for Behind<V> {
    fn typed(&self) -> &(dyn Any + Send + Sync) {
        &self.region
    }

    fn peek(&self, hash: u64, key: &[u8]) -> Option<Seen<Held>> {
        self.region.peek(hash, key).map(|seen| self.seen(seen))
    }

    fn read(&self, hash: u64, key: &[u8]) -> Option<Seen<Held>> {
        self.region.read(hash, key).map(|seen| self.seen(seen))
    }

    fn describe(&self, hash: u64, key: &[u8]) -> Option<(Vec<Label>, u64)> {
        self.region.describe(hash, key)
    }

    fn age(&self, hash: u64, key: &[u8]) -> Option<Duration> {
        self.region.age(hash, key)
    }

    fn set_deadline(&self, hash: u64, key: &[u8], deadline: u64) {
        self.region.set_deadline(hash, key, deadline);
    }

    fn shorten(&self, hash: u64, key: &[u8], deadline: u64) {
        self.region.shorten(hash, key, deadline);
    }

    fn expire(&self, hash: u64, key: &[u8]) {
        self.region.expire(hash, key);
    }

    fn ticket(&self, hash: u64, labels: &[Label]) -> Ticket {
        self.region.ticket(hash, labels)
    }

    fn renew(&self, ticket: &Ticket, hash: u64, labels: &[Label]) -> Ticket {
        self.region.renew(ticket, hash, labels)
    }

    fn fence_off(&self, hash: u64) {
        self.region.fence_off(hash);
    }

    fn is_current(&self, ticket: &Ticket) -> bool {
        self.region.is_current(ticket)
    }

    fn fill_copy(&self, fill: Fill, value: &Held) {
        match catch_unwind(AssertUnwindSafe(|| (self.copy)(value))) {
            Ok(Some(value)) => {
                self.region.fill(fill, value);
            }
            Ok(None) => {}
            Err(_) => tracing::error!("a value panicked while it was copied for the near cache"),
        }
    }

    fn evict(&self, hash: u64, key: &[u8], cause: Cause) -> bool {
        self.region.evict(hash, key, cause)
    }

    fn retract(&self, hash: u64, key: &[u8], ticket: &Ticket) {
        self.region.retract(hash, key, ticket);
    }

    fn evict_all(&self, cause: Cause) -> u64 {
        self.region.evict_all(cause)
    }

    fn len(&self) -> usize {
        self.region.len()
    }
}
