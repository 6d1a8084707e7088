//! Ordered collections as sequences; sets, heaps and maps in the order of their encoded bytes, whatever order they
//! iterate in, so a `HashMap` and a `BTreeMap` of the same entries are one key.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ops::Range;

use crate::key::replay::replay;
use crate::key::{KeyBytes, KeyPart, KeySink};

impl<T: KeyPart> KeyPart for [T] {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        T::encode_slice(self, sink);
    }
}

impl<T: KeyPart, const N: usize> KeyPart for [T; N] {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        T::encode_slice(self, sink);
    }
}

impl<T: KeyPart> KeyPart for Vec<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        T::encode_slice(self, sink);
    }
}

macro_rules! sequence {
    ($($collection:ident),*) => {$(
        impl<T: KeyPart> KeyPart for $collection<T> {
            fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
                sink.sequence(self.len());
                for part in self {
                    part.encode(sink);
                }
            }
        }
    )*};
}

sequence!(VecDeque, LinkedList);

/// What it holds, however it came to be there: its own order says how it was filled.
impl<T: KeyPart> KeyPart for BinaryHeap<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.sequence(self.len());
        Sorted::of(self).replay(sink);
    }
}

impl<T: KeyPart> KeyPart for BTreeSet<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.set(self.len());
        Sorted::of(self).replay(sink);
    }
}

impl<T: KeyPart, H> KeyPart for HashSet<T, H> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.set(self.len());
        Sorted::of(self).replay(sink);
    }
}

impl<K: KeyPart, V: KeyPart> KeyPart for BTreeMap<K, V> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.map(self.len());
        Sorted::of(self.iter().map(Entry)).replay(sink);
    }
}

impl<K: KeyPart, V: KeyPart, H> KeyPart for HashMap<K, V, H> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.map(self.len());
        Sorted::of(self.iter().map(Entry)).replay(sink);
    }
}

/// An entry of a map. As no key is a prefix of another, the order of whole entries is that of their keys.
struct Entry<'a, K, V>((&'a K, &'a V));

impl<K: KeyPart, V: KeyPart> KeyPart for Entry<'_, K, V> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        self.0.0.encode(sink);
        self.0.1.encode(sink);
    }
}

/// Parts that are encoded one by one into one buffer, and ordered by their bytes.
struct Sorted {
    bytes: KeyBytes,
    order: Vec<Range<usize>>,
}

impl Sorted {
    fn of<T: KeyPart>(parts: impl IntoIterator<Item = T>) -> Self {
        let mut bytes = KeyBytes::new();
        let mut order = Vec::new();
        for part in parts {
            let start = bytes.as_bytes().len();
            part.encode(&mut bytes);
            order.push(start..bytes.as_bytes().len());
        }
        let all = bytes.as_bytes();
        order.sort_unstable_by(|a, b| all[a.clone()].cmp(&all[b.clone()]));
        Self { bytes, order }
    }

    fn replay<S: KeySink + ?Sized>(&self, sink: &mut S) {
        for part in &self.order {
            let replayed = replay(&self.bytes.as_bytes()[part.clone()], sink);
            debug_assert!(replayed.is_some(), "what the encoder wrote can be read");
        }
    }
}
