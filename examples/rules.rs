//! The three built-in rules: a bound that evicts, a bound that rejects, and a sweep.
//!
//! ```console
//! cargo run --example rules
//! ```

use std::time::Duration;

use cacheado::prelude::*;
use cacheado::rules::{Lru, MaxItems, TtlRule};
use cacheado::testing::ManualClock;
use cacheado::with_cache;

#[cached(ttl = 60)]
fn square(n: u64) -> u64 {
    n * n
}

/// Which of the squares from 1 to 5 are stored.
fn stored() -> cacheado::Result<Vec<u64>> {
    let mut stored = Vec::new();
    for n in 1..=5 {
        if square_entry(n).peek()?.is_some() {
            stored.push(n);
        }
    }
    Ok(stored)
}

fn main() -> cacheado::Result<()> {
    println!("Lru::new(3): a new entry drives out the least recently used");
    let cache = Cache::builder().rule(Lru::new(3)).build()?;
    with_cache(&cache, || {
        for n in [1, 2, 3, 1, 4] {
            square(n);
        }
        println!("   after 1 2 3 1 4 there are {:?}: 2 had waited longest", stored()?);
        assert_eq!(stored()?, [1, 3, 4]);
        Ok::<(), cacheado::Error>(())
    })?;
    println!("   {}", cache.stats());

    println!("\nMaxItems::new(3): a new entry is rejected while the cache is full");
    let cache = Cache::builder().rule(MaxItems::new(3)).build()?;
    with_cache(&cache, || {
        for n in [1, 2, 3, 1, 4] {
            assert_eq!(square(n), n * n);
        }
        println!("   after 1 2 3 1 4 there are {:?}: 4 was computed, returned, not stored", stored()?);
        assert_eq!(stored()?, [1, 2, 3]);
        square_entry(2).evict()?;
        square(5);
        println!("   after evicting 2, 5 fits: {:?}", stored()?);
        assert_eq!(stored()?, [1, 3, 5]);
        Ok::<(), cacheado::Error>(())
    })?;
    println!("   {}", cache.stats());
    assert_eq!(cache.stats().rejections, 1);

    println!("\nTtlRule::new(): what has expired is removed without waiting for a read");
    let clock = ManualClock::new(); // a clock that only this program moves
    let cache = Cache::builder().rule(TtlRule::new()).clock(clock.clone()).build()?;
    with_cache(&cache, || {
        square(1);
        square(2);
    });
    println!("   before: {}", cache.stats());
    clock.advance(Duration::from_secs(60));
    println!("   after a minute: {}", cache.stats());
    assert_eq!((cache.stats().total_keys, cache.stats().expirations), (0, 2));

    println!("\nAn expired value is never served, whatever the rules");
    let clock = ManualClock::new();
    let cache = Cache::builder().clock(clock.clone()).default_ttl(Duration::from_secs(1)).build()?;
    cache.set("greeting", &"hello".to_owned(), Ttl::Default)?;
    clock.advance(Duration::from_millis(999));
    println!("   999 ms: {:?}", cache.get::<String>("greeting")?);
    clock.advance(Duration::from_millis(1));
    println!("  1000 ms: {:?}", cache.get::<String>("greeting")?);
    assert_eq!(cache.get::<String>("greeting")?, None);
    Ok(())
}
