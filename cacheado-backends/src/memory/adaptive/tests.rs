//! What the adaptive order keeps, on sequences made from a seed. Figures on real ones: `docs/decisions/0016-adaptive.md`.

use std::sync::{Arc, Barrier};
use std::thread;

use super::super::tests::Fixture;
use super::super::{Cause, Limits, Memory};
use crate::Clock;

fn bounded(n: usize, adaptive: bool) -> Fixture {
    let limits = Limits { lru: Some(n), adaptive, ..Limits::default() };
    Fixture::new(&Memory::new(), limits, Clock::system())
}

/// Looks each key up, and stores it where it is missing. How many were there.
fn replay(fixture: &Fixture, keys: impl IntoIterator<Item = u64>) -> usize {
    let hit = |key: &u64| {
        let hit = fixture.get(*key).is_some();
        if !hit {
            fixture.fill(*key, None, &[]);
        }
        hit
    };
    keys.into_iter().filter(hit).count()
}

/// Hits with the adaptive order, and with exact recency.
fn against_lru(n: usize, keys: &[u64]) -> (usize, usize) {
    let hits = |adaptive| replay(&bounded(n, adaptive), keys.iter().copied());
    (hits(true), hits(false))
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of `n` keys; the first half of them as often as the second, and so on: about as in Zipf's law.
    fn skewed(&mut self, n: u64) -> u64 {
        let magnitude = self.next() % u64::from(n.ilog2() + 1);
        self.next() % (1 << magnitude).min(n)
    }
}

#[test]
fn the_bound_holds_for_each_n_under_eight_threads() {
    for n in 1..=100 {
        let fixture = bounded(n, true);
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for seed in 0..8 {
                let (fixture, barrier) = (&fixture, &barrier);
                scope.spawn(move || {
                    let mut random = Random(seed);
                    barrier.wait();
                    for _ in 0..300 {
                        let key = random.skewed(256);
                        replay(fixture, [key]);
                        if key.is_multiple_of(31) {
                            fixture.evict(key);
                        }
                    }
                });
            }
        });
        assert!(fixture.store.len() <= n, "{} entries, at most {n}", fixture.store.len());
        replay(&fixture, 1_000..1_000 + n as u64);
        assert_eq!(fixture.store.len(), n, "there is room for all of them");
    }
}

#[test]
fn none_is_stored_where_there_is_no_room() {
    let fixture = bounded(0, true);
    assert_eq!(replay(&fixture, [1, 1, 2]), 0);
    assert!(fixture.store.is_empty());
}

#[test]
fn a_scan_drives_out_nothing_that_is_used() {
    let fixture = bounded(1_000, true);
    for _ in 0..3 {
        replay(&fixture, 0..900);
    }
    replay(&fixture, 10_000..110_000);
    let kept = (0..900).filter(|key| fixture.get(*key).is_some()).count();
    assert_eq!(kept, 900);
}

#[test]
fn of_a_loop_longer_than_the_bound_a_part_stays() {
    let keys: Vec<u64> = (0..100_000).map(|step| step % 1_500).collect();
    let (adaptive, lru) = against_lru(1_000, &keys);
    assert_eq!(lru, 0);
    assert!(adaptive > 60_000, "{adaptive} hits");
}

#[test]
fn skewed_keys_with_scans_in_between_are_hit_more_often_than_by_recency() {
    let mut random = Random(7);
    let key = |step: u64| if step % 5_000 < 3_000 { random.skewed(1 << 14) } else { 1_000_000 + step };
    let keys: Vec<u64> = (0..100_000).map(key).collect();
    let (adaptive, lru) = against_lru(500, &keys);
    assert!(adaptive > lru + lru / 20, "{adaptive} hits, {lru} by recency");
}

#[test]
fn where_recency_is_right_it_is_not_much_worse() {
    // What comes is one of the last 1,500, the later the likelier, or new.
    let mut random = Random(12);
    let mut keys = vec![0];
    while keys.len() < 100_000 {
        let back = keys.len().checked_sub(1 + usize::try_from(random.skewed(2_048)).unwrap());
        let is_new = random.next() % 10 < 3;
        keys.push(back.filter(|_| !is_new).map_or(keys.len() as u64, |at| keys[at]));
    }
    let (adaptive, lru) = against_lru(1_000, &keys);
    assert!(adaptive > lru - lru / 50, "{adaptive} hits, {lru} by recency");
}

/// Keys of a window that is `width` wide, skewed, and that moves by one each `pace` steps.
fn drifting(seed: u64, width: u64, pace: u64) -> Vec<u64> {
    let mut random = Random(seed);
    (0..100_000).map(|step| step / pace + random.skewed(width)).collect()
}

#[test]
fn hot_keys_that_drift_are_not_lost_to_those_that_were_hot() {
    for (n, pace) in [(1_000, 10), (4_000, 5)] {
        let (adaptive, lru) = against_lru(n, &drifting(21, 1 << 14, pace));
        assert!(adaptive > lru - lru / 50, "{adaptive} hits with room for {n}, {lru} by recency");
    }
}

#[test]
fn where_nearly_everything_fits_it_is_not_worse_than_recency() {
    // One of the last 3,000 different keys, the later the likelier, or one in twenty times a new one.
    let mut random = Random(5);
    let mut stack: Vec<u64> = Vec::new();
    let mut next = || {
        let depth = usize::try_from(random.skewed(4_096)).unwrap();
        let at = stack.len().checked_sub(1 + depth).filter(|_| !random.next().is_multiple_of(20));
        let key = at.map_or(stack.len() as u64 + 1_000_000, |at| stack.remove(at));
        stack.push(key);
        key
    };
    let keys: Vec<u64> = (0..100_000).map(|_| next()).collect();
    let (adaptive, lru) = against_lru(3_000, &keys);
    assert!(adaptive > lru - lru / 100, "{adaptive} hits, {lru} by recency");
}

