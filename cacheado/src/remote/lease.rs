//! Claims that a backend keeps, leases on entries among them, and how they find their way back.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::{Claim, Entry, Leased, Place, Terms, Tier};
use cacheado_backends::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::Background;
use super::panics::contained;

/// Whose turn it is to compute an entry, of all processes that want to.
pub(crate) enum Turn {
    /// This one's.
    Taken(Kept),
    /// Another's, for so long at most.
    Held(Duration),
    /// It is done.
    Found(Entry),
}

/// A claim that the backend keeps until it is shown. Dropping it gives it up, so that it takes nobody's place; and the
/// lease that it may stand for, so that no other process waits in vain.
pub(crate) struct Kept {
    tier: Arc<dyn Tier>,
    background: Background,
    place: Arc<Place>,
    /// `None`: it has ended.
    claim: Option<Claim>,
}

impl Kept {
    fn new(tier: &Arc<dyn Tier>, background: Background, place: Arc<Place>, claim: Claim) -> Self {
        Self { tier: Arc::clone(tier), background, place, claim: Some(claim) }
    }

    pub(crate) fn claim(&self) -> Option<Claim> {
        self.claim.clone()
    }

    /// It has been shown, which ends it.
    pub(crate) fn ended(mut self) {
        self.claim = None;
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            abandon(&self.tier, &self.background, &self.place, claim);
        }
    }
}

/// Announces a fill. The answer may come to nobody, as that of a batch does whose future is dropped while it waits for
/// others: a claim that the backend keeps is given up then.
pub(super) async fn announce(
    tier: &Arc<dyn Tier>,
    background: &Background,
    place: Arc<Place>,
) -> Result<(Claim, Option<Kept>)> {
    let claim = tier.begin(&place).await?;
    let kept = tier.keeps_claims().then(|| Kept::new(tier, background.clone(), place, claim.clone()));
    Ok((claim, kept))
}

/// Asks for a lease, in a task that no caller can cancel: of one whose caller has gone by the time that the
/// backend grants it, nobody would know whom to give it back.
pub(super) async fn ask(
    tier: &Arc<dyn Tier>,
    waited_for: &Background,
    background: &Background,
    place: Arc<Place>,
    terms: Terms,
) -> Result<Turn> {
    let (sender, answer) = oneshot::channel();
    let (tier, background) = (Arc::clone(tier), background.clone());
    waited_for.spawn(async move {
        let leased = contained(async { tier.begin_leased(&place, terms).await }).await;
        let turn = leased.map(|leased| match leased {
            Leased::Taken(claim) => Turn::Taken(Kept::new(&tier, background, place, claim)),
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

/// Gives a claim up. Nobody waits for it.
fn abandon(tier: &Arc<dyn Tier>, background: &Background, place: &Arc<Place>, claim: Claim) {
    let (tier, place) = (Arc::clone(tier), Arc::clone(place));
    background.spawn(async move {
        if let Err(error) = tier.abandon(&place, &claim).await {
            tracing::debug!(target: "cacheado", %error, "a claim was not given up; it ends by itself");
        }
    });
}
