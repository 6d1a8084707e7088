//! A lease on an entry, and how it finds its way back.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::{Claim, Entry, Leased, Place, Terms, Tier};
use cacheado_backends::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::Background;

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
    background: Background,
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
            abandon(&self.tier, &self.background, &self.place, claim);
        }
    }
}

/// Asks for a lease, in a task that no caller can cancel: of one whose caller has gone by the time that the
/// backend grants it, nobody would know whom to give it back.
pub(super) async fn ask(
    tier: &Arc<dyn Tier>,
    background: &Background,
    place: Arc<Place>,
    terms: Terms,
) -> Result<Turn> {
    let (sender, answer) = oneshot::channel();
    let (tier, executor) = (Arc::clone(tier), background.clone());
    background.spawn(async move {
        let leased = tier.begin_leased(&place, terms).await;
        let turn = leased.map(|leased| match leased {
            Leased::Taken(claim) => Turn::Taken(Lease {
                tier: Arc::clone(&tier),
                background: executor,
                place,
                claim: Some(claim),
            }),
            Leased::Held(left) => Turn::Held(left),
            Leased::Found(entry) => Turn::Found(entry),
        });
        // A lease that nobody takes gives itself up.
        drop(sender.send(turn));
    });
    let gone =
        |_| Err(Error::new(ErrorKind::Other, "begin leased", "the operation panicked, or was not run"));
    answer.await.unwrap_or_else(gone)
}

/// Gives a claim up whose computation has ended without a value. Nobody waits for it.
pub(super) fn abandon(tier: &Arc<dyn Tier>, background: &Background, place: &Arc<Place>, claim: Claim) {
    let (tier, place) = (Arc::clone(tier), Arc::clone(place));
    background.spawn(async move {
        if let Err(error) = tier.abandon(&place, &claim).await {
            tracing::debug!(%error, "a claim was not given up; it ends by itself");
        }
    });
}
