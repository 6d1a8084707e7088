//! One operation of a remote backend, as a value: the sync and the async driver differ only in how they wait
//! for it.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::{Claim, Entry, Filled, Group, New, Place, Terms, Tier, Wanted};
use cacheado_backends::{Error, ErrorKind, Result};

use super::Background;
use super::lease::{self, Kept, Turn};
use crate::codec::Buffer;

/// One operation. It has no `Debug`: values belong in no log.
pub(crate) enum Request {
    Get { place: Arc<Place>, wanted: Wanted },
    GetMany { places: Vec<Arc<Place>>, wanted: Wanted },
    Begin { place: Arc<Place> },
    BeginLeased { place: Arc<Place>, terms: Terms },
    Fill { place: Arc<Place>, value: Buffer, ttl: Option<Duration>, claim: Claim, notice: Told },
    Set { place: Arc<Place>, value: Buffer, ttl: Option<Duration>, notice: Vec<u8> },
    SetTtl { place: Arc<Place>, ttl: Option<Duration> },
    Evict { place: Arc<Place>, notice: Vec<u8> },
    Retract { place: Arc<Place>, claim: Claim, notice: Vec<u8> },
    EvictGroup { group: Group, notice: Vec<u8> },
    Clear { notice: Vec<u8> },
    Count { group: Option<Group> },
}

/// That of a fill, where other nodes may have copies of what it takes the place of.
type Told = Option<Vec<u8>>;

/// What it gave.
pub(crate) enum Reply {
    Entry(Option<Entry>),
    Entries(Vec<Option<Entry>>),
    /// With what the backend keeps of it.
    Claim((Claim, Option<Kept>)),
    Turn(Turn),
    Filled(Filled),
    Done,
    Was(bool),
    Count(u64),
}

impl Request {
    /// Runs it. A task that it waits for is run by `waited_for`, and what nobody waits for by `background`.
    pub(crate) async fn on(
        self,
        tier: &Arc<dyn Tier>,
        waited_for: &Background,
        background: &Background,
    ) -> Result<Reply> {
        Ok(match self {
            Self::Get { place, wanted } => Reply::Entry(tier.get(&place, wanted).await?),
            Self::GetMany { places, wanted } => {
                let places: Vec<Place> = places.into_iter().map(Arc::unwrap_or_clone).collect();
                Reply::Entries(entries(&**tier, &places, wanted).await?)
            }
            Self::Begin { place } => Reply::Claim(lease::announce(tier, background, place).await?),
            Self::BeginLeased { place, terms } => {
                // A hit shall not have to carry it.
                Reply::Turn(Box::pin(lease::ask(tier, waited_for, background, place, terms)).await?)
            }
            Self::Fill { place, value, ttl, claim, notice } => {
                let new = New { value: &value, ttl };
                Reply::Filled(match notice {
                    None => tier.fill(&place, new, &claim).await?,
                    Some(notice) => tier.replace(&place, new, &claim, &notice).await?,
                })
            }
            Self::Set { place, value, ttl, notice } => {
                done(tier.set(&place, New { value: &value, ttl }, Some(&notice)).await?)
            }
            Self::SetTtl { place, ttl } => Reply::Was(tier.set_ttl(&place, ttl).await?),
            Self::Evict { place, notice } => Reply::Was(tier.evict(&place, Some(&notice)).await?),
            Self::Retract { place, claim, notice } => {
                let is_done = tier.retract(&place, &claim, Some(&notice)).await?;
                // It stands in for a fill.
                Reply::Filled(if is_done { Filled::Stored } else { Filled::Fenced })
            }
            Self::EvictGroup { group, notice } => {
                Reply::Count(tier.evict_group(&group, Some(&notice)).await?)
            }
            Self::Clear { notice } => Reply::Count(tier.clear(Some(&notice)).await?),
            Self::Count { group } => Reply::Count(tier.count(group.as_ref()).await?),
        })
    }

    /// The entries that it is about; `None`: there is no telling.
    pub(super) fn places(&self) -> Option<&[Arc<Place>]> {
        match self {
            Self::Get { place, .. }
            | Self::Begin { place }
            | Self::BeginLeased { place, .. }
            | Self::Fill { place, .. }
            | Self::Set { place, .. }
            | Self::SetTtl { place, .. }
            | Self::Evict { place, .. }
            | Self::Retract { place, .. } => Some(std::slice::from_ref(place)),
            Self::GetMany { places, .. } => Some(places),
            Self::EvictGroup { .. } | Self::Clear { .. } | Self::Count { .. } => None,
        }
    }

    /// Whether it takes something away that must not be served any more.
    pub(crate) fn is_eviction(&self) -> bool {
        matches!(
            self,
            Self::Evict { .. } | Self::Retract { .. } | Self::EvictGroup { .. } | Self::Clear { .. }
        )
    }

    /// The answer of the backend's blocking client, if it has one for this.
    pub(crate) fn on_blocking(&self, tier: &dyn Tier) -> Option<Result<Reply>> {
        let Self::Get { place, wanted } = self else { return None };
        Some(tier.get_blocking(place, *wanted)?.map(Reply::Entry))
    }
}

/// How many entries are read with one question. What is asked of a server is bounded in time, and in size.
const PART: usize = 1_000;

/// The entries at several places, in their order.
async fn entries(tier: &dyn Tier, places: &[Place], wanted: Wanted) -> Result<Vec<Option<Entry>>> {
    let mut entries = Vec::with_capacity(places.len());
    for part in places.chunks(PART) {
        let read = tier.get_many(part, wanted).await?;
        // Which entry is whose is told by the order alone.
        if read.len() != part.len() {
            let problem = format!("{} answers to {} keys", read.len(), part.len());
            return Err(Error::new(ErrorKind::Malformed, "get_many", problem));
        }
        entries.extend(read);
    }
    Ok(entries)
}

fn done((): ()) -> Reply {
    Reply::Done
}

macro_rules! reply_as {
    ($($method:ident: $variant:ident($type:ty);)+) => {
        /// What a request gives that asks for it. Another reply to it would be a defect of [`Request::on`].
        impl Reply {
            $(pub(crate) fn $method(self) -> Result<$type> {
                match self {
                    Self::$variant(value) => Ok(value),
                    _ => Err(Error::new(ErrorKind::Other, "read a reply", "it is that of another request")),
                }
            })+
        }
    };
}

impl Reply {
    /// Whether what was to go was there, or what was to be changed.
    pub(crate) fn was_taken_away(self) -> Result<bool> {
        match self {
            Self::Filled(filled) => Ok(matches!(filled, Filled::Stored)),
            other => other.was(),
        }
    }
}

reply_as! {
    entry: Entry(Option<Entry>);
    entries: Entries(Vec<Option<Entry>>);
    claim: Claim((Claim, Option<Kept>));
    turn: Turn(Turn);
    was: Was(bool);
    count: Count(u64);
}
