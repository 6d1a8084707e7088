//! A Redis Cluster.

use std::process::{Command, Stdio};

use crate::port::Port;
use crate::redis::Redis;
use crate::{program, wait};

/// Three masters without replicas, which share the slots evenly.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
    buses: Vec<Port>,
}

impl RedisCluster {
    /// Starts one, and waits until every node says that all slots are served. `None` only if tests are to skip
    /// servers.
    pub fn start() -> Option<Self> {
        let program = program::redis()?;
        let buses: Vec<Port> = (0..3).map(|_| Port::reserve()).collect();
        let nodes = buses.iter().map(|bus| {
            let bus = bus.number().to_string();
            Redis::run(program.clone(), &["--cluster-enabled", "yes", "--cluster-port", &bus])
        });
        let cluster = Self { nodes: nodes.collect(), buses };
        cluster.join();
        Some(cluster)
    }

    /// The addresses of the nodes.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// Waits until every node says that all slots are served, as after the restart of a node: two seconds, which
    /// a node takes before it serves again.
    pub fn ready(&self) {
        for node in &self.nodes {
            wait::until("the cluster to be whole", || {
                let info = node.command(&["CLUSTER", "INFO"]);
                if info.contains("cluster_state:ok") { Ok(()) } else { Err(info) }
            });
        }
    }

    fn join(&self) {
        let output = Command::new(program::redis_cli())
            .args(["--cluster", "create"])
            .args(self.nodes.iter().zip(&self.buses).map(|(node, bus)| {
                // The port after `@` is the one that nodes speak to each other on.
                format!("127.0.0.1:{}@{}", node.port(), bus.number())
            }))
            .arg("--cluster-yes")
            .stdin(Stdio::null())
            .output()
            .expect("redis-cli is there");
        assert!(output.status.success(), "the nodes do not join: {output:?}");
        self.ready();
    }
}
