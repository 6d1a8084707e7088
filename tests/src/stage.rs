//! Bodies that a test directs: they count, wait at a gate, fail and panic on command.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use cacheado::backends::{Memory, SharedMemory};
use cacheado::testing::{FlakyBackend, ManualClock};
use cacheado::{Cache, CacheBuilder, Stats, Ttl};
use tokio::sync::Notify;

use crate::Counter;
use crate::wait::until;

/// What the bodies of one test do, and what they have done. Clones are the same stage, as handles are.
#[derive(Clone, Default)]
pub struct Stage(Arc<Inner>);

#[derive(Default)]
struct Inner {
    cache: Cache,
    /// What had been counted before.
    before: Stats,
    runs: Counter,
    ended: Counter,
    is_shut: Mutex<bool>,
    opened: Condvar,
    opened_for_tasks: Notify,
    fails: AtomicBool,
    panics: AtomicBool,
}

/// What a body that fails returns.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Failure {
    /// The upstream is down.
    Down,
    /// It took too long.
    Late,
}

impl From<cacheado::Error> for Failure {
    fn from(error: cacheado::Error) -> Self {
        assert_eq!(error.kind(), cacheado::ErrorKind::Timeout);
        Self::Late
    }
}

/// What the bodies return.
pub type Outcome = Result<usize, Failure>;

impl Stage {
    /// One whose gate is open.
    pub fn new(cache: &Cache) -> Self {
        Self(Arc::new(Inner { cache: cache.clone(), before: cache.stats(), ..Inner::default() }))
    }

    /// The cache of its functions.
    pub fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// What the cache has counted since the stage was made.
    pub fn stats(&self) -> Stats {
        self.cache().stats() - &self.0.before
    }

    /// How many bodies have begun.
    pub fn runs(&self) -> usize {
        self.0.runs.get()
    }

    /// How many bodies have got past the gate.
    pub fn ended(&self) -> usize {
        self.0.ended.get()
    }

    /// Bodies wait from now on.
    pub fn shut(&self) {
        *self.0.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Bodies go on.
    pub fn open(&self) {
        *self.0.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.opened.notify_all();
        self.0.opened_for_tasks.notify_waiters();
    }

    /// Whether bodies fail from now on.
    pub fn fail(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    /// Whether bodies panic from now on.
    pub fn panic(&self, panics: bool) {
        self.0.panics.store(panics, Ordering::SeqCst);
    }

    /// The body of a sync function.
    pub fn body(&self) -> Outcome {
        let run = self.0.runs.next();
        let shut = self.0.is_shut.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.opened.wait_while(shut, |shut| *shut).unwrap_or_else(PoisonError::into_inner));
        self.end(run)
    }

    /// The body of an async function.
    pub async fn body_async(&self) -> Outcome {
        let run = self.0.runs.next();
        loop {
            let opened = self.0.opened_for_tasks.notified();
            if !*self.0.is_shut.lock().unwrap_or_else(PoisonError::into_inner) {
                break;
            }
            opened.await;
        }
        self.end(run)
    }

    fn end(&self, run: usize) -> Outcome {
        self.0.ended.next();
        assert!(!self.0.panics.load(Ordering::SeqCst), "the body panics, as the test wants it");
        if self.0.fails.load(Ordering::SeqCst) { Err(Failure::Down) } else { Ok(run) }
    }
}

/// A cache on each tier, with the clock that moves all of its time, and what the tier is called: in memory, over
/// a backend in memory, the same behind a near cache, and one that only does what the small contract asks for.
pub fn tiers() -> Vec<(&'static str, Cache, ManualClock)> {
    let clocks = [ManualClock::new(), ManualClock::new(), ManualClock::new(), ManualClock::new()];
    let shared = |clock: &ManualClock| SharedMemory::with_clock(clock.clone());
    let build =
        |builder: CacheBuilder, clock: &ManualClock| builder.clock(clock.clone()).build().expect("valid");
    let [memory, backend, near, small] = &clocks;
    let server = shared(near);
    let behind_near = build(Cache::builder().backend(server.clone()).near(Memory::new()), near);
    until_it_listens(&behind_near, &build(Cache::builder().backend(server), near));
    vec![
        ("memory", build(Cache::builder(), memory), memory.clone()),
        ("backend", build(Cache::builder().backend(shared(backend)), backend), backend.clone()),
        ("near", behind_near, near.clone()),
        ("small", build(Cache::builder().backend(FlakyBackend::new(shared(small))), small), small.clone()),
    ]
}

/// A near cache forgets everything when it begins to listen to other nodes: a test that counts waits for that.
fn until_it_listens(near: &Cache, other: &Cache) {
    let mut n = 0_u32;
    until("the near cache listens", || {
        n += 1;
        other.set("bell", &n, Ttl::Never).expect("a backend in memory");
        near.get::<u32>("bell").expect("a backend in memory");
        other.set("bell", &0_u32, Ttl::Never).expect("a backend in memory");
        near.get::<u32>("bell").expect("a backend in memory") == Some(0)
    });
    // Of a key alone: the notice of a clear would come back.
    other.evict("bell").expect("a backend in memory");
    until("the notice has come", || near.get::<u32>("bell").expect("a backend in memory").is_none());
}
