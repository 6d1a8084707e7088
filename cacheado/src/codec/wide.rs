//! Numbers of 128 bits, of which MessagePack has none.
//!
//! Each is an extension of 16 bytes, the highest first, however small it is. As plain bytes, which is how `rmp-serde`
//! writes them, one in an `untagged` enum could come back as a text, and a negative one as a large one. Serde's own
//! buffer, which such types are read from, has no place for them: they are a miss.

use serde::{Serialize, Serializer};

/// The type of the extension of one that is not negative.
pub(super) const POSITIVE: i8 = 0;

/// The type of the extension of one that is.
pub(super) const NEGATIVE: i8 = 1;

/// The bytes of one.
pub(super) struct Octets(pub(super) [u8; 16]);

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}
