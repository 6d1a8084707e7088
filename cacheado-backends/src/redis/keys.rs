//! The names of the keys in Redis.
//!
//! | key | is | lives |
//! |---|---|---|
//! | `{ns}:e:<key>` | an entry: a string | as long as the entry |
//! | `{ns}:i:<group>` | the entries of a group: a sorted set of keys by expiry | as the last of them |
//! | `{ns}:a` | all entries, likewise | as the last of them |
//! | `{ns}:f` | the fences of the last minutes: a sorted set of `e:<key>` and `i:<group>` by time | a day |
//! | `{ns}:l:<key>` | the lease on a key: the claim that it stands for | as the lease |
//! | `{ns}:s` | the number of the last notice | a day |
//! | `{ns}:bus`, and in database 1 `{ns}:bus/1` | a channel, not a key: the notices | |
//!
//! `ns` is the namespace, and in a cluster of several shards the shard after a slash: `{app/3}:e:<key>`. The
//! braces make it what a cluster chooses the node by, so that all that belongs together lies together.

use std::fmt::Write as _;

use redis::cluster_routing::{Route, Slot, SlotAddr};

/// A namespace as it stands in keys: escaped so that none begins like another.
fn escaped(namespace: &str) -> String {
    let mut text = String::with_capacity(namespace.len());
    for letter in namespace.chars() {
        if letter.is_control() || letter.is_whitespace() || "%/{}".contains(letter) {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a string does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
        } else {
            text.push(letter);
        }
    }
    text
}

/// The keys of a namespace.
#[derive(Debug)]
pub(super) struct Layout {
    shards: Box<[Shard]>,
    /// The channel of the notices.
    pub(super) channel: String,
}

/// The part of a namespace that lies in one slot of a cluster.
#[derive(Debug)]
pub(super) struct Shard {
    /// What all keys begin with.
    pub(super) space: String,
    /// Its number, as text.
    pub(super) number: String,
    /// Where it is in a cluster.
    pub(super) route: Route,
}

impl Layout {
    /// The keys of a namespace that is not empty, in `shards` parts, one at least.
    pub(super) fn new(namespace: &str, shards: u16) -> Self {
        let namespace = escaped(namespace);
        let space = |number: u16| match shards {
            0 | 1 => format!("{{{namespace}}}:"),
            _ => format!("{{{namespace}/{number}}}:"),
        };
        let shard = |number: u16| {
            let space = space(number);
            let route = Route::with_slot(Slot::for_key(&space), SlotAddr::Master);
            Shard { space, number: number.to_string(), route }
        };
        Self { shards: (0..shards.max(1)).map(shard).collect(), channel: format!("{{{namespace}}}:bus") }
    }

    /// The same in a database of this number: what keys are called there is of no matter to the others, but a server
    /// has its channels for all of them.
    pub(super) fn in_database(mut self, number: i64) -> Self {
        if number != 0 {
            self.channel = format!("{}/{number}", self.channel);
        }
        self
    }

    /// All shards.
    pub(super) fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The shard of a route: the same on all machines and in all releases.
    pub(super) fn shard(&self, route: &str) -> &Shard {
        &self.shards[self.position(route)]
    }

    /// The place of a route's shard among all.
    pub(super) fn position(&self, route: &str) -> usize {
        if self.shards.len() == 1 {
            return 0;
        }
        let shards = self.shards.len() as u64;
        usize::try_from(hash(route) % shards).unwrap_or_default()
    }
}

/// FNV-1a, and the last step of `MurmurHash3`, without which names that differ in a digit fall together.
fn hash(text: &str) -> u64 {
    let hash = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn hazard_08_no_namespace_is_inside_another() {
        let hostile =
            ["a", "a:b", "a:", "{a", "a}", "a}:e:", "{a}", "a/1", "a%2F1", "a*", "a?", "[a]", "a b", "ä"];
        let layouts = hostile.map(|namespace| [Layout::new(namespace, 1), Layout::new(namespace, 3)]);
        let shards = layouts.iter().flatten().flat_map(Layout::shards);
        let spaces: Vec<&str> = shards.map(|shard| shard.space.as_str()).collect();
        assert_eq!(spaces.iter().collect::<HashSet<_>>().len(), hostile.len() * 4);
        for one in &spaces {
            assert_eq!(one.matches(['{', '}']).count(), 2, "{one}: one hash tag");
            for other in &spaces {
                assert!(one == other || !one.starts_with(other), "{one} is inside {other}");
            }
        }
    }

    #[test]
    fn a_plain_namespace_is_readable() {
        assert_eq!(Layout::new("app-1.x", 1).shards()[0].space, "{app-1.x}:");
        assert_eq!(Layout::new("app", 16).shards()[3].space, "{app/3}:");
        assert_eq!(Layout::new("app", 16).channel, "{app}:bus");
        assert_eq!(Layout::new("app", 1).in_database(0).channel, "{app}:bus");
        assert_eq!(Layout::new("app", 1).in_database(12).channel, "{app}:bus/12");
    }

    #[test]
    fn shards_are_the_same_everywhere_and_even() {
        let layout = Layout::new("app", 16);
        assert_eq!(
            ["", "org:1", "org:2", "user:ü"].map(|route| layout.position(route)),
            [6, 12, 5, 14],
            "a release that changes these loses all entries"
        );
        let mut counts = [0_u32; 16];
        for number in 0..16_000 {
            counts[layout.position(&format!("organization:{number}"))] += 1;
        }
        assert!(counts.iter().all(|count| (700..1300).contains(count)), "{counts:?}");
    }

    #[test]
    fn all_keys_of_a_shard_are_in_its_slot() {
        let layout = Layout::new("app", 16);
        let slots: HashSet<String> =
            layout.shards().iter().map(|shard| format!("{:?}", shard.route)).collect();
        assert!(slots.len() > 12, "spread over the cluster: {slots:?}");
        for shard in layout.shards() {
            for key in ["e:{x}", "i:a", "f"] {
                let slot = Slot::for_key(format!("{}{key}", shard.space));
                assert_eq!(slot, Slot::for_key(&shard.space));
            }
        }
    }
}
