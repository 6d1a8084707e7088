//! Eviction of many entries.

use cacheado_backends::contract::{Group, New, Tier};

use crate::{MINUTE, builder, group, new, node, place, server, store, value};

#[tokio::test]
async fn the_count_is_exact_and_the_others_stay() {
    let server = server!();
    let redis = node(&server);
    // More than one part of what a script removes at once.
    for number in 0..2_345 {
        store(&redis, &place(&format!("in:{number}"), &["g", "fn"]), b"v").await;
    }
    store(&redis, &place("out", &["fn"]), b"v").await;
    // Of the same group, and removed by somebody else: these do not count.
    server.command(&["UNLINK", "{t}:e:in:0", "{t}:e:in:2000"]);
    assert_eq!(Tier::count(&*redis, None).await.expect("counted"), 2_346);
    let notice = Some(&b"notice"[..]);
    assert_eq!(Tier::evict_group(&*redis, &group("g"), notice).await.expect("evicted"), 2_343);
    assert_eq!(server.keys(), ["{t}:a", "{t}:e:out", "{t}:i:fn", "{t}:s"]);
    assert_eq!(server.command(&["GET", "{t}:s"]), "1", "one notice, not one for each part");
    assert_eq!(server.command(&["ZRANGE", "{t}:a", "0", "-1"]), "out", "the other indexes are in line");
    let listed = server.command(&["ZRANGE", "{t}:i:fn", "0", "-1"]);
    assert_eq!(listed, "in:0\nin:2000\nout", "whose groups nobody knows stays listed until its time is over");
    assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 0);
    assert_eq!(Tier::evict_group(&*redis, &group("fn"), None).await.expect("evicted"), 1);
}

#[tokio::test]
async fn entries_that_live_for_ever_are_evicted_too() {
    let server = server!();
    let redis = node(&server);
    for number in 0..20 {
        let new = New { value: b"v", ttl: None };
        Tier::set(&*redis, &place(&number.to_string(), &["g"]), new, None).await.expect("set");
    }
    assert_eq!(Tier::count(&*redis, Some(&group("g"))).await.expect("counted"), 20);
    assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 20);
    assert_eq!(server.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn large_values_are_not_read_to_evict_them() {
    let server = server!();
    let redis = builder(server.url()).timeout(MINUTE).build().expect("a good address");
    let at = place("k", &["g"]);
    store(&redis, &at, &vec![1; 20 << 20]).await;
    let sent = || {
        let info = server.command(&["INFO", "stats"]);
        let line =
            info.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:")).expect("a counter");
        line.trim().parse::<u64>().expect("a number")
    };
    let before = sent();
    assert_eq!(Tier::evict_group(&redis, &group("g"), None).await.expect("evicted"), 1);
    assert!(sent() - before < 100_000);
}

/// A server without memory left says so when something is stored, and evicts all the same.
#[tokio::test]
async fn hazard_26_a_full_server_still_evicts() {
    let server = server!();
    let redis = node(&server);
    let (a, b) = (place("a", &["g"]), place("b", &["h"]));
    let claim = Tier::begin(&*redis, &a).await.expect("begun");
    store(&redis, &a, b"1").await;
    store(&redis, &b, b"1").await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let full = Tier::set(&*redis, &a, new(b"2"), None).await.expect_err("no memory");
    assert_eq!(full.kind(), cacheado_backends::ErrorKind::Refused, "{full}");
    assert_eq!(value(&redis, &a).await.as_deref(), Some(&b"1"[..]), "nothing half done");
    assert!(Tier::evict(&*redis, &b, None).await.expect("evicted"));
    assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 1);
    assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 0);
    assert_eq!(Tier::clear(&*redis, None).await.expect("cleared"), 0);
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    let filled = Tier::fill(&*redis, &a, new(b"old"), &claim).await.expect("an answer");
    assert_eq!(filled, cacheado_backends::contract::Filled::Fenced);
}

#[tokio::test]
async fn groups_without_a_route_lie_on_all_shards() {
    let server = server!();
    let redis = builder(server.url()).namespace("t").shards(4).build().expect("a good address");
    let tag = Group { name: "tag".into(), route: None };
    for number in 0..100 {
        let mut at = place(&number.to_string(), &["g"]);
        at.route = format!("org:{number}").into();
        at.groups = [group("g"), tag.clone()].into();
        store(&redis, &at, b"v").await;
    }
    assert_eq!(Tier::count(&redis, None).await.expect("counted"), 100);
    assert_eq!(Tier::count(&redis, Some(&tag)).await.expect("counted"), 100);
    let keys = server.keys();
    for shard in 0..4 {
        assert!(keys.contains(&format!("{{t/{shard}}}:i:tag")), "{keys:?}");
    }
    assert_eq!(Tier::evict_group(&redis, &tag, Some(b"notice")).await.expect("evicted"), 100);
    assert_eq!(server.keys(), ["{t/0}:s"]);
    assert_eq!(server.command(&["GET", "{t/0}:s"]), "1", "one notice, not one a shard");
}
