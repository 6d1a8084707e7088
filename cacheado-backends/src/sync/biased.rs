//! A reader-writer lock around a value, with readers that take no lock: see [`gate`](super::gate).
//!
//! The only `unsafe` of the project. It is sound if the gate excludes: then a reader's reference never lives at the
//! same time as a writer's.
#![expect(unsafe_code, reason = "a lock hands out references to what it guards")]

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::gate::{Gate, Place};
use super::{AtomicU64, Ordering, RwLockReadGuard, RwLockWriteGuard, places};

/// The lock.
pub(crate) struct BiasedLock<T: ?Sized> {
    gate: Gate,
    /// How often it has been locked for writing.
    writes: AtomicU64,
    value: UnsafeCell<T>,
}

// SAFETY: as for `std::sync::RwLock`. Readers on several threads have `&T` at the same time, hence `Sync`; a writer on any
// thread has `&mut T`, with which it can move the value out, hence `Send`.
unsafe impl<T: Send + Sync + ?Sized> Sync for BiasedLock<T> {}

impl<T> BiasedLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { gate: Gate::new(), writes: AtomicU64::new(0), value: UnsafeCell::new(value) }
    }
}

impl<T: ?Sized> BiasedLock<T> {
    /// Waits for a writer, if there is one. Not to be called by a thread that writes this lock already.
    #[inline]
    pub(crate) fn read(&self) -> BiasedReadGuard<'_, T> {
        let pass = match places::own() {
            Some(own) if self.gate.pass(own) => Pass::Open(own),
            _ => Pass::Locked(self.gate.read()),
        };
        BiasedReadGuard { lock: self, _pass: pass, _not_send: PhantomData }
    }

    /// Waits for everybody else. Not to be called by a thread that reads or writes this lock already.
    pub(crate) fn write(&self) -> BiasedWriteGuard<'_, T> {
        let guard = self.gate.write(places::all());
        // By nobody else, and after the last reader has gone who is to be told of the number before.
        self.writes.store(self.writes.load(Ordering::Relaxed) + 1, Ordering::Release);
        BiasedWriteGuard { lock: self, _guard: guard }
    }

    /// How often it has been locked for writing. While that is what a reader was told who was inside, what has been
    /// written since has not happened before.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }
}

impl<T: ?Sized> fmt::Debug for BiasedLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BiasedLock").finish_non_exhaustive()
    }
}

/// How a reader came in; dropped, it is outside.
enum Pass<'l> {
    Open(&'static Place),
    Locked(#[expect(dead_code, reason = "held")] RwLockReadGuard<'l, ()>),
}

impl Drop for Pass<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Self::Open(own) = self {
            own.leave();
        }
    }
}

/// The right to read.
pub(crate) struct BiasedReadGuard<'l, T: ?Sized> {
    lock: &'l BiasedLock<T>,
    _pass: Pass<'l>,
    /// The place is the thread's.
    _not_send: PhantomData<*const ()>,
}

impl<T: ?Sized> Deref for BiasedReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: while this guard lives, its `Pass` keeps writers out: `Gate::write` waits for it.
        unsafe { &*self.lock.value.get() }
    }
}

/// The right to write.
pub(crate) struct BiasedWriteGuard<'l, T: ?Sized> {
    lock: &'l BiasedLock<T>,
    _guard: RwLockWriteGuard<'l, ()>,
}

impl<T: ?Sized> Deref for BiasedWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: while this guard lives, nobody else is inside. Readers who had passed the open gate are gone
        // (`Gate::write` has waited for them), others, and writers, wait for the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for BiasedWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above; `&mut self` keeps other references of this guard away.
        unsafe { &mut *self.lock.value.get() }
    }
}

#[cfg(test)]
#[expect(clippy::used_underscore_binding, reason = "how a reader came in is what is tested")]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::super::READS_TO_OPEN;
    use super::*;

    /// A lock whose gate is open, if this machine has the barrier.
    fn opened<T>(value: T) -> BiasedLock<T> {
        let lock = BiasedLock::new(value);
        for _ in 0..READS_TO_OPEN {
            drop(lock.read());
        }
        assert!(
            matches!(lock.read()._pass, Pass::Open(_)),
            "the gate is shut: has the kernel no membarrier?"
        );
        lock
    }

    #[test]
    fn opens_after_many_reads_and_is_shut_by_a_writer() {
        let lock = opened(1);
        *lock.write() += 1;
        let guard = lock.read();
        assert_eq!(*guard, 2);
        assert!(matches!(guard._pass, Pass::Locked(_)));
    }

    #[test]
    fn who_reads_one_can_read_and_write_another() {
        let (outer, inner) = (opened(1), opened(1));
        let guard = outer.read();
        assert_eq!(*guard, *inner.read());
        *inner.write() += 1;
        assert_eq!(*guard + 1, *inner.read());
    }

    #[test]
    fn a_reader_that_panics_is_outside() {
        let lock = opened(1);
        let panicked = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let _guard = lock.read();
                panic!("in a reader");
            });
            reader.join().is_err()
        });
        assert!(panicked);
        *lock.write() += 1; // would wait for ever
    }

    /// Readers who come and go, with a thread each, and writers who keep two halves equal.
    #[test]
    fn nobody_sees_half_of_a_write() {
        const ROUNDS: u64 = if cfg!(miri) { 40 } else { 4_000 };
        let lock = opened((0, Box::new(0)));
        let barrier = Barrier::new(4);
        thread::scope(|scope| {
            for writer in [true, true, false, false] {
                let (lock, barrier) = (&lock, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for round in 0..ROUNDS {
                        if writer && round % 8 == 0 {
                            let mut halves = lock.write();
                            let count = halves.0 + 1;
                            // Another allocation each time, so that a reader who is not waited for reads what is freed.
                            drop(std::mem::replace(&mut *halves, (count, Box::new(count))));
                        } else {
                            // Enough of them, between two writers, to open the gate.
                            for _ in 0..if cfg!(miri) { 1 } else { READS_TO_OPEN / 16 } {
                                let halves = lock.read();
                                assert_eq!(halves.0, *halves.1);
                            }
                        }
                    }
                });
            }
        });
        assert_eq!(lock.read().0, 2 * ROUNDS / 8);
    }
}
