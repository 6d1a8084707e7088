//! What the engine asks of a remote store.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{BoxFuture, Capabilities, Entry, Leased, Subscription, Terms};
use crate::Result;

/// Entries in groups, groups that can be evicted, and fills that an eviction forbids.
///
/// # Behavior
///
/// That of all operations, besides what [`Backend`](super::Backend) says of keys, values and errors:
///
/// - **Groups**: an entry lies in the groups that it was stored with, until it is stored with others. Index
///   entries leave with their entry, and never before it.
/// - **Fences**: after an eviction has returned, no value is read on any node whose [`Claim`] was taken before
///   the eviction began, however late its fill comes. This holds for eviction of the key, of any group that
///   the claim's [`Place`] names, and of everything, and for a [`set`](Self::set) of the key.
/// - **Leases**: of all nodes that ask for one at the same place, one at a time holds it. It ends with the fill
///   of its claim, stored or not, with [`retract`](Self::retract) or [`abandon`](Self::abandon), with an eviction that fences the claim off,
///   and in any case when its time is over. Nobody ends another's.
/// - **Notices**: an eviction that is given a notice tells it to every [`Subscription`] once it has taken
///   effect, and so does a fill that [replaces](Self::replace) a value, if it is stored.
/// - **Time**: each operation ends within the backend's own time limit, on any executor.
pub trait Tier: Send + Sync + 'static {
    /// What statistics call this kind of storage.
    fn name(&self) -> &'static str;

    /// What the backend does by itself.
    fn capabilities(&self) -> Capabilities;

    /// The longest lifetime that it keeps to; `None`: any. What is to live longer may go sooner, or never, and so may
    /// what has none.
    fn longest(&self) -> Option<Duration> {
        None
    }

    /// The entry at a place, if there is a live one. One round trip.
    fn get<'a>(&'a self, at: &'a Place, wanted: Wanted) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// The same on this thread, without a future, where the backend has a blocking client; `None` where it
    /// has none.
    fn get_blocking(&self, at: &Place, wanted: Wanted) -> Option<Result<Option<Entry>>> {
        let _ = (at, wanted);
        None
    }

    /// The entries at several places, in their order. One round trip (one for each part of a cluster).
    fn get_many<'a>(&'a self, at: &'a [Place], wanted: Wanted) -> BoxFuture<'a, Result<Vec<Option<Entry>>>>;

    /// Announces a fill: to be called before the computation begins.
    fn begin<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Claim>>;

    /// Announces a fill unless another node is about to fill the place, or has. One round trip, one atomic
    /// step: a lease is taken only while nobody else's lasts.
    ///
    /// Without [`Capabilities::leases`] every caller is given a claim.
    fn begin_leased<'a>(&'a self, at: &'a Place, terms: Terms) -> BoxFuture<'a, Result<Leased>> {
        let _ = terms;
        Box::pin(async { self.begin(at).await.map(Leased::Taken) })
    }

    /// Stores the value whose computation was announced. One round trip, one atomic step: value, lifetime,
    /// groups and fences.
    fn fill<'a>(&'a self, at: &'a Place, new: New<'a>, claim: &'a Claim) -> BoxFuture<'a, Result<Filled>>;

    /// The same, in place of a value that other nodes may have copies of: once it is stored, they are told the notice.
    ///
    /// Without [`Capabilities::bus`] nobody is told. A backend with a bus has to bring its own.
    fn replace<'a>(
        &'a self,
        at: &'a Place,
        new: New<'a>,
        claim: &'a Claim,
        notice: &'a [u8],
    ) -> BoxFuture<'a, Result<Filled>> {
        let _ = notice;
        self.fill(at, new, claim)
    }

    /// Whether a claim is kept somewhere until it is filled or [abandoned](Self::abandon).
    fn keeps_claims(&self) -> bool {
        false
    }

    /// Gives a claim up whose computation has ended without a value, and the lease that it stands for, if any.
    /// Left undone, both end by themselves.
    fn abandon<'a>(&'a self, at: &'a Place, claim: &'a Claim) -> BoxFuture<'a, Result<()>> {
        let _ = (at, claim);
        Box::pin(async { Ok(()) })
    }

    /// Stores a value whatever is there; fills of the key that were announced before are fenced off.
    fn set<'a>(&'a self, at: &'a Place, new: New<'a>, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>>;

    /// Gives a live entry another lifetime, from now; whether there was one.
    fn set_ttl<'a>(&'a self, at: &'a Place, ttl: Option<Duration>) -> BoxFuture<'a, Result<bool>>;

    /// Evicts the entry of a key; whether there was a live one.
    fn evict<'a>(&'a self, at: &'a Place, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>>;

    /// Evicts the entry of a key whose computation was announced, and has ended without a value: what is there is old.
    /// Whether it has; not where an eviction or a [`set`](Self::set) has fenced the claim off, or it has taken too long,
    /// and what another has stored since is untouched then. It ends the claim, and its lease, as a fill does. The notice
    /// is told where it has. Other fills of the key that are announced may be fenced off.
    fn retract<'a>(
        &'a self,
        at: &'a Place,
        claim: &'a Claim,
        notice: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Evicts all entries of a group; how many were alive, exactly. Costs what the group holds, whatever else
    /// there is.
    fn evict_group<'a>(&'a self, group: &'a Group, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>>;

    /// Evicts everything in the namespace, and nothing else; how many were alive.
    fn clear<'a>(&'a self, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>>;

    /// How many live entries there are, in the group or altogether.
    fn count<'a>(&'a self, group: Option<&'a Group>) -> BoxFuture<'a, Result<u64>>;

    /// Listens to what other nodes evict; `None` without a bus.
    fn subscribe(self: Arc<Self>) -> Option<Box<dyn Subscription>> {
        None
    }
}

/// Where an entry lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The key: printable text of at most 512 bytes.
    pub key: String,
    /// Entries of one route can be kept together on one part of a cluster. A function of the key.
    pub route: Arc<str>,
    /// The groups that it lies in, each once. What groups an entry is read with need not be those that it
    /// was stored with, but contains all that its key determines (function and scopes, not tags).
    pub groups: Arc<[Group]>,
}

/// A set of entries that can be evicted together.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// Its name: printable text of at most 512 bytes.
    pub name: Arc<str>,
    /// The one route of all its entries; `None` if they may have any.
    pub route: Option<Arc<str>>,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({})", self.name)
    }
}

/// What a read needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The value; what [`Entry::remaining`] says is not used.
    Value,
    /// The value, and how long it still lives.
    ValueAndLifetime,
}

/// A value that is to be stored.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// The bytes.
    pub value: &'a [u8],
    /// How long it lives, from now, more than zero; `None`: for ever.
    pub ttl: Option<Duration>,
}

/// The announcement of a fill. What it holds is the backend's own business.
#[derive(Debug, Clone)]
pub struct Claim {
    /// What the backend compares when the fill comes.
    pub token: Vec<u8>,
    /// When it was taken, on this machine.
    pub taken: Instant,
}

impl Claim {
    /// A claim that is taken now.
    #[must_use]
    pub fn now(token: Vec<u8>) -> Self {
        Self { token, taken: Instant::now() }
    }
}

/// What became of a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// It is stored.
    Stored,
    /// An eviction has come since it was announced, or it has taken too long; it is not stored, and what
    /// another has stored since is untouched.
    Fenced,
}

/// For how long a fill can be announced: one that comes later is fenced off, so that what a backend has to
/// remember of evictions is bounded.
pub const FILL_WINDOW: Duration = Duration::from_secs(600);
