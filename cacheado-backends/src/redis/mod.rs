//! Redis, and Redis Cluster.
//!
//! | file | subject |
//! |---|---|
//! | `builder`, `settings` | what is configured, and what connections are made from |
//! | `keys`, `value` | the layout: names of keys, form of a value |
//! | `scripts`, `scripts/*.lua` | what the server does in one atomic step |
//! | `reads`, `writes`, `groups` | operations on an entry, and on many |
//! | `leases` | of several nodes that want to compute, one at a time |
//! | `tier`, `backend` | the two contracts, over these operations |
//! | `connection`, `home`, `link` | async connections, one for each runtime |
//! | `wire` | what they are made of on a plain socket; reads at the same time become one command there |
//! | `blocking` | connections for threads that wait |
//! | `bus` | what other nodes have evicted |
//! | `error` | from the client's errors to ours |

mod backend;
mod blocking;
mod builder;
mod bus;
mod connection;
mod error;
mod groups;
mod home;
mod keys;
mod leases;
mod link;
mod reads;
mod scripts;
mod settings;
mod tier;
mod value;
mod wire;
mod writes;

pub use builder::RedisBuilder;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use connection::Connections;
use keys::Layout;
use redis::RedisError;
use settings::Settings;

use crate::contract::BoxFuture;
use crate::error::{Error, ErrorKind};

/// Entries on a Redis server or cluster, version 6.2 or newer, or Valkey.
///
/// It connects when it is first used, and again when a connection is lost. Cloning is cheap, and clones share
/// their connections.
///
/// Scopes and tags are evicted by indexes that lie in Redis themselves, so the server must not drop keys of its
/// own accord: its `maxmemory-policy` has to be `noeviction`, which is Redis' default. Every key has a lifetime,
/// except those that concern entries which live for ever.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
///
/// use cacheado_backends::Backend;
/// use cacheado_backends::redis::Redis;
///
/// # async fn example() -> cacheado_backends::Result<()> {
/// let redis = Redis::builder("redis://127.0.0.1:6379").namespace("app").build()?;
/// Backend::put(&redis, "greeting", b"hello", Some(Duration::from_secs(60))).await?;
/// assert!(Backend::get(&redis, "greeting").await?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    namespace: String,
    layout: Layout,
    connections: Connections,
}

impl Redis {
    /// Sets up the server at an address:
    /// `redis://[[user]:password@]host[:port][/db]`, `rediss://…` for TLS, `redis+unix:///path?db=0`.
    /// Special characters of user and password are percent-encoded.
    pub fn builder(url: impl AsRef<str>) -> RedisBuilder {
        RedisBuilder::new(url.as_ref())
    }

    fn new(namespace: String, layout: Layout, settings: Settings) -> Self {
        let connections = Connections::new(settings);
        Self(Arc::new(Inner { namespace, layout, connections }))
    }

    fn layout(&self) -> &Layout {
        &self.0.layout
    }

    fn connections(&self) -> &Connections {
        &self.0.connections
    }

    /// The error of an operation.
    fn report(&self, operation: &'static str) -> impl Fn(RedisError) -> Error {
        move |error| self.connections().settings.secrets.report(operation, &error)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.connections().settings;
        let addresses: Vec<String> =
            settings.nodes.iter().map(|node| node.get_connection_info().addr().to_string()).collect();
        f.debug_struct("Redis")
            .field("namespace", &self.0.namespace)
            .field("addresses", &addresses)
            .field("cluster", &settings.cluster.is_some())
            .finish_non_exhaustive()
    }
}

/// Waits for several futures at once, for their results in order.
async fn together<T>(mut futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut waiting = false;
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *result = Some(output),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    results.into_iter().flatten().collect()
}

/// The error of an answer that is not of the kind that was asked for.
fn unexpected(operation: &'static str) -> Error {
    Error::new(ErrorKind::Malformed, operation, "the server's answer is of another kind")
}
