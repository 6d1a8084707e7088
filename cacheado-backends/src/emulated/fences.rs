//! Epochs, and what a value remembers of them.

use std::collections::{BTreeSet, HashMap};

use super::keys;
use crate::contract::Place;
use crate::error::{Error, ErrorKind, Result};

/// A number that is drawn once and never again. Epochs are compared for equality, and for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch(pub(super) [u8; 16]);

/// Where epochs are drawn from.
pub(super) type Draw = dyn Fn() -> Result<[u8; 16]> + Send + Sync;

/// The system's randomness.
pub(super) fn draw() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::new(ErrorKind::Other, "draw an epoch", error))?;
    Ok(bytes)
}

/// What the epoch of a key or a group is; `None`: there has been no eviction that has to be remembered.
pub(super) type State = Option<Epoch>;

impl Epoch {
    /// `None` for what is none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// The epochs under which a value was computed: what a claim carries, and the frame of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fences {
    pub(super) all: Epoch,
    pub(super) key: State,
    pub(super) groups: Vec<Fence>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fence {
    pub(super) name: String,
    pub(super) state: State,
    /// Whether the value lies in the group, or was only announced in it.
    pub(super) is_member: bool,
}

impl Fences {
    /// The epochs that concern a value of this key: their names, and what they were.
    fn expected(&self, key: &str) -> impl Iterator<Item = (String, State)> {
        let own = [(keys::ALL.to_owned(), Some(self.all)), (keys::epoch_of_key(key), self.key)];
        own.into_iter()
            .chain(self.groups.iter().map(|fence| (keys::epoch_of_group(&fence.name), fence.state)))
    }

    /// The names of the epochs that concern a value of this key.
    pub(super) fn names(&self, key: &str) -> impl Iterator<Item = String> {
        self.expected(key).map(|(name, _)| name)
    }

    /// What the epoch of the group was, if the value lies in it.
    pub(super) fn member_of(&self, group: &str) -> Option<State> {
        self.groups.iter().find(|fence| fence.is_member && fence.name == group).map(|fence| fence.state)
    }

    /// The value is stored in the groups of `at`: those that were not announced are as they are now.
    pub(super) fn settle(&mut self, at: &Place, now: &Epochs) {
        for fence in &mut self.groups {
            fence.is_member = at.groups.iter().any(|group| *group.name == *fence.name);
        }
        for group in at.groups.iter() {
            if self.member_of(&group.name).is_none() {
                self.groups.push(now.fence(&group.name));
            }
        }
    }

    /// Values that were computed under other epochs, or lie in other groups, have another.
    pub(super) fn fingerprint(&self) -> u32 {
        keys::hash(&self.encode().unwrap_or_default())
    }

    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] beyond 65,535 groups, or bytes of a group's name.
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let mut bytes = self.all.0.to_vec();
        put_state(&mut bytes, self.key);
        put_length(&mut bytes, self.groups.len())?;
        for fence in &self.groups {
            bytes.push(fence.is_member.into());
            put_state(&mut bytes, fence.state);
            put_length(&mut bytes, fence.name.len())?;
            bytes.extend_from_slice(fence.name.as_bytes());
        }
        Ok(bytes)
    }

    /// `None` if the bytes are not what [`encode`](Self::encode) writes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let all = Epoch(take(&mut rest)?);
        let key = take_state(&mut rest)?;
        let count = u16::from_le_bytes(take(&mut rest)?);
        let mut fences = Self { all, key, groups: Vec::new() };
        for _ in 0..count {
            let is_member = take_flag(&mut rest)?;
            let state = take_state(&mut rest)?;
            let length = u16::from_le_bytes(take(&mut rest)?);
            let (name, behind) = rest.split_at_checked(length.into())?;
            rest = behind;
            fences.groups.push(Fence { name: String::from_utf8(name.to_vec()).ok()?, state, is_member });
        }
        rest.is_empty().then_some(fences)
    }
}

fn put_state(bytes: &mut Vec<u8>, state: State) {
    bytes.push(state.is_some().into());
    bytes.extend(state.into_iter().flat_map(|epoch| epoch.0));
}

fn put_length(bytes: &mut Vec<u8>, length: usize) -> Result<()> {
    let length = u16::try_from(length);
    let length = length.map_err(|error| Error::new(ErrorKind::TooLarge, "write the groups", error))?;
    bytes.extend_from_slice(&length.to_le_bytes());
    Ok(())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}

fn take_state(rest: &mut &[u8]) -> Option<State> {
    if take_flag(rest)? { take(rest).map(|bytes| Some(Epoch(bytes))) } else { Some(None) }
}

fn take_flag(rest: &mut &[u8]) -> Option<bool> {
    match take(rest)? {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

/// Epochs by their names, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    pub(super) states: HashMap<String, State>,
    /// Those that somebody has written over: their states are such as nothing was computed under.
    pub(super) damaged: Vec<String>,
}

impl Epochs {
    /// These, and others, which are newer.
    pub(super) fn add(&mut self, others: Self) {
        self.states.extend(others.states);
        self.damaged.extend(others.damaged);
    }

    /// The names of all epochs that concern a place.
    pub(super) fn names(at: &Place) -> BTreeSet<String> {
        let own = [keys::ALL.to_owned(), keys::epoch_of_key(&at.key)];
        own.into_iter().chain(at.groups.iter().map(|group| keys::epoch_of_group(&group.name))).collect()
    }

    /// What an epoch is; as if there were none, if it was not read.
    pub(super) fn state(&self, name: &str) -> State {
        self.states.get(name).copied().flatten()
    }

    fn fence(&self, group: &str) -> Fence {
        Fence { name: group.to_owned(), state: self.state(&keys::epoch_of_group(group)), is_member: true }
    }

    /// The fences of a value that is computed from now on.
    pub(super) fn capture(&self, all: Epoch, at: &Place) -> Fences {
        let groups = at.groups.iter().map(|group| self.fence(&group.name)).collect();
        Fences { all, key: self.state(&keys::epoch_of_key(&at.key)), groups }
    }

    /// Whether an eviction is known to have come since the fences were captured.
    pub(super) fn forbid(&self, key: &str, fences: &Fences) -> bool {
        fences.expected(key).any(|(name, then)| self.states.get(&name).is_some_and(|now| *now != then))
    }
}
