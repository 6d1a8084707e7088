//! How large and how deep a value may be, and why one cannot be written or read.

use std::cell::Cell;
use std::fmt;

/// How large and how deep a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The bytes of a value, without its envelope.
    pub(crate) size: usize,
    /// How many values may lie in each other, a `Some` and a newtype counted as well.
    pub(crate) depth: u16,
}

impl Default for Limits {
    /// 16 MiB, 128 deep.
    fn default() -> Self {
        Self { size: 16 << 20, depth: 128 }
    }
}

/// Why a value has no bytes, or bytes are no value. Never shows a part of the value, which a message of
/// serde's may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum CodecError {
    /// It has more bytes than [`Limits::size`].
    TooLarge,
    /// It is nested deeper than [`Limits::depth`].
    TooDeep,
    /// There is a `Some` in it that would be read as `None`.
    LostSome,
    /// A compound in it has more or fewer parts than its `Serialize` has said.
    WrongLength,
    /// There are bytes after it.
    Trailing,
    /// What serde has found: its own `Serialize` or `Deserialize` refuses it, or the bytes are cut short,
    /// malformed, or those of something else.
    Refused,
    /// Its own `Serialize` or `Deserialize` has panicked.
    Panicked,
    /// It is of another type than the codec.
    OtherType,
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the value is larger than the cache takes",
            Self::TooDeep => "the value is nested too deeply",
            Self::LostSome => {
                "a `Some` that holds nothing (`Some(())`, `Some(None)`) would be read as `None`"
            }
            Self::WrongLength => "its `Serialize` says another number of parts than it writes",
            Self::Trailing => "there are bytes after the value",
            Self::Refused => "its `Serialize` or `Deserialize` refuses it",
            Self::Panicked => "its `Serialize` or `Deserialize` panicked",
            Self::OtherType => "the value is of another type",
        })
    }
}

impl std::error::Error for CodecError {}

/// What one pass over a value may still use, and why it was stopped: serde's errors carry only text.
pub(super) struct Budget {
    depth: Cell<u16>,
    stopped: Cell<Option<CodecError>>,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { depth: Cell::new(limits.depth), stopped: Cell::new(None) }
    }

    /// Notes why the pass is stopped.
    pub(super) fn stop(&self, reason: CodecError) -> CodecError {
        self.stopped.set(Some(reason));
        reason
    }

    /// Goes one level deeper, until what comes back is dropped.
    pub(super) fn deeper(&self) -> Result<Level<'_>, CodecError> {
        let Some(left) = self.depth.get().checked_sub(1) else { return Err(self.stop(CodecError::TooDeep)) };
        self.depth.set(left);
        Ok(Level(self))
    }

    /// Why a pass has failed that came to a value, or did not (`is_ok`); `None` if it has not. A type of the user's may
    /// have taken the error that stopped it for an answer, and gone on.
    pub(super) fn failure(&self, is_ok: bool) -> Option<CodecError> {
        self.stopped.get().or(if is_ok { None } else { Some(CodecError::Refused) })
    }
}

/// One level deeper.
pub(super) struct Level<'a>(&'a Budget);

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.depth.update(|left| left + 1);
    }
}
