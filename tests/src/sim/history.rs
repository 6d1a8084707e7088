//! What has happened, and what may follow from it: the oracle.
//!
//! | it holds that | because |
//! |---|---|
//! | a value is of the key that it was asked for | isolation |
//! | no read returns what was computed before an invalidation that had returned before the read began | invariant 3 |
//! | … on another node with copies, only until the copy's life is over, or the notice has come | the stated bound |
//! | no value is returned once its time is over | invariant 5 |
//!
//! Moments are numbered as they happen, so of two it is always known which came first. Virtual time is another
//! thing: it says how old something is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::executor::TaskId;
use super::{NEAR_TTL, PAST, TTL};
use crate::lock;

pub type ComputationId = u64;
pub type InvalidationId = usize;
type Moment = u64;
/// A node, and how often it had been started before.
type Process = (usize, u32);

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// An annotated function in a scope, with a tag.
    Page { org: &'static str, user: &'static str, page: u8 },
    /// An annotated function without a scope.
    Rate { code: u8 },
    /// A key of the caller's own, in a scope.
    Kept { org: &'static str, user: &'static str, name: u8 },
    /// An annotated function whose values are served past their time, and longer where the body fails.
    Price { org: &'static str },
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page { org, user, page } => write!(f, "page({org}, {user}, {page})"),
            Self::Rate { code } => write!(f, "rate({code})"),
            Self::Price { org } => write!(f, "price({org})"),
            Self::Kept { org, user, name } => write!(f, "kept({org}, {user}, {name})"),
        }
    }
}

/// What an invalidation concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    One(Key),
    Organization(&'static str),
    User(&'static str, &'static str),
    /// The tag of this page.
    Tag(u8),
    /// The function `page`.
    Pages,
    /// The function `rate`.
    Rates,
    /// The function `price`.
    Prices,
    Everything,
}

impl Covers {
    fn key(self, key: Key) -> bool {
        let scope = match key {
            Key::Page { org, user, .. } | Key::Kept { org, user, .. } => Some((org, user)),
            Key::Price { org } => Some((org, "")),
            Key::Rate { .. } => None,
        };
        match self {
            Self::One(one) => one == key,
            Self::Organization(org) => scope.is_some_and(|scope| scope.0 == org),
            Self::User(org, user) => scope == Some((org, user)),
            Self::Tag(tag) => matches!(key, Key::Page { page, .. } if page == tag),
            Self::Pages => matches!(key, Key::Page { .. }),
            Self::Rates => matches!(key, Key::Rate { .. }),
            Self::Prices => matches!(key, Key::Price { .. }),
            Self::Everything => true,
        }
    }
}

/// Where a value comes from: a body that has run, or somebody who has set it.
#[derive(Debug, Clone)]
struct Computation {
    key: Key,
    node: usize,
    task: TaskId,
    /// When the call began whose body it is: before that, the backend was asked.
    called: Moment,
    /// What begins after this invalidates it. A value that is set is as young as the end of its `set`, and if
    /// nobody has been told of that end, it may still be on its way.
    old_from: Option<Moment>,
    /// By virtual time; the store counts its life from no later than the later of these.
    ended_at: Option<u64>,
    stored_at: Option<u64>,
    call_ended: Option<Moment>,
}

/// An eviction, or a `set`, which invalidates what was there.
#[derive(Debug, Clone)]
struct Invalidation {
    process: Process,
    covers: Covers,
    begun: Moment,
    /// `None` while it is under way, and for ever if it has failed.
    ended: Option<(Moment, u64)>,
}

/// A read under way.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    process: Process,
    key: Key,
    begun: Moment,
    time: u64,
}

#[derive(Default)]
struct Record {
    moment: Moment,
    computations: Vec<Computation>,
    invalidations: Vec<Invalidation>,
    told: BTreeMap<(Process, InvalidationId), Moment>,
    gaps: Vec<(Process, Moment)>,
    outages: Vec<(TaskId, Moment)>,
    /// By node: a lease is asked for in a task of its own.
    lease_outages: Vec<(usize, Moment)>,
    calls: BTreeMap<TaskId, Moment>,
    /// What a task is about, as far as the network has to know it.
    invalidating: BTreeMap<TaskId, InvalidationId>,
    failure: Option<String>,
}

