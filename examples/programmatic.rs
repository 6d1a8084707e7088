//! Without an attribute: keys of your own, scopes known only at run time, and errors that say what is wrong.
//!
//! ```console
//! cargo run --example programmatic
//! ```

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cacheado::prelude::*;
use cacheado::rules::Lru;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    theme: String,
    page_size: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> cacheado::Result<()> {
    let cache = Cache::builder().rule(Lru::new(10_000)).default_ttl(Duration::from_secs(60)).build()?;

    println!("Set, get, evict: any `KeyPart` is a key; a number is none of its text");
    cache.set(("answer", 42), &"forty-two".to_owned(), Duration::from_secs(5))?;
    cache.set(("answer", "42"), &"a text".to_owned(), Ttl::Never)?;
    println!("   (\"answer\", 42)    {:?}", cache.get::<String>(("answer", 42))?);
    println!("   (\"answer\", \"42\")  {:?}", cache.get::<String>(("answer", "42"))?);
    println!("   as another type   {:?}", cache.get::<u64>(("answer", 42))?);
    println!("   evicted           {}", cache.evict(("answer", 42))?);
    assert_eq!(cache.get::<String>(("answer", 42))?, None);

    println!("\nGet or compute: eight tasks, one computation");
    let computed = AtomicU64::new(0);
    let load = || async {
        computed.fetch_add(1, Relaxed);
        tokio::time::sleep(Duration::from_millis(10)).await;
        Settings { theme: "dark".to_owned(), page_size: 50 }
    };
    let eight = || cache.get_or_compute_async("settings", Ttl::Default, load);
    let all = tokio::join!(eight(), eight(), eight(), eight(), eight(), eight(), eight(), eight());
    println!("   {:?}, computed {} time", all.0?, computed.load(Relaxed));
    assert_eq!(computed.load(Relaxed), 1);

    println!("\nScopes of a tree that is known only at run time");
    let tree = ScopeTree::builder()
        .level("organization", "org_id")
        .child("organization", "user", "user_id")
        .build()?;
    let ada = tree.resolve("user", [("org_id", "acme"), ("user_id", "ada")])?;
    let grace = tree.resolve("user", [("org_id", "globex"), ("user_id", "grace")])?;
    for (scope, theme) in [(&ada, "light"), (&grace, "dark")] {
        let settings = Settings { theme: theme.to_owned(), page_size: 20 };
        cache.scoped(scope.clone()).set("settings", &settings, Duration::from_secs(3600))?;
    }
    for scope in [&ada, &grace] {
        let settings = cache.scoped(scope.clone()).get::<Settings>("settings")?;
        println!("   {:<32} {:?}", scope.to_string(), settings.map(|settings| settings.theme));
    }

    println!("\nEvicting Acme leaves Globex, and what is in no scope");
    let evicted = cache.evict_by_scope(&tree.resolve("organization", [("org_id", "acme")])?)?;
    let is_there =
        |scope: Scope| cache.scoped(scope).get::<Settings>("settings").map(|found| found.is_some());
    let (ada, grace) = (is_there(ada)?, is_there(grace)?);
    println!("   {evicted} went; Ada's settings are there: {ada}; Grace's: {grace}");
    assert_eq!((evicted, ada, grace), (1, false, true));
    assert!(cache.get::<Settings>("settings")?.is_some());

    println!("\nSeveral at once");
    let found = cache.get_many::<Settings>(["settings", "nothing"])?;
    println!("   {:?}", found.iter().map(Option::is_some).collect::<Vec<_>>());
    assert_eq!(found.len(), 2);

    println!("\nMistakes say what is wrong");
    let errors = [
        tree.resolve("user", [("user_id", "ada")]).err(),
        tree.resolve("team", [("team_id", "t1")]).err(),
        ScopeTree::builder().child("company", "user", "user_id").build().err(),
    ];
    for error in errors.into_iter().flatten() {
        println!("   {error}");
    }

    println!("\nWhat the cache has counted");
    println!("   {}", cache.stats());
    for (level, stats) in cache.stats_by_scope_level() {
        println!("   {level:<8} {stats}");
    }
    Ok(())
}
