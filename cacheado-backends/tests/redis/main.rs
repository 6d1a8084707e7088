//! What is Redis' own: layout, scripts, connections, outages. What every backend promises is in the conformance
//! suite.
#![cfg(feature = "redis")]
#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls too")]

mod bus;
mod cluster;
mod corrupt;
mod expiry;
mod fences;
mod groups;
mod layout;
mod namespaces;
mod outages;
mod readers;
mod round_trips;
mod runtimes;
mod secrets;
mod tls;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cacheado_backends::contract::{Event, Group, New, Place, Subscription, Tier, Wanted};
use cacheado_backends::redis::{Redis, RedisBuilder};

/// A server, or the end of the test where tests are to skip servers.
#[macro_export]
macro_rules! server {
    () => {
        $crate::server!(cacheado_servers::Redis::start())
    };
    ($start:expr) => {
        match $start {
            Some(server) => server,
            None => return,
        }
    };
}

/// A backend of its own over a server, as another process would have it.
fn node(server: &cacheado_servers::Redis) -> Arc<Redis> {
    patient(server, PATIENCE)
}

/// One that waits no longer than this.
fn patient(server: &cacheado_servers::Redis, limit: Duration) -> Arc<Redis> {
    let redis = builder(server.url()).namespace("t").timeout(limit).connect_timeout(limit);
    Arc::new(redis.build().expect("a good address"))
}

/// Sets up one that is patient.
fn builder(url: impl AsRef<str>) -> RedisBuilder {
    Redis::builder(url).timeout(PATIENCE).connect_timeout(PATIENCE)
}

/// How long a backend waits: the machine may have other things to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// All entries of the tests have this route, unless they say otherwise.
const ROUTE: &str = "route";

fn group(name: &str) -> Group {
    Group { name: name.into(), route: Some(ROUTE.into()) }
}

fn place(key: &str, groups: &[&str]) -> Place {
    let groups = groups.iter().map(|name| group(name)).collect();
    Place { key: key.to_owned(), route: ROUTE.into(), groups }
}

fn new(value: &[u8]) -> New<'_> {
    New { value, ttl: Some(MINUTE) }
}

const MINUTE: Duration = Duration::from_secs(60);

/// Stores a value for a minute.
async fn store(redis: &Redis, at: &Place, value: &[u8]) {
    Tier::set(redis, at, new(value), None).await.expect("stored");
}

/// The value at a place.
async fn value(redis: &Redis, at: &Place) -> Option<Vec<u8>> {
    Tier::get(redis, at, Wanted::Value).await.expect("read").map(|entry| entry.value)
}

/// Asks again and again, for half a minute at most.
async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !ask().await {
        assert!(begin.elapsed() < Duration::from_secs(30), "waited half a minute for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begin.elapsed()
}

/// The next event of a subscription, which has to come soon.
async fn event(subscription: &mut dyn Subscription) -> Event {
    tokio::time::timeout(Duration::from_secs(20), subscription.next()).await.expect("an event")
}
