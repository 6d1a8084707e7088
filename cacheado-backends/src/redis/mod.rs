//! Redis, and Redis Cluster.
