//! The place of each thread in which it says what it is reading. See [`gate`](super::gate).

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::gate::Place;

/// Places are never freed: a thread that ends leaves its place to another. So there are as many as there have been
/// threads at the same time.
struct Seat {
    place: Place,
    is_taken: AtomicBool,
    next: OnceLock<&'static Self>,
}

impl Seat {
    fn new(is_taken: bool) -> Self {
        Self { place: Place::new(), is_taken: AtomicBool::new(is_taken), next: OnceLock::new() }
    }

    /// Whether it was free, and is this thread's now.
    fn take(&self) -> bool {
        // What the last owner said there happened before.
        self.is_taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

static FIRST: OnceLock<&'static Seat> = OnceLock::new();

thread_local! {
    /// Without a destructor, so that it is found by one load.
    static OWN: Cell<Option<&'static Place>> = const { Cell::new(None) };
    static LEASE: Lease = Lease::take();
}

struct Lease(&'static Seat);

impl Lease {
    fn take() -> Self {
        let mut link = &FIRST;
        loop {
            let mut is_new = false;
            let seat = *link.get_or_init(|| {
                is_new = true;
                Box::leak(Box::new(Seat::new(true)))
            });
            if is_new || seat.take() {
                return Self(seat);
            }
            link = &seat.next;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        OWN.set(None);
        self.0.is_taken.store(false, Ordering::Release);
    }
}

/// The place of this thread; `None` where the thread is about to end.
#[inline]
pub(super) fn own() -> Option<&'static Place> {
    OWN.get().or_else(first_use)
}

#[cold]
#[inline(never)]
fn first_use() -> Option<&'static Place> {
    let place = LEASE.try_with(|lease| &lease.0.place).ok();
    OWN.set(place);
    place
}

/// The places of all threads.
pub(super) fn all() -> impl Iterator<Item = &'static Place> {
    let seats = std::iter::successors(FIRST.get().copied(), |seat| seat.next.get().copied());
    seats.map(|seat| &seat.place)
}
