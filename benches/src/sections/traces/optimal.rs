//! The most that any cache could hit (Belady's MIN): what leaves is what is wanted again last.

use std::collections::BinaryHeap;

/// Never again.
const NEVER: usize = usize::MAX;

/// How many of the accesses hit at this capacity. Keys are numbered from 0.
pub(super) fn hits(keys: &[u32], capacity: usize) -> usize {
    let distinct = keys.iter().max().map_or(0, |key| *key as usize + 1);
    // When each is held, the time of its next access; the heap also has times that have passed since.
    let mut held: Vec<Option<usize>> = vec![None; distinct];
    let mut latest = BinaryHeap::new();
    let (mut entries, mut hits) = (0, 0);
    for (key, next) in keys.iter().zip(next_accesses(keys, distinct)) {
        if held[*key as usize].is_some() {
            hits += 1;
        } else if entries < capacity {
            entries += 1;
        } else {
            while let Some((time, key)) = latest.pop() {
                let holds: &mut Option<usize> = &mut held[key as usize];
                if *holds == Some(time) {
                    *holds = None;
                    break;
                }
            }
        }
        held[*key as usize] = Some(next);
        latest.push((next, *key));
    }
    hits
}

/// For each access, when the same key is accessed again.
fn next_accesses(keys: &[u32], distinct: usize) -> Vec<usize> {
    let mut seen = vec![NEVER; distinct];
    let mut nexts = vec![NEVER; keys.len()];
    for (time, key) in keys.iter().enumerate().rev() {
        nexts[time] = std::mem::replace(&mut seen[*key as usize], time);
    }
    nexts
}

#[cfg(test)]
mod tests {
    use super::hits;

    #[test]
    fn what_is_wanted_again_last_leaves() {
        // 3 takes the place of 2, which is wanted after 1.
        assert_eq!(hits(&[1, 2, 3, 1, 2], 2), 1);
        // In a loop longer than the cache, LRU hits nothing.
        assert_eq!(hits(&[1, 2, 3, 1, 2, 3, 1, 2, 3], 2), 3);
        assert_eq!(hits(&[7, 7, 7], 1), 2);
    }
}