impl Record {
    fn next(&mut self) -> Moment {
        self.moment += 1;
        self.moment
    }
}

/// Everything that has happened.
pub struct History {
    record: Mutex<Record>,
    has_copies: bool,
}

impl History {
    pub(super) fn new(has_copies: bool) -> Self {
        Self { record: Mutex::default(), has_copies }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        lock(&self.record)
    }

    /// The first thing that was wrong.
    pub(super) fn failure(&self) -> Option<String> {
        self.record().failure.clone()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.record().failure.is_some()
    }

    pub(super) fn fail(&self, failure: String) {
        self.record().failure.get_or_insert(failure);
    }

    /// A body begins.
    pub(super) fn computes(&self, node: usize, task: TaskId, key: Key) -> ComputationId {
        let mut record = self.record();
        let begun = record.next();
        let (old_from, called) = (Some(begun), record.calls.get(&task).copied().unwrap_or(begun));
        record.computations.push(Computation {
            key,
            node,
            task,
            called,
            old_from,
            ended_at: None,
            stored_at: None,
            call_ended: None,
        });
        record.computations.len() as ComputationId - 1
    }

    pub(super) fn computed(&self, id: ComputationId, time: u64) {
        self.record().computations[usize::try_from(id).expect("an index")].ended_at = Some(time);
    }

    /// A `set` begins: from now on its value may be read, and it is no older than the end of the call.
    pub(super) fn sets(&self, node: usize, task: TaskId, key: Key) -> ComputationId {
        let id = self.computes(node, task, key);
        self.record().computations[usize::try_from(id).expect("an index")].old_from = None;
        id
    }

    pub(super) fn has_set(&self, id: ComputationId, time: u64) {
        let mut record = self.record();
        let ended = record.next();
        let set = &mut record.computations[usize::try_from(id).expect("an index")];
        (set.old_from, set.ended_at) = (Some(ended), Some(time));
    }

    /// The server has stored what the computation has given.
    pub(super) fn stored(&self, id: Option<ComputationId>, time: u64) {
        if let Some(id) = id {
            self.record().computations[usize::try_from(id).expect("an index")].stored_at = Some(time);
        }
    }

    /// A call of a task begins.
    pub(super) fn calls(&self, task: TaskId) {
        let mut record = self.record();
        let begun = record.next();
        record.calls.insert(task, begun);
    }

    /// The call of a task has ended, and whatever it has computed is handed out.
    pub(super) fn call_ended(&self, task: TaskId) {
        let mut record = self.record();
        let ended = record.next();
        for computation in record.computations.iter_mut().rev().filter(|it| it.task == task) {
            computation.call_ended.get_or_insert(ended);
        }
    }

    pub(super) fn invalidates(&self, process: Process, task: TaskId, covers: Covers) -> InvalidationId {
        let mut record = self.record();
        let begun = record.next();
        let id = record.invalidations.len();
        record.invalidations.push(Invalidation { process, covers, begun, ended: None });
        record.invalidating.insert(task, id);
        id
    }

    /// It has returned. One that has failed promises nothing.
    pub(super) fn invalidated(&self, id: InvalidationId, task: TaskId, is_done: bool, time: u64) {
        let mut record = self.record();
        let ended = record.next();
        record.invalidating.remove(&task);
        record.invalidations[id].ended = is_done.then_some((ended, time));
    }

    /// What the operation is for that a task is sending.
    pub(super) fn cause(&self, task: TaskId) -> super::network::Cause {
        let record = self.record();
        let computation = record.computations.iter().rposition(|it| it.task == task);
        super::network::Cause {
            invalidation: record.invalidating.get(&task).copied(),
            computation: computation.map(|id| id as ComputationId),
        }
    }

    pub(super) fn told(&self, node: usize, start: u32, id: Option<InvalidationId>) {
        let mut record = self.record();
        let moment = record.next();
        if let Some(id) = id {
            record.told.entry(((node, start), id)).or_insert(moment);
        }
    }

