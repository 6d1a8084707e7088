//! Spans and points of time. `Instant` is left out: it means nothing in another process.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::key::{KeyPart, KeySink};

/// Seconds, then nanoseconds.
impl KeyPart for Duration {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        (self.as_secs(), self.subsec_nanos()).encode(sink);
    }
}

/// Which side of the Unix epoch, then how far.
impl KeyPart for SystemTime {
    fn encode<S: KeySink + ?Sized>(&self, sink: &mut S) {
        match self.duration_since(UNIX_EPOCH) {
            Ok(after) => {
                sink.variant("SinceEpoch", 1);
                after.encode(sink);
            }
            Err(before) => {
                sink.variant("BeforeEpoch", 1);
                before.duration().encode(sink);
            }
        }
    }
}
