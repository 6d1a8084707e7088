//! The lock and the condition of the flights: `parking_lot`'s, or the model checker's under `--cfg shuttle`.

#[cfg(not(shuttle))]
pub(super) use parking_lot::{Condvar, Mutex};

#[cfg(shuttle)]
pub(super) use modelled::{Condvar, Mutex};

#[cfg(shuttle)]
mod modelled {
    use std::sync::PoisonError;

    use shuttle::sync::MutexGuard;

    #[derive(Debug, Default)]
    pub(in super::super) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(in super::super) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(in super::super) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[derive(Debug, Default)]
    pub(in super::super) struct Condvar(shuttle::sync::Condvar);

    impl Condvar {
        pub(in super::super) fn new() -> Self {
            Self(shuttle::sync::Condvar::new())
        }

        pub(in super::super) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(in super::super) fn wait<T>(&self, guard: &mut Option<MutexGuard<'_, T>>) {
            if let Some(held) = guard.take() {
                *guard = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }
}