    pub(super) fn told_of_gap(&self, node: usize, start: u32) {
        let mut record = self.record();
        let moment = record.next();
        record.gaps.push(((node, start), moment));
    }

    /// A task has met an outage.
    pub(super) fn outage(&self, task: TaskId) {
        let mut record = self.record();
        let moment = record.next();
        record.outages.push((task, moment));
    }

    /// A node has met one when it asked for a lease.
    pub(super) fn lease_outage(&self, node: usize) {
        let mut record = self.record();
        let moment = record.next();
        record.lease_outages.push((node, moment));
    }

    pub(super) fn reads(&self, process: Process, key: Key, time: u64) -> Read {
        let begun = self.record().next();
        Read { process, key, begun, time }
    }

    /// Judges what a read has returned.
    pub(super) fn has_read(&self, read: &Read, id: ComputationId, of: &str) {
        let record = self.record();
        let (process, key) = (read.process, read.key);
        let problem = match usize::try_from(id).ok().and_then(|id| record.computations.get(id)) {
            None => Some("a value that nobody has computed".to_owned()),
            Some(it) if it.key != key || of != key.to_string() => {
                Some(format!("isolation: the value of {of}, computed for {}", it.key))
            }
            Some(it) => self.too_old(&record, read, it).or_else(|| expired(read, it)),
        };
        drop(record);
        if let Some(problem) = problem {
            self.fail(format!("{key} read on node {}: value {id}: {problem}", process.0));
        }
    }

    /// Which invalidation forbids the value.
    fn too_old(&self, record: &Record, read: &Read, value: &Computation) -> Option<String> {
        let concerns = |it: &Invalidation| {
            it.covers.key(value.key) && value.old_from.is_some_and(|begun| begun < it.begun)
        };
        for (id, it) in record.invalidations.iter().enumerate().filter(|(_, it)| concerns(it)) {
            let Some((ended, ended_at)) = it.ended.filter(|(ended, _)| *ended < read.begun) else { continue };
            if it.process == read.process {
                return Some(format!(
                    "invariant 3: from before invalidation {id} ({:?}) on this node",
                    it.covers
                ));
            }
            if shared_in_an_outage(record, read, value) {
                continue;
            }
            if !self.has_copies {
                return Some(format!(
                    "invariant 3: from before invalidation {id} ({:?}) on node {}",
                    it.covers, it.process.0
                ));
            }
            let gap = record.gaps.iter().find(|gap| gap.0 == read.process && gap.1 > ended).map(|gap| gap.1);
            let told = record.told.get(&(read.process, id)).copied().into_iter().chain(gap).min();
            if told.is_some_and(|told| told < read.begun) {
                return Some(format!("a copy outlived the notice of invalidation {id} ({:?})", it.covers));
            }
            if ended_at.saturating_add(nanos(NEAR_TTL)) <= read.time {
                return Some(format!(
                    "a copy outlived its time: invalidation {id} ({:?}) was {:?} before",
                    it.covers,
                    Duration::from_nanos(read.time - ended_at)
                ));
            }
        }
        None
    }
}

/// A call that cannot reach the backend shares what it computes with others on its node: those who come while it is
/// under way have its outcome, though another node may have evicted meanwhile.
fn shared_in_an_outage(record: &Record, read: &Read, value: &Computation) -> bool {
    let met = |(task, moment): &(TaskId, Moment)| *task == value.task && *moment > value.called;
    let met_in_turn = |(node, moment): &(usize, Moment)| {
        matches!(value.key, Key::Rate { .. }) && *node == value.node && *moment > value.called
    };
    value.node == read.process.0
        && value.call_ended.is_none_or(|ended| ended > read.begun)
        && (record.outages.iter().any(met) || record.lease_outages.iter().any(met_in_turn))
}

fn expired(read: &Read, value: &Computation) -> Option<String> {
    let latest = value.ended_at?.max(value.stored_at.unwrap_or_default());
    let past = if let Key::Price { .. } = value.key { PAST } else { Duration::ZERO };
    let over = latest.saturating_add(nanos(TTL + past));
    (over <= read.time).then(|| format!("expired {:?} before", Duration::from_nanos(read.time - over)))
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
