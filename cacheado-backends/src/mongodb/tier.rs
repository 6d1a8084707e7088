//! MongoDB as a [`Tier`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use mongodb::bson::oid::ObjectId;

use super::MongoDb;
use super::bus::Heard;
use super::document::{LONGEST, Stored, Wish};
use super::error::Failure;
use super::link::Effort::{Few, Many};
use super::unclaimed::Unclaimed;
use crate::contract::{
    Backend, BoxFuture, Capabilities, Claim, Entry, FILL_WINDOW, Filled, Group, Leased, New, Place,
    Subscription, Terms, Tier, Wanted,
};
use crate::error::{ErrorKind, Result};

impl MongoDb {
    fn id(&self, at: &Place) -> String {
        self.link.settings.names.id(&at.key)
    }

    fn groups(&self, at: &Place) -> Vec<String> {
        at.groups.iter().map(|group| self.link.settings.names.group(&group.name)).collect()
    }

    fn stored(&self, operation: &'static str, at: &Place, new: New<'_>) -> Result<Stored> {
        Stored::new(new.value, new.ttl, self.groups(at)).map_err(|failure| failure.of(operation))
    }

    /// Stores what was announced; the notice is told where it is stored.
    async fn complete(
        &self,
        at: &Place,
        new: New<'_>,
        claim: &Claim,
        notice: Option<Vec<u8>>,
    ) -> Result<Filled> {
        if claim.taken.elapsed() > FILL_WINDOW {
            return Ok(Filled::Fenced);
        }
        let nonce = nonce("fill", claim)?;
        let filled = self.store(at, new, nonce, notice).await;
        if filled.as_ref().is_err_and(|error| !error.kind().is_outage()) {
            // It is refused for what it is, and nobody shows the claim again: dropping it gives it up.
            drop(Unclaimed::new(Arc::clone(&self.link), self.id(at), nonce));
        }
        filled
    }

    async fn store(
        &self,
        at: &Place,
        new: New<'_>,
        nonce: ObjectId,
        notice: Option<Vec<u8>>,
    ) -> Result<Filled> {
        let (id, stored) = (self.id(at), self.stored("fill", at, new)?);
        self.link.run("fill", Few, |link| async move { link.fill(id, nonce, stored, notice).await }).await
    }
}

/// The nonce of a claim.
fn nonce(operation: &'static str, claim: &Claim) -> Result<ObjectId> {
    let bytes = claim.token.as_slice().try_into().map(ObjectId::from_bytes);
    bytes.map_err(|_| Failure::said(ErrorKind::Malformed, "the claim is of another backend").of(operation))
}

impl Tier for MongoDb {
    fn name(&self) -> &'static str {
        Backend::name(self)
    }

    fn capabilities(&self) -> Capabilities {
        Backend::capabilities(self)
    }

    fn longest(&self) -> Option<Duration> {
        Some(LONGEST)
    }

    fn get<'a>(&'a self, at: &'a Place, _: Wanted) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(Backend::get(self, &at.key))
    }

    fn get_many<'a>(&'a self, at: &'a [Place], _: Wanted) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        let ids: Vec<_> = at.iter().map(|at| self.id(at)).collect();
        Box::pin(self.link.run("get_many", Few, |link| async move { link.get_many(ids).await }))
    }

    fn begin<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Claim>> {
        Box::pin(async {
            let (id, groups) = (self.id(at), self.groups(at));
            let taken = Instant::now();
            let announced = self.link.run("begin", Few, |link| async move {
                let nonce = link.begin(id.clone(), groups).await?;
                Ok(Unclaimed::new(link, id, nonce))
            });
            Ok(Claim { token: announced.await?.take().bytes().to_vec(), taken })
        })
    }

    fn begin_leased<'a>(&'a self, at: &'a Place, terms: Terms) -> BoxFuture<'a, Result<Leased>> {
        Box::pin(async move {
            let (id, groups) = (self.id(at), self.groups(at));
            let (nonce, taken) = (ObjectId::new(), Instant::now());
            let work = self.link.run("begin_leased", Few, |link| async move {
                let wish = link.begin_leased(id.clone(), nonce, groups, terms).await?;
                Ok(wish.map(|()| Unclaimed::new(link, id, nonce)))
            });
            Ok(match work.await? {
                Wish::Granted(claim) => Leased::Taken(Claim { token: claim.take().bytes().to_vec(), taken }),
                Wish::Held(left) => Leased::Held(left),
                Wish::Found(entry) => Leased::Found(entry),
            })
        })
    }

    fn fill<'a>(&'a self, at: &'a Place, new: New<'a>, claim: &'a Claim) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(self.complete(at, new, claim, None))
    }

    fn replace<'a>(
        &'a self,
        at: &'a Place,
        new: New<'a>,
        claim: &'a Claim,
        notice: &'a [u8],
    ) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(self.complete(at, new, claim, Some(notice.to_vec())))
    }

    fn keeps_claims(&self) -> bool {
        true
    }

    fn abandon<'a>(&'a self, at: &'a Place, claim: &'a Claim) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            let (id, nonce) = (self.id(at), nonce("abandon", claim)?);
            self.link.run("abandon", Few, |link| async move { link.abandon(id, nonce).await }).await
        })
    }

    fn set<'a>(&'a self, at: &'a Place, new: New<'a>, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (id, stored) = (self.id(at), self.stored("set", at, new)?);
            let notice = notice.map(<[u8]>::to_vec);
            self.link.run("set", Few, |link| async move { link.set(id, stored, notice).await }).await
        })
    }

    fn set_ttl<'a>(&'a self, at: &'a Place, ttl: Option<Duration>) -> BoxFuture<'a, Result<bool>> {
        let id = self.id(at);
        Box::pin(self.link.run("set_ttl", Few, move |link| async move { link.set_ttl(id, ttl).await }))
    }

    fn evict<'a>(&'a self, at: &'a Place, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<bool>> {
        let (id, notice) = (self.id(at), notice.map(<[u8]>::to_vec));
        Box::pin(self.link.run("evict", Few, |link| async move { link.evict(id, notice).await }))
    }

    fn retract<'a>(
        &'a self,
        at: &'a Place,
        claim: &'a Claim,
        notice: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            if claim.taken.elapsed() > FILL_WINDOW {
                return Ok(false);
            }
            let (id, nonce, notice) = (self.id(at), nonce("retract", claim)?, notice.map(<[u8]>::to_vec));
            self.link.run("retract", Few, |link| async move { link.retract(id, nonce, notice).await }).await
        })
    }

    fn evict_group<'a>(&'a self, group: &'a Group, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        let (name, notice) = (Arc::clone(&group.name), notice.map(<[u8]>::to_vec));
        Box::pin(
            self.link.run("evict_group", Many, |link| async move {
                link.evict_group(&name, notice.as_deref()).await
            }),
        )
    }

    fn clear<'a>(&'a self, notice: Option<&'a [u8]>) -> BoxFuture<'a, Result<u64>> {
        let notice = notice.map(<[u8]>::to_vec);
        Box::pin(self.link.run("clear", Many, |link| async move { link.clear(notice.as_deref()).await }))
    }

    fn count<'a>(&'a self, group: Option<&'a Group>) -> BoxFuture<'a, Result<u64>> {
        let group = group.map(|group| Arc::clone(&group.name));
        Box::pin(self.link.run("count", Many, |link| async move { link.count(group.as_deref()).await }))
    }

    fn subscribe(self: Arc<Self>) -> Option<Box<dyn Subscription>> {
        Some(Box::new(Heard::by(Arc::clone(&self.link))))
    }
}
