//! The one client behind a [`MongoDb`](super::MongoDb), and how operations run on it.
//!
//! The client lives on the I/O thread, and so does each operation: whoever waits for it may do so on any
//! executor, and a runtime that ends takes no connection with it. An operation whose caller has gone, or has
//! been told that its time is up, runs to its end.

use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::options::{
    Acknowledgment, ClientOptions, CollectionOptions, ReadConcern, ReadConcernLevel, ReadPreference,
    SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection, Database, ServerType};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::error::Failure;
use super::names::Names;
use super::once::Once;
use super::setup::{self, Ready};
use super::uri::Address;
use crate::error::{ErrorKind, Result};
use crate::io;

/// How long an operation on many entries may take, as long as the server answers others.
const LONG: Duration = Duration::from_secs(60);

/// How often a server is looked after. A change of state is told by the server at once; this is how soon one
/// is noticed that does not answer any more.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How many connections there may be, unless the URI says otherwise: the driver's own default.
const CONNECTIONS: u32 = 10;

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
    /// One for each connection that there may be.
    turns: Arc<Semaphore>,
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

    /// Runs an operation on the I/O thread, and waits for it as long as it may take.
    ///
    /// Once it is the driver's, it is not cancelled, as the driver serves those who wait for a connection one
    /// after another, even those who have gone: enough of them, and it never comes to the others. So no more
    /// are its at a time than it has connections. Those to a server that has fallen silent end by themselves
    /// when its monitor finds out.
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
        let io = io::handle()?;
        let limit = self.settings.timeout;
        let begun = Instant::now();
        let (link, work) = (Arc::clone(self), work(Arc::clone(self)));
        let mut task = io.spawn(async move {
            // None begins whose caller may have given up.
            let turn = timeout_at(begun + limit, link.turn()).await;
            let _turn = turn.unwrap_or_else(|_| Err(Failure::no_answer(limit)))?;
            timeout(LONG, work).await.unwrap_or_else(|_| Err(Failure::no_answer(LONG)))
        });
        loop {
            let failure = match within(io, limit, &mut task).await {
                Some(Ok(Ok(done))) => return Ok(done),
                Some(Ok(Err(failure))) => failure,
                Some(Err(_)) => Failure::said(ErrorKind::Other, "the operation panicked"),
                None if effort == Effort::Few => Failure::no_answer(limit),
                // Busy with it, or gone?
                None => match within(io, limit, io.spawn(Arc::clone(self).ping())).await {
                    Some(Ok(Ok(()))) => continue,
                    Some(Ok(Err(failure))) => failure,
                    Some(Err(_)) | None => Failure::no_answer(limit),
                },
            };
            return Err(failure.of(operation));
        }
    }

    /// Leave to use a connection.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turns = Arc::clone(&self.server().await?.turns);
        turns.acquire_owned().await.map_err(|_| Failure::said(ErrorKind::Other, "no turn"))
    }

    async fn ping(self: Arc<Self>) -> Result<(), Failure> {
        self.server().await?.command(doc! { "ping": 1 }).await.map(drop)
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
        match self.write(command).await? {
            (answer, None) => Ok(answer),
            (_, Some(unconfirmed)) => Err(unconfirmed),
        }
    }

    /// The same of a write that is done at the primary, and may not have been confirmed in time by as many as it was to
    /// be.
    pub(super) async fn write(&self, command: Document) -> Result<(Document, Option<Failure>), Failure> {
        let answer = self.database.run_command(command).await?;
        let failure = |error: &Document| {
            let code = error.get_i32("code").unwrap_or_default();
            Failure::server(code, error.get_str("codeName").unwrap_or_default())
        };
        // A write that failed is part of an answer that says it is well.
        let errors = answer.get_array("writeErrors").ok();
        if let Some(error) = errors.and_then(|errors| errors.first()?.as_document()) {
            return Err(failure(error));
        }
        let unconfirmed = answer.get_document("writeConcernError").ok().map(failure);
        Ok((answer, unconfirmed))
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
    let connections = *options.max_pool_size.get_or_insert(CONNECTIONS);
    let entries = CollectionOptions::builder()
        .selection_criteria(primary(options.direct_connection == Some(true)))
        .read_concern(read_concern(options.read_concern.as_ref()))
        .write_concern(options.write_concern.clone().unwrap_or_else(|| Acknowledgment::Nodes(1).into()))
        .build();
    let database = Client::with_options(options)?.database(database);
    let entries = database.collection_with_options(collection, entries);
    let turns =
        Semaphore::new(usize::try_from(connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS));
    Ok(Server { database, entries, turns: Arc::new(turns) })
}

/// What becomes of a future within a time, on any executor: the timer is the I/O thread's.
async fn within<F: IntoFuture>(io: &Handle, limit: Duration, future: F) -> Option<F::Output> {
    let timed = {
        let _entered = io.enter();
        timeout(limit, future)
    };
    timed.await.ok()
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
