//! The collection and its indexes, and what a connection string may say.

use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::contract::Event;
use cacheado_backends::{Backend, ErrorKind, MongoDb};
use cacheado_servers::MongoDb as Server;
use mongodb::bson::{Document, doc};
use mongodb::{Client, IndexModel};

use crate::fixture::{Fixture, group, new, place};

async fn indexes(mongo: &Fixture) -> Vec<String> {
    let mut names = mongo.documents.list_index_names().await.unwrap();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_number_of_nodes_may_be_the_first() {
    for mongo in [Fixture::set().await, Fixture::alone().await] {
        let Some(mongo) = mongo else { return };
        let nodes = (0..12).map(|node| {
            let backend = mongo.backend("app");
            tokio::spawn(async move { backend.put(&node.to_string(), b"v", None).await })
        });
        for node in nodes.collect::<Vec<_>>() {
            node.await.unwrap().unwrap();
        }
        let expected = ["_id_", "cacheado_claims", "cacheado_expiry", "cacheado_groups"];
        assert_eq!(indexes(&mongo).await, expected);
        assert_eq!(mongo.backend("app").stats().await.unwrap().entries, 12);
        // Once a process, not once an operation.
        let backend = mongo.backend("app");
        backend.put("k", b"v", None).await.unwrap();
        let work = async {
            for _ in 0..5 {
                backend.put("k", b"v", None).await.unwrap();
            }
        };
        let ((), calls) = mongo.calls(["createIndexes", "listCollections", "update"], work).await;
        assert_eq!(calls, [0, 0, 5]);
        // Two handles of one backend have one client.
        let twin = backend.clone();
        let ((), calls) =
            mongo.calls(["createIndexes"], async { twin.put("k", b"v", None).await.unwrap() }).await;
        assert_eq!(calls, [0]);
    }
}

#[tokio::test]
async fn indexes_that_do_are_taken_whatever_they_are_called() {
    let Some(mongo) = Fixture::set().await else { return };
    let expiry = mongodb::options::IndexOptions::builder().expire_after(Duration::ZERO).build();
    mongo
        .documents
        .create_index(IndexModel::builder().keys(doc! { "x": 1.0 }).options(expiry).build())
        .await
        .unwrap();
    for key in [doc! { "g": 1_i64 }, doc! { "c.g": 1 }] {
        mongo.documents.create_index(IndexModel::builder().keys(key).build()).await.unwrap();
    }
    let tier = mongo.tier("app");
    tier.set(&place("k", &["g"]), new(b"v"), None).await.unwrap();
    assert_eq!(tier.evict_group(&group("g"), None).await.unwrap(), 1);
    assert_eq!(indexes(&mongo).await, ["_id_", "c.g_1", "g_1", "x_1"]);
}

#[tokio::test]
async fn an_index_in_the_way_is_said_and_hits_go_on() {
    let Some(mongo) = Fixture::set().await else { return };
    let backend = mongo.backend("app");
    backend.put("k", b"v", None).await.unwrap();
    mongo.documents.drop_index("cacheado_expiry").await.unwrap();
    let later = mongodb::options::IndexOptions::builder().expire_after(Duration::from_secs(3_600)).build();
    mongo
        .documents
        .create_index(IndexModel::builder().keys(doc! { "x": 1 }).options(later).build())
        .await
        .unwrap();
    let late = mongo.backend("app");
    for _ in 0..2 {
        let error = late.put("k", b"v", None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains("Index"), "{error}");
        assert!(late.get("k").await.unwrap().is_some());
    }
    // Once it is out of the way, all is well.
    mongo.documents.drop_index("x_1").await.unwrap();
    late.put("k", b"v", None).await.unwrap();
}

#[tokio::test]
async fn indexes_that_have_gone_are_made_anew() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    for lost in ["cacheado_groups", "cacheado_claims"] {
        tier.set(&place("k", &["g"]), new(b"v"), None).await.unwrap();
        mongo.documents.drop_index(lost).await.unwrap();
        tier.evict_group(&group("g"), Some(b"n")).await.unwrap();
        assert_eq!(tier.count(Some(&group("g"))).await.unwrap(), 0);
        assert!(indexes(&mongo).await.contains(&lost.to_owned()), "{lost}");
    }
    // To count needs them as well.
    tier.set(&place("k", &["g"]), new(b"v"), None).await.unwrap();
    mongo.documents.drop_index("cacheado_groups").await.unwrap();
    assert_eq!(tier.count(Some(&group("g"))).await.unwrap(), 1);
    assert_eq!(indexes(&mongo).await.len(), 4);
    mongo.documents.drop().await.unwrap();
    tier.set(&place("k", &["g"]), new(b"v"), None).await.unwrap();
    assert_eq!(tier.evict_group(&group("g"), None).await.unwrap(), 1);
    assert_eq!(indexes(&mongo).await.len(), 4);
}

