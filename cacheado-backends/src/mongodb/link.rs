//! The one client behind a [`MongoDb`](super::MongoDb), and how operations run on it.
//!
//! The client lives on the I/O thread, and so does each operation: whoever waits for it may do so on any
//! executor, and a runtime that ends takes no connection with it. An operation whose caller has gone runs to
//! its end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::options::{
    Acknowledgment, ClientOptions, CollectionOptions, ReadConcern, ReadConcernLevel, ReadPreference,
    SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection, Database, ServerType};
use tokio::time::{Instant, timeout};

use super::error::Failure;
use super::names::Names;
use super::once::Once;
use super::setup::{self, Ready};
use super::uri::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::io;

/// How long an operation on many entries may take, as long as the server answers others.
const LONG: Duration = Duration::from_secs(60);

/// How often a server is looked after. A change of state is told by the server at once; this is how soon one
/// is noticed that does not answer any more.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// What was configured.
pub(super) struct Settings {
    pub(super) address: Address,
    pub(super) database: String,
    pub(super) collection: String,
    pub(super) names: Names,
    pub(super) timeout: Duration,
}

/// The client, once there is one.
pub(super) struct Link {
    pub(super) settings: Settings,
    server: Once<Arc<Server>>,
    ready: Once<Ready>,
}

/// What operations work with.
pub(super) struct Server {
    pub(super) database: Database,
    /// Read at the primary. Writes are acknowledged by it, or as the URI says; those that must outlive it ask
    /// for [`Link::lasting`].
    pub(super) entries: Collection<RawDocumentBuf>,
}

/// How long an operation may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// One entry, or those that were named: the configured time.
    Few,
    /// As many entries as there are: a minute, as long as the server answers.
    Many,
}

impl Link {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, server: Once::new(), ready: Once::new() }
    }

    /// Runs an operation on the I/O thread.
    pub(super) async fn run<T, F>(
        self: &Arc<Self>,
        operation: &'static str,
        effort: Effort,
        work: impl FnOnce(Arc<Self>) -> F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let link = Arc::clone(self);
        let work = work(Arc::clone(self));
        let task = io::handle()?.spawn(async move { link.bounded(effort, work).await });
        match task.await {
            Ok(done) => done.map_err(|failure| failure.of(operation)),
            Err(_) => Err(Error::new(ErrorKind::Other, operation, "the operation panicked")),
        }
    }

    async fn bounded<T>(
        self: Arc<Self>,
        effort: Effort,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let limit = self.settings.timeout;
        let begun = Instant::now();
        let mut work = pin!(work);
        loop {
            match timeout(limit, work.as_mut()).await {
                Ok(done) => return done,
                Err(_) if effort == Effort::Few || begun.elapsed() >= LONG => {
                    return Err(Failure::no_answer(begun.elapsed()));
                }
                // Busy with it, or gone?
                Err(_) => self.ping(limit).await?,
            }
        }
    }

    async fn ping(&self, limit: Duration) -> Result<(), Failure> {
        let ping = async { self.server().await?.command(doc! { "ping": 1 }).await };
        timeout(limit, ping).await.unwrap_or_else(|_| Err(Failure::no_answer(limit))).map(drop)
    }

    /// The client, which may not have reached any server yet.
    pub(super) async fn server(&self) -> Result<Arc<Server>, Failure> {
        self.server
            .get(|| {
                let (address, timeout) = (self.settings.address.clone(), self.settings.timeout);
                let (database, collection) =
                    (self.settings.database.clone(), self.settings.collection.clone());
                async move {
                    let options = address.options().await?;
                    connect(options, timeout, &database, &collection).map(Arc::new)
                }
            })
            .await
    }

    /// The client of a server that has our collection and its indexes, which whatever writes needs.
    pub(super) async fn prepared(&self) -> Result<(Arc<Server>, Ready), Failure> {
        let server = self.server().await?;
        let ready = self.ready.get(|| setup::prepare(Arc::clone(&server))).await?;
        Ok((server, ready))
    }

    /// Has indexes made anew, which have gone, with their collection perhaps.
    pub(super) fn unprepared(&self) {
        self.ready.forget();
    }

    /// Writes that outlive the primary.
    pub(super) fn lasting(&self) -> WriteConcern {
        WriteConcern::builder().w(Acknowledgment::Majority).w_timeout(self.settings.timeout).build()
    }
}

impl Server {
    /// Runs a command that is no read of entries.
    pub(super) async fn command(&self, command: Document) -> Result<Document, Failure> {
        let answer = self.database.run_command(command).await?;
        // A write that failed is part of an answer that says it is well.
        let errors = answer.get_array("writeErrors").ok();
        let error = errors.and_then(|errors| errors.first()?.as_document());
        match error.or_else(|| answer.get_document("writeConcernError").ok()) {
            None => Ok(answer),
            Some(error) => {
                let code = error.get_i32("code").unwrap_or_default();
                Err(Failure::server(code, error.get_str("codeName").unwrap_or_default()))
            }
        }
    }
}

/// Makes the client. To be called within the I/O thread's runtime.
fn connect(
    mut options: ClientOptions,
    timeout: Duration,
    database: &str,
    collection: &str,
) -> Result<Server, Failure> {
    // A little less, so that it is said that no server was found, rather than that time was up.
    options.server_selection_timeout.get_or_insert(timeout * 4 / 5);
    options.connect_timeout.get_or_insert(timeout);
    options.heartbeat_freq.get_or_insert(HEARTBEAT);
    options.app_name.get_or_insert_with(|| "cacheado".to_owned());
    let entries = CollectionOptions::builder()
        .selection_criteria(primary(options.direct_connection == Some(true)))
        .read_concern(read_concern(options.read_concern.as_ref()))
        .write_concern(options.write_concern.clone().unwrap_or_else(|| Acknowledgment::Nodes(1).into()))
        .build();
    let database = Client::with_options(options)?.database(database);
    let entries = database.collection_with_options(collection, entries);
    Ok(Server { database, entries })
}

/// Entries are read where they are written, whatever the URI says, as another member may not know of an
/// eviction yet. A direct connection reads from whatever there is, unless it is told not to.
fn primary(direct: bool) -> SelectionCriteria {
    if !direct {
        return SelectionCriteria::ReadPreference(ReadPreference::Primary);
    }
    SelectionCriteria::Predicate(Arc::new(|server| {
        matches!(server.server_type(), ServerType::RsPrimary | ServerType::Standalone | ServerType::Mongos)
    }))
}

/// The URI may ask for more than what is read by default, not for less: `available` finds in a sharded
/// cluster what has been evicted, and `snapshot` is of the past.
fn read_concern(asked: Option<&ReadConcern>) -> ReadConcern {
    match asked.map(|concern| &concern.level) {
        Some(ReadConcernLevel::Majority) => ReadConcern::majority(),
        Some(ReadConcernLevel::Linearizable) => ReadConcern::linearizable(),
        _ => ReadConcern::local(),
    }
}
