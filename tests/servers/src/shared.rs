//! Servers that many tests use at the same time, each in a namespace of its own: starting one takes longer than most
//! tests do.

use std::any::Any;
use std::env;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{MongoDb, Redis, RedisCluster, program};

/// A server that others may use, too: the one that a run of tests has started for all of them, as `scripts/test.sh`
/// does, or else one of one's own. Nobody may stop it, empty it, or count what it does.
#[derive(Debug)]
pub struct Shared {
    addresses: Vec<String>,
    _own: Option<Box<dyn Any>>,
}

/// What can be shared: the variable with its addresses, a space between them, and how one is started.
type Kind = (&'static str, fn() -> Option<Shared>);

const REDIS: Kind =
    ("CACHEADO_SHARED_REDIS", || Some(Shared::own(Redis::start()?, |redis| vec![redis.url()])));

const CLUSTER: Kind =
    ("CACHEADO_SHARED_CLUSTER", || Some(Shared::own(RedisCluster::start()?, RedisCluster::urls)));

const MONGODB: Kind =
    ("CACHEADO_SHARED_MONGODB", || Some(Shared::own(MongoDb::start()?, |mongo| vec![mongo.uri()])));

const STANDALONE: Kind =
    ("CACHEADO_SHARED_STANDALONE", || Some(Shared::own(MongoDb::standalone()?, |mongo| vec![mongo.uri()])));

impl Shared {
    /// A Redis server. `None`, here and below, only if tests are to skip servers.
    pub fn redis() -> Option<Self> {
        Self::of(REDIS)
    }

    /// A Redis Cluster.
    pub fn cluster() -> Option<Self> {
        Self::of(CLUSTER)
    }

    /// A MongoDB replica set of one.
    pub fn mongodb() -> Option<Self> {
        Self::of(MONGODB)
    }

    /// A MongoDB server without a replica set.
    pub fn standalone() -> Option<Self> {
        Self::of(STANDALONE)
    }

    /// Its address; of a cluster, that of the first node.
    pub fn url(&self) -> &str {
        &self.addresses[0]
    }

    /// Its addresses, one a node.
    pub fn urls(&self) -> &[String] {
        &self.addresses
    }

    fn of((variable, start): Kind) -> Option<Self> {
        match env::var(variable) {
            Ok(addresses) if !program::skips() => {
                Some(Self { addresses: addresses.split(' ').map(str::to_owned).collect(), _own: None })
            }
            _ => start(),
        }
    }

    fn own<S: Any>(server: S, addresses: impl FnOnce(&S) -> Vec<String>) -> Self {
        Self { addresses: addresses(&server), _own: Some(Box::new(server)) }
    }
}

/// One of each that can be shared, and the variables that say so, each with its value. Nothing, if tests are to skip
/// servers.
pub fn start_shared() -> Vec<(&'static str, String, Shared)> {
    let started = [REDIS, CLUSTER, MONGODB, STANDALONE].map(|(variable, start)| {
        let server = start()?;
        Some((variable, server.addresses.join(" "), server))
    });
    started.into_iter().flatten().collect()
}

/// `name`, with something after it that nobody else gets, in this process or another, one that has ended among them.
pub fn unique(name: &str) -> String {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{:x}-{}-", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed))
}
