//! A function's entries in memory, and the tickets of their fills.

use std::any::Any;
use std::sync::Arc;

use cacheado_backends::memory::{AnyRegion, Listener, Region, Store, Tickets};

use crate::engine::flight::Flight;

/// What a function has of a store.
pub(crate) struct Entries {
    /// The region, for who does not know its type.
    pub(super) region: Arc<AnyRegion>,
    /// The same, a [`Region`], for who does.
    pub(super) typed: Arc<dyn Any + Send + Sync>,
    /// The fills of its entries, and the computations under way, which their tickets carry.
    pub(super) tickets: Arc<Tickets<Flight>>,
}

/// How they are opened.
pub(crate) type Open = fn(&Arc<Store>, Arc<dyn Listener>) -> Entries;

/// Opens a region of values.
pub(crate) fn open<V: Clone + Send + Sync + 'static>(
    store: &Arc<Store>,
    listener: Arc<dyn Listener>,
) -> Entries {
    let (region, tickets) = Region::<V>::open(store, listener);
    Entries { region: Arc::clone(&region) as _, typed: region, tickets }
}
