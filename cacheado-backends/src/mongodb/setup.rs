//! What the server has to have before anything is written: a collection that can hold entries, with indexes.

use std::sync::Arc;

use mongodb::bson::{Bson, Document, doc};

use super::error::Failure;
use super::link::Server;
use crate::error::ErrorKind;

/// The wire version of MongoDB 5.0. Before it a `delete` does not know what time it is, so that nothing but single
/// entries could be evicted.
const OLDEST: i32 = 13;

/// What is known of a server that has been set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    /// Whether it has change streams: any but a server alone.
    pub(super) streams: bool,
}

/// The fields of the indexes.
pub(super) mod index {
    use mongodb::bson::{Document, doc};

    /// `_id`, which is always there.
    pub(in crate::mongodb) fn id() -> Document {
        doc! { "_id": 1 }
    }

    /// When a document may go.
    pub(in crate::mongodb) fn expiry() -> Document {
        doc! { "x": 1 }
    }

    /// The groups of entries.
    pub(in crate::mongodb) fn groups() -> Document {
        doc! { "g": 1 }
    }

    /// The groups of claims.
    pub(in crate::mongodb) fn claims() -> Document {
        doc! { "c.g": 1 }
    }
}

/// Sees to it that the collection and its indexes are there. Any number of processes may do so at a time.
pub(super) async fn prepare(server: Arc<Server>) -> Result<Ready, Failure> {
    let hello = server.command(doc! { "hello": 1 }).await?;
    check_version(&hello)?;
    let streams = hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|kind| kind == "isdbgrid");
    check_collection(&server).await?;
    if let Err(failure) = server.command(create_indexes(server.entries.name())).await {
        // An index of the same fields may have another name, or have been made by who has the right to.
        if failure.is_outage() || !has_indexes(&server).await? {
            return Err(failure);
        }
    }
    Ok(Ready { streams })
}

fn check_version(hello: &Document) -> Result<(), Failure> {
    match hello.get_i32("maxWireVersion") {
        Ok(version) if version < OLDEST => Err(Failure::said(
            ErrorKind::Configuration,
            "the server is too old: it has to be MongoDB 5.0 or newer",
        )),
        _ => Ok(()),
    }
}

/// A collation makes one of two keys that differ in case, and a capped collection drops what it likes.
async fn check_collection(server: &Server) -> Result<(), Failure> {
    let found =
        server.command(doc! { "listCollections": 1, "filter": { "name": server.entries.name() } }).await?;
    let Some(found) = first_batch(&found).next() else { return Ok(()) };
    let empty = Document::new();
    let options = found.get_document("options").unwrap_or(&empty);
    let plain = found.get_str("type").is_ok_and(|kind| kind == "collection")
        && !options.contains_key("collation")
        && !options.get_bool("capped").unwrap_or_default();
    if plain {
        Ok(())
    } else {
        Err(Failure::said(
            ErrorKind::Configuration,
            "the collection cannot hold entries: it is a view or a time series, or has a collation or a cap",
        ))
    }
}

fn create_indexes(collection: &str) -> Document {
    doc! {
        "createIndexes": collection,
        "indexes": [
            { "key": index::expiry(), "name": "cacheado_expiry", "expireAfterSeconds": 0 },
            { "key": index::groups(), "name": "cacheado_groups", "sparse": true },
            { "key": index::claims(), "name": "cacheado_claims", "sparse": true },
        ],
    }
}

/// Whether there are indexes that do, whatever they are called.
async fn has_indexes(server: &Server) -> Result<bool, Failure> {
    let found = server.command(doc! { "listIndexes": server.entries.name() }).await?;
    let full: Vec<_> = first_batch(&found)
        .filter(|index| !index.contains_key("partialFilterExpression") && !index.contains_key("collation"))
        .collect();
    let has = |key: Document, fits: fn(&Document) -> bool| {
        full.iter().any(|index| index.get_document("key").is_ok_and(|found| same(found, &key)) && fits(index))
    };
    let expires_at_once = |index: &Document| index.get("expireAfterSeconds").and_then(number) == Some(0.0);
    Ok(has(index::expiry(), expires_at_once)
        && has(index::groups(), |_| true)
        && has(index::claims(), |_| true))
}

/// Whether an index is of these fields, whatever type of number says "ascending".
fn same(found: &Document, key: &Document) -> bool {
    found.len() == key.len()
        && found.iter().zip(key).all(|(found, key)| found.0 == key.0 && number(found.1) == number(key.1))
}

fn number(value: &Bson) -> Option<f64> {
    match value {
        Bson::Int32(number) => Some((*number).into()),
        Bson::Int64(number) => i32::try_from(*number).ok().map(Into::into),
        Bson::Double(number) => Some(*number),
        _ => None,
    }
}

fn first_batch(answer: &Document) -> impl Iterator<Item = &Document> {
    let batch = answer.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch"));
    batch.into_iter().flatten().filter_map(Bson::as_document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_cannot_evict_groups_is_refused() {
        // A MongoDB 4.4, a 5.0, and a 6.0.
        let of = |version: i32| check_version(&doc! { "maxWireVersion": version, "ok": 1.0 });
        let refused = of(9).expect_err("too old").of("set");
        assert_eq!(refused.kind(), ErrorKind::Configuration);
        assert!(refused.to_string().contains("5.0"), "{refused}");
        for version in [13, 17] {
            of(version).expect("new enough");
        }
    }
}
