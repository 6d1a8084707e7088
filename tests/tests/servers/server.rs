//! What the tests need of a server, whichever it is.

use std::time::{Duration, Instant};

use cacheado::backends::mongodb::{MongoDb, MongoDbBuilder};
use cacheado::backends::redis::{Redis, RedisBuilder};
use cacheado::{Cache, CacheBuilder};
use cacheado_tests::patient;

/// A real server.
pub(crate) enum Server {
    Redis(cacheado_servers::Redis),
    MongoDb(cacheado_servers::MongoDb),
}

/// `None` where servers are to be skipped, which has been said loudly.
pub(crate) fn redis() -> Option<Server> {
    cacheado_servers::Redis::start().map(Server::Redis)
}

pub(crate) fn mongodb() -> Option<Server> {
    cacheado_servers::MongoDb::start().map(Server::MongoDb)
}

macro_rules! each {
    ($self:ident, $server:ident => $what:expr) => {
        match $self {
            Self::Redis($server) => $what,
            Self::MongoDb($server) => $what,
        }
    };
}

impl Server {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Redis(_) => "redis",
            Self::MongoDb(_) => "mongodb",
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Redis(server) => server.url(),
            Self::MongoDb(server) => server.uri(),
        }
    }

    /// A cache over it: each call makes another node.
    pub(crate) fn builder(&self) -> CacheBuilder {
        match self {
            Self::Redis(server) => over_redis(patient::redis(server.url())),
            Self::MongoDb(server) => over_mongodb(patient::mongodb(server.uri())),
        }
    }

    pub(crate) fn cache(&self) -> Cache {
        self.builder().build().unwrap()
    }

    /// The same with the time limits that hold if none is set: for what it costs that the server does not answer.
    pub(crate) fn hurried(&self) -> CacheBuilder {
        match self {
            Self::Redis(server) => over_redis(Redis::builder(server.url())),
            Self::MongoDb(server) => over_mongodb(MongoDb::builder(server.uri())),
        }
    }

    pub(crate) fn kill(&self) {
        each!(self, server => server.kill());
    }

    pub(crate) fn restart(&self) {
        each!(self, server => server.restart());
    }

    pub(crate) fn pause(&self) {
        each!(self, server => server.pause());
    }

    pub(crate) fn resume(&self) {
        each!(self, server => server.resume());
    }
}

fn over_redis(redis: RedisBuilder) -> CacheBuilder {
    Cache::builder().backend(redis.namespace("nodes").build().unwrap())
}

fn over_mongodb(mongodb: MongoDbBuilder) -> CacheBuilder {
    Cache::builder().backend(mongodb.database("nodes").build().unwrap())
}

/// Polls until it is so, for so long at most; how long it took.
pub(crate) fn within(limit: Duration, what: &str, is_so: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}
