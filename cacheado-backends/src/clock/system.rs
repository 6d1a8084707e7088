//! The system's monotonic clock, precise and coarse.
//!
//! Measured on a virtual machine, added to a cache hit that takes 29 ns: the time-stamp counter
//! 37 ns (it waits for everything before it), `Instant::now` 43 ns, the kernel's coarse clock 3 ns.

/// Where the coarse clock is at least this far from a deadline (nanoseconds), it is trusted.
///
/// The coarse clock is advanced by the kernel's tick, every 1 to 10 ms, whatever this process does; a
/// stalled tick is made up for by any other processor within five ticks. 100 ms is twice the worst.
pub(super) const SLACK: u64 = 100_000_000;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod source {
    use rustix::time::{ClockId, clock_gettime};

    #[inline]
    fn read(id: ClockId) -> u64 {
        let time = clock_gettime(id);
        // A monotonic clock counts up from the boot of the machine: neither field is negative.
        (time.tv_sec.cast_unsigned()).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec.cast_unsigned())
    }

    #[inline]
    pub(in crate::clock) fn precise() -> u64 {
        read(ClockId::Monotonic)
    }

    #[inline]
    pub(in crate::clock) fn coarse() -> u64 {
        read(ClockId::MonotonicCoarse)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod source {
    use std::sync::LazyLock;
    use std::time::Instant;

    static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(in crate::clock) fn precise() -> u64 {
        u64::try_from(ORIGIN.elapsed().as_nanos()).unwrap_or(u64::MAX - 1)
    }

    pub(in crate::clock) use precise as coarse;
}

pub(super) use source::{coarse, precise};

#[inline]
pub(super) fn expired(deadline: u64) -> bool {
    if coarse() < deadline.saturating_sub(SLACK) {
        return false;
    }
    expired_precisely(deadline)
}

#[cold]
#[inline(never)]
fn expired_precisely(deadline: u64) -> bool {
    precise() >= deadline
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_clock_is_behind_the_precise_one_by_less_than_the_slack() {
        for _ in 0..1_000 {
            let (before, coarse, after) = (precise(), coarse(), precise());
            assert!(coarse <= after, "{coarse} > {after}");
            let lag = before.saturating_sub(coarse);
            assert!(lag < SLACK, "lag of {lag} ns");
        }
    }

    #[test]
    fn hazard_10_near_its_deadline_an_entry_is_judged_by_the_precise_clock() {
        let now = precise();
        assert!(expired(now), "a deadline that has come");
        assert!(!expired(now + 60_000_000_000), "a deadline a minute away");
        while precise() < now + 1_000_000 {}
        assert!(expired(now + 1_000_000), "a deadline that came less than a tick ago");
    }
}
