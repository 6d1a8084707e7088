//! What the entries of the backend are called.
//!
//! | key | is |
//! |---|---|
//! | `v:<key>` | a value, in its frame |
//! | `all` | the epoch of everything |
//! | `g:<group>` | the epoch of a group |
//! | `k:<key>` | the epoch of a key |
//! | `i:<group>⏎<stamp>⏎<key>` | says that a value lies in a group; empty |
//!
//! Keys and groups are printable text of at most 512 bytes, so a line feed ends a group, and every name is
//! within the 1,024 bytes that a backend takes.

use super::fences::{Fences, State};

/// The epoch of everything.
pub(super) const ALL: &str = "all";

/// What the names of values begin with.
pub(super) const VALUES: &str = "v:";

pub(super) fn value(key: &str) -> String {
    format!("{VALUES}{key}")
}

pub(super) fn epoch_of_key(key: &str) -> String {
    format!("k:{key}")
}

pub(super) fn epoch_of_group(group: &str) -> String {
    format!("g:{group}")
}

/// What the index entries of a group begin with.
pub(super) fn listing(group: &str) -> String {
    format!("i:{}\n", shortened(group))
}

/// The index entries of a value: one for each group that it lies in.
pub(super) fn index(key: &str, fences: &Fences) -> Vec<String> {
    let print = fences.fingerprint();
    let name = |group: &str, state: &State| format!("{}{}{print:08x}\n{key}", listing(group), tag(state));
    fences
        .groups
        .iter()
        .filter(|fence| fence.is_member)
        .map(|fence| name(&fence.name, &fence.state))
        .collect()
}

/// The first half of an index entry's stamp: which epoch of the group it was put under.
pub(super) fn tag(state: &State) -> String {
    format!("{:08x}", state.as_ref().map_or(0, |epoch| hash(&epoch.0)))
}

/// An index entry, taken apart.
pub(super) struct Listed<'n> {
    /// Its whole name.
    pub(super) name: &'n str,
    pub(super) tag: &'n str,
    pub(super) key: &'n str,
}

impl<'n> Listed<'n> {
    /// `None` if it is none of this listing's, whatever else it may be.
    pub(super) fn parse(listing: &str, name: &'n str) -> Option<Self> {
        let (stamp, key) = name.strip_prefix(listing)?.split_once('\n')?;
        Some(Self { name, tag: stamp.get(..8)?, key })
    }
}

/// As much of a group's name as an index entry has room for. Two groups may share a listing: the frame of a
/// value says which groups it lies in, the index only where to look.
fn shortened(group: &str) -> String {
    // 1,024 bytes less a key of 512, a stamp of 16, the two letters before and the two line feeds.
    const MOST: usize = 492;
    if group.len() <= MOST {
        return group.to_owned();
    }
    let end = (0..MOST - 9).rev().find(|end| group.is_char_boundary(*end)).unwrap_or_default();
    format!("{}~{:08x}", &group[..end], hash(group.as_bytes()))
}

/// FNV-1a, folded. Nothing but the upkeep of the index relies on it, and every release computes the same.
pub(super) fn hash(bytes: &[u8]) -> u32 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    // The lower half of the two halves: nothing is lost that is wanted.
    u32::try_from((hash ^ (hash >> 32)) & u64::from(u32::MAX)).unwrap_or_default()
}
