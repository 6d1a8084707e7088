//! A backend that fails on command.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::contract::{Backend, BackendStats, Capabilities, Entry};
use crate::error::{Error, ErrorKind, Result};
use crate::io;
use crate::sync::Mutex;

/// An operation of a [`Backend`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the method of the same name")]
pub enum Operation {
    Get,
    GetMany,
    Put,
    Remove,
    Keys,
    Clear,
    Stats,
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::GetMany => "get_many",
            Self::Put => "put",
            Self::Remove => "remove",
            Self::Keys => "keys",
            Self::Clear => "clear",
            Self::Stats => "stats",
        }
    }
}

/// What goes wrong, and when: with every operation from now on, if nothing else is said.
#[derive(Debug, Clone, Copy)]
#[must_use = "a fault does nothing until it is given to `FlakyBackend::inject`"]
pub struct Fault {
    what: What,
    on: Option<Operation>,
    after: u64,
    times: u64,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Fail(ErrorKind),
    Lose(ErrorKind),
    Delay(Duration),
    Hang,
}

impl Fault {
    const fn new(what: What) -> Self {
        Self { what, on: None, after: 0, times: u64::MAX }
    }

    /// The operation is not done, and ends with an error of this kind.
    pub const fn fail(kind: ErrorKind) -> Self {
        Self::new(What::Fail(kind))
    }

    /// The operation is done, but its answer is lost: it ends with an error of this kind.
    pub const fn lose(kind: ErrorKind) -> Self {
        Self::new(What::Lose(kind))
    }

    /// The operation waits for so long, and is then done.
    pub const fn delay(by: Duration) -> Self {
        Self::new(What::Delay(by))
    }

    /// The operation waits until [`FlakyBackend::heal`], and is then done.
    pub const fn hang() -> Self {
        Self::new(What::Hang)
    }

    /// With this operation alone.
    pub const fn on(mut self, operation: Operation) -> Self {
        self.on = Some(operation);
        self
    }

    /// The next `n` operations that it concerns are spared.
    pub const fn after(mut self, n: u64) -> Self {
        self.after = n;
        self
    }

    /// It comes so often, and then no more.
    pub const fn times(mut self, n: u64) -> Self {
        self.times = n;
        self
    }

    /// Whether it comes with this operation; counts the operation.
    fn strikes(&mut self, operation: Operation) -> bool {
        if self.on.is_some_and(|on| on != operation) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        let comes = self.times > 0;
        self.times -= u64::from(comes);
        comes
    }
}

/// A backend that fails on command, around any other: for tests of what a cache does when its server is slow,
/// cannot be reached, or dies between two steps.
///
/// Clones are handles of the same backend: one goes to the cache, another stays with the test. It has the
/// small contract alone, whatever the backend within can do, so that every step of the engine passes it.
///
/// # Examples
///
/// With `cacheado` alone, it is `cacheado::testing::FlakyBackend`, with `Fault` and `Operation` beside it.
///
/// ```
/// use cacheado_backends::memory::SharedMemory;
/// use cacheado_backends::{Backend, ErrorKind, Fault, FlakyBackend, Operation};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let flaky = FlakyBackend::new(SharedMemory::new());
/// flaky.put("key", b"value", None).await?;
///
/// // The next write is done, but nobody is told.
/// flaky.inject(Fault::lose(ErrorKind::Unavailable).on(Operation::Put).times(1));
/// assert!(flaky.put("key", b"new", None).await.is_err());
/// assert_eq!(flaky.get("key").await?.expect("stored").value, b"new");
///
/// flaky.inject(Fault::fail(ErrorKind::Unavailable));
/// assert_eq!(flaky.get("key").await.unwrap_err().kind(), ErrorKind::Unavailable);
/// flaky.heal();
/// assert!(flaky.get("key").await?.is_some());
/// assert_eq!(flaky.operations(), 5);
/// # Ok::<(), cacheado_backends::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FlakyBackend<B>(Arc<Flaky<B>>);

struct Flaky<B> {
    backend: B,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    faults: Vec<Fault>,
    operations: u64,
    /// How often it was healed.
    healed: u64,
    hanging: usize,
    wakers: Vec<Waker>,
}

impl<B: Backend> FlakyBackend<B> {
    /// Around this backend, without a fault.
    pub fn new(backend: B) -> Self {
        Self(Arc::new(Flaky { backend, state: Mutex::default() }))
    }

    /// The backend within, which never fails.
    #[must_use]
    pub fn inner(&self) -> &B {
        &self.0.backend
    }

    /// Adds a fault. Of several that would come with one operation, it is the one that was added first.
    pub fn inject(&self, fault: Fault) {
        self.0.state.lock().faults.push(fault);
    }

    /// Takes all faults away. Operations that hang go on.
    pub fn heal(&self) {
        let wakers = {
            let mut state = self.0.state.lock();
            state.faults.clear();
            state.healed += 1;
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// How many operations have begun, those that failed among them.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.0.state.lock().operations
    }

    /// How many operations hang.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.0.state.lock().hanging
    }

    async fn run<T>(&self, operation: Operation, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (fault, healed) = {
            let mut state = self.0.state.lock();
            state.operations += 1;
            let strikes = |fault: &mut Fault| fault.strikes(operation).then_some(fault.what);
            (state.faults.iter_mut().find_map(strikes), state.healed)
        };
        let failed = |kind| Error::new(kind, operation.name(), "a fault that was injected");
        match fault {
            None => {}
            Some(What::Fail(kind)) => return Err(failed(kind)),
            Some(What::Lose(kind)) => return work.await.and_then(|_| Err(failed(kind))),
            Some(What::Delay(by)) => self.delay(by).await?,
            Some(What::Hang) => self.hang(healed).await,
        }
        work.await
    }

    async fn delay(&self, by: Duration) -> Result<()> {
        let sleep = {
            let _entered = io::handle()?.enter();
            tokio::time::sleep(by)
        };
        sleep.await;
        Ok(())
    }

    /// Waits until the backend is healed more often than `healed`.
    async fn hang(&self, healed: u64) {
        let _hanging = Hanging::begin(&self.0.state);
        poll_fn(|cx| {
            let mut state = self.0.state.lock();
            if state.healed > healed {
                return Poll::Ready(());
            }
            if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.wakers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

/// Counts an operation that hangs, until it goes on or is dropped.
struct Hanging<'f>(&'f Mutex<State>);

impl<'f> Hanging<'f> {
    fn begin(state: &'f Mutex<State>) -> Self {
        state.lock().hanging += 1;
        Self(state)
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.lock().hanging -= 1;
    }
}

impl<B: Backend> Backend for FlakyBackend<B> {
    fn name(&self) -> &'static str {
        self.inner().name()
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        self.run(Operation::Get, self.inner().get(key)).await
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        self.run(Operation::GetMany, self.inner().get_many(keys)).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        self.run(Operation::Put, self.inner().put(key, value, ttl)).await
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        self.run(Operation::Remove, self.inner().remove(key)).await
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        self.run(Operation::Keys, self.inner().keys(prefix)).await
    }

    async fn clear(&self) -> Result<u64> {
        self.run(Operation::Clear, self.inner().clear()).await
    }

    async fn stats(&self) -> Result<BackendStats> {
        self.run(Operation::Stats, self.inner().stats()).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { expiry: self.inner().capabilities().expiry, ..Capabilities::default() }
    }
}

impl<B> Clone for FlakyBackend<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Backend> fmt::Debug for FlakyBackend<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlakyBackend").field("backend", &self.inner().name()).finish_non_exhaustive()
    }
}
