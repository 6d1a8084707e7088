//! A server, backends of it, and the collection behind their backs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cacheado_backends::contract::{Group, New, Place, Tier};
use cacheado_backends::mongodb::MongoDbBuilder;
use cacheado_backends::{Backend, MongoDb};
use cacheado_servers::MongoDb as Server;
use mongodb::bson::{Document, doc};
use mongodb::{Client, Collection, Database};

/// A server, and a client of its own.
pub struct Fixture {
    pub server: Server,
    pub database: Database,
    pub documents: Collection<Document>,
}

/// What an operation did in the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profiled {
    pub command: String,
    pub plan: String,
    pub keys: i64,
    pub documents: i64,
}

impl Fixture {
    /// A replica set of one.
    pub async fn set() -> Option<Self> {
        Some(Self::of(Server::start()?).await)
    }

    /// A server alone.
    pub async fn alone() -> Option<Self> {
        Some(Self::of(Server::standalone()?).await)
    }

    /// The same with more arguments for `mongod`.
    pub async fn alone_with(args: &[&str]) -> Option<Self> {
        Some(Self::of(Server::standalone_with(args)?).await)
    }

    async fn of(server: Server) -> Self {
        let client = Client::with_uri_str(server.uri()).await.unwrap();
        let database = client.database("app");
        let documents = database.collection("cache");
        Self { server, database, documents }
    }

    pub fn builder(&self, namespace: &str) -> MongoDbBuilder {
        let builder = MongoDb::builder(self.server.uri()).database("app").collection("cache");
        // Debug builds, on a busy machine.
        builder.namespace(namespace).timeout(Duration::from_secs(5))
    }

    pub fn backend(&self, namespace: &str) -> MongoDb {
        self.builder(namespace).build().unwrap()
    }

    pub fn tier(&self, namespace: &str) -> Arc<dyn Tier> {
        Arc::new(self.backend(namespace)).tier()
    }

    pub async fn document(&self, id: &str) -> Option<Document> {
        self.documents.find_one(doc! { "_id": id }).await.unwrap()
    }

    /// How many documents there are, whatever they are.
    pub async fn size(&self) -> u64 {
        self.documents.count_documents(doc! {}).await.unwrap()
    }

    /// What the server did while `work` ran, each read and write of entries.
    pub async fn profile<T>(&self, work: impl Future<Output = T>) -> (T, Vec<Profiled>) {
        self.database.run_command(doc! { "profile": 2 }).await.unwrap();
        let done = work.await;
        self.database.run_command(doc! { "profile": 0 }).await.unwrap();
        let profile = self.database.collection::<Document>("system.profile");
        let mut found = profile.find(doc! { "ns": "app.cache" }).sort(doc! { "ts": 1 }).await.unwrap();
        let mut profiled = Vec::new();
        while found.advance().await.unwrap() {
            let one = found.deserialize_current().unwrap();
            let number = |name| one.get_i32(name).map_or_else(|_| one.get_i64(name).unwrap_or(0), i64::from);
            profiled.push(Profiled {
                command: one.get_str("op").unwrap().to_owned(),
                plan: one.get_str("planSummary").unwrap_or_default().to_owned(),
                keys: number("keysExamined"),
                documents: number("docsExamined"),
            });
        }
        profile.drop().await.unwrap();
        (done, profiled)
    }

    /// How often each of these commands was called while `work` ran.
    pub async fn calls<T, const N: usize>(
        &self,
        commands: [&str; N],
        work: impl Future<Output = T>,
    ) -> (T, [u64; N]) {
        let before = commands.map(|command| self.server.calls(command));
        let done = work.await;
        let after = commands.map(|command| self.server.calls(command));
        (done, std::array::from_fn(|at| after[at] - before[at]))
    }
}

pub fn group(name: &str) -> Group {
    Group { name: name.into(), route: None }
}

pub fn place(key: &str, groups: &[&str]) -> Place {
    Place { key: key.to_owned(), route: "".into(), groups: groups.iter().map(|name| group(name)).collect() }
}

pub fn new(value: &[u8]) -> New<'_> {
    New { value, ttl: Some(Duration::from_secs(60)) }
}

/// Waits until it is so.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}: not within 20 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The value of a key.
pub async fn value(tier: &Arc<dyn Tier>, key: &str) -> Option<Vec<u8>> {
    let at = place(key, &[]);
    let found = tier.get(&at, cacheado_backends::contract::Wanted::Value).await.unwrap();
    found.map(|entry| entry.value)
}
