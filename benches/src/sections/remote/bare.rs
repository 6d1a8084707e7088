//! The bare clients: a command, and `MessagePack`. No scopes, no single flight, no statistics.
#![expect(clippy::expect_used, reason = "there is nothing to measure where a server fails")]

use std::sync::{Arc, Mutex, PoisonError};

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, doc};
use mongodb::{Client, Collection};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, Commands as _, SetExpiry, SetOptions};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use super::pass;
use super::workload::{Product, TTL, compute, product};
use crate::contenders::Contender;
use crate::workloads::StructKey;

/// The client of Redis.
pub(super) const REDIS: &str = "redis, bare";
/// The client of MongoDB.
const MONGODB: &str = "mongodb, bare";

/// The versions of the servers.
pub(super) async fn servers(redis: &str, mongo: &str) -> Vec<String> {
    let mut redis = redis_async(redis).await;
    let info: redis::InfoDict =
        redis::cmd("INFO").arg("server").query_async(&mut redis).await.expect("an answer");
    let redis: String = info.get("redis_version").expect("a version");
    let mongo = Client::with_uri_str(mongo).await.expect("a connection");
    let info = mongo.database("admin").run_command(doc! { "buildInfo": 1 }).await.expect("an answer");
    vec![format!("Redis {redis}"), format!("MongoDB {}", info.get_str("version").expect("a version"))]
}

pub(super) async fn redis_async(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("an address of Redis");
    client.get_multiplexed_async_connection().await.expect("a connection")
}

pub(super) fn hit(
    runtime: &Arc<Runtime>,
    tasks: usize,
    connection: &MultiplexedConnection,
) -> Contender<StructKey> {
    let (fill, read) = (connection.clone(), connection.clone());
    Contender {
        name: REDIS,
        fill: pass::pass(runtime, tasks, move |key| store(fill.clone(), key)),
        run: pass::pass(runtime, tasks, move |key| load(read.clone(), key)),
    }
}

pub(super) fn put(
    runtime: &Arc<Runtime>,
    tasks: usize,
    connection: &MultiplexedConnection,
) -> Contender<StructKey> {
    let connection = connection.clone();
    pass::computing(REDIS, runtime, tasks, move |key| store(connection.clone(), key))
}

async fn load(mut connection: MultiplexedConnection, key: StructKey) -> Product {
    let found: Option<Vec<u8>> = connection.get(name(key)).await.expect("an answer");
    found.map_or_else(|| compute(key), |bytes| decode(&bytes))
}

async fn store(mut connection: MultiplexedConnection, key: StructKey) {
    let () = connection.set_options(name(key), encode(key), options()).await.expect("it is stored");
}

pub(super) fn hit_sync(url: &str) -> Contender<StructKey> {
    let client = redis::Client::open(url).expect("an address of Redis");
    let connection = Mutex::new(client.get_connection().expect("a connection"));
    Contender::store(
        REDIS,
        connection,
        |connection, key: StructKey| {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let () = connection.set_options(name(key), encode(key), options()).expect("it is stored");
        },
        |connection, key| {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let found: Option<Vec<u8>> = connection.get(name(key)).expect("an answer");
            found.map_or_else(|| compute(key), |bytes| decode(&bytes))
        },
    )
}

fn options() -> SetOptions {
    SetOptions::default().with_expiration(SetExpiry::PX(TTL.as_secs() * 1_000))
}

/// The document of an entry.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(rename = "_id")]
    id: String,
    value: Binary,
}

pub(super) async fn mongodb(uri: &str) -> Collection<Stored> {
    let client = Client::with_uri_str(uri).await.expect("an address of MongoDB");
    client.database("bench").collection("bare")
}

pub(super) fn hit_mongodb(
    runtime: &Arc<Runtime>,
    tasks: usize,
    collection: &Collection<Stored>,
) -> Contender<StructKey> {
    let (fill, read) = (collection.clone(), collection.clone());
    Contender {
        name: MONGODB,
        fill: pass::pass(runtime, tasks, move |key| replace(fill.clone(), key)),
        run: pass::pass(runtime, tasks, move |key| find(read.clone(), key)),
    }
}

async fn find(collection: Collection<Stored>, key: StructKey) -> Product {
    let found = collection.find_one(doc! { "_id": name(key) }).await.expect("an answer");
    found.map_or_else(|| compute(key), |stored| decode(&stored.value.bytes))
}

async fn replace(collection: Collection<Stored>, key: StructKey) {
    let value = Binary { subtype: BinarySubtype::Generic, bytes: encode(key) };
    let stored = Stored { id: name(key), value };
    let replacing = collection.replace_one(doc! { "_id": name(key) }, stored).upsert(true);
    replacing.await.expect("it is stored");
}

/// The key, as it would be written by hand.
fn name((tenant, id): StructKey) -> String {
    format!("bare:{tenant}:{id}")
}

fn encode(key: StructKey) -> Vec<u8> {
    rmp_serde::to_vec_named(&product(key)).expect("a plain value")
}

fn decode(bytes: &[u8]) -> Product {
    rmp_serde::from_slice(bytes).expect("what was stored")
}
