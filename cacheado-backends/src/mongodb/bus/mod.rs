//! Notices: how they are told, and how they are heard.
//!
//! A notice is told once the eviction has taken effect, and with it where the server can: the document that is
//! left of an evicted or a set entry carries it in the field `n`, and the document of the namespace does for an
//! eviction of a group or of everything, as the last statement of its update. A change stream shows each write of
//! `n`, and nothing of values.
//!
//! A server alone has no change streams. There the document of the namespace holds the latest notices in the
//! order in which the server took them, and is looked at every so often.
//!
//! | file | subject |
//! |---|---|
//! | `stream` | hearing by a change stream |
//! | `recent` | telling and hearing by the document of the namespace |

mod recent;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::raw::RawBsonRef;
use mongodb::bson::{Document, doc};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::document;
use super::error::Failure;
use super::link::Link;
use super::setup::Ready;
use crate::contract::{BoxFuture, Event, Subscription};
use crate::io;

/// What precedes a notice: the number that makes it different from each other.
const NUMBER: usize = 12;

/// The pauses between attempts to listen, the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How many events wait for whoever listens; more wait on the server.
const WAITING: usize = 256;

impl Link {
    /// The statement of an `update` that tells a notice.
    pub(super) fn telling(&self, ready: Ready, notice: &[u8]) -> Document {
        let update = if ready.streams { document::tombstone(notice) } else { recent::with(notice) };
        doc! { "q": { "_id": self.settings.names.notices() }, "u": update, "upsert": true }
    }

    /// Tells a notice where the document of the entry could not.
    pub(super) async fn tell_alone(&self, ready: Ready, notice: Option<Vec<u8>>) -> Result<(), Failure> {
        let Some(notice) = notice.filter(|_| !ready.streams) else { return Ok(()) };
        let (server, _) = self.prepared().await?;
        let telling = self.telling(ready, &notice);
        server.command(doc! { "update": server.entries.name(), "updates": [telling] }).await?;
        Ok(())
    }
}

/// What a listener hears, on the I/O thread.
struct Listener {
    link: Arc<Link>,
    events: mpsc::Sender<Event>,
}

/// Whoever listened has gone.
struct Gone;

/// Why a listener has to begin again.
enum Broken {
    Gone,
    Failed(Failure),
}

impl From<Gone> for Broken {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl<T: Into<Failure>> From<T> for Broken {
    fn from(error: T) -> Self {
        Self::Failed(error.into())
    }
}

impl Listener {
    async fn listen(self) {
        let mut position = stream::Position::default();
        let mut pause = PAUSES.0;
        while let Err(Broken::Failed(failure)) = self.hear(&mut position, &mut pause).await {
            if pause == PAUSES.0 {
                tracing::warn!(
                    target: "cacheado",
                    cause = %failure.of("listen"),
                    "notices of other nodes are not heard for now"
                );
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Hears what is told, until something breaks.
    async fn hear(&self, position: &mut stream::Position, pause: &mut Duration) -> Result<(), Broken> {
        let (server, ready) = self.link.prepared().await?;
        if ready.streams {
            self.hear_stream(&server, position, pause).await
        } else {
            self.hear_recent(&server, pause).await
        }
    }

    async fn tell(&self, event: Event) -> Result<(), Gone> {
        self.events.send(event).await.map_err(|_| Gone)
    }
}

/// The notice of a field, without its number.
fn notice(field: RawBsonRef<'_>) -> Option<Vec<u8>> {
    match field {
        RawBsonRef::Binary(told) => told.bytes.get(NUMBER..).map(<[u8]>::to_vec),
        _ => None,
    }
}

/// The notices of all nodes.
pub(super) struct Heard {
    events: mpsc::Receiver<Event>,
    listener: Option<JoinHandle<()>>,
}

impl Heard {
    /// Begins to listen.
    pub(super) fn by(link: Arc<Link>) -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        let listener = Listener { link, events: sender };
        // Without an I/O thread nothing is stored either.
        let listener = io::handle().ok().map(|io| io.spawn(listener.listen()));
        Self { events, listener }
    }
}

impl Subscription for Heard {
    fn next(&mut self) -> BoxFuture<'_, Event> {
        Box::pin(async {
            match self.events.recv().await {
                Some(event) => event,
                None => std::future::pending().await,
            }
        })
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}
