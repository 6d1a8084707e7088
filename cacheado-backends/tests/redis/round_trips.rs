//! What operations cost, by the server's own count.

use cacheado_backends::contract::{Tier, Wanted};

use crate::{group, new, node, place, server, store, value};

#[tokio::test]
async fn hazard_29_one_round_trip_each_and_never_a_scan() {
    let server = server!();
    let redis = node(&server);
    let at = place("k", &["g", "fn"]);
    // Connections are made and scripts are known after this.
    for _ in 0..2 {
        let claim = Tier::begin(&*redis, &at).await.expect("begun");
        Tier::fill(&*redis, &at, new(b"v"), &claim).await.expect("filled");
        store(&redis, &at, b"v").await;
        value(&redis, &at).await;
        Tier::set_ttl(&*redis, &at, None).await.expect("set");
        Tier::count(&*redis, None).await.expect("counted");
        Tier::evict(&*redis, &at, Some(b"n")).await.expect("evicted");
        Tier::evict_group(&*redis, &group("g"), Some(b"n")).await.expect("evicted");
        Tier::clear(&*redis, Some(b"n")).await.expect("cleared");
    }
    Tier::get_blocking(&*redis, &at, Wanted::Value).expect("has one").expect("read");

    let mut before = server.reads_processed();
    let mut took = |what: &str, expected: u64| {
        let now = server.reads_processed();
        assert_eq!(now - before, expected, "{what}");
        before = now;
    };
    took("nothing", 0);
    let claim = Tier::begin(&*redis, &at).await.expect("begun");
    took("an announcement", 1);
    Tier::fill(&*redis, &at, new(b"v"), &claim).await.expect("filled");
    took("a fill", 1);
    assert!(value(&redis, &at).await.is_some());
    took("a hit", 1);
    let wanted = Wanted::ValueAndLifetime;
    assert!(Tier::get(&*redis, &at, wanted).await.expect("read").is_some());
    took("a hit with its lifetime", 1);
    assert!(Tier::get_blocking(&*redis, &at, wanted).expect("has one").expect("read").is_some());
    took("a hit of a sync function", 1);
    let many: Vec<_> = (0..500).map(|number| place(&number.to_string(), &[])).collect();
    Tier::get_many(&*redis, &many, Wanted::Value).await.expect("read");
    took("five hundred", 1);
    // As many as the server reads from its socket at a time.
    Tier::get_many(&*redis, &many[..100], Wanted::ValueAndLifetime).await.expect("read");
    took("a hundred with their lifetimes", 1);
    store(&redis, &at, b"v").await;
    took("a set", 1);
    Tier::set_ttl(&*redis, &at, None).await.expect("set");
    took("another lifetime", 1);
    Tier::evict(&*redis, &at, Some(b"notice")).await.expect("evicted");
    took("an eviction", 1);
    for number in 0..1_000 {
        store(&redis, &place(&number.to_string(), &["g", "fn"]), b"v").await;
    }
    took("a thousand sets", 1_000);
    assert_eq!(Tier::count(&*redis, Some(&group("g"))).await.expect("counted"), 1_000);
    took("a count", 1);
    assert_eq!(Tier::evict_group(&*redis, &group("g"), Some(b"notice")).await.expect("evicted"), 1_000);
    took("an eviction of a thousand", 1);
    store(&redis, &at, b"v").await;
    assert_eq!(Tier::clear(&*redis, Some(b"notice")).await.expect("cleared"), 1);
    took("a set and a clear", 2);

    assert_eq!(server.calls("get"), 6, "hits are plain reads");
    for command in ["keys", "scan", "flushdb", "flushall", "dbsize", "multi"] {
        assert_eq!(server.calls(command), 0, "{command}");
    }
    assert!(server.calls("eval") <= 8, "scripts are sent once");
}

/// Beside other entries, an eviction costs the same. A bench shows it for a million of them.
#[tokio::test]
async fn an_eviction_takes_as_many_commands_beside_others() {
    let server = server!();
    let redis = node(&server);
    let mut costs = Vec::new();
    for others in [10, 2_000] {
        for number in 0..others {
            store(&redis, &place(&format!("o{number}"), &["other", "fn"]), b"v").await;
        }
        for number in 0..20 {
            store(&redis, &place(&format!("g{number}"), &["g", "fn"]), b"v").await;
        }
        let before = server.commands_processed();
        assert_eq!(Tier::evict_group(&*redis, &group("g"), None).await.expect("evicted"), 20);
        costs.push(server.commands_processed() - before);
    }
    assert!(costs[1] <= costs[0], "{costs:?}");
}
