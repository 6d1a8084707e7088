//! A lock for many readers and few writers whose readers write to no line that another thread writes to.
//!
//! While the gate is **open**, a reader says in a place of its own that it is inside, and that is all: no locked
//! operation, no shared counter. A writer **shuts** the gate, waits until nobody is said to be inside, and leaves it
//! shut. While it is shut, readers and writers meet in an ordinary lock. A reader there opens the gate again once so
//! many have read since the last writer that shutting it was paid for.
//!
//! From BRAVO (Dice and Kogan, *BRAVO: Biased Locking for Reader-Writer Locks*, USENIX ATC 2019), with the places of
//! readers one a thread, and with the fence between saying and looking moved to the writer ([`barrier`]).
//!
//! # Why it excludes
//!
//! A reader stores its place, then loads `is_open`. A writer stores `is_open`, then loads the places. With a barrier
//! between the two on either side, one of them sees the other: either the reader finds the gate shut and turns
//! back, or the writer finds it inside and waits. The reader's barrier costs nothing, as the writer's is a barrier
//! for every thread of the process at once.
//!
//! A reader that passes sees what the last writer wrote: it loads `is_open` as true, which was stored by a reader
//! that held the lock after that writer. A writer that goes on sees the readers gone: it loads a place that they
//! have stored on leaving.
//!
//! Checked by the model checker loom over all orders of memory (`tests/model/tests/gate.rs`), and by miri.

use super::{
    AtomicBool, AtomicU32, AtomicUsize, Ordering, RwLock, RwLockReadGuard, RwLockWriteGuard, barrier,
};
use super::{READS_TO_OPEN, spin_loop, yield_now};

/// Where one thread says what it is inside of.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Place(AtomicUsize);

/// No gate has this address.
const OUTSIDE: usize = 0;

impl Place {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(OUTSIDE))
    }

    /// Says that the thread has left.
    #[inline]
    pub(crate) fn leave(&self) {
        self.0.store(OUTSIDE, Ordering::Release);
    }
}

/// The lock, without what it guards. To be aligned by what it stands in.
#[derive(Debug)]
pub(crate) struct Gate {
    is_open: AtomicBool,
    /// How many have read under the lock since the last writer.
    reads: AtomicU32,
    lock: RwLock<()>,
}

impl Gate {
    /// A gate that is shut.
    pub(crate) fn new() -> Self {
        Self { is_open: AtomicBool::new(false), reads: AtomicU32::new(0), lock: RwLock::new(()) }
    }

    fn name(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Passes if the gate is open, and the thread inside of no other: whether it did. It has to
    /// [leave](Place::leave).
    #[inline]
    #[must_use]
    pub(crate) fn pass(&self, own: &Place) -> bool {
        if own.0.load(Ordering::Relaxed) != OUTSIDE {
            return false;
        }
        own.0.store(self.name(), Ordering::Relaxed);
        barrier::light();
        if self.is_open.load(Ordering::Acquire) {
            return true;
        }
        own.leave();
        false
    }

    /// Waits for the writers, as readers do where the gate is shut.
    #[cold]
    #[inline(never)]
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, ()> {
        let guard = self.lock.read();
        let reads = self.reads.load(Ordering::Relaxed) + 1;
        if reads < READS_TO_OPEN {
            // Of two readers at once, one may not be counted.
            self.reads.store(reads, Ordering::Relaxed);
        } else if barrier::is_there() {
            // What the last writer wrote happened before, by the lock.
            self.is_open.store(true, Ordering::Release);
        }
        guard
    }

    /// Waits for writers and readers, of whom none comes in before the guard is dropped.
    pub(crate) fn write<'p>(&self, places: impl Iterator<Item = &'p Place>) -> RwLockWriteGuard<'_, ()> {
        let guard = self.lock.write();
        self.reads.store(0, Ordering::Relaxed);
        if self.is_open.load(Ordering::Relaxed) {
            self.shut(places);
        }
        guard
    }

    #[cold]
    #[inline(never)]
    fn shut<'p>(&self, places: impl Iterator<Item = &'p Place>) {
        self.is_open.store(false, Ordering::Relaxed);
        barrier::heavy();
        for place in places {
            let mut looks = 0_u32;
            // Readers are inside for some nanoseconds, unless they are descheduled there.
            while place.0.load(Ordering::Acquire) == self.name() {
                looks += 1;
                if looks.is_multiple_of(64) { yield_now() } else { spin_loop() }
            }
        }
    }
}
