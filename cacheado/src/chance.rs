//! Chance, for jitter and early refresh: cheap, of each thread's own, and the same again from the same seed.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

thread_local! {
    /// Zero: not seeded yet.
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// Seeds this thread's chance.
pub(crate) fn seed(seed: u64) {
    STATE.set(seed.max(1));
}

/// The next number (`SplitMix64`, by Steele, Lea and Flood).
fn next() -> u64 {
    let before = match STATE.get() {
        0 => RandomState::new().hash_one(0_u8),
        state => state,
    };
    let state = before.wrapping_add(0x9E37_79B9_7F4A_7C15);
    STATE.set(state.max(1));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// More than 0, up to 1: one of 2³² steps.
fn share() -> f64 {
    (f64::from((next() >> 32) as u32) + 1.0) / TWO_TO_32
}

const TWO_TO_32: f64 = 4_294_967_296.0;

/// The most that `-ln` of a [`share`] can be.
const FURTHEST: f64 = 32.0 * std::f64::consts::LN_2;

/// A time that is shorter by a random part of up to `fraction` of it. Never longer, and never zero.
pub(crate) fn shortened(time: Duration, fraction: f64) -> Duration {
    if fraction <= 0.0 {
        return time;
    }
    let nanos = time.as_nanos();
    #[expect(clippy::cast_precision_loss, reason = "it is a random part anyway")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to `nanos`")]
    let less = (nanos as f64 * fraction.min(1.0) * (1.0 - share())) as u128;
    let rest = nanos.saturating_sub(less).max(1);
    let seconds = u64::try_from(rest / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::new(seconds, u32::try_from(rest % 1_000_000_000).unwrap_or_default()).min(time)
}

/// For how long before its expiry a value that took this long can be computed anew at all.
pub(crate) fn lead(took: Duration, beta: f64) -> Duration {
    Duration::try_from_secs_f64(took.as_secs_f64() * beta * FURTHEST).unwrap_or(Duration::MAX)
}

/// Whether a value is computed anew with this much of its time `left`, where it can be from `lead` on.
///
/// `XFetch`: `cost · beta · -ln(share) ≥ left` ("Optimal Probabilistic Cache Stampede Prevention", Vattani,
/// Chierichetti and Lowenstein, VLDB 2015): seldom at first, surely at the end, and sooner for what is costly.
pub(crate) fn is_due(left: Duration, lead: Duration) -> bool {
    lead > left && lead.as_secs_f64() * (-share().ln() / FURTHEST) >= left.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hazard_14_chance_never_lengthens() {
        seed(7);
        for time in [1, 2, 1_000, 60_000_000_000, u64::MAX].map(Duration::from_nanos) {
            for fraction in [0.0, 0.1, 1.0] {
                for _ in 0..1_000 {
                    let short = shortened(time, fraction);
                    assert!(!short.is_zero() && short <= time, "{short:?} of {time:?}");
                    let least = time.as_secs_f64() * (1.0 - fraction);
                    assert!(short.as_secs_f64() >= least * 0.999_999 - 1e-9, "{short:?} of {time:?}");
                }
            }
        }
        assert_eq!(shortened(Duration::MAX, 0.0), Duration::MAX);
        assert!(shortened(Duration::MAX, 0.5) <= Duration::MAX);
    }

    #[test]
    fn hazard_14_a_value_is_due_within_its_lead_only_and_surely_at_its_end() {
        seed(7);
        let lead = lead(Duration::from_millis(100), 1.0);
        assert!((2.2..2.3).contains(&lead.as_secs_f64()), "{lead:?}");
        for _ in 0..10_000 {
            assert!(!is_due(lead, lead));
            assert!(is_due(Duration::ZERO, lead));
            assert!(!is_due(Duration::ZERO, Duration::ZERO), "what cost nothing is not due early");
        }
    }

    #[test]
    fn the_chance_is_that_of_the_paper() {
        seed(7);
        let lead = lead(Duration::from_millis(100), 1.0);
        // At a distance of one cost, e⁻¹; of three, e⁻³.
        for (left, expected) in [(100, 0.3679), (300, 0.0498)] {
            let due = (0..20_000).filter(|_| is_due(Duration::from_millis(left), lead)).count();
            let rate = f64::from(u32::try_from(due).unwrap()) / 20_000.0;
            assert!((rate - expected).abs() < 0.01, "{rate} at {left} ms");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same() {
        let run = || {
            seed(42);
            (0..8).map(|_| next()).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
    }
}
