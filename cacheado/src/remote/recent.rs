//! The label sets of late calls.
//!
//! A set is there for as long as something has it: an entry in this process, or a call under way. Where entries are
//! elsewhere there are only calls, and one after the other in one scope would each make what it has just been made.

use std::array;

use cacheado_backends::memory::LabelSet;
use parking_lot::Mutex;

/// So many sets are kept at most: some hundred bytes each.
const MOST: usize = 64;

/// One set for each place, which its hash chooses.
pub(crate) struct Recent([Mutex<Option<LabelSet>>; MOST]);

impl Default for Recent {
    fn default() -> Self {
        Self(array::from_fn(|_| Mutex::new(None)))
    }
}

impl Recent {
    /// Keeps a set that was just made, until another comes to its place.
    pub(crate) fn keep(&self, hash: u64, set: &LabelSet) {
        let place = usize::try_from(hash % MOST as u64).unwrap_or_default();
        let before = self.0[place].lock().replace(set.clone());
        // The last handle of a set takes it out of its index: not under the lock.
        drop(before);
    }
}
