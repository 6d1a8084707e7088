//! Eviction of groups and of everything.
//!
//! Both have to remove what is there, say how much of it was alive, and see to it that no fill that was
//! announced before lands afterwards. The first step removes and counts: one `delete`, as only that counts
//! exactly what it took, whoever else is at it. The second step is one `update` of three statements, which the
//! server runs one after another. For a group they are:
//!
//! 1. strike the claims that name the group, by the index of claims;
//! 2. erase what lies in the group, by the index of groups;
//! 3. tell the [notice](super::bus), if there is one.
//!
//! **No fill escapes.** Take a claim that names the group and was there before the eviction began. When the
//! first statement ends, it has been struck, or its fill had landed: a document stays in its place in the index
//! of claims as long as the claim is in it. If it is struck, the fill finds nothing. If the fill had landed, the
//! value is in the index of groups before the second statement begins, which erases it, unless the delete, a
//! `set` or another eviction has taken its place. The other way round, by claims after values or in one
//! statement with `$or`, a fill could move from the one index to the other behind the server's back. A claim
//! that comes later is in nobody's way: it was announced after the eviction began.
//!
//! The price of the order is that an entry which is filled in while the eviction runs is removed without being
//! counted, and that of the delete that another's claim goes with the document if it lies on a key whose value
//! is in the group without naming the group itself. Its fill is fenced off, needlessly.
//!
//! For everything, one statement does for the first two: it goes by `_id`, which no fill changes.
//!
//! **What fails over.** Evictions are acknowledged by a majority. A primary that does not know of one never
//! becomes primary again, and claims or fills that only it knew of are undone with it, or were there before.

use mongodb::bson::{Document, doc};
use mongodb::options::Hint;

use super::document;
use super::error::{BAD_VALUE, Failure};
use super::link::Link;
use super::setup::index;

impl Link {
    /// Evicts a group; how many entries were alive.
    pub(super) async fn evict_group(&self, group: &str, notice: Option<&[u8]>) -> Result<u64, Failure> {
        let name = self.settings.names.group(group);
        let live = doc! { "g": &name, "$expr": document::alive() };
        let strike = doc! {
            "q": { "c.g": &name },
            "u": document::struck(&name),
            "multi": true,
            "hint": index::claims(),
        };
        let erase = doc! { "q": &live, "u": document::erased(), "multi": true, "hint": index::groups() };
        self.evict_all(live, index::groups(), vec![strike, erase], notice).await
    }

    /// Evicts everything in the namespace; how many entries were alive.
    pub(super) async fn clear(&self, notice: Option<&[u8]>) -> Result<u64, Failure> {
        let keys = self.all_keys();
        let live = doc! { "_id": &keys, "$expr": document::alive() };
        let empty = doc! {
            "q": { "_id": keys, "$or": [{ "c": { "$exists": true } }, { "$expr": document::alive() }] },
            "u": document::emptied(),
            "multi": true,
            "hint": index::id(),
        };
        self.evict_all(live, index::id(), vec![empty], notice).await
    }

    /// How many entries of the group, or of the namespace, are alive.
    pub(super) async fn count(&self, group: Option<&str>) -> Result<u64, Failure> {
        match self.count_once(group).await {
            Err(failure) if failure.code() == Some(BAD_VALUE) => {
                self.unprepared();
                self.count_once(group).await
            }
            done => done,
        }
    }

    async fn count_once(&self, group: Option<&str>) -> Result<u64, Failure> {
        let (server, _) = self.prepared().await?;
        let (mut live, hint) = match group {
            Some(group) => (doc! { "g": self.settings.names.group(group) }, index::groups()),
            None => (doc! { "_id": self.all_keys() }, index::id()),
        };
        live.insert("$expr", document::alive());
        Ok(server.entries.count_documents(live).hint(Hint::Keys(hint)).await?)
    }

    fn all_keys(&self) -> Document {
        let (first, end) = self.settings.names.keys("");
        doc! { "$gte": first, "$lt": end }
    }

    /// The two steps. That they name their indexes keeps them from ever looking through the whole collection:
    /// where one is missing, the server says so, and it is made anew.
    async fn evict_all(
        &self,
        live: Document,
        hint: Document,
        updates: Vec<Document>,
        notice: Option<&[u8]>,
    ) -> Result<u64, Failure> {
        match self.evict_once(live.clone(), hint.clone(), updates.clone(), notice).await {
            Err(failure) if failure.code() == Some(BAD_VALUE) => {
                self.unprepared();
                self.evict_once(live, hint, updates, notice).await
            }
            done => done,
        }
    }

    async fn evict_once(
        &self,
        live: Document,
        hint: Document,
        mut updates: Vec<Document>,
        notice: Option<&[u8]>,
    ) -> Result<u64, Failure> {
        let (server, ready) = self.prepared().await?;
        let wait = i64::try_from(self.settings.timeout.as_millis()).unwrap_or(i64::MAX);
        let lasting = doc! { "w": "majority", "wtimeout": wait };
        let (removed, unconfirmed) = server
            .write(doc! {
                "delete": server.entries.name(),
                "deletes": [{ "q": live, "limit": 0, "hint": hint }],
                "writeConcern": &lasting,
            })
            .await?;
        updates.extend(notice.map(|notice| self.telling(ready, notice)));
        server
            .command(doc! { "update": server.entries.name(), "updates": updates, "writeConcern": lasting })
            .await?;
        // Only now: what is removed at the primary is not to come back by a late fill, nor to stay as a copy.
        if let Some(failure) = unconfirmed {
            return Err(failure);
        }
        Ok(removed.get_i32("n").ok().and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
    }
}
