//! What `<fn>_entry(…)` returns: one entry, with the body that computes it.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::kind::{Kind, Settable};
use crate::Result;
use crate::context::{self, Origin, Outcome, Served};
use crate::engine::{Lookup, Miss};
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
/// let entry = area_entry(3, 4);
/// assert_eq!(entry.peek()?, None);
/// assert_eq!(area(3, 4), 12);
/// assert_eq!(entry.peek()?, Some(12));
/// entry.set(13)?;
/// assert_eq!(area(3, 4), 13);
/// assert!(entry.evict()?);
/// assert_eq!(entry.refresh(), 12); // What runs the body takes the entry with it.
/// # Ok::<(), cacheado::Error>(())
/// ```
#[must_use = "an entry does nothing until one of its verbs is called"]
pub struct Entry<K: Kind, F> {
    miss: Miss<K>,
    body: F,
    origin: Origin,
}

/// One entry of an async function, for these arguments. See [`Entry`].
#[must_use = "an entry does nothing until one of its verbs is called"]
pub struct AsyncEntry<K: Kind, F> {
    miss: Miss<K>,
    body: F,
    origin: Origin,
}

/// A body that can go on without its caller.
#[derive(Debug)]
pub struct Detached<F>(pub F);

/// A body whose failure an older value can be served instead of.
#[derive(Debug)]
pub struct Guarded<F>(pub F);

impl<K: Kind, F> Entry<K, F> {
    pub(crate) fn new(miss: Miss<K>, body: F) -> Self {
        let origin = miss.call.origin();
        Self { miss, body, origin }
    }
}

impl<K: Kind, F> AsyncEntry<K, F> {
    pub(crate) fn new(miss: Miss<K>, body: F) -> Self {
        let origin = miss.call.origin();
        Self { miss, body, origin }
    }
}

/// The verbs that run the body, for bodies that are run in different ways.
macro_rules! run {
    ([$($head:tt)*] [$($bound:tt)*], [$($async:ident)?], $run:ident, |$body:ident| $call:expr $(, $await:ident)?) => {
        impl<$($head)* where $($bound)* {
            /// What the function returns: from the cache, or computed.
            pub $($async)? fn get(self) -> K::Return {
                let Self { miss, body: $body, origin } = self;
                run!(@at origin, match miss.get() {
                    Lookup::Hit(value) => value,
                    Lookup::Miss(call) => call.$run($call) $(.$await)?,
                } $(, $await)?)
            }

            /// Computes, and overwrites the entry.
            pub $($async)? fn refresh(self) -> K::Return {
                let Self { miss, body: $body, origin } = self;
                run!(@at origin, miss.refreshing().$run($call) $(.$await)? $(, $await)?)
            }

            /// Computes; reads and stores nothing.
            pub $($async)? fn bypass(self) -> K::Return {
                let Self { miss, body: $body, origin } = self;
                miss.count_bypass();
                let value = run!(@at origin, run!(@body $call $(, $await)?) $(, $await)?);
                context::served(|| Served::anew(Outcome::Bypassed));
                value
            }
        }
    };
    (@body $body:expr) => { $body() };
    (@body $body:expr, await) => { $body.await };
    (@at $origin:ident, $run:expr) => {{
        let mut origin = $origin;
        origin.run(move || $run)
    }};
    (@at $origin:ident, $run:expr, await) => { $origin.run_async(async move { $run }).await };
}

