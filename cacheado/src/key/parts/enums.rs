//! The standard library's small enums.

use std::cmp::Ordering;
use std::convert::Infallible;

use crate::key::{KeyPart, KeySink};

impl<T: KeyPart> KeyPart for Option<T> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match self {
            None => sink.none(),
            Some(value) => {
                sink.some();
                value.encode(sink);
            }
        }
    }
}

impl<T: KeyPart, E: KeyPart> KeyPart for Result<T, E> {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match self {
            Ok(value) => {
                sink.variant("Ok", 1);
                value.encode(sink);
            }
            Err(error) => {
                sink.variant("Err", 1);
                error.encode(sink);
            }
        }
    }
}

impl KeyPart for Ordering {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        let name = match self {
            Self::Less => "Less",
            Self::Equal => "Equal",
            Self::Greater => "Greater",
        };
        sink.variant(name, 0);
    }
}

impl KeyPart for Infallible {
    fn encode<S: KeySink + ?Sized>(&self, _: &mut S) {
        match *self {}
    }
}
