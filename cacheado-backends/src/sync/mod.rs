//! The locks and atomics of this crate: `parking_lot`, `std` and a lock of our own, or the model checker's under
//! `--cfg shuttle`.
//!
//! | file | subject |
//! |---|---|
//! | `biased` | a reader-writer lock whose readers take no lock; the only `unsafe` of the project |
//! | `gate` | how it excludes |
//! | `places` | where each thread says what it reads |
//! | `barrier` | the fence that a writer executes for all readers |

#[cfg(not(shuttle))]
mod barrier;
#[cfg(not(shuttle))]
mod biased;
#[cfg(not(shuttle))]
mod gate;
#[cfg(not(shuttle))]
mod places;

#[cfg(not(shuttle))]
pub(crate) use biased::BiasedLock;
#[cfg(not(shuttle))]
pub(crate) use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
#[cfg(not(shuttle))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

// What `gate` is made of: its model check puts other ones in their place.
#[cfg(not(shuttle))]
use parking_lot::RwLockReadGuard;
#[cfg(not(shuttle))]
use std::hint::spin_loop;
#[cfg(not(shuttle))]
use std::sync::atomic::AtomicU32;
#[cfg(not(shuttle))]
use std::thread::yield_now;

/// After so many reads under the lock, without a writer, a gate opens: they cost about as much more than open ones as
/// shutting the gate five times. (A read under the lock: 10 ns more; shutting it: a microsecond or two.)
#[cfg(not(shuttle))]
const READS_TO_OPEN: u32 = 1_024;

#[cfg(shuttle)]
pub(crate) use modelled::{Mutex, RwLock, RwLock as BiasedLock};
#[cfg(shuttle)]
pub(crate) use shuttle::sync::RwLockWriteGuard;
#[cfg(shuttle)]
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// The model checker's locks with `parking_lot`'s signatures.
#[cfg(shuttle)]
mod modelled {
    use std::sync::PoisonError;

    use super::{AtomicU64, Ordering};

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T: ?Sized> {
        writes: AtomicU64,
        lock: shuttle::sync::RwLock<T>,
    }

    impl<T> RwLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self { writes: AtomicU64::new(0), lock: shuttle::sync::RwLock::new(value) }
        }
    }

    impl<T: ?Sized> RwLock<T> {
        pub(crate) fn read(&self) -> shuttle::sync::RwLockReadGuard<'_, T> {
            self.lock.read().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn write(&self) -> shuttle::sync::RwLockWriteGuard<'_, T> {
            let guard = self.lock.write().unwrap_or_else(PoisonError::into_inner);
            self.writes.fetch_add(1, Ordering::SeqCst);
            guard
        }

        /// As of a `BiasedLock`.
        pub(crate) fn writes(&self) -> u64 {
            self.writes.load(Ordering::SeqCst)
        }
    }
}
