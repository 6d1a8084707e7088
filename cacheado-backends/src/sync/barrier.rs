//! A pair of barriers of which one is nearly free and the other is for every thread of the process.
//!
//! On Linux the heavy one is `membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)`: when it returns, each thread of the process
//! has executed a full barrier, or was not running. So the light one has only to keep the compiler from moving
//! memory accesses across it. Elsewhere both are full fences.

pub(super) use system::{heavy, is_there, light};

#[cfg(all(target_os = "linux", not(miri)))]
mod system {
    use std::sync::LazyLock;
    use std::sync::atomic::{Ordering, compiler_fence};

    use rustix::thread::{MembarrierCommand, membarrier};

    /// Whether the kernel has the barrier, and lets this process use it.
    static IS_REGISTERED: LazyLock<bool> = LazyLock::new(|| {
        membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok() && heavy_once().is_ok()
    });

    fn heavy_once() -> rustix::io::Result<()> {
        membarrier(MembarrierCommand::PrivateExpedited)
    }

    /// Whether [`heavy`] may be called.
    pub(in crate::sync) fn is_there() -> bool {
        *IS_REGISTERED
    }

    #[inline]
    pub(in crate::sync) fn light() {
        compiler_fence(Ordering::SeqCst);
    }

    pub(in crate::sync) fn heavy() {
        // It cannot fail once it has been registered. Where it did, after a fork that the kernel did not hand the
        // registration on to, that is made up for; without a barrier readers could see what is being written.
        while heavy_once().is_err() {
            let _ = membarrier(MembarrierCommand::RegisterPrivateExpedited);
        }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod system {
    use std::sync::atomic::{Ordering, fence};

    pub(in crate::sync) const fn is_there() -> bool {
        true
    }

    #[inline]
    pub(in crate::sync) fn light() {
        fence(Ordering::SeqCst);
    }

    pub(in crate::sync) fn heavy() {
        fence(Ordering::SeqCst);
    }
}
