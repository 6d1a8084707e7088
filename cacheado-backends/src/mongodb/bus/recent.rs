//! Telling and hearing by the document of the namespace, which holds the latest notices.
//!
//! The server applies one update of a document after another, so that the order in the document is the order in
//! which the notices were told, the same for all who read it. Whoever finds the last notice that was heard has
//! all that came after it; whoever does not has missed some.

use std::time::Duration;

use mongodb::bson::raw::RawBsonRef;
use mongodb::bson::{Document, doc};
use tokio::time::{sleep, timeout};

use super::{Broken, Listener, NUMBER, PAUSES};
use crate::contract::Event;
use crate::mongodb::document;
use crate::mongodb::error::Failure;
use crate::mongodb::link::Server;

/// How many notices there are in the document.
const KEPT: i32 = 64;

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(100);

/// The update that adds a notice.
pub(super) fn with(notice: &[u8]) -> Vec<Document> {
    let before = doc! { "$cond": [{ "$isArray": "$r" }, "$r", []] };
    let after = doc! { "$concatArrays": [before, [document::literal(document::told(notice))]] };
    vec![doc! { "$replaceWith": { "_id": "$_id", "r": { "$slice": [after, -KEPT] } } }]
}

impl Listener {
    pub(super) async fn hear_recent(&self, server: &Server, pause: &mut Duration) -> Result<(), Broken> {
        let mut last = self.recent(server).await?.pop();
        *pause = PAUSES.0;
        self.tell(Event::Gap).await?;
        loop {
            sleep(EVERY).await;
            let mut recent = self.recent(server).await?;
            let heard = recent.iter().rposition(|told| Some(told) == last.as_ref());
            let new = match heard {
                Some(heard) => recent.split_off(heard + 1),
                None if last.is_none() && recent.len() < KEPT.unsigned_abs() as usize => recent,
                None => {
                    last = recent.pop();
                    self.tell(Event::Gap).await?;
                    continue;
                }
            };
            for told in new {
                let notice = told.get(NUMBER..).unwrap_or_default().to_vec();
                last = Some(told);
                self.tell(Event::Notice(notice)).await?;
            }
        }
    }

    /// The latest notices, each with its number.
    async fn recent(&self, server: &Server) -> Result<Vec<Vec<u8>>, Broken> {
        let limit = self.link.settings.timeout;
        let find = async {
            let id = self.link.settings.names.notices();
            let mut found = server.entries.find(doc! { "_id": id }).await?;
            if !found.advance().await? {
                return Ok(Vec::new());
            }
            let told = found.current().get_array("r").into_iter().flatten().filter_map(Result::ok);
            let told = told.filter_map(|told| match told {
                RawBsonRef::Binary(told) => Some(told.bytes.to_vec()),
                _ => None,
            });
            Ok::<_, Failure>(told.collect())
        };
        timeout(limit, find).await.unwrap_or_else(|_| Err(Failure::no_answer(limit))).map_err(Broken::Failed)
    }
}
