//! A Redis Cluster of three.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cacheado_backends::contract::{Event, Filled, Group, Place, Tier, Wanted};
use cacheado_backends::redis::Redis;
use cacheado_backends::{Backend, ErrorKind};
use cacheado_servers::RedisCluster;

use crate::{PATIENCE, builder, event, eventually, new, server, store, value};

fn node(cluster: &RedisCluster) -> Arc<Redis> {
    patient(cluster, PATIENCE)
}

/// One that waits no longer than this.
fn patient(cluster: &RedisCluster, limit: Duration) -> Arc<Redis> {
    let urls = cluster.urls();
    let redis = builder(&urls[0]).cluster(&urls[1..]).namespace("t").timeout(limit).connect_timeout(limit);
    Arc::new(redis.build().expect("good addresses"))
}

fn tag() -> Group {
    Group { name: "tag".into(), route: None }
}

fn organization(number: usize) -> Group {
    Group { name: format!("org:{number}").into(), route: Some(route(number)) }
}

fn route(number: usize) -> Arc<str> {
    format!("org:{number}").into()
}

/// One of the entries of an organization.
fn place(organization_number: usize, key: usize) -> Place {
    Place {
        key: format!("{organization_number}/{key}"),
        route: route(organization_number),
        groups: [organization(organization_number), tag()].into(),
    }
}

#[tokio::test]
async fn everything_works_and_lies_on_all_nodes() {
    let cluster = server!(RedisCluster::start());
    let (here, there) = (node(&cluster), node(&cluster));
    let mut places = Vec::new();
    for number in 0..40 {
        for key in 0..3 {
            let at = place(number, key);
            let claim = Tier::begin(&*here, &at).await.expect("begun");
            let filled = Tier::fill(&*here, &at, new(at.key.as_bytes()), &claim).await.expect("an answer");
            assert_eq!(filled, Filled::Stored);
            assert_eq!(value(&there, &at).await.as_deref(), Some(at.key.as_bytes()));
            places.push(at);
        }
    }
    for node in cluster.nodes() {
        assert!(node.keys().len() > 10, "{:?}", node.keys());
    }
    let entries = Tier::get_many(&*there, &places, Wanted::Value).await.expect("read");
    for (entry, at) in entries.iter().zip(&places) {
        assert_eq!(entry.as_ref().expect("there").value, at.key.as_bytes());
    }
    let wanted = Wanted::ValueAndLifetime;
    let entry = Tier::get(&*there, &places[0], wanted).await.expect("read").expect("there");
    assert!(entry.remaining > Some(Duration::from_secs(50)));
    assert!(Tier::get_blocking(&*there, &places[0], wanted).is_none(), "no such way in a cluster");

    assert_eq!(Tier::count(&*here, None).await.expect("counted"), 120);
    assert_eq!(Tier::count(&*here, Some(&organization(7))).await.expect("counted"), 3);
    assert_eq!(Tier::evict_group(&*there, &organization(7), None).await.expect("evicted"), 3);
    assert!(Tier::evict(&*there, &place(8, 0), None).await.expect("evicted"));
    assert!(Tier::set_ttl(&*there, &place(8, 1), None).await.expect("set"));
    assert_eq!(value(&here, &place(7, 0)).await, None);
    assert_eq!(Tier::count(&*here, Some(&tag())).await.expect("counted"), 116);
    assert_eq!(Tier::evict_group(&*there, &tag(), None).await.expect("evicted"), 116);

    for number in 0..50 {
        Backend::put(&*here, &format!("k{number}"), b"v", None).await.expect("put");
    }
    let keys = Backend::keys(&*there, "k").await.expect("listed");
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 50);
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    assert!(Backend::get_many(&*there, &names).await.expect("read").iter().all(Option::is_some));
    assert!(Backend::remove(&*there, "k0").await.expect("removed"));
    assert_eq!(Backend::clear(&*there).await.expect("cleared"), 49);
    for node in cluster.nodes() {
        let left: Vec<String> = node.keys().into_iter().filter(|key| !key.ends_with(":f")).collect();
        assert_eq!(left, Vec::<String>::new());
    }
}

