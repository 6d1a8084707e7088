//! The label sets of recent calls.
//!
//! A set is there for as long as something has it: an entry in this process, or a call under way. Where entries are
//! elsewhere there are only calls, and one after the other in one scope would each make what the last one had made.

use std::array;

use cacheado_backends::memory::LabelSet;
use parking_lot::Mutex;

/// So many sets are kept at most, with the texts of their scopes and tags.
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use cacheado_backends::memory::{Label, Limits, Store};
    use cacheado_backends::{Clock, Memory};

    use super::*;

    /// The set of a label, which is kept if it was made; whether it was.
    fn is_made(store: &Store, recent: &Recent, hash: u64, name: &str) -> bool {
        let label = Label::from(name.as_bytes());
        let made = Cell::new(false);
        let set = store.label_set(
            hash,
            |labels| *labels == [label.clone()],
            || {
                made.set(true);
                [label.clone()].into()
            },
        );
        if made.get() {
            recent.keep(hash, &set);
        }
        made.get()
    }

    #[test]
    fn a_set_is_kept_until_another_comes_to_its_place() {
        let (store, recent) = (Memory::new().open(Limits::default(), Clock::default()), Recent::default());
        assert!(is_made(&store, &recent, 1, "a"));
        assert!(is_made(&store, &recent, 2, "b"));
        assert!(!is_made(&store, &recent, 1, "a"), "no call has it, and it is there");
        assert!(is_made(&store, &recent, 1 + MOST as u64, "c"), "it takes its place");
        assert!(is_made(&store, &recent, 1, "a"), "it was let go");
        assert!(!is_made(&store, &recent, 2, "b"));
    }
}
