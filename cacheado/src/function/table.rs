//! From a site to the function's state in one cache: a few loads, on the hit path.

use std::any::Any;
use std::ptr;
use std::sync::{Arc, OnceLock};

/// The functions of a cache, by the numbers of their sites.
///
/// The table only grows, by segments that double in size and never move, so a lookup takes no lock.
#[derive(Default)]
pub(crate) struct SiteTable {
    segments: [OnceLock<Box<[OnceLock<Node>]>>; SEGMENTS],
}

/// The first segment holds `FIRST` sites, each other one as many as all before it.
const FIRST: usize = 32;
const SEGMENTS: usize = 28;

/// One instance of a function; a generic function has several.
struct Node {
    marker: &'static str,
    function: Arc<dyn Any + Send + Sync>,
    next: OnceLock<Box<Self>>,
}

impl SiteTable {
    #[inline]
    fn slot(number: u32) -> (usize, usize) {
        let number = number as usize;
        if number < FIRST {
            return (0, number);
        }
        let segment = (number / FIRST).ilog2() as usize + 1;
        (segment, number - (FIRST << (segment - 1)))
    }

    /// The function that the site `number` has in the instance `marker`, if it has been added.
    #[inline]
    pub(crate) fn get<F: Any>(&self, number: u32, marker: &'static str) -> Option<&F> {
        self.node(number, marker)?.function.downcast_ref()
    }

    /// The same, to keep.
    pub(crate) fn get_arc<F: Any + Send + Sync>(&self, number: u32, marker: &'static str) -> Option<Arc<F>> {
        Arc::clone(&self.node(number, marker)?.function).downcast().ok()
    }

    #[inline]
    fn node(&self, number: u32, marker: &'static str) -> Option<&Node> {
        let (segment, index) = Self::slot(number);
        let mut node = self.segments[segment].get()?.get(index)?.get()?;
        // One address is enough in practice; where the compiler has copied the name, the text decides.
        while !ptr::eq(node.marker, marker) && node.marker != marker {
            node = node.next.get()?;
        }
        Some(node)
    }

    /// Adds a function. Does nothing if the instance is there already.
    pub(crate) fn add(&self, number: u32, marker: &'static str, function: Arc<dyn Any + Send + Sync>) {
        let (segment, index) = Self::slot(number);
        let size = if segment == 0 { FIRST } else { FIRST << (segment - 1) };
        let slots = self.segments[segment].get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
        let mut added = Some(Node { marker, function, next: OnceLock::new() });
        let mut node = slots[index].get_or_init(|| added.take().unwrap_or_else(Node::unreachable));
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
        Self { marker: "", function: Arc::new(()), next: OnceLock::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_distinct_and_dense() {
        let mut expected = (0, 0);
        for number in 0..10_000_u32 {
            let slot = SiteTable::slot(number);
            if number > 0 && slot.0 != expected.0 {
                expected = (expected.0 + 1, 0);
            }
            assert_eq!(slot, expected, "site {number}");
            expected.1 += 1;
        }
    }

    #[test]
    fn finds_what_was_added_by_number_and_instance() {
        let table = SiteTable::default();
        for number in [1, 31, 32, 33, 64, 1_000, 70_000] {
            for marker in ["a", "b", "c"] {
                assert!(table.get::<String>(number, marker).is_none());
                table.add(number, marker, Arc::new(format!("{number}{marker}")));
                table.add(number, marker, Arc::new("second".to_owned()));
            }
        }
        for number in [1, 31, 32, 33, 64, 1_000, 70_000] {
            for marker in ["a", "b", "c"] {
                assert_eq!(table.get::<String>(number, marker), Some(&format!("{number}{marker}")));
            }
        }
        assert!(table.get::<u8>(1, "a").is_none(), "another type");
    }
}