run!([K: Kind, F> Entry<K, F>] [F: FnOnce() -> K::Return], [], run, |body| body);
run!([K: Kind + 'static, F> Entry<K, Detached<F>>] [F: FnOnce() -> K::Return + Send + 'static], [], run_detached, |body| body.0);
run!([K: Kind, F> AsyncEntry<K, F>] [F: Future<Output = K::Return>], [async], run_async, |body| body, await);
run!([K: Kind, F> AsyncEntry<K, Guarded<F>>] [F: Future<Output = K::Return>], [async], run_async_guarded, |body| body.0, await);
run!(
    [K: Kind<Return: Send + 'static> + 'static, F> AsyncEntry<K, Detached<F>>]
    [F: Future<Output = K::Return> + Send + 'static],
    [async], run_async_detached, |body| body.0, await
);

/// The verbs that run no body. The future of an async one borrows nothing.
macro_rules! verbs {
    ($entry:ident, [$($async:tt)*], [$($done:tt)+], [$($before:tt)*], [$($after:tt)*], [$($after_set:tt)*]) => {
        impl<K: Kind, F> $entry<K, F> {
            /// The stored value, if there is a live one, without counting a lookup or marking it as used.
            ///
            /// # Errors
            ///
            /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend).
            pub fn peek(&self) -> $($before)* Result<Option<K::Return>> $($after)* {
                let miss = self.miss.anew();
                $($async)* {
                    let operation = miss.peek();
                    operation.$($done)+
                }
            }

            /// Evicts the entry; whether there was a live one. One that is past its time and kept for `stale_if_error`
            /// counts as well, though `peek` does not show it.
            ///
            /// # Errors
            ///
            /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend): then the entry may
            /// still be there.
            pub fn evict(&self) -> $($before)* Result<bool> $($after)* {
                let miss = self.miss.anew();
                $($async)* {
                    let operation = miss.evict();
                    operation.$($done)+
                }
            }

            /// Stores a value: what the function would return, or what would be in its `Ok` or `Some`. It
            /// is subject to what the attribute and the rules say of storing: what may not be stored, such as a
            /// `None` without `cache_none`, is `Ok` as well, stores nothing, and removes the older entry.
            ///
            /// # Errors
            ///
            /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend), and
            /// [`ErrorKind::Codec`](crate::ErrorKind::Codec) for a value that cannot be made into bytes.
            pub fn set<S: Settable<K::Return>>(&self, value: S) -> $($before)* Result<()> $($after_set)* {
                let miss = self.miss.anew();
                $($async)* {
                    let operation = {
                        let value = value.into_return();
                        miss.put(&value)
                    };
                    operation.$($done)+
                }
            }

            /// How long the entry lives from now; `None` if there is none or it never expires.
            ///
            /// # Errors
            ///
            /// In memory, none; else [`ErrorKind::Backend`](crate::ErrorKind::Backend).
            pub fn remaining(&self) -> $($before)* Result<Option<Duration>> $($after)* {
                let miss = self.miss.anew();
                $($async)* {
                    let operation = miss.remaining();
                    operation.$($done)+
                }
            }

            /// The whole key.
            pub fn key(&self) -> Key {
                self.miss.whole_key()
            }
        }

        impl<K: Kind, F> fmt::Debug for $entry<K, F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($entry)).field(&self.miss.whole_key()).finish()
            }
        }
    };
}

verbs!(Entry, [], [block()], [], [], []);
verbs!(
    AsyncEntry,
    [async move],
    [wait().await],
    [impl Future<Output =],
    [> + use<K, F>],
    [> + use<K, F, S>]
);

impl<K: Kind> Miss<K> {
    /// The entry of a sync function.
    pub fn sync<F>(self, body: F) -> Entry<K, F> {
        Entry::new(self, body)
    }

    /// The entry of an async function.
    pub fn future<F>(self, body: F) -> AsyncEntry<K, F> {
        AsyncEntry::new(self, body)
    }

    /// The same call once more: nothing is asked of the body, or of its type, while a verb without one waits.
    fn anew(&self) -> Self {
        Self { call: self.call.anew(), wishes: self.wishes }
    }

    /// The entry of one element of a sync batch.
    pub fn element(self) -> Entry<K, ()> {
        Entry::new(self, ())
    }

    /// The entry of one element of an async batch.
    pub fn element_async(self) -> AsyncEntry<K, ()> {
        AsyncEntry::new(self, ())
    }
}
