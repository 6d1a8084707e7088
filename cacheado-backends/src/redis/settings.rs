//! What connections are made from.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_routing::{Route, Slot, SlotAddr};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue as _, PushInfo, PushKind, RedisError,
    RedisResult,
};
use rustls::crypto::{CryptoProvider, ring};

use super::error::Secrets;
use super::link::{Link, Live, Request};
use super::wire::{Wire, is_plain};

/// What connections are made from.
pub(super) struct Settings {
    /// The server, or one or more nodes of the cluster.
    pub(super) nodes: Vec<Client>,
    /// The cluster, if it is one.
    pub(super) cluster: Option<ClusterClient>,
    /// How long an operation may take.
    pub(super) timeout: Duration,
    /// How long a connection may take to be made.
    pub(super) connect_timeout: Duration,
    /// What errors must not show.
    pub(super) secrets: Secrets,
    /// Whether the server's policy of eviction has been looked at.
    pub(super) inspected: AtomicBool,
}

impl Settings {
    /// Connects, on the runtime that this is called on.
    pub(super) async fn connect(&self) -> RedisResult<Live> {
        let open = Arc::new(AtomicBool::new(true));
        let link = if let Some(cluster) = &self.cluster {
            self.provide_cryptography();
            // Nodes are asked one after another, each for as long as a connection may take.
            let limit = self.connect_timeout * 10;
            let connecting = tokio::time::timeout(limit, cluster.get_async_connection());
            Link::Cluster(connecting.await.map_err(|_| silent(limit))??)
        } else if is_plain(self.nodes[0].get_connection_info().addr()) {
            let wire = Wire::open(&self.nodes[0], self.timeout, Arc::clone(&open));
            let wire = tokio::time::timeout(self.connect_timeout, wire).await;
            let link = Link::Wire(Arc::new(wire.map_err(|_| silent(self.connect_timeout))??));
            self.inspect(&link);
            link
        } else {
            let closed = Arc::clone(&open);
            let connection = self.connect_to(0, move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    closed.store(false, Ordering::Release);
                }
                Ok::<_, ()>(())
            });
            let link = Link::Server(connection.await?);
            self.inspect(&link);
            link
        };
        Ok(Live { link, open })
    }

    /// Connects to one node; what it tells of itself, and the end of the connection, is given to `push`.
    pub(super) async fn connect_to(
        &self,
        node: usize,
        push: impl AsyncPushSender,
    ) -> RedisResult<MultiplexedConnection> {
        self.provide_cryptography();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(None) // whoever waits has a limit of its own
            .set_push_sender(push);
        let node = &self.nodes[node % self.nodes.len()];
        node.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Makes sure that TLS has its cryptography. A process that chose its own keeps it.
    pub(super) fn provide_cryptography(&self) {
        let tls = matches!(self.nodes[0].get_connection_info().addr(), ConnectionAddr::TcpTls { .. });
        if tls && CryptoProvider::get_default().is_none() {
            // Another thread may have been first, which is as good.
            let _ = ring::default_provider().install_default();
        }
    }

    /// Warns of a server that may drop an index and keep what it lists. Once, and in the background.
    fn inspect(&self, link: &Link) {
        if self.inspected.swap(true, Ordering::Relaxed) {
            return;
        }
        let (mut link, limit) = (link.clone(), self.timeout);
        tokio::spawn(async move {
            let mut info = Cmd::new();
            info.arg("INFO").arg("memory");
            let request = Request::One(info);
            // It goes to the one server that there is.
            let route = Route::with_slot(Slot::for_key(""), SlotAddr::Master);
            let reply = tokio::time::timeout(limit, link.send(&request, route)).await;
            // A user who may not ask is not told.
            let Ok(Ok(reply)) = reply else { return };
            let report = String::from_redis_value(reply).unwrap_or_default();
            let of = |name: &str| report.lines().find_map(|line| line.trim().strip_prefix(name));
            let policy = of("maxmemory_policy:").unwrap_or("noeviction");
            if policy != "noeviction" && of("maxmemory:") != Some("0") {
                tracing::warn!(
                    target: "cacheado",
                    policy,
                    "this Redis server may drop the indexes by which scopes and tags are evicted; \
                     set its maxmemory-policy to noeviction"
                );
            }
        });
    }
}

/// The error of a request that was not answered.
pub(super) fn silent(limit: Duration) -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {limit:?}")).into()
}