#[test]
fn recency_and_a_loop_by_turns_are_both_served() {
    let mut random = Random(9);
    let mut keys: Vec<u64> = Vec::new();
    while keys.len() < 160_000 {
        let step = keys.len();
        let recent = step.checked_sub(1 + usize::try_from(random.skewed(2_048)).unwrap());
        let is_new = random.next().is_multiple_of(5);
        keys.push(if step / 20_000 % 2 == 1 {
            5_000_000 + step as u64 % 1_500
        } else {
            recent.filter(|_| !is_new).map_or(step as u64, |at| keys[at])
        });
    }
    let (adaptive, lru) = against_lru(1_000, &keys);
    assert!(adaptive > lru + lru / 4, "{adaptive} hits, {lru} by recency");
}

#[test]
fn loops_of_any_length_are_served_in_part() {
    // The best is 999 / length.
    for length in [1_010, 1_100, 1_300, 2_000, 3_000] {
        let hits = replay(&bounded(1_000, true), (0..100_000).map(|step| step % length)) as u64;
        let best = (100_000 - length) * 999 / length;
        assert!(hits * 10 > best * 9, "{hits} hits of at most {best} in a loop of {length}");
    }
}

#[test]
fn what_is_not_used_any_more_leaves() {
    let fixture = bounded(1_000, true);
    for shift in 0..5 {
        let mut random = Random(shift);
        let keys = (0..20_000).map(|_| shift * 10_000 + random.skewed(2_048));
        replay(&fixture, keys);
    }
    let old = (0..40_000).filter(|key| fixture.get(*key).is_some()).count();
    assert!(old < 200, "{old} of 1,000 entries are not used any more");
}

#[test]
fn one_thread_sees_the_same_each_time() {
    let mut random = Random(3);
    let keys: Vec<u64> = (0..20_000).map(|_| random.skewed(4_096)).collect();
    let run = || {
        let fixture = bounded(300, true);
        replay(&fixture, keys.iter().copied());
        (0..4_096).filter(|key| fixture.get(*key).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn what_has_just_been_stored_stays_where_all_that_is_older_in_the_main_order_is_gone() {
    let fixture = bounded(10, true);
    replay(&fixture, 0..11);
    fixture.store.clear(Cause::Cleared);
    // All of these go to the main order: there is room.
    for key in 100..700 {
        fixture.fill(key, None, &[]);
        fixture.evict(key);
    }
    replay(&fixture, 1_000..1_010);
    assert_eq!(fixture.store.len(), 10);
    fixture.fill(2_000, None, &[]);
    assert_eq!(fixture.get(2_000), Some(2_000), "it does not make room for itself");
    assert_eq!(fixture.store.len(), 10);
}

#[test]
fn being_overwritten_counts_as_a_use() {
    let fixture = bounded(100, true);
    replay(&fixture, 0..100);
    for _ in 0..3 {
        fixture.fill(7, None, &[]);
    }
    replay(&fixture, 1_000..1_200);
    assert_eq!(fixture.get(7), Some(7));
}

#[test]
fn hazard_18_the_books_stay_small_with_the_adaptive_order() {
    let fixture = bounded(100, true);
    for round in 0..100_000_u64 {
        fixture.fill(round % 150, None, &[]);
        fixture.get(round % 7);
        if round.is_multiple_of(11) {
            fixture.evict(round % 150);
        }
    }
    let (records, _) = fixture.store.records();
    assert!(records <= 2 * 100 + 1024 + 1, "{records} records for 100 entries");
    fixture.store.clear(Cause::Cleared);
    assert_eq!(replay(&fixture, 0..100), 0);
    assert_eq!(fixture.store.len(), 100);
}

#[test]
fn hazard_18_where_only_the_weight_binds_few_keys_are_remembered_that_have_left() {
    let memory = Memory::builder().max_weight(100).weigher(|_, _| 10).build();
    for most in [usize::MAX, 1 << 40] {
        let limits = Limits { lru: Some(most), adaptive: true, ..Limits::default() };
        let fixture = Fixture::new(&memory, limits, Clock::system());
        for round in 0..10_000_u64 {
            replay(&fixture, [round, round % 7]);
            assert!(fixture.store.len() <= 10);
        }
        // Records of what is gone count as entries until they are tidied up.
        let (records, _) = fixture.store.records();
        let ghosts = fixture.store.ghosts();
        assert!(ghosts <= 2 * (2 * records + 64), "{ghosts} ghosts, {records} records of 10 entries");
    }
}

#[test]
fn groups_keep_their_bounds_and_their_order() {
    let shares = Memory::builder().max_items_per_scope("organization", 3).build().limits().shares.clone();
    let shares = shares.told_by(Arc::new(|_| Some(3)));
    let limits = Limits { lru: Some(1_000), adaptive: true, shares, ..Limits::default() };
    let fixture = Fixture::new(&Memory::new(), limits, Clock::system());
    for key in 0..3 {
        fixture.fill(key, None, &["acme"]);
    }
    fixture.get(0);
    fixture.fill(3, None, &["acme"]);
    let kept: Vec<u64> = (0..4).filter(|key| fixture.get(*key).is_some()).collect();
    assert_eq!(kept, [0, 2, 3]);
}
