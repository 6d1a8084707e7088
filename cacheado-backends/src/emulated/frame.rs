//! A value in its frame: behind the payload stand the fences, so that reading one cuts the end off.
//!
//! ```text
//! payload | fences | length of the fences (4 bytes, little endian) | version | "cdo"
//! ```

use std::time::Duration;

use super::fences::Fences;
use crate::Entry;
use crate::error::{Error, ErrorKind, Result};

const VERSION: u8 = 1;
const MAGIC: &[u8; 3] = b"cdo";
const TRAILER: usize = 8;

/// A value as the backend has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Framed {
    pub(super) bytes: Vec<u8>,
    pub(super) remaining: Option<Duration>,
    pub(super) fences: Fences,
    payload: usize,
}

impl Framed {
    /// `None` for what this version has not written.
    pub(super) fn parse(entry: Entry) -> Option<Self> {
        let bytes = entry.value;
        let (front, trailer) = bytes.split_last_chunk::<TRAILER>()?;
        let [a, b, c, d, VERSION, magic @ ..] = trailer else { return None };
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?;
        let payload = front.len().checked_sub(length).filter(|_| magic == MAGIC)?;
        let fences = Fences::decode(&front[payload..])?;
        Some(Self { bytes, remaining: entry.remaining, fences, payload })
    }

    pub(super) fn into_entry(mut self) -> Entry {
        self.bytes.truncate(self.payload);
        Entry { value: self.bytes, remaining: self.remaining }
    }
}

/// # Errors
///
/// [`ErrorKind::TooLarge`] for fences that no engine makes.
pub(super) fn encode(value: &[u8], fences: &Fences) -> Result<Vec<u8>> {
    let fences = fences.encode()?;
    let length = u32::try_from(fences.len());
    let length = length.map_err(|error| Error::new(ErrorKind::TooLarge, "frame a value", error))?;
    let mut bytes = Vec::with_capacity(value.len() + fences.len() + TRAILER);
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(&fences);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.push(VERSION);
    bytes.extend_from_slice(MAGIC);
    Ok(bytes)
}
