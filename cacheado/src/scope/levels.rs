//! The levels of a path as bytes, and what is shared between a path and those above it.

use std::sync::Arc;

use crate::key::{KeyBytes, KeySink, Token};

/// The levels of a path from the top down, each as a key holds it: a text for its name, one for its value. So no
/// choice of texts can pose as another path, and a key, a hash or a label of a scope is a copy of these bytes.
#[derive(Clone)]
pub(super) struct Path(Bytes);

/// A short path needs no allocation; the paths above a long one share its bytes.
#[derive(Clone)]
enum Bytes {
    Short { len: u8, bytes: [u8; SHORT] },
    Long { len: usize, bytes: Arc<[u8]> },
}

/// Two levels with a number or a short name each, as a rule.
const SHORT: usize = 46;

impl Path {
    /// Without a level.
    pub(super) const NONE: Self = Self(Bytes::Short { len: 0, bytes: [0; SHORT] });

    /// The path that was written so.
    pub(super) fn new(written: &[u8]) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..written.len()), u8::try_from(written.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(written);
                Self(Bytes::Short { len, bytes })
            }
            _ => Self(Bytes::Long { len: written.len(), bytes: written.into() }),
        }
    }

    /// The first `len` bytes, which are those of whole levels.
    pub(super) fn cut(&self, len: usize) -> Self {
        match &self.0 {
            Bytes::Short { .. } => Self::new(self.as_bytes().get(..len).unwrap_or_default()),
            Bytes::Long { bytes, .. } => Self(Bytes::Long { len, bytes: Arc::clone(bytes) }),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Short { len, bytes } => bytes.get(..usize::from(*len)),
            Bytes::Long { len, bytes } => bytes.get(..*len),
        }
        .unwrap_or_default()
    }
}

/// Writes a level behind those above it.
pub(super) fn write_level(level: &str, value: &str, path: &mut KeyBytes) {
    path.text(level);
    path.text(value);
}

/// Takes the first level off the front of a path.
pub(super) fn next_level<'p>(path: &mut &'p [u8]) -> Option<(&'p str, &'p str)> {
    match (Token::next(path)?, Token::next(path)?) {
        (Token::Text(level), Token::Text(value)) => Some((level, value)),
        _ => None,
    }
}
