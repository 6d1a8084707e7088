//! The description that a memory store is opened from.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::{SharedMemory, Shares, Store};
use crate::Clock;

/// The weight of an entry, from its key bytes and its value (downcast it to the type expected). See
/// [`MemoryBuilder::weigher`].
pub type Weigher = Arc<dyn Fn(&[u8], &dyn Any) -> u64 + Send + Sync>;

/// The bounds of a memory store. All but `shares` hold over the whole store; none is one of a shard or a function.
#[derive(Clone, Default)]
pub struct Limits {
    /// At most this many entries; a new one drives out the least recently used.
    pub lru: Option<usize>,
    /// Whether how often entries are used counts, too, when one has to leave: see `rules::Adaptive` of cacheado.
    pub adaptive: bool,
    /// At most this many entries; a new one is not stored.
    pub max_items: Option<usize>,
    /// At most this much weight; a new entry drives out the least recently used ones. More than
    /// [`MOST_WEIGHT`](Self::MOST_WEIGHT), 2⁴⁸, counts as that.
    pub max_weight: Option<u64>,
    /// What an entry weighs. Without one: the size of the key and of the value itself, in bytes, without
    /// what the value points to.
    pub weigher: Option<Weigher>,
    /// Bounds on groups of entries: a new one drives out the least recently used of its own group.
    pub shares: Shares,
    /// Whether expired entries are removed without waiting for an operation that meets them.
    pub sweep: bool,
}

impl Limits {
    /// The greatest bound on the weight, and the greatest weight of an entry: 2⁴⁸, of bytes 256 TiB. Whatever is
    /// greater counts as this. Each thread can exceed a bound by one entry for a moment, and sums must not overflow.
    pub const MOST_WEIGHT: u64 = 1 << 48;
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("lru", &self.lru)
            .field("adaptive", &self.adaptive)
            .field("max_items", &self.max_items)
            .field("max_weight", &self.max_weight)
            .field("shares", &self.shares)
            .field("sweep", &self.sweep)
            .finish_non_exhaustive()
    }
}

/// The memory backend: values as they are, without a codec, in this process.
///
/// Each cache that is opened from it has a store of its own. Only as a [`Backend`](crate::Backend), which keeps
/// bytes, do the clones of one handle share entries; see [`shared`](Self::shared).
///
/// # Examples
///
/// With `cacheado` alone, it is `cacheado::backends::Memory`.
///
/// ```
/// use cacheado_backends::Memory;
///
/// let memory = Memory::builder().max_items(10_000).build();
/// assert_eq!(memory.limits().lru, Some(10_000));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Memory {
    limits: Limits,
    /// Opened on first use: most handles only describe a store.
    bytes: Arc<OnceLock<SharedMemory>>,
}

impl Memory {
    /// Without any bound: entries leave when they expire or are evicted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the bounds.
    pub fn builder() -> MemoryBuilder {
        MemoryBuilder::default()
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The entries that this handle and its clones share as a [`Backend`](crate::Backend), as a backend that a
    /// cache treats like a server.
    #[must_use]
    pub fn shared(&self) -> SharedMemory {
        self.bytes().clone()
    }

    pub(super) fn bytes(&self) -> &SharedMemory {
        self.bytes.get_or_init(|| SharedMemory::open(self, Clock::system()))
    }

    /// Opens an empty store. Where `more` has a bound too, the tighter one holds.
    #[must_use]
    pub fn open(&self, more: Limits, clock: Clock) -> Arc<Store> {
        fn tighter<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
            a.into_iter().chain(b).min()
        }
        let own = self.limits.clone();
        let limits = Limits {
            lru: tighter(own.lru, more.lru),
            adaptive: own.adaptive || more.adaptive,
            max_items: tighter(own.max_items, more.max_items),
            max_weight: tighter(own.max_weight, more.max_weight),
            weigher: own.weigher.or(more.weigher),
            shares: own.shares.tightened(more.shares),
            sweep: own.sweep || more.sweep,
        };
        Store::open(limits, clock)
    }
}

/// Sets the bounds of a [`Memory`], which `cacheado` has as `cacheado::backends::Memory`.
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct MemoryBuilder {
    limits: Limits,
}

impl MemoryBuilder {
    /// At most `n` entries, over all functions; a new one drives out the least recently used. 0: nothing is stored.
    ///
    /// This is `rules::Lru` of cacheado, and not its `rules::MaxItems`, which **rejects** the new entry instead.
    pub fn max_items(mut self, n: usize) -> Self {
        self.limits.lru = Some(n);
        self
    }

