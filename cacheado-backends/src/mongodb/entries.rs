//! The operations on a key.
//!
//! Each is one read or one update of one document, which the server does in one atomic step, and after another
//! of the same document. So a fill that finds its claim is one that nothing has struck: to set the key, or to
//! evict it, is to replace or to remove the document with all claims in it, and a claim that is gone does not
//! come back, as no two have the same nonce. What strikes the claims of a group is in [`groups`](super::groups).

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{RawDocumentBuf, doc};
use mongodb::error::Result as DriverResult;
use mongodb::options::{Hint, ReturnDocument};

use super::document::{self, Stored, Wish};
use super::error::{DUPLICATE_KEY, Failure};
use super::link::Link;
use super::setup::index;
use crate::contract::{Entry, Filled, Terms};
use crate::error::ErrorKind;

/// An update that inserts may meet another that does so; the second attempt finds the document.
const ATTEMPTS: usize = 3;

impl Link {
    pub(super) async fn get(&self, id: String) -> Result<Option<Entry>, Failure> {
        let server = self.server().await?;
        let found = server.entries.find(doc! { "_id": id }).projection(document::entry_and_time());
        let mut found = found.await?;
        Ok(if found.advance().await? { document::entry(found.current()) } else { None })
    }

    pub(super) async fn get_many(&self, ids: Vec<String>) -> Result<Vec<Option<Entry>>, Failure> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let server = self.server().await?;
        // One more than there can be, so that the server knows at once that it has them all.
        let batch = u32::try_from(ids.len()).unwrap_or(u32::MAX).min(1_000_000) + 1;
        let mut found = server
            .entries
            .find(doc! { "_id": { "$in": &ids } })
            .projection(document::entry_and_time())
            .batch_size(batch)
            .await?;
        let mut entries = HashMap::with_capacity(ids.len());
        while found.advance().await? {
            let found = found.current();
            if let (Ok(id), Some(entry)) = (found.get_str("_id"), document::entry(found)) {
                entries.insert(id.to_owned(), entry);
            }
        }
        Ok(ids.iter().map(|id| entries.get(id).cloned()).collect())
    }

    pub(super) async fn begin(&self, id: String, groups: Vec<String>) -> Result<ObjectId, Failure> {
        let (server, _) = self.prepared().await?;
        let nonce = ObjectId::new();
        let update = document::claimed(nonce, groups);
        upsert(|| async {
            server.entries.update_one(doc! { "_id": &id }, update.clone()).upsert(true).await
        })
        .await?;
        Ok(nonce)
    }

    /// The claim has this nonce.
    pub(super) async fn begin_leased(
        &self,
        id: String,
        nonce: ObjectId,
        groups: Vec<String>,
        terms: Terms,
    ) -> Result<Wish, Failure> {
        let (server, _) = self.prepared().await?;
        let update = document::leased(nonce, groups, terms);
        let after = upsert(|| async {
            let update = server.entries.find_one_and_update(doc! { "_id": &id }, update.clone());
            let update = update.upsert(true).return_document(ReturnDocument::After);
            update.projection(document::claims_and_time(terms.look)).await
        })
        .await?;
        let vanished = || Failure::said(ErrorKind::Malformed, "the server's answer is of another kind");
        Ok(document::answer(&after.ok_or_else(vanished)?, nonce))
    }

    pub(super) async fn fill(
        &self,
        id: String,
        nonce: ObjectId,
        stored: Stored,
        notice: Option<Vec<u8>>,
    ) -> Result<Filled, Failure> {
        let (server, ready) = self.prepared().await?;
        let update = document::filled(nonce, stored, notice.as_deref().filter(|_| ready.streams));
        let done = server.entries.update_one(doc! { "_id": id, "c.n": nonce }, update).await?;
        if done.matched_count == 0 {
            return Ok(Filled::Fenced);
        }
        self.tell_alone(ready, notice).await?;
        Ok(Filled::Stored)
    }

    pub(super) async fn abandon(&self, id: String, nonce: ObjectId) -> Result<(), Failure> {
        let (server, _) = self.prepared().await?;
        let update = document::unclaimed(nonce);
        server.entries.update_one(doc! { "_id": id, "c.n": nonce }, update).await?;
        Ok(())
    }

    pub(super) async fn set(
        &self,
        id: String,
        stored: Stored,
        notice: Option<Vec<u8>>,
    ) -> Result<(), Failure> {
        let (server, ready) = self.prepared().await?;
        let lasting = self.lasting();
        let update = document::set(stored, notice.as_deref().filter(|_| ready.streams));
        upsert(|| async {
            let update = server.entries.update_one(doc! { "_id": &id }, update.clone());
            update.upsert(true).write_concern(lasting.clone()).await
        })
        .await?;
        self.tell_alone(ready, notice).await
    }

    pub(super) async fn set_ttl(&self, id: String, ttl: Option<Duration>) -> Result<bool, Failure> {
        let (server, _) = self.prepared().await?;
        let live = doc! { "_id": id, "$expr": document::alive() };
        let done = server.entries.update_one(live, document::lasting(ttl)).await?;
        Ok(done.matched_count > 0)
    }

    pub(super) async fn evict(&self, id: String, notice: Option<Vec<u8>>) -> Result<bool, Failure> {
        let (_, ready) = self.prepared().await?;
        let before = self.remove(&id, None, notice.as_deref()).await?;
        self.tell_alone(ready, notice).await?;
        Ok(before.is_some_and(|before| document::was_alive(&before)))
    }

    /// The same if there is still the claim with this nonce; whether there was.
    pub(super) async fn retract(
        &self,
        id: String,
        nonce: ObjectId,
        notice: Option<Vec<u8>>,
    ) -> Result<bool, Failure> {
        let (_, ready) = self.prepared().await?;
        if self.remove(&id, Some(nonce), notice.as_deref()).await?.is_none() {
            return Ok(false);
        }
        self.tell_alone(ready, notice).await?;
        Ok(true)
    }

    /// Removes the document of an entry, which has the claim, if one is given; what it was.
    async fn remove(
        &self,
        id: &str,
        claim: Option<ObjectId>,
        notice: Option<&[u8]>,
    ) -> Result<Option<RawDocumentBuf>, Failure> {
        let (server, ready) = self.prepared().await?;
        let lasting = self.lasting();
        let mut which = doc! { "_id": id };
        if let Some(nonce) = claim {
            which.insert("c.n", nonce);
        }
        if let Some(notice) = notice.filter(|_| ready.streams) {
            let update = document::tombstone(notice);
            return upsert(|| async {
                let update = server.entries.find_one_and_update(which.clone(), update.clone());
                let update = update.upsert(claim.is_none()).projection(document::life_and_time());
                update.write_concern(lasting.clone()).await
            })
            .await;
        }
        let remove = server.entries.find_one_and_delete(which);
        Ok(remove.projection(document::life_and_time()).write_concern(lasting).await?)
    }

    pub(super) async fn keys(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let server = self.server().await?;
        let (first, end) = self.settings.names.keys(prefix);
        let live = doc! { "_id": { "$gte": first, "$lt": end }, "$expr": document::alive() };
        let found = server.entries.find(live).projection(doc! { "_id": 1 }).hint(Hint::Keys(index::id()));
        let mut found = found.batch_size(100_000).await?;
        let mut keys = Vec::new();
        while found.advance().await? {
            if let Ok(id) = found.current().get_str("_id") {
                keys.extend(self.settings.names.key(id).map(str::to_owned));
            }
        }
        Ok(keys)
    }
}

/// An update that inserts where there is nothing.
async fn upsert<T, F>(mut update: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = DriverResult<T>>,
{
    let mut attempt = 1;
    loop {
        match update().await.map_err(Failure::from) {
            Err(failure) if failure.code() == Some(DUPLICATE_KEY) && attempt < ATTEMPTS => attempt += 1,
            done => return done,
        }
    }
}
