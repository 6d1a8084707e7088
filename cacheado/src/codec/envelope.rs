//! What stands before the payload of every value that leaves the process.
//!
//! | bytes | what |
//! |---|---|
//! | 0–2 | `CDO` |
//! | 3 | the format, 1 |
//! | 4–7 | the function's version |
//! | 8–23 | the fingerprint of the value's type |
//! | 24–31 | the lifetime as it was granted, in milliseconds; 0: for ever |
//! | 32–35 | how long the value took to compute, in microseconds; the largest number for all that is longer |
//! | 36–43 | for how long after its lifetime the entry is kept, in milliseconds |
//! | 44–47 | CRC-32 of all other bytes, the payload's among them |
//! | 48– | the payload: MessagePack |
//!
//! Numbers are little-endian. Within a format this never changes: `golden/` holds its bytes, which every later
//! release reads.
//!
//! There is no date in it. Whoever reads has another clock than whoever wrote, so an expiry by the
//! writer's clock would mean nothing to the reader; the server, which has one clock, expires the entry and
//! tells what remains. What remains, less the time for which the entry is kept beyond its lifetime, is what is
//! left of the lifetime: so a node whose function has no `stale` knows which entries of another's are past their
//! time. The granted lifetime says what that is a part of.
//!
//! The checksum is there for bytes that were changed by accident, on a disk or by somebody's script: in
//! MessagePack most changes of one bit make another valid value, and that would be served. It takes 16 ns for 500
//! bytes. It is no protection against who can write to the store.

use std::fmt;
use std::time::Duration;

use super::{Codec, CodecError, Fingerprint, Limits};
use crate::engine::Age;

const MAGIC: [u8; 3] = *b"CDO";

/// The format that is written, and the one that is read.
const FORMAT: u8 = 1;

/// Where the checksum stands.
const CHECKSUM: usize = 44;

/// The length of all that stands before the payload.
const HEADER: usize = CHECKSUM + size_of::<u32>();

/// What is known of a value besides itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The lifetime as it was granted, not what is left of it; `None`: for ever. Kept in milliseconds, and no
    /// less than one.
    pub(crate) lifetime: Option<Duration>,
    /// How long the value took to compute. Kept in microseconds, up to 71 minutes.
    pub(crate) took: Duration,
    /// For how long after its lifetime the entry is kept. In milliseconds, rounded up.
    pub(crate) grace: Duration,
}

impl Header {
    /// What stands before a value of any type; `None` if the bytes are no envelope.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let (head, _) = bytes.split_at_checked(HEADER)?;
        let mut fields = Fields(head);
        if fields.take() != MAGIC || fields.take() != [FORMAT] {
            return None;
        }
        // The version and the type.
        fields.take::<20>();
        Some(Self::read(&mut fields))
    }

    fn read(fields: &mut Fields<'_>) -> Self {
        let lifetime = u64::from_le_bytes(fields.take());
        let took = u32::from_le_bytes(fields.take());
        let grace = u64::from_le_bytes(fields.take());
        Self {
            lifetime: (lifetime != 0).then(|| Duration::from_millis(lifetime)),
            took: Duration::from_micros(took.into()),
            grace: Duration::from_millis(grace),
        }
    }

    /// The age of an entry of which the server says that so much remains.
    pub(crate) fn age(&self, remaining: Option<Duration>) -> Age {
        let Some(remaining) = remaining else { return Age::Left(None) };
        match remaining.checked_sub(self.grace) {
            Some(left) if !left.is_zero() || self.grace.is_zero() => Age::Left(Some(left)),
            _ => Age::Past(self.grace.saturating_sub(remaining)),
        }
    }
}

/// The envelopes of one version of a function: what they hold, and which may be opened.
#[derive(Debug)]
pub(crate) struct Envelope<V> {
    codec: Codec<V>,
    version: u32,
    fingerprint: Fingerprint,
    limits: Limits,
}

impl<V> Clone for Envelope<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Envelope<V> {}

impl<V> Envelope<V> {
    /// Those of a function of this version. Cheap, but for a type's first use on a thread.
    pub(crate) fn new(codec: Codec<V>, version: u32, limits: Limits) -> Self {
        Self { codec, version, fingerprint: codec.fingerprint(), limits }
    }

