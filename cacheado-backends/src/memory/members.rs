//! The entries of one label set, each at a place that it keeps, so that it is struck off without being looked for.
//!
//! A place that was left is taken by the next entry: in a cache that is full, one goes as another comes.

use super::ledger::Locator;

/// Where an entry is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u32);

/// No entry has this serial.
const NOBODY: u64 = 0;

/// The end of the list of places that were left.
const END: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Members {
    /// A place that was left has the serial [`NOBODY`], and the next such place for a hash.
    places: Vec<Locator>,
    left: u64,
    len: usize,
    /// Which count against a bound; shorter where the last ones do not.
    counted: Vec<bool>,
}

impl Default for Members {
    fn default() -> Self {
        Self { places: Vec::new(), left: END, len: 0, counted: Vec::new() }
    }
}

impl Members {
    /// So many places are kept where there is no entry.
    const KEPT: usize = 16;

    pub(super) fn add(&mut self, at: Locator) -> Place {
        self.len += 1;
        if let Some(place) = usize::try_from(self.left).ok().and_then(|left| self.places.get_mut(left)) {
            #[expect(clippy::cast_possible_truncation, reason = "it was a place")]
            let taken = Place(self.left as u32);
            self.left = place.hash;
            *place = at;
            return taken;
        }
        self.places.push(at);
        // Four billion entries of one set do not fit into memory.
        Place(u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX))
    }

    /// Strikes an entry off; whether it counted against a bound. Nothing happens if it is not there.
    pub(super) fn remove(&mut self, Place(index): Place, at: &Locator) -> bool {
        let Some(place) = self.places.get_mut(index as usize).filter(|place| *place == at) else {
            return false;
        };
        *place = Locator { serial: NOBODY, hash: self.left };
        self.left = u64::from(index);
        self.len -= 1;
        let counted = self.counted.get_mut(index as usize).is_some_and(std::mem::take);
        if self.len == 0 && self.places.capacity() > Self::KEPT {
            *self = Self::default();
        }
        counted
    }

    /// Counts an entry against a bound from now on. Not if it is not there, or counts already.
    pub(super) fn count_in(&mut self, Place(index): Place, at: &Locator) -> bool {
        let index = index as usize;
        if self.places.get(index) != Some(at) {
            return false;
        }
        if self.counted.len() <= index {
            self.counted.resize(index + 1, false);
        }
        !std::mem::replace(&mut self.counted[index], true)
    }

    /// Appends all entries.
    pub(super) fn list(&self, entries: &mut Vec<Locator>) {
        entries.extend(self.places.iter().filter(|place| place.serial != NOBODY));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(serial: u64) -> Locator {
        Locator { hash: serial * 7, serial }
    }

    #[test]
    fn places_that_were_left_are_taken_again() {
        let mut members = Members::default();
        let places: Vec<_> = (1..=4).map(|serial| members.add(at(serial))).collect();
        assert!(members.count_in(places[1], &at(2)) && !members.count_in(places[1], &at(2)));
        assert!(members.remove(places[1], &at(2)), "it counted");
        assert!(!members.remove(places[1], &at(2)), "it is gone");
        assert!(!members.remove(places[2], &at(3)), "it did not count");
        assert_eq!((members.add(at(5)), members.add(at(6))), (places[2], places[1]));
        assert!(!members.remove(places[1], &at(2)), "another is there");
        let mut entries = Vec::new();
        members.list(&mut entries);
        assert_eq!(entries, [at(1), at(6), at(5), at(4)]);
        let more: Vec<_> = (7..40).map(|serial| (members.add(at(serial)), serial)).collect();
        let first = [(places[0], 1), (places[1], 6), (places[2], 5), (places[3], 4)];
        for (place, serial) in first.into_iter().chain(more) {
            members.remove(place, &at(serial));
        }
        assert_eq!((members.places.capacity(), members.len), (0, 0), "no memory is kept for none");
    }
}
