//! Hearing by a change stream.

use std::time::Duration;

use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::change_stream::event::ResumeToken;
use mongodb::options::ReadConcern;
use tokio::time::timeout;

use super::{Broken, Listener, PAUSES, notice};
use crate::contract::Event;
use crate::error::ErrorKind;
use crate::mongodb::error::Failure;
use crate::mongodb::link::Server;

/// How long the server waits for something to tell, before it says that there is nothing.
const AWAITED: Duration = Duration::from_secs(1);

/// When a server that says nothing at all is taken for gone. Its monitor finds out before, by rights.
const SILENCE: Duration = Duration::from_secs(20);

/// Where the last stream stood. One that goes on from there misses nothing.
#[derive(Default)]
pub(super) struct Position(Option<ResumeToken>);

impl Listener {
    pub(super) async fn hear_stream(
        &self,
        server: &Server,
        position: &mut Position,
        pause: &mut Duration,
    ) -> Result<(), Broken> {
        let watch = server.entries.watch().pipeline(self.told()).max_await_time(AWAITED);
        let watch = watch.read_concern(ReadConcern::majority()).resume_after(position.0.clone());
        let stream = match timeout(SILENCE, watch).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(position.failed(error.into())),
            Err(_) => return Err(Failure::no_answer(SILENCE).into()),
        };
        let mut stream = stream.with_type::<RawDocumentBuf>();
        *pause = PAUSES.0;
        if position.0.is_none() {
            self.tell(Event::Gap).await?;
        }
        loop {
            position.0 = stream.resume_token().or_else(|| position.0.take());
            match timeout(SILENCE, stream.next_if_any()).await {
                Ok(Ok(Some(change))) => {
                    if let Some(notice) = change.get("n").ok().flatten().and_then(notice) {
                        self.tell(Event::Notice(notice)).await?;
                    }
                }
                Ok(Ok(None)) if stream.is_alive() => {}
                // The collection has been dropped or renamed, and its indexes with it.
                Ok(Ok(None)) => {
                    self.link.unprepared();
                    return Err(position.failed(Failure::said(ErrorKind::Other, "the stream has ended")));
                }
                Ok(Err(error)) => return Err(position.failed(error.into())),
                Err(_) => return Err(Failure::no_answer(SILENCE).into()),
            }
        }
    }

    /// The writes of notices in this namespace, and of each no more than the notice.
    fn told(&self) -> [Document; 2] {
        let (first, end) = self.link.settings.names.all();
        let updated = doc! { "updateDescription.updatedFields.n": { "$exists": true } };
        let replaced = doc! { "fullDocument.n": { "$exists": true } };
        [
            doc! { "$match": {
                "operationType": { "$in": ["insert", "update", "replace"] },
                "documentKey._id": { "$gte": first, "$lt": end },
                "$or": [updated, replaced],
            } },
            doc! { "$project": {
                "operationType": 1,
                "ns": 1,
                "n": { "$ifNull": ["$updateDescription.updatedFields.n", "$fullDocument.n"] },
            } },
        ]
    }
}

impl Position {
    /// What the server does not go on from is of no use any more: the next stream begins anew, with a gap.
    fn failed(&mut self, failure: Failure) -> Broken {
        if !failure.is_outage() {
            self.0 = None;
        }
        Broken::Failed(failure)
    }
}
