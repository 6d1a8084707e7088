//! From a site to the function's state in one cache: a few loads, on the hit path.

use std::any::TypeId;
use std::sync::{Arc, OnceLock};

/// The functions of a cache, each an `F`, by the numbers of their sites.
///
/// The table only grows, by segments that double in size and never move, so a lookup takes no lock.
pub(crate) struct SiteTable<F> {
    /// The first sites stand in the table itself: most programs have no more.
    first: [OnceLock<Node<F>>; FIRST],
    segments: [OnceLock<Segment<F>>; SEGMENTS],
}

type Segment<F> = Box<[OnceLock<Node<F>>]>;

/// The first segment holds `FIRST` sites more, each other one as many as all before it.
const FIRST: usize = 32;
const SEGMENTS: usize = 28;

/// One instance of a function; a generic function has several.
struct Node<F> {
    marker: TypeId,
    function: Arc<F>,
    next: OnceLock<Box<Self>>,
}

impl<F> Default for SiteTable<F> {
    fn default() -> Self {
        Self { first: [const { OnceLock::new() }; FIRST], segments: [const { OnceLock::new() }; SEGMENTS] }
    }
}

impl<F> SiteTable<F> {
    /// The segment of a site that is not among the first, and its place there.
    fn slot(number: usize) -> (usize, usize) {
        let segment = (number / FIRST).ilog2() as usize;
        (segment, number - (FIRST << segment))
    }

    /// The function that the site `number` has in the instance `marker`, if it has been added.
    #[inline]
    pub(crate) fn get(&self, number: u32, marker: TypeId) -> Option<&Arc<F>> {
        let mut node = match self.first.get(number as usize) {
            Some(node) => node.get()?,
            None => self.later(number as usize)?,
        };
        while node.marker != marker {
            node = node.next.get()?;
        }
        Some(&node.function)
    }

    #[inline(never)]
    fn later(&self, number: usize) -> Option<&Node<F>> {
        let (segment, index) = Self::slot(number);
        self.segments[segment].get()?.get(index)?.get()
    }

    /// Adds a function. Does nothing if the instance is there already.
    pub(crate) fn add(&self, number: u32, marker: TypeId, function: Arc<F>) {
        let slot = self.first.get(number as usize).unwrap_or_else(|| {
            let (segment, index) = Self::slot(number as usize);
            let fill = || (0..FIRST << segment).map(|_| OnceLock::new()).collect();
            &self.segments[segment].get_or_init(fill)[index]
        });
        // Of a place that is taken, a node comes back, and goes to the end of the list.
        let Err(new) = slot.set(Node { marker, function, next: OnceLock::new() }) else { return };
        let (mut new, mut there) = (Box::new(new), slot.get());
        while let Some(node) = there.filter(|node| node.marker != marker) {
            match node.next.set(new) {
                Ok(()) => return,
                Err(back) => new = back,
            }
            there = node.next.get().map(|next| &**next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_distinct_and_dense() {
        let mut expected = (0, 0);
        for number in FIRST..10_000 {
            let slot = SiteTable::<String>::slot(number);
            if slot.0 != expected.0 {
                assert_eq!(expected.1, FIRST << expected.0, "segment {} is full", expected.0);
                expected = (expected.0 + 1, 0);
            }
            assert_eq!(slot, expected, "site {number}");
            expected.1 += 1;
        }
    }

    #[test]
    fn finds_what_was_added_by_number_and_instance() {
        let table = SiteTable::<String>::default();
        let markers = [TypeId::of::<u8>(), TypeId::of::<u16>(), TypeId::of::<u32>()];
        for number in [1, 31, 32, 33, 64, 1_000, 70_000] {
            for (instance, marker) in markers.into_iter().enumerate() {
                assert!(table.get(number, marker).is_none());
                table.add(number, marker, Arc::new(format!("{number} {instance}")));
                table.add(number, marker, Arc::new("second".to_owned()));
            }
        }
        for number in [1, 31, 32, 33, 64, 1_000, 70_000] {
            for (instance, marker) in markers.into_iter().enumerate() {
                assert_eq!(
                    table.get(number, marker).map(|name| name.as_str()),
                    Some(&*format!("{number} {instance}"))
                );
            }
        }
    }
}
