//! Ranges, by the name of their type and their ends.

use std::ops::{Bound, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use crate::key::{KeyPart, KeySink};

impl<T: KeyPart> KeyPart for Range<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.variant("Range", 2);
        self.start.encode(sink);
        self.end.encode(sink);
    }
}

/// An inclusive range that has been iterated to its end excludes it, and is written as the half-open one.
impl<T: KeyPart> KeyPart for RangeInclusive<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        let name = match self.end_bound() {
            Bound::Excluded(_) => "Range",
            Bound::Included(_) | Bound::Unbounded => "RangeInclusive",
        };
        sink.variant(name, 2);
        self.start().encode(sink);
        self.end().encode(sink);
    }
}

impl<T: KeyPart> KeyPart for RangeFrom<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.variant("RangeFrom", 1);
        self.start.encode(sink);
    }
}

impl<T: KeyPart> KeyPart for RangeTo<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.variant("RangeTo", 1);
        self.end.encode(sink);
    }
}

impl<T: KeyPart> KeyPart for RangeToInclusive<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.variant("RangeToInclusive", 1);
        self.end.encode(sink);
    }
}

impl KeyPart for RangeFull {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.variant("RangeFull", 0);
    }
}

impl<T: KeyPart> KeyPart for Bound<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match self {
            Self::Included(end) => {
                sink.variant("Included", 1);
                end.encode(sink);
            }
            Self::Excluded(end) => {
                sink.variant("Excluded", 1);
                end.encode(sink);
            }
            Self::Unbounded => sink.variant("Unbounded", 0),
        }
    }
}
