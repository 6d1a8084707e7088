//! What `<fn>_entry(…)` returns: one entry, with the body that computes it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cacheado_backends::memory::Cause;

use super::kind::{Kind, Settable};
use crate::Result;
use crate::engine::{Call, Lookup};
use crate::key::Key;

/// One entry of a sync function, for these arguments.
///
/// # Examples
///
/// ```
/// use cacheado::prelude::*;
///
/// #[cached(ttl = 300)]
/// fn area(w: u64, h: u64) -> u64 {
///     w * h
/// }
///
/// assert_eq!(area_entry(3, 4).peek()?, None);
/// assert_eq!(area(3, 4), 12);
/// assert_eq!(area_entry(3, 4).peek()?, Some(12));
/// area_entry(3, 4).set(13)?;
/// assert_eq!(area(3, 4), 13);
/// assert_eq!(area_entry(3, 4).refresh(), 12);
/// assert!(area_entry(3, 4).evict()?);
/// # Ok::<(), cacheado::Error>(())
/// ```
#[must_use = "an entry does nothing until one of its verbs is called"]
pub struct Entry<K: Kind, F> {
    call: Call<K>,
    body: F,
}

/// One entry of an async function, for these arguments. See [`Entry`].
#[must_use = "an entry does nothing until one of its verbs is called"]
pub struct AsyncEntry<K: Kind, F> {
    call: Call<K>,
    body: F,
}

impl<K: Kind, F: FnOnce() -> K::Return> Entry<K, F> {
    pub(crate) fn new(call: Call<K>, body: F) -> Self {
        Self { call, body }
    }

    /// What the function returns: from the cache, or computed.
    pub fn get(self) -> K::Return {
        match self.call.get() {
            Lookup::Hit(value) => value,
            Lookup::Miss(call) => call.run(self.body),
        }
    }

    /// Computes, and overwrites the entry.
    pub fn refresh(self) -> K::Return {
        self.call.refreshing().run(self.body)
    }

    /// Computes; reads and stores nothing.
    pub fn bypass(self) -> K::Return {
        self.call.count_bypass();
        (self.body)()
    }
}

impl<K: Kind, F: Future<Output = K::Return>> AsyncEntry<K, F> {
    pub(crate) fn new(call: Call<K>, body: F) -> Self {
        Self { call, body }
    }

    /// What the function returns: from the cache, or computed.
    pub async fn get(self) -> K::Return {
        match self.call.get() {
            Lookup::Hit(value) => value,
            Lookup::Miss(call) => call.run_async(self.body).await,
        }
    }

    /// Computes, and overwrites the entry.
    pub async fn refresh(self) -> K::Return {
        self.call.refreshing().run_async(self.body).await
    }

    /// Computes; reads and stores nothing.
    pub async fn bypass(self) -> K::Return {
        self.call.count_bypass();
        self.body.await
    }
}

/// The verbs that are the same for both kinds of entry, but for `async`.
macro_rules! verbs {
    ($entry:ident $(, $async:ident)?) => {
        impl<K: Kind, F> $entry<K, F> {
            /// The stored value, if there is a live one, without counting a lookup or marking it as used.
            ///
            /// # Errors
            ///
            /// In memory, none.
            pub $($async)? fn peek(self) -> Result<Option<K::Return>> {
                Ok(self.call.peek().map(|(value, _)| value))
            }

            /// Evicts the entry; whether there was a live one.
            ///
            /// # Errors
            ///
            /// In memory, none.
            pub $($async)? fn evict(self) -> Result<bool> {
                Ok(self.call.evict())
            }

            /// Stores a value: what the function would return, or what would be in its `Ok` or `Some`. It
            /// is subject to what the attribute says of storing.
            ///
            /// # Errors
            ///
            /// In memory, none.
            pub $($async)? fn set(self, value: impl Settable<K::Return>) -> Result<()> {
                self.call.put(&value.into_return());
                Ok(())
            }

            /// How long the entry lives from now; `None` if there is none or it never expires.
            ///
            /// # Errors
            ///
            /// In memory, none.
            pub $($async)? fn remaining(self) -> Result<Option<Duration>> {
                Ok(self.call.remaining())
            }

            /// The whole key.
            pub fn key(&self) -> Key {
                self.call.whole_key()
            }
        }

        impl<K: Kind, F> fmt::Debug for $entry<K, F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($entry)).field(&self.call.whole_key()).finish()
            }
        }
    };
}

verbs!(Entry);
verbs!(AsyncEntry, async);

impl<K: Kind> Call<K> {
    /// The entry of a sync function.
    pub fn sync<F: FnOnce() -> K::Return>(self, body: F) -> Entry<K, F> {
        Entry::new(self, body)
    }

    /// The entry of an async function.
    pub fn future<F: Future<Output = K::Return>>(self, body: F) -> AsyncEntry<K, F> {
        AsyncEntry::new(self, body)
    }

    fn remaining(&self) -> Option<Duration> {
        let (_, deadline) = self.peek()?;
        self.function()?.store.clock().remaining(deadline)
    }

    fn evict(&self) -> bool {
        let evict = |function: &Arc<super::Function<K::Stored>>| {
            function.region.evict(self.hash(), self.key_bytes(), Cause::Evicted)
        };
        self.function().is_some_and(evict)
    }
}
