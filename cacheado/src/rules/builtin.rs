//! The rules that the memory store folds into itself.

use super::Rule;

/// At most `n` entries in the whole cache; a new one drives out the least recently used.
///
/// Up to 1,024 entries the order is exact, whatever threads use the cache; a hit then costs two locked
/// operations. Above, it is exact while one thread uses the cache, and a hit costs at most two plain stores. Once
/// several have, an entry is marked as used at most once between two insertions, so that threads that only read do
/// not slow each other down; the order among hits between the same two insertions is then not kept. An eviction
/// costs `O(log n)`, amortised.
///
/// # Examples
///
/// ```
/// use cacheado::{Cache, Ttl, rules::Lru};
///
/// let cache = Cache::builder().rule(Lru::new(2)).build()?;
/// cache.set("a", &1, Ttl::Never)?;
/// cache.set("b", &2, Ttl::Never)?;
/// cache.get::<i32>("a")?;
/// cache.set("c", &3, Ttl::Never)?;
/// assert_eq!(cache.get::<i32>("b")?, None);
/// assert_eq!(cache.get::<i32>("a")?, Some(1));
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lru {
    pub(crate) n: usize,
}

impl Lru {
    /// At most `n` entries. 0: nothing is stored.
    #[must_use]
    pub const fn new(n: usize) -> Self {
        Self { n }
    }
}

impl Rule for Lru {}

/// At most `n` entries in the whole cache; of those that were not used lately, one that was used little leaves.
///
/// Unlike [`Lru`], it keeps what is used again and again while a scan, or a loop longer than the cache, passes.
/// It finds out by itself how much room entries that are new are worth. It has no order that one could
/// foresee: what was stored last may leave before what was stored first.
///
/// A hit costs at most one plain store. An eviction costs `O(log n)` at most, amortised; a single one at most
/// `O(n log n)`. It remembers up to `2 n` keys that have left, 19 to 38 bytes each. Beside an [`Lru`], the smaller `n` of the two holds, and
/// what leaves is chosen as here.
///
/// Used by one thread, it does the same each time. Of uses by several at once, some may not be counted. It orders
/// entries by their age, that of new ones by a factor, and learns the factor from keys that come back after they
/// have left; between recency alone and S3-FIFO (Yang et al., *FIFO queues are all you need for cache eviction*,
/// SOSP 2023), with the test of LIRS (Jiang and Zhang, SIGMETRICS 2002).
///
/// # Examples
///
/// ```
/// use cacheado::{Cache, Ttl, rules::Adaptive};
///
/// let cache = Cache::builder().rule(Adaptive::new(100)).build()?;
/// for user in 0..50 {
///     cache.set(&format!("user {user}"), &user, Ttl::Never)?;
///     cache.get::<i32>(&format!("user {user}"))?;
/// }
/// // A scan: each page is used once.
/// for page in 0..10_000 {
///     cache.set(&format!("page {page}"), &page, Ttl::Never)?;
/// }
/// assert_eq!(cache.get::<i32>("user 7")?, Some(7));
/// assert_eq!(cache.stats().total_keys, 100);
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adaptive {
    pub(crate) n: usize,
}

impl Adaptive {
    /// At most `n` entries. 0: nothing is stored.
    #[must_use]
    pub const fn new(n: usize) -> Self {
        Self { n }
    }
}

impl Rule for Adaptive {}

/// At most `n` entries in the whole cache; a new one is rejected while there are as many. Overwriting an
/// entry goes on. Entries whose time is over do not count.
///
/// This is not [`MemoryBuilder::max_items`](crate::backends::MemoryBuilder::max_items), in spite of its name: that one
/// drives out the least recently used entry, as [`Lru`] does; this rule keeps what there is and rejects the new.
///
/// # Examples
///
/// ```
/// use cacheado::{Cache, Ttl, rules::MaxItems};
///
/// let cache = Cache::builder().rule(MaxItems::new(1)).build()?;
/// cache.set("a", &1, Ttl::Never)?;
/// cache.set("b", &2, Ttl::Never)?;
/// cache.set("a", &3, Ttl::Never)?;
/// assert_eq!(cache.get::<i32>("b")?, None);
/// assert_eq!(cache.get::<i32>("a")?, Some(3));
/// assert_eq!(cache.stats().rejections, 1);
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxItems {
    pub(crate) n: usize,
}

impl MaxItems {
    /// At most `n` entries. 0: nothing is stored.
    #[must_use]
    pub const fn new(n: usize) -> Self {
        Self { n }
    }
}

impl Rule for MaxItems {}

/// Removes entries as their time ends, so that their memory goes back without a read.
///
/// It runs on a thread of its own, which sleeps until the next entry expires, and removes the copies of a near cache as
/// well. An expired entry is never served, with or without this rule; without it, it is removed when it is read, or as
/// others are stored.
///
/// # Examples
///
/// ```
/// use cacheado::testing::ManualClock;
/// use cacheado::{Cache, rules::TtlRule};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let cache = Cache::builder().rule(TtlRule::new()).clock(clock.clone()).build()?;
/// cache.set("a", &1, Duration::from_secs(1))?;
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(cache.stats().expirations, 1);
/// # Ok::<(), cacheado::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TtlRule(());

impl TtlRule {
    /// The rule.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl Rule for TtlRule {}

#[cfg(test)]
mod tests {
    use super::{Adaptive, Lru, MaxItems};
    use crate::backends::Memory;
    use crate::{Cache, CacheBuilder, Scope, Ttl};

    #[test]
    fn a_bound_of_zero_stores_nothing() {
        let memory = |memory: Memory| Cache::builder().backend(memory);
        let bounds: [(&str, CacheBuilder); 6] = [
            ("Lru", Cache::builder().rule(Lru::new(0))),
            ("Adaptive", Cache::builder().rule(Adaptive::new(0))),
            ("MaxItems", Cache::builder().rule(MaxItems::new(0))),
            ("max_items", memory(Memory::builder().max_items(0).build())),
            ("max_weight", memory(Memory::builder().max_weight(0).build())),
            ("max_items_per_scope", memory(Memory::builder().max_items_per_scope("user", 0).build())),
        ];
        for (name, builder) in bounds {
            let cache = builder.build().expect("a bound of zero is one");
            let user =
                Scope::from_values([("user", &"u1" as &dyn crate::scope::ScopeValue)]).expect("a scope");
            let scoped = cache.scoped(user);
            scoped.set("answer", &42, Ttl::Never).expect("in memory");
            assert_eq!(scoped.get::<i32>("answer").expect("in memory"), None, "{name}");
            assert_eq!(scoped.get_or_compute("answer", Ttl::Never, || 43).expect("in memory"), 43, "{name}");
            assert_eq!(cache.stats().total_keys, 0, "{name}");
        }
    }

    #[test]
    fn of_the_two_max_items_one_evicts_and_one_rejects() {
        let evicts = Cache::builder().backend(Memory::builder().max_items(1).build()).build().expect("valid");
        let rejects = Cache::builder().rule(MaxItems::new(1)).build().expect("valid");
        for (cache, kept, left) in [(evicts, "new", "old"), (rejects, "old", "new")] {
            cache.set("old", &1, Ttl::Never).expect("in memory");
            cache.set("new", &1, Ttl::Never).expect("in memory");
            assert_eq!(cache.get::<i32>(kept).expect("in memory"), Some(1), "{kept}");
            assert_eq!(cache.get::<i32>(left).expect("in memory"), None, "{left}");
        }
    }
}
