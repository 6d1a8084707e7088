//! From a site to the function's state in one cache: a few loads, on the hit path.

use std::any::{Any, TypeId};
use std::sync::{Arc, OnceLock};

/// The functions of a cache, by the numbers of their sites.
///
/// The table only grows, by segments that double in size and never move, so a lookup takes no lock.
#[derive(Default)]
pub(crate) struct SiteTable {
    /// The first sites stand in the table itself: most programs have no more.
    first: [OnceLock<Node>; FIRST],
    segments: [OnceLock<Box<[OnceLock<Node>]>>; SEGMENTS],
}

/// The first segment holds `FIRST` sites more, each other one as many as all before it.
const FIRST: usize = 32;
const SEGMENTS: usize = 28;

/// One instance of a function; a generic function has several.
struct Node {
    marker: TypeId,
    function: Arc<dyn Any + Send + Sync>,
    next: OnceLock<Box<Self>>,
}

impl SiteTable {
    /// The segment of a site that is not among the first, and its place there.
    fn slot(number: usize) -> (usize, usize) {
        let segment = (number / FIRST).ilog2() as usize;
        (segment, number - (FIRST << segment))
    }

    /// The function that the site `number` has in the instance `marker`, if it has been added.
    #[inline]
    pub(crate) fn get<F: Any>(&self, number: u32, marker: TypeId) -> Option<&F> {
        self.node(number, marker)?.function.downcast_ref()
    }

    /// The same, to keep, of whatever type.
    pub(crate) fn find(&self, number: u32, marker: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::clone(&self.node(number, marker)?.function))
    }

    #[inline]
    fn node(&self, number: u32, marker: TypeId) -> Option<&Node> {
        let mut node = match self.first.get(number as usize) {
            Some(node) => node.get()?,
            None => self.later(number as usize)?,
        };
        while node.marker != marker {
            node = node.next.get()?;
        }
        Some(node)
    }

    #[inline(never)]
    fn later(&self, number: usize) -> Option<&Node> {
        let (segment, index) = Self::slot(number);
        self.segments[segment].get()?.get(index)?.get()
    }

    /// Adds a function. Does nothing if the instance is there already.
    pub(crate) fn add(&self, number: u32, marker: TypeId, function: Arc<dyn Any + Send + Sync>) {
        let slot = self.first.get(number as usize).unwrap_or_else(|| {
            let (segment, index) = Self::slot(number as usize);
            let fill = || (0..FIRST << segment).map(|_| OnceLock::new()).collect();
            &self.segments[segment].get_or_init(fill)[index]
        });
        let mut added = Some(Node { marker, function, next: OnceLock::new() });
        let mut node = slot.get_or_init(|| added.take().unwrap_or_else(Node::unreachable));
        while let Some(new) = added.take() {
            if node.marker == marker {
                return;
            }
            let mut rest = Some(Box::new(new));
            node = node.next.get_or_init(|| rest.take().unwrap_or_else(|| Box::new(Node::unreachable())));
            added = rest.map(|node| *node);
        }
    }
}

impl Node {
    /// `get_or_init` calls its closure once at most, so what it takes is there.
    fn unreachable() -> Self {
        Self { marker: TypeId::of::<()>(), function: Arc::new(()), next: OnceLock::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_distinct_and_dense() {
        let mut expected = (0, 0);
        for number in FIRST..10_000 {
            let slot = SiteTable::slot(number);
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
        let table = SiteTable::default();
        let markers = [TypeId::of::<u8>(), TypeId::of::<u16>(), TypeId::of::<u32>()];
        for number in [1, 31, 32, 33, 64, 1_000, 70_000] {
            for (instance, marker) in markers.into_iter().enumerate() {
                assert!(table.get::<String>(number, marker).is_none());
                table.add(number, marker, Arc::new(format!("{number} {instance}")));
                table.add(number, marker, Arc::new("second".to_owned()));
            }
        }
        for number in [1, 31, 32, 33, 64, 1_000, 70_000] {
            for (instance, marker) in markers.into_iter().enumerate() {
                assert_eq!(table.get::<String>(number, marker), Some(&format!("{number} {instance}")));
            }
        }
        assert!(table.get::<u8>(1, markers[0]).is_none(), "another type");
    }
}
