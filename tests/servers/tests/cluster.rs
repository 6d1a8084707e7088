//! A Redis Cluster.

use std::net::TcpStream;

use cacheado_servers::RedisCluster;

#[test]
fn three_nodes_share_the_slots() {
    let Some(cluster) = RedisCluster::start() else { return };
    assert_eq!(cluster.urls().len(), 3);
    for node in cluster.nodes() {
        let info = node.command(&["CLUSTER", "INFO"]);
        assert!(info.contains("cluster_slots_ok:16384") && info.contains("cluster_size:3"), "{info}");
    }
}

#[test]
fn a_node_comes_back_after_a_kill() {
    let Some(cluster) = RedisCluster::start() else { return };
    let node = &cluster.nodes()[1];
    let name = node.command(&["CLUSTER", "MYID"]);
    node.kill();
    assert!(TcpStream::connect(("127.0.0.1", node.port())).is_err());
    node.restart();
    cluster.ready();
    assert_eq!(node.command(&["CLUSTER", "MYID"]), name);
}
