//! `Uuid`: its sixteen bytes.

use uuid::Uuid;

use crate::key::{KeyPart, KeySink};

impl KeyPart for Uuid {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        sink.bytes(self.as_bytes());
    }
}
