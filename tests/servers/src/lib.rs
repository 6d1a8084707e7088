//! Real servers for tests: [`Redis`], [`RedisCluster`] and [`MongoDb`], each private to whoever started it, and
//! [`Shared`] for a test that only needs a namespace of its own.
//!
//! A server listens on a free port of the loopback address and works in a temporary directory. It ends, and its
//! directory goes, when its value is dropped, when the test panics, and when the test's process is killed.
//!
//! Where a server's program is missing, starting one panics with the line that installs it. With
//! `CACHEADO_SKIP_SERVERS=1` nothing is started: `start` says so on the standard error and returns `None`.
//!
//! ```no_run
//! use cacheado_servers::Redis;
//!
//! let Some(redis) = Redis::start() else { return };
//! redis.command(&["SET", "key", "value"]);
//! redis.kill();
//! redis.restart();
//! assert_eq!(redis.command(&["EXISTS", "key"]), "0");
//! ```
//!
//! Everything here blocks, may be called within an async runtime, and fails by a panic. Tests that start a
//! [`MongoDb`] of their own have `mongo` in their names, so that the test runner knows how many of them it can run at
//! a time.

mod cluster;
mod guard;
mod mongo;
mod port;
mod process;
mod program;
mod redis;
mod resp;
mod shared;
mod tls;
mod wait;

pub use cluster::RedisCluster;
pub use mongo::{MongoDb, OpCounters};
pub use redis::Redis;
pub use shared::{Shared, start_shared, unique};
pub use tls::Tls;
