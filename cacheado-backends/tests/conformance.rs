//! The conformance suite over the backends of this crate. One module a backend.

#![expect(clippy::unwrap_used, reason = "a backend that cannot be made fails its tests")]

use std::time::Duration;

use cacheado_backends::conformance::Subject;
use cacheado_backends::memory::SharedMemory;
use cacheado_backends::mongodb::MongoDb;
use cacheado_backends::redis::Redis;
use cacheado_backends::{FlakyBackend, Memory};
use cacheado_servers::{Shared, unique};

/// How long an operation may take where a machine runs many tests at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// Of two nodes, and of a neighbour whose namespace begins alike; other tests that use the same server have others.
fn namespaces() -> [String; 3] {
    let tenant = unique("tenant");
    [tenant.clone(), tenant.clone(), tenant + "1"]
}

/// Memory as it is: groups are labels, fences are tickets.
mod memory {
    use super::{Memory, Subject};

    async fn fresh() -> Subject {
        let memory = Memory::new();
        Subject::new(memory.clone()).with_peer(memory)
    }

    cacheado_backends::conformance!(fresh);
}

/// Memory with only its small contract: groups and fences are entries.
mod emulated {
    use super::{SharedMemory, Subject};

    async fn fresh() -> Subject {
        let memory = SharedMemory::new();
        Subject::new(memory.clone()).with_peer(memory).emulated()
    }

    cacheado_backends::conformance!(fresh, without(bus));
}

/// A wrapper that changes nothing, as one does that counts or logs.
mod wrapped {
    use super::{FlakyBackend, SharedMemory, Subject};

    async fn fresh() -> Subject {
        let memory = SharedMemory::new();
        Subject::new(FlakyBackend::new(memory.clone())).with_peer(FlakyBackend::new(memory))
    }

    cacheado_backends::conformance!(fresh, without(bus));
}

/// Redis, two clients of one server.
mod redis {
    use super::{PATIENCE, Redis, Shared, Subject, namespaces};

    async fn fresh() -> Subject {
        let Some(server) = Shared::redis() else { return Subject::skipped("Redis") };
        let builder = || Redis::builder(server.url()).timeout(PATIENCE).connect_timeout(PATIENCE);
        let [node, peer, neighbour] = namespaces().map(|name| builder().namespace(name).build().unwrap());
        Subject::new(node).with_peer(peer).with_neighbour(neighbour).keeping(server)
    }

    cacheado_backends::conformance!(fresh);
}

/// Redis with only its small contract.
mod redis_emulated {
    use super::{PATIENCE, Redis, Shared, Subject, namespaces};

    async fn fresh() -> Subject {
        let Some(server) = Shared::redis() else { return Subject::skipped("Redis") };
        let builder = || Redis::builder(server.url()).timeout(PATIENCE).connect_timeout(PATIENCE);
        let [node, peer, neighbour] = namespaces().map(|name| builder().namespace(name).build().unwrap());
        Subject::new(node).with_peer(peer).with_neighbour(neighbour).emulated().keeping(server)
    }

    cacheado_backends::conformance!(fresh, without(bus));
}

/// A cluster of three, two clients.
mod redis_cluster {
    use super::{PATIENCE, Redis, Shared, Subject, namespaces};

    async fn fresh() -> Subject {
        let Some(cluster) = Shared::cluster() else { return Subject::skipped("Redis Cluster") };
        let builder = || {
            Redis::builder(cluster.url()).cluster(cluster.urls()).timeout(PATIENCE).connect_timeout(PATIENCE)
        };
        let [node, peer, neighbour] = namespaces().map(|name| builder().namespace(name).build().unwrap());
        Subject::new(node).with_peer(peer).with_neighbour(neighbour).keeping(cluster)
    }

    cacheado_backends::conformance!(fresh);
}

/// `MongoDB` without a replica set, which has no change streams.
mod mongodb_alone {
    use super::{MongoDb, PATIENCE, Shared, Subject, namespaces};

    async fn fresh() -> Subject {
        let Some(server) = Shared::standalone() else { return Subject::skipped("MongoDB") };
        let builder = || MongoDb::builder(server.url()).database("conformance").timeout(PATIENCE);
        let [node, peer, neighbour] = namespaces().map(|name| builder().namespace(name).build().unwrap());
        Subject::new(node).with_peer(peer).with_neighbour(neighbour).keeping(server)
    }

    cacheado_backends::conformance!(fresh);
}

/// `MongoDB` as a replica set, two clients.
mod mongodb {
    use super::{MongoDb, PATIENCE, Shared, Subject, namespaces};

    async fn fresh() -> Subject {
        let Some(server) = Shared::mongodb() else { return Subject::skipped("MongoDB") };
        let builder = || MongoDb::builder(server.url()).database("conformance").timeout(PATIENCE);
        let [node, peer, neighbour] = namespaces().map(|name| builder().namespace(name).build().unwrap());
        Subject::new(node).with_peer(peer).with_neighbour(neighbour).keeping(server)
    }

    cacheado_backends::conformance!(fresh);
}