    /// At most `n` entries, over all functions; which one a new one drives out is told by how often entries are used as
    /// well as by how recently, so that a scan or a long loop does not drive out the others. 0: nothing is stored.
    ///
    /// This is `rules::Adaptive` of cacheado, and how the copies in a near cache get it: a rule of a cache over a server
    /// is about the server's entries. Of this and [`max_items`](Self::max_items), the last call's `n` counts.
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado_backends::Memory;
    ///
    /// let copies = Memory::builder().adaptive(10_000).build();
    /// assert!(copies.limits().adaptive);
    /// assert_eq!(copies.limits().lru, Some(10_000));
    /// ```
    pub fn adaptive(mut self, n: usize) -> Self {
        self.limits.adaptive = true;
        self.max_items(n)
    }

    /// At most `n` entries in each scope of this level, with what is below it; a new one drives out the least
    /// recently used **of the same scope**, so that a tenant that floods the cache loses entries of its own and
    /// none of another's. 0: nothing in such a scope is stored.
    ///
    /// `level` is the name of a level of the scopes, such as `"organization"`; another call adds another level, and
    /// for the same level the last one counts. A level in which nothing is ever stored bounds nothing: to
    /// `CacheBuilder::scopes` of cacheado you say which levels there are, so that one that is misspelt is an error. Entries
    /// outside of such a scope, the global ones among them, have no bound by it. The bound is one of this process: of entries in memory, and of
    /// copies in a near cache. It costs an insertion `O(log n)`, and a hit what any bound costs it.
    ///
    /// Beside `rules::Adaptive` of cacheado, which counts uses, recency is told by insertions, whatever their scope: of
    /// two entries of a scope that were last used between the same two, the one that was used less leaves.
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado_backends::Memory;
    ///
    /// let memory = Memory::builder().max_items(100_000).max_items_per_scope("organization", 1_000).build();
    /// assert_eq!(memory.limits().shares.kinds(), [("organization".into(), 1_000)]);
    /// ```
    pub fn max_items_per_scope(mut self, level: impl Into<Arc<str>>, n: usize) -> Self {
        let level = level.into();
        self.limits.shares.kinds.retain(|(other, _)| *other != level);
        self.limits.shares.kinds.push((level, n));
        self
    }

    /// At most `weight` in all, by the [`weigher`](Self::weigher); a new entry drives out the least
    /// recently used ones, and one that is heavier by itself is not stored. 0: nothing is stored that weighs anything.
    ///
    /// The unit is that of the weigher. Without one it is the byte: an entry weighs its key and the value itself
    /// (`size_of_val`), without what the value points to, so that all `String`s weigh the same.
    ///
    /// More than 2⁴⁸, of bytes 256 TiB, counts as that.
    pub fn max_weight(mut self, weight: u64) -> Self {
        self.limits.max_weight = Some(weight);
        self
    }

    /// What an entry weighs, in a unit of your choice, from its key bytes and its value. It is called once, before
    /// the entry is stored, outside of any lock, and without a [`max_weight`](Self::max_weight) never. More than
    /// 2⁴⁸ counts as that.
    ///
    /// The key bytes are encoded, with the scope of a key of one's own. The value is what is stored:
    ///
    /// | of | it is a |
    /// |---|---|
    /// | `cache.set(…)` or `get_or_compute(…)` of a `T`, a function that returns a `T` | `T` |
    /// | a function that returns a `Result<T, E>` | `T`; with `cache_err`, `Result<T, E>` |
    /// | a function that returns an `Option<T>` | `Option<T>` |
    /// | a function that returns a `Result<Option<T>, E>` | `Option<T>`; with `cache_err`, `Result<Option<T>, E>` |
    /// | a [`SharedMemory`] | `Arc<[u8]>` |
    ///
    /// # Examples
    ///
    /// ```
    /// use cacheado_backends::Memory;
    ///
    /// let memory = Memory::builder()
    ///     .max_weight(1 << 20)
    ///     .weigher(|key, value| {
    ///         let text = value.downcast_ref::<String>().map_or(64, String::len);
    ///         (key.len() + text) as u64
    ///     })
    ///     .build();
    /// assert_eq!(memory.limits().max_weight, Some(1 << 20));
    /// ```
    pub fn weigher(mut self, weigher: impl Fn(&[u8], &dyn Any) -> u64 + Send + Sync + 'static) -> Self {
        self.limits.weigher = Some(Arc::new(weigher));
        self
    }

    /// The backend.
    #[must_use]
    pub fn build(self) -> Memory {
        Memory { limits: self.limits, ..Memory::default() }
    }
}