#[tokio::test]
async fn evictions_forbid_fills_and_are_told_on_all_nodes() {
    let cluster = server!(RedisCluster::start());
    let (here, there) = (node(&cluster), node(&cluster));
    let mut subscription = Arc::clone(&here).subscribe().expect("there is a bus");
    assert_eq!(event(&mut *subscription).await, Event::Gap);
    for number in 0..12 {
        let at = place(number, 0);
        let claim = Tier::begin(&*here, &at).await.expect("begun");
        store(&there, &at, b"newer").await;
        let notice = format!("notice {number}");
        let told = Some(notice.as_bytes());
        match number % 4 {
            0 => drop(Tier::evict_group(&*there, &tag(), told).await.expect("evicted")),
            1 => drop(Tier::evict_group(&*there, &organization(number), told).await.expect("evicted")),
            2 => drop(Tier::evict(&*there, &at, told).await.expect("evicted")),
            _ => drop(Tier::clear(&*there, told).await.expect("cleared")),
        }
        let filled = Tier::fill(&*here, &at, new(b"old"), &claim).await.expect("an answer");
        assert_eq!((filled, value(&here, &at).await), (Filled::Fenced, None));
        assert_eq!(event(&mut *subscription).await, Event::Notice(notice.into_bytes()));
    }
    // A notice that never came, from whichever node.
    let mut missed = 0;
    for node in cluster.nodes() {
        let sequence = node.keys().into_iter().find(|key| key.ends_with(":s"));
        if let Some(sequence) = sequence {
            node.command(&["INCR", &sequence]);
            assert_eq!(event(&mut *subscription).await, Event::Gap);
            missed += 1;
        }
    }
    assert!(missed > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_a_node_that_goes_and_comes_back() {
    let cluster = server!(RedisCluster::start());
    let redis = patient(&cluster, Duration::from_secs(2));
    let places: Vec<Place> = (0..16).map(|number| place(number, 0)).collect();
    for at in &places {
        store(&redis, at, b"v").await;
    }
    cluster.nodes()[1].kill();
    let mut failed = 0;
    for at in &places {
        match Tier::get(&*redis, at, Wanted::Value).await {
            Ok(read) => assert!(read.is_some()),
            Err(error) => {
                assert!(error.kind().is_outage(), "{error}");
                failed += 1;
            }
        }
    }
    assert!((1..16).contains(&failed), "the others go on: {failed}");
    cluster.nodes()[1].restart();
    cluster.ready();
    eventually("all nodes", async || {
        for at in &places {
            if Tier::set(&*redis, at, new(b"v"), None).await.is_err() {
                return false;
            }
        }
        true
    })
    .await;
    assert_eq!(Tier::count(&*redis, None).await.expect("counted"), 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hazard_26_a_node_that_does_not_answer() {
    let cluster = server!(RedisCluster::start());
    let limit = Duration::from_millis(300);
    let (known, fresh) = (patient(&cluster, limit), patient(&cluster, limit));
    let places: Vec<Place> = (0..16).map(|number| place(number, 0)).collect();
    for at in &places {
        eventually("it to be stored", async || Tier::set(&*known, at, new(b"v"), None).await.is_ok()).await;
    }
    cluster.nodes()[1].pause();
    for redis in [&known, &fresh] {
        let (begin, mut read) = (Instant::now(), 0);
        for at in &places {
            match Tier::get(&**redis, at, Wanted::Value).await {
                Ok(entry) => read += usize::from(entry.is_some()),
                Err(error) => assert!(error.kind().is_outage(), "{error}"),
            }
        }
        let took = begin.elapsed();
        println!("{read} of 16 in {took:?}");
        assert!(read > 0, "the others go on");
        assert!(took < limit * 40, "{took:?}");
    }
    cluster.nodes()[1].resume();
    for redis in [&known, &fresh] {
        let took = eventually("all nodes", async || {
            for at in &places {
                if Tier::get(&**redis, at, Wanted::Value).await.is_err() {
                    return false;
                }
            }
            true
        });
        let took = took.await;
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

#[tokio::test]
async fn a_node_of_a_cluster_is_not_a_server() {
    let cluster = server!(RedisCluster::start());
    let mut kinds = HashSet::new();
    for namespace in ["a", "b", "c", "d", "e", "f"] {
        let redis = builder(&cluster.urls()[0]).namespace(namespace).build().expect("an address");
        if let Err(error) = Tier::begin(&redis, &place(0, 0)).await {
            kinds.insert(error.kind());
            assert!(error.to_string().contains("cluster(…)"), "{error}");
        }
    }
    assert_eq!(kinds, HashSet::from([ErrorKind::Configuration]));
}
