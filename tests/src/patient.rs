//! Backends over servers that wait for their server, as the machine may have other things to do.

use std::time::Duration;

use cacheado::backends::mongodb::{MongoDb, MongoDbBuilder};
use cacheado::backends::redis::{Redis, RedisBuilder};

/// How long an operation may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Sets up a Redis.
pub fn redis(url: impl AsRef<str>) -> RedisBuilder {
    Redis::builder(url).timeout(LIMIT).connect_timeout(LIMIT)
}

/// Sets up a `MongoDB`.
pub fn mongodb(uri: impl Into<String>) -> MongoDbBuilder {
    MongoDb::builder(uri).timeout(LIMIT)
}