    /// Writes the value in its envelope after what is in `out`, or nothing.
    pub(crate) fn write(&self, header: Header, value: &V, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let begin = out.len();
        let lifetime = header.lifetime.map_or(0, |lifetime| saturated(lifetime.as_millis()).max(1));
        let took = u32::try_from(header.took.as_micros()).unwrap_or(u32::MAX);
        out.extend_from_slice(&MAGIC);
        out.push(FORMAT);
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&self.fingerprint.0);
        out.extend_from_slice(&lifetime.to_le_bytes());
        let grace = saturated(whole_millis(header.grace));
        out.extend_from_slice(&took.to_le_bytes());
        out.extend_from_slice(&grace.to_le_bytes());
        out.extend_from_slice(&[0; HEADER - CHECKSUM]);
        if let Err(error) = self.codec.encode(value, out, self.limits) {
            out.truncate(begin);
            return Err(error);
        }
        let (head, payload) = out[begin..].split_at_mut(HEADER);
        let checksum = checksum(head, payload);
        head[CHECKSUM..].copy_from_slice(&checksum.to_le_bytes());
        Ok(())
    }

    /// The value, if the bytes are an envelope of this function, version and type, unharmed.
    pub(crate) fn open(&self, bytes: &[u8]) -> Result<(Header, V), Mismatch> {
        let (head, payload) = bytes.split_at_checked(HEADER).ok_or_else(|| not_a_header(bytes))?;
        let mut fields = Fields(head);
        if fields.take() != MAGIC {
            return Err(Mismatch::Foreign);
        }
        match fields.take() {
            [FORMAT] => {}
            [other] => return Err(Mismatch::Format(other)),
        }
        let version = u32::from_le_bytes(fields.take());
        if version != self.version {
            return Err(Mismatch::Version(version));
        }
        if fields.take() != self.fingerprint.0 {
            return Err(Mismatch::Type);
        }
        let header = Header::read(&mut fields);
        // What is too large is not even added up.
        if payload.len() > self.limits.size {
            return Err(Mismatch::Payload(CodecError::TooLarge));
        }
        if u32::from_le_bytes(fields.take()) != checksum(head, payload) {
            return Err(Mismatch::Damaged);
        }
        let value = self.codec.decode(payload, self.limits).map_err(Mismatch::Payload)?;
        Ok((header, value))
    }
}

/// What bytes are that are too short for a header.
fn not_a_header(bytes: &[u8]) -> Mismatch {
    match bytes.strip_prefix(&MAGIC) {
        Some([FORMAT, ..]) => Mismatch::Truncated,
        Some([other, ..]) => Mismatch::Format(*other),
        _ => Mismatch::Foreign,
    }
}

/// What is left of a header.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    /// The next field.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        let (front, rest) = self.0.split_at(N);
        field.copy_from_slice(front);
        self.0 = rest;
        field
    }
}

/// Rounded up, so that nothing is taken for fresher than it is.
fn whole_millis(time: Duration) -> u128 {
    time.as_nanos().div_ceil(1_000_000)
}

fn saturated(milliseconds: u128) -> u64 {
    u64::try_from(milliseconds).unwrap_or(u64::MAX)
}

fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head[..CHECKSUM]);
    hasher.update(payload);
    hasher.finalize()
}

/// Why an envelope is not opened. To the engine each is a miss, and the entry is left alone: it may be what
/// another version of the program wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Mismatch {
    /// It is none.
    Foreign,
    /// It ends in its header.
    Truncated,
    /// It is of another format, which another release of the crate has written.
    Format(u8),
    /// It is of another version of the function.
    Version(u32),
    /// It holds a value of another type.
    Type,
    /// Its bytes have changed since it was written, or are cut short.
    Damaged,
    /// The value in it cannot be read.
    Payload(CodecError),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it was not written by cacheado"),
            Self::Truncated => f.write_str("it is cut short"),
            Self::Format(format) => write!(f, "it has the format {format}, which this release does not read"),
            Self::Version(version) => write!(f, "it is of version {version} of the function"),
            Self::Type => f.write_str("it holds a value of another type"),
            Self::Damaged => f.write_str("its checksum is wrong"),
            Self::Payload(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Mismatch {}
