//! The small contract, and its object-safe twin.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{BoxFuture, Tier};
use crate::{Emulated, Result};

/// Bytes under text keys, each with a lifetime: the whole of what a third party has to write.
///
/// A backend that implements these seven operations has every feature of the framework; the engine puts
/// scopes, tags and fences on top of them. The suite `cacheado_backends::conformance` (feature
/// `conformance`) checks what is promised here.
///
/// # Behavior
///
/// That of all operations:
///
/// - **Keys** are any text of at most 1,024 bytes: `/`, `..`, `*`, spaces, control characters and any letter
///   of any script among them. Two keys are the same exactly if their bytes are.
/// - **Values** are any bytes, none included. A value that is too large for the backend is an error of the
///   kind [`TooLarge`](crate::ErrorKind::TooLarge).
/// - **Concurrency**: operations run at the same time, from several threads and tasks. A value is seen whole
///   or not at all, never mixed from two writes.
/// - **Cancellation**: dropping a future may leave the operation done or not done, and nothing half done.
/// - **Time**: an operation ends, with an error if need be. The engine gives up on one that takes longer than
///   its own limit (five seconds, where nothing else is set).
/// - **Errors** name no password and no value. Nothing panics because of what is stored or answered.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no backend",
    label = "this has no `Backend`",
    note = "on a builder, call `.build()`; that of a remote backend returns a `Result`: write `.build()?`",
    note = "a backend of your own implements `cacheado::backends::Backend`"
)]
pub trait Backend: Send + Sync + 'static {
    /// What statistics call this kind of storage, such as `"redis"`.
    fn name(&self) -> &'static str;

    /// The entry of a key.
    ///
    /// # Behavior
    ///
    /// `None` if there is none or its lifetime is over. An expired entry is never returned, whether or not
    /// it has been removed. What remains of its lifetime is always told.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Entry>>> + Send;

    /// The entries of several keys, in their order.
    ///
    /// # Behavior
    ///
    /// As [`get`](Self::get) for each, in one round trip where the server can; not necessarily at one moment.
    /// A key may stand there twice.
    fn get_many(&self, keys: &[&str]) -> impl Future<Output = Result<Vec<Option<Entry>>>> + Send;

    /// Stores a value, for as long as `ttl` says, from now; `None`: for ever.
    ///
    /// # Behavior
    ///
    /// Value and lifetime are written in one atomic step, and replace both of an entry that is there. A `ttl`
    /// below the resolution of the backend is rounded up, never to zero; one that is too long for it is cut to
    /// the longest that it keeps, a month at least. When it has returned, every node reads the new value.
    ///
    /// An entry is there until its lifetime is over. A backend that drops entries when its memory is short
    /// may drop what says that others were evicted: see [`Emulated`].
    fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> impl Future<Output = Result<()>> + Send;

    /// Removes an entry; whether there was a live one.
    ///
    /// # Behavior
    ///
    /// When it has returned, no node reads the entry any more.
    fn remove(&self, key: &str) -> impl Future<Output = Result<bool>> + Send;

    /// The keys of the live entries that begin with `prefix`, in any order.
    ///
    /// # Behavior
    ///
    /// Exact for what does not change meanwhile. `prefix` is text, not a pattern. Better if it costs what it
    /// finds; the engine calls it to evict a group, never on a hit.
    fn keys(&self, prefix: &str) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Removes all entries of this backend's namespace; how many were alive.
    ///
    /// # Behavior
    ///
    /// Touches nothing else that may be on the server.
    fn clear(&self) -> impl Future<Output = Result<u64>> + Send;

    /// How much is stored.
    fn stats(&self) -> impl Future<Output = Result<BackendStats>> + Send;

    /// What the backend does by itself; the engine does the rest over the operations above.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// What the engine works with. To be overridden together with [`capabilities`](Self::capabilities).
    fn tier(self: Arc<Self>) -> Arc<dyn Tier>
    where
        Self: Sized,
    {
        Arc::new(Emulated::new(self))
    }
}

/// An entry as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The bytes.
    pub value: Vec<u8>,
    /// How long it lives from now; `None`: for ever, or it was not asked for.
    pub remaining: Option<Duration>,
}

/// How much is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BackendStats {
    /// Live entries. Those whose lifetime is over and that are not removed yet may be among them.
    pub entries: u64,
}

impl BackendStats {
    /// As many entries.
    #[must_use]
    pub const fn new(entries: u64) -> Self {
        Self { entries }
    }
}

/// What a backend does by itself, in its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing, in any combination")]
pub struct Capabilities {
    /// An index of groups: evicting one is an operation of its own, with an exact count.
    pub groups: bool,
    /// Fills are compared with the evictions since they began in the same atomic step that stores them.
    pub fences: bool,
    /// The server removes what has expired.
    pub expiry: bool,
    /// Nodes are told of each other's evictions.
    pub bus: bool,
    /// One node at a time can hold a lease on a place, so that it alone computes.
    pub leases: bool,
    /// Entries lie in several parts, by their route. Without, a [`Place`](super::Place) may name none.
    pub routes: bool,
}

/// [`Backend`] as an object: every `Backend` is one.
#[expect(missing_docs, reason = "each method is the one of the same name")]
pub trait DynBackend: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>>;
    fn get_many<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<Option<Entry>>>>;
    fn put<'a>(&'a self, key: &'a str, value: &'a [u8], ttl: Option<Duration>) -> BoxFuture<'a, Result<()>>;
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool>>;
    fn keys<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>>>;
    fn clear(&self) -> BoxFuture<'_, Result<u64>>;
    fn stats(&self) -> BoxFuture<'_, Result<BackendStats>>;
    fn capabilities(&self) -> Capabilities;
}

impl<B: Backend> DynBackend for B {
    fn name(&self) -> &'static str {
        Backend::name(self)
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(Backend::get(self, key))
    }

    fn get_many<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<Option<Entry>>>> {
        Box::pin(Backend::get_many(self, keys))
    }

    fn put<'a>(&'a self, key: &'a str, value: &'a [u8], ttl: Option<Duration>) -> BoxFuture<'a, Result<()>> {
        Box::pin(Backend::put(self, key, value, ttl))
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool>> {
        Box::pin(Backend::remove(self, key))
    }

    fn keys<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(Backend::keys(self, prefix))
    }

    fn clear(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(Backend::clear(self))
    }

    fn stats(&self) -> BoxFuture<'_, Result<BackendStats>> {
        Box::pin(Backend::stats(self))
    }

    fn capabilities(&self) -> Capabilities {
        Backend::capabilities(self)
    }
}
