//! A lease on an entry, and how it finds its way back.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::{Claim, Entry, Leased, Place, Terms, Tier};
use cacheado_backends::{Error, ErrorKind, Result, io};

/// Whose turn it is to compute an entry, of all processes that want to.
pub(crate) enum Turn {
    /// This one's.
    Taken(Lease),
    /// Another's, for so long at most.
    Held(Duration),
    /// It is done.
    Found(Entry),
}

/// A claim that stands for a lease. Dropping it gives both up, so that no other process waits in vain.
pub(crate) struct Lease {
    tier: Arc<dyn Tier>,
    place: Arc<Place>,
    /// `None`: it has ended.
    claim: Option<Claim>,
}

impl Lease {
    pub(crate) fn claim(&self) -> Option<Claim> {
        self.claim.clone()
    }

    /// The fill has ended it.
    pub(crate) fn ended(mut self) {
        self.claim = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            abandon(&self.tier, &self.place, claim);
        }
    }
}

/// Asks for a lease, in a task that no caller can cancel: of one whose caller has gone by the time that the
/// backend grants it, nobody would know whom to give it back.
pub(super) async fn ask(tier: &Arc<dyn Tier>, place: Arc<Place>, terms: Terms) -> Result<Turn> {
    let tier = Arc::clone(tier);
    let asking = io::handle()?.spawn(async move {
        Ok(match tier.begin_leased(&place, terms).await? {
            Leased::Taken(claim) => Turn::Taken(Lease { tier: Arc::clone(&tier), place, claim: Some(claim) }),
            Leased::Held(left) => Turn::Held(left),
            Leased::Found(entry) => Turn::Found(entry),
        })
    });
    let panicked = |_| Err(Error::new(ErrorKind::Other, "begin leased", "the operation panicked"));
    asking.await.unwrap_or_else(panicked)
}

/// Gives a claim up whose computation has ended without a value. Nobody waits for it.
pub(super) fn abandon(tier: &Arc<dyn Tier>, place: &Arc<Place>, claim: Claim) {
    let Ok(io) = io::handle() else { return };
    let (tier, place) = (Arc::clone(tier), Arc::clone(place));
    io.spawn(async move {
        if let Err(error) = tier.abandon(&place, &claim).await {
            tracing::debug!(%error, "a claim was not given up; it ends by itself");
        }
    });
}
