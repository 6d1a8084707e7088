//! Tests of how a region is opened.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};

use super::super::tests::Fixture;
use super::AnyRegion;
use crate::memory::Store;

/// Counts what is logged, and opens a region meanwhile, as whoever listens to the log may.
struct Reopening(Arc<Store>, Arc<AtomicU64>);

impl Subscriber for Reopening {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        Fixture::in_store(Arc::clone(&self.0)).region.warn_if_it_keeps_nothing();
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn hazard_23_who_opens_a_region_under_a_lock_logs_only_after_it() {
    let first = Fixture::lru(10);
    let any: Arc<AnyRegion> = Arc::clone(&first.region) as _;
    first.store.regions().leave(1, &any);
    let logged = Arc::new(AtomicU64::new(0));
    with_default(Reopening(Arc::clone(&first.store), Arc::clone(&logged)), || {
        let regions = [(); 3].map(|()| Fixture::in_store(Arc::clone(&first.store)).region);
        assert_eq!(logged.load(Ordering::SeqCst), 0, "nothing while one is opened");
        regions[0].warn_if_it_keeps_nothing();
        assert_eq!(logged.load(Ordering::SeqCst), 0, "it has the last number");
        for region in &regions[1..] {
            region.warn_if_it_keeps_nothing();
            assert_eq!(logged.load(Ordering::SeqCst), 1, "once a store");
        }
    });
}
