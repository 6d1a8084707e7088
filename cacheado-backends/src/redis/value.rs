//! How a value lies in Redis: its bytes, and after them the groups that it was stored with.
//!
//! The groups are what a script needs to take an entry out of its indexes. They come last, so that reading is
//! one `GET`, and the value is what is left when the end is cut off:
//!
//! ```text
//! value | 2 bytes length, name | … | 4 bytes length of the names | 4 bytes length of the value | 0xC1
//! ```
//!
//! Numbers are big-endian. The last byte is the version; text and `MessagePack` have no such byte.

use crate::contract::Group;

/// The last byte of a value of this version.
const VERSION: u8 = 0xC1;
/// The two lengths and the version.
const END: usize = 9;

/// What follows a value of `length` bytes in these groups; `None` if a name or the value is too long.
pub(super) fn trailer(length: usize, groups: &[Group]) -> Option<Vec<u8>> {
    let names: usize = groups.iter().map(|group| 2 + group.name.len()).sum();
    let mut bytes = Vec::with_capacity(names + END);
    for group in groups {
        bytes.extend_from_slice(&u16::try_from(group.name.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(group.name.as_bytes());
    }
    for length in [names, length] {
        bytes.extend_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
    }
    bytes.push(VERSION);
    Some(bytes)
}

/// The value within what was stored; `None` if this is not what was stored.
pub(super) fn payload(mut stored: Vec<u8>) -> Option<Vec<u8>> {
    let length = length(&stored)?;
    stored.truncate(length);
    Some(stored)
}

fn length(stored: &[u8]) -> Option<usize> {
    let (&version, rest) = stored.split_last()?;
    let (rest, &value) = rest.split_last_chunk::<4>()?;
    let (rest, &names) = rest.split_last_chunk::<4>()?;
    let [value, names] = [value, names].map(u32::from_be_bytes);
    let whole = u64::from(value) + u64::from(names);
    (version == VERSION && rest.len() as u64 == whole).then_some(usize::try_from(value).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(value: &[u8], groups: &[&str]) -> Vec<u8> {
        let groups: Vec<Group> =
            groups.iter().map(|name| Group { name: (*name).into(), route: None }).collect();
        let mut stored = value.to_vec();
        stored.extend(trailer(value.len(), &groups).expect("short names"));
        stored
    }

    #[test]
    fn a_value_comes_back_without_its_groups() {
        let long = "g".repeat(512);
        for groups in [&[][..], &["a"], &["a", "", &long]] {
            for value in [&b""[..], b"value", &[VERSION; 9], &vec![0; 70_000]] {
                assert_eq!(payload(stored(value, groups)).as_deref(), Some(value));
            }
        }
    }

    #[test]
    fn the_form_is_fixed() {
        assert_eq!(stored(b"v", &["ab"]), b"v\0\x02ab\0\0\0\x04\0\0\0\x01\xC1");
    }

    #[test]
    fn hazard_30_what_was_cut_or_changed_at_its_end_is_none() {
        let whole = stored(b"value", &["a", "bc"]);
        for length in 0..whole.len() {
            assert_eq!(payload(whole[..length].to_vec()), None, "the first {length} bytes");
        }
        for start in 1..=whole.len() {
            assert_eq!(payload(whole[start..].to_vec()), None, "from byte {start}");
        }
        for bytes in [
            &b""[..],
            b"\xC1",
            b"\0\0\0\0",
            b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xC1",
            b"12345\xC1",
            b"plain text",
        ] {
            assert_eq!(payload(bytes.to_vec()), None, "{bytes:?}");
        }
    }

    #[test]
    fn hazard_30_no_bytes_panic() {
        let seed =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("now").as_nanos();
        println!("seed {seed}");
        let mut state = u64::try_from(seed & u128::from(u64::MAX)).expect("64 bits") | 1;
        let mut next = || {
            // xorshift64
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..20_000 {
            let length = usize::try_from(next() % 24).expect("small");
            let bytes = (0..length).map(|_| next().to_le_bytes()[3] & 0x07).chain([VERSION]);
            let bytes: Vec<u8> = bytes.collect();
            if let Some(value) = payload(bytes.clone()) {
                assert!(bytes.starts_with(&value));
            }
        }
    }
}
