//! Methods: what `self` is to the key, a cache that belongs to the object, traits, generics, and the siblings.
//!
//! ```console
//! cargo run --example methods
//! ```

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cacheado::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct User {
    name: String,
    is_guest: bool,
}

/// A repository that owns its cache.
struct Users {
    cache: Cache,
    rows: HashMap<u64, User>,
    queries: AtomicU64,
}

impl Users {
    /// The result does not depend on which `Users` is asked, as each has a cache of its own: `skip(self)`.
    /// `None` is not stored unless `cache_none` says so, here for a shorter time.
    #[cached(cache = self.cache, skip(self), ttl_with = Users::lifetime, cache_none = "5s")]
    async fn find(&self, id: u64) -> Option<User> {
        self.queries.fetch_add(1, Relaxed);
        self.rows.get(&id).cloned()
    }

    /// Guests change more often.
    fn lifetime(user: &User) -> Duration {
        Duration::from_secs(if user.is_guest { 10 } else { 600 })
    }
}

/// A value that is part of the key: `key(self, …)` needs `KeyPart`.
#[derive(Clone, Copy, KeyPart)]
struct Polynomial {
    a: i64,
    b: i64,
}

static EVALUATIONS: AtomicU64 = AtomicU64::new(0);

impl Polynomial {
    #[cached(key(self, x))]
    fn at(self, x: i64) -> i64 {
        EVALUATIONS.fetch_add(1, Relaxed);
        self.a * x + self.b
    }
}

trait Greeter {
    fn greet(&self, name: &str) -> String;
}

#[derive(KeyPart)]
struct Formal;

impl Greeter for Formal {
    /// In the implementation of a trait there is no room for siblings: `companions = false`.
    #[cached(companions = false, skip(self))]
    fn greet(&self, name: &str) -> String {
        format!("Good evening, {name}.")
    }
}

/// Each instance of a generic function has entries of its own.
#[cached]
fn largest<T: KeyPart + Copy + Ord + Send + Sync + 'static>(values: &[T]) -> Option<T> {
    values.iter().copied().max()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> cacheado::Result<()> {
    let ada = User { name: "Ada".to_owned(), is_guest: false };
    let guest = User { name: "Guest".to_owned(), is_guest: true };
    let users = Users {
        cache: Cache::new(),
        rows: HashMap::from([(1, ada.clone()), (2, guest)]),
        queries: AtomicU64::new(0),
    };

    println!("An async method over the object's own cache");
    for id in [1, 1, 2, 2, 3, 3] {
        users.find(id).await;
    }
    println!("   six calls, {} queries, the missing user included", users.queries.load(Relaxed));
    assert_eq!(users.queries.load(Relaxed), 3);

    println!("\nHow long each entry lives");
    for id in [1, 2, 3] {
        let left = users.find_entry(id).remaining().await?.unwrap_or_default();
        println!("   find({id}): {} s", left.as_secs_f64().ceil());
    }

    println!("\nOne entry: look without counting, replace, compute again, compute without storing, evict");
    println!("   key        {}", users.find_entry(1).key());
    println!("   peek       {:?}", users.find_entry(1).peek().await?.flatten().map(|user| user.name));
    users.find_entry(1).set(User { name: "Countess".to_owned(), is_guest: false }).await?;
    println!("   after set  {:?}", users.find(1).await.map(|user| user.name));
    assert_eq!(users.find_entry(1).refresh().await, Some(ada));
    println!("   refreshed  {:?}", users.find(1).await.map(|user| user.name));
    println!("   bypassed   {:?}", users.find_entry(1).bypass().await.map(|user| user.name));
    println!("   evicted    {}", users.find_entry(1).evict().await?);
    assert_eq!(users.find_entry(1).peek().await?, None);

    println!("\nThe function's part of the cache");
    println!("   {}", users.find_cache().stats());
    assert_eq!(users.find_cache().evict_all().await?, 2);

    println!("\n`self` as part of the key: two values, two entries");
    let (f, g) = (Polynomial { a: 2, b: 1 }, Polynomial { a: 3, b: 0 });
    println!("   f(5) = {}, g(5) = {}, f(5) = {}", f.at(5), g.at(5), f.at(5));
    assert_eq!(EVALUATIONS.load(Relaxed), 2);

    println!("\nA trait's method, and a generic function");
    println!("   {} {}", Formal.greet("Ada"), Formal.greet("Ada"));
    println!("   {:?} {:?}", largest(&[3_u8, 7, 5]), largest(&['a', 'c', 'b']));
    for (name, stats) in cacheado::global().stats_by_function() {
        println!("   {name}: {stats}");
    }
    Ok(())
}
