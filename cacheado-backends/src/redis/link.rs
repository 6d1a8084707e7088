//! One connection, to a server or to a cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::MultiplexedConnection;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, Pipeline, RedisResult, Value};

use super::wire::Wire;

/// What is sent in one go.
pub(super) enum Request {
    One(Cmd),
    Many(Pipeline),
}

/// A connection that several requests share.
#[derive(Clone)]
pub(super) enum Link {
    /// To a server by a plain socket.
    Wire(Arc<Wire>),
    /// To a server by TLS.
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    /// Sends a request, and waits for the answer: a list, if it is several commands. An error that the server
    /// answers with is a value here.
    pub(super) async fn send(&mut self, request: &Request, route: Route) -> RedisResult<Value> {
        match (self, request) {
            (Self::Wire(wire), request) => wire.send(request).await,
            (Self::Server(link), Request::One(command)) => link.send_packed_command(command).await,
            (Self::Server(link), Request::Many(commands)) => {
                link.send_packed_commands(commands, 0, commands.len()).await.map(Value::Array)
            }
            // A large future, which a request to a server alone shall not have to carry.
            (Self::Cluster(link), request) => Box::pin(routed(link, request, route)).await,
        }
    }
}

async fn routed(link: &mut ClusterConnection, request: &Request, route: Route) -> RedisResult<Value> {
    let route = SingleNodeRoutingInfo::SpecificNode(route);
    match request {
        Request::One(command) => link.route_command(command.clone(), RoutingInfo::SingleNode(route)).await,
        Request::Many(commands) => {
            let answers = link.route_pipeline(commands.clone(), 0, commands.len(), route).await;
            answers.map(Value::Array)
        }
    }
}

/// A connection that has been made.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) link: Link,
    /// Whether it is not known to be closed. It is what tells one connection from another, too.
    pub(super) open: Arc<AtomicBool>,
}

impl Live {
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}