#[tokio::test]
async fn who_listens_has_a_collection_that_was_dropped_made_anew() {
    let Some(mongo) = Fixture::set().await else { return };
    let tier = mongo.tier("app");
    let mut heard = Arc::clone(&tier).subscribe().unwrap();
    assert_eq!(heard.next().await, Event::Gap, "the first");
    mongo.documents.drop().await.unwrap();
    assert_eq!(heard.next().await, Event::Gap);
    // Without its indexes nothing that expires would ever go.
    assert_eq!(indexes(&mongo).await.len(), 4);
}

#[tokio::test]
async fn a_collection_that_cannot_hold_entries_is_refused() {
    let Some(mongo) = Fixture::set().await else { return };
    let english = doc! { "locale": "en", "strength": 2 };
    for how in [
        doc! { "create": "cache", "collation": english },
        doc! { "create": "cache", "capped": true, "size": 4_096 },
        doc! { "create": "cache", "viewOn": "other", "pipeline": [] },
        doc! { "create": "cache", "timeseries": { "timeField": "t" } },
    ] {
        mongo.database.run_command(how.clone()).await.unwrap();
        let error = mongo.backend("app").put("k", b"v", None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{how}: {error}");
        mongo.documents.drop().await.unwrap();
    }
    let nothing = doc! { "create": "cache", "validator": { "v": { "$exists": false } } };
    mongo.database.run_command(nothing).await.unwrap();
    let error = mongo.backend("app").put("k", b"secret", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn the_uri_names_the_database_and_its_options_work() {
    let Some(mongo) = Fixture::set().await else { return };
    let at = format!("mongodb://127.0.0.1:{}/named", mongo.server.port());
    let options = "replicaSet=rs0&readPreference=secondary&readConcernLevel=available&w=majority&maxPoolSize=2\
                   &retryWrites=false&appName=mine&serverSelectionTimeoutMS=20000&heartbeatFrequencyMS=1000";
    for options in
        [options, "directConnection=true", "readConcernLevel=majority&w=1", "readConcernLevel=linearizable"]
    {
        let backend =
            MongoDb::builder(format!("{at}?{options}")).timeout(Duration::from_secs(5)).build().unwrap();
        backend.put("k", b"v", None).await.unwrap();
        assert!(backend.get("k").await.unwrap().is_some(), "a secondary is not asked");
        assert!(backend.remove("k").await.unwrap());
        assert!(backend.get("k").await.unwrap().is_none());
    }
    let named = mongo.database.client().database("named");
    assert_eq!(named.list_collection_names().await.unwrap(), ["cacheado"]);
}

#[test]
fn what_cannot_work_is_said_when_it_is_built() {
    let wrong = |builder: cacheado_backends::mongodb::MongoDbBuilder| {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        error.to_string()
    };
    let good = || MongoDb::builder("mongodb://user:secret@localhost/db");
    good().build().unwrap();
    assert!(wrong(MongoDb::builder("mongodb://localhost")).contains("database"));
    assert!(wrong(good().database("a.b")).contains("a.b"));
    assert!(wrong(good().collection("")).contains("collection"));
    assert!(wrong(good().collection("system.users")).contains("collection"));
    assert!(wrong(good().timeout(Duration::ZERO)).contains("timeout"));
    assert!(wrong(MongoDb::builder("mongodb://localhost/db?w=0")).contains("acknowledge"));
    assert!(wrong(MongoDb::builder("nonsense")).contains("URI"));
    let shown = format!("{:?} {:?}", good(), good().build().unwrap());
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn hazard_31_credentials_that_are_refused_are_not_shown() {
    let Some(server) = Server::standalone_with(&["--auth"]) else { return };
    let port = server.port();
    let admin = Client::with_uri_str(server.uri()).await.unwrap().database("admin");
    let root = doc! { "createUser": "root", "pwd": "rootsecret", "roles": ["root"] };
    admin.run_command(root).await.unwrap();
    let uri = |user: &str, options: &str| format!("mongodb://{user}@127.0.0.1:{port}/app?{options}");
    let build = |uri: String| MongoDb::builder(uri).timeout(Duration::from_secs(10)).build().unwrap();
    let admin = Client::with_uri_str(uri("root:rootsecret", "authSource=admin")).await.unwrap();
    let reader = doc! { "createUser": "app", "pwd": "p@ss:w/rd", "roles": ["read"] };
    admin.database("app").run_command(reader).await.unwrap();

    build(uri("root:rootsecret", "authSource=admin")).put("k", b"v", None).await.unwrap();
    let reader = build(uri("app:p%40ss%3Aw%2Frd", "directConnection=true"));
    assert!(reader.get("k").await.unwrap().is_some());
    let refused = reader.put("k", b"mysterious", None).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
    assert!(reader.get("k").await.unwrap().is_some(), "hits go on");
    let wrong = build(uri("root:wrongsecret", "authSource=admin")).get("k").await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Refused, "{wrong}");
    let anonymous = build(format!("mongodb://127.0.0.1:{port}/app")).get("k").await.unwrap_err();
    assert_eq!(anonymous.kind(), ErrorKind::Refused, "{anonymous}");
    for error in [refused, wrong, anonymous] {
        let shown = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
        for secret in ["rootsecret", "wrongsecret", "w/rd", "w%2Frd", "mysterious"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    let _: Document = admin.database("admin").run_command(doc! { "ping": 1 }).await.unwrap();
}
