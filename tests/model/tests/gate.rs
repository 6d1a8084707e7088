//! The gate of the memory store's locks, under every order of memory that the language allows: by the model checker
//! loom, with its locks and atomics in the place of the real ones. The source is that of `cacheado-backends`.

#![cfg(not(shuttle))]

use std::sync::PoisonError;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use gate::{Gate, Place};

// What `gate` is made of, which it finds in the module above it.
use loom::hint::spin_loop;
use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use loom::sync::{RwLockReadGuard, RwLockWriteGuard};
use loom::thread::yield_now;

#[path = "../../../cacheado-backends/src/sync/gate.rs"]
mod gate;

/// The second reader under the lock opens the gate: a model that had to count to a thousand would never end.
const READS_TO_OPEN: u32 = 2;

/// `parking_lot`'s lock, modelled.
#[derive(Debug)]
struct RwLock<T>(loom::sync::RwLock<T>);

impl<T> RwLock<T> {
    fn new(value: T) -> Self {
        Self(loom::sync::RwLock::new(value))
    }

    fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `membarrier` does for two threads, as the language can say it: a fence in each.
mod barrier {
    use loom::sync::atomic::{Ordering, fence};

    pub(super) fn is_there() -> bool {
        true
    }

    pub(super) fn light() {
        fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() {
        fence(Ordering::SeqCst);
    }
}

/// A value behind a gate. Loom fails where a reader and a writer are at it at the same time, or where one does not
/// see what the other did before.
struct Guarded {
    gate: Gate,
    value: UnsafeCell<u64>,
    places: [Place; 2],
}

impl Guarded {
    fn new() -> Self {
        Self { gate: Gate::new(), value: UnsafeCell::new(0), places: [Place::new(), Place::new()] }
    }

    /// A gate that is open.
    fn opened() -> Self {
        let guarded = Self::new();
        for _ in 0..READS_TO_OPEN {
            drop(guarded.gate.read());
        }
        assert!(guarded.gate.pass(&guarded.places[0]));
        guarded.places[0].leave();
        guarded
    }

    /// As `BiasedLock::read`; whether the gate was open.
    fn read(&self, reader: usize) -> (u64, bool) {
        let place = &self.places[reader];
        if self.gate.pass(place) {
            let value = self.value.with(|value| unsafe { *value });
            place.leave();
            (value, true)
        } else {
            let _guard = self.gate.read();
            (self.value.with(|value| unsafe { *value }), false)
        }
    }

    /// As `BiasedLock::write`.
    fn increment(&self) {
        let _guard = self.gate.write(self.places.iter());
        self.value.with_mut(|value| unsafe { *value += 1 });
    }
}

#[test]
fn a_reader_and_a_writer_exclude_each_other() {
    loom::model(|| {
        let guarded = Arc::new(Guarded::opened());
        let reader = thread::spawn({
            let guarded = Arc::clone(&guarded);
            move || {
                let (first, _) = guarded.read(0);
                let (second, _) = guarded.read(0);
                assert!(first <= second, "a reader never goes back");
            }
        });
        guarded.increment();
        assert_eq!(guarded.read(1).0, 1, "a writer reads what it wrote");
        reader.join().unwrap();
    });
}

#[test]
fn two_readers_open_the_gate_and_a_writer_shuts_it() {
    loom::model(|| {
        let guarded = Arc::new(Guarded::new());
        let readers = [0, 1].map(|reader| {
            let guarded = Arc::clone(&guarded);
            thread::spawn(move || guarded.read(reader).0)
        });
        guarded.increment();
        for reader in readers {
            assert!(reader.join().unwrap() <= 1);
        }
        assert_eq!(guarded.read(0).0, 1);
    });
}

#[test]
fn two_writers_exclude_each_other_and_a_reader_at_an_open_gate() {
    loom::model(|| {
        let guarded = Arc::new(Guarded::opened());
        let writer = thread::spawn({
            let guarded = Arc::clone(&guarded);
            move || guarded.increment()
        });
        guarded.increment();
        assert!((1..=2).contains(&guarded.read(0).0));
        writer.join().unwrap();
        assert_eq!(guarded.read(0).0, 2);
    });
}

#[test]
fn who_is_inside_of_a_gate_does_not_pass_another() {
    loom::model(|| {
        let (outer, inner) = (Guarded::opened(), Guarded::opened());
        assert!(outer.gate.pass(&outer.places[0]));
        assert!(!inner.gate.pass(&outer.places[0]), "it reads the inner one under its lock");
        outer.places[0].leave();
        assert!(inner.gate.pass(&outer.places[0]));
    });
}
