//! A Redis Cluster.

use cacheado_servers::RedisCluster;

#[test]
fn three_nodes_share_the_slots() {
    let Some(cluster) = RedisCluster::start() else { return };
    assert_eq!(cluster.urls().len(), 3);
    let mut refused = 0;
    for node in cluster.nodes() {
        let info = node.command(&["CLUSTER", "INFO"]);
        assert!(info.contains("cluster_slots_ok:16384"), "{info}");
        assert!(info.contains("cluster_size:3"), "{info}");
        refused += u32::from(node.command(&["CLUSTER", "COUNTKEYSINSLOT", "0"]) != "0");
    }
    assert_eq!(refused, 0);
}
