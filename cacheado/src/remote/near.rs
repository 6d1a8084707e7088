//! The copies in this process, and what nodes tell each other of evictions.
//!
//! A copy is never older than what a read of the backend has just given: a refill takes a ticket before it
//! asks, and a notice that comes meanwhile marks it. Where a notice may have been missed, all copies go, with those
//! that have been asked for and are not here yet; computations do not, of which the backend knows better. While
//! the server cannot be listened to, copies are served on until their own short life ends, which is the bound
//! on staleness.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cacheado_backends::Clock;
use cacheado_backends::contract::{Event, Subscription};
use cacheado_backends::memory::Cause;
use parking_lot::Mutex;

use super::panics::tried;
use super::{Notice, Remote, function_group};
use crate::cache::Inner;

/// What there is of the task that listens. It ends with the cache.
#[derive(Default)]
pub(super) struct Bus {
    task: Arc<Task>,
    end: Arc<End>,
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.end.come();
    }
}

/// Whether there is one. Whoever runs it may drop it, as a runtime does that ends.
#[derive(Default)]
struct Task {
    is_there: AtomicBool,
    /// The reading of the clock from which on another can be begun.
    next_at: AtomicU64,
}

/// How soon another is begun after one that was dropped, or where nobody can be listened to.
const PAUSE: Duration = Duration::from_secs(1);

/// The right to be the task, until it is dropped.
struct Listening(Arc<Task>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.is_there.store(false, Ordering::Release);
    }
}

impl Bus {
    /// The right to listen, where nobody does.
    fn begin(&self, clock: &Clock) -> Option<Listening> {
        let task = &self.task;
        if task.is_there.load(Ordering::Acquire)
            || clock.now() < task.next_at.load(Ordering::Acquire)
            || task.is_there.swap(true, Ordering::AcqRel)
        {
            return None;
        }
        task.next_at.store(clock.deadline(Some(PAUSE)), Ordering::Release);
        Some(Listening(Arc::clone(task)))
    }
}

/// Ends a task, whichever executor runs it.
#[derive(Default)]
struct End(Mutex<Awaited>);

#[derive(Default)]
struct Awaited {
    has_come: bool,
    waker: Option<Waker>,
}

impl End {
    fn come(&self) {
        let waker = {
            let mut awaited = self.0.lock();
            awaited.has_come = true;
            awaited.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn has_come(&self, context: &Context<'_>) -> bool {
        let mut awaited = self.0.lock();
        let before = awaited.waker.replace(context.waker().clone());
        let has_come = awaited.has_come;
        // A waker's `drop` is somebody else's code.
        drop(awaited);
        drop(before);
        has_come
    }
}

impl Remote {
    /// Begins to listen to other nodes, at the first call that has copies to keep; and again where that was given up,
    /// which begins with a gap.
    pub(crate) fn listen(&self, cache: &Weak<Inner>) {
        if self.near_ttl.is_none() {
            return;
        }
        let Some(listening) = self.bus.begin(self.near.clock()) else { return };
        let Some(subscription) = tried(|| Arc::clone(&self.tier).subscribe()) else {
            tracing::warn!(
                target: "cacheado",
                "the backend panicked when it was to be listened to; it will be asked again"
            );
            return;
        };
        let Some(subscription) = subscription else { return };
        let end = Arc::clone(&self.bus.end);
        self.background.spawn(heed_all(Weak::clone(cache), subscription, end, listening));
    }

    /// How often notices may have been missed: a copy is kept only of what has been asked for since the last time.
    pub(crate) fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::SeqCst)
    }

    /// Notices may have been missed. Computations go on, and are joined: the backend forbids those that an eviction
    /// has come before, as it does where nobody listens.
    fn heed_gap(&self) {
        // First: a copy is there by now and dropped below, or who keeps it sees the number.
        self.gaps.fetch_add(1, Ordering::SeqCst);
        self.near.drop_all(Cause::Cleared);
    }
}

async fn heed_all(
    cache: Weak<Inner>,
    mut subscription: Box<dyn Subscription>,
    end: Arc<End>,
    _listening: Listening,
) {
    loop {
        let event = {
            let mut next = subscription.next();
            let next = poll_fn(|context| {
                if end.has_come(context) { Poll::Ready(None) } else { next.as_mut().poll(context).map(Some) }
            });
            next.await
        };
        let (Some(event), Some(cache)) = (event, cache.upgrade()) else { return };
        cache.heed(&event);
    }
}

impl Inner {
    /// Drops the copies that an event concerns, and forbids the refills that are under way.
    fn heed(&self, event: &Event) {
        let Some(remote) = &self.remote else { return };
        let bytes = match event {
            Event::Notice(bytes) => bytes,
            Event::Gap => {
                tracing::debug!(target: "cacheado", "evictions may have been missed: all copies are dropped");
                return remote.heed_gap();
            }
        };
        match Notice::from_bytes(bytes).unwrap_or(Notice::All) {
            Notice::Key(key) => {
                self.drop_copies(&key);
            }
            Notice::Label(label) => {
                remote.near.evict_label(&label, Cause::Scope);
            }
            Notice::Function(name, version) => {
                let group = function_group(&name, version);
                for function in self.registry.all() {
                    if function.shared().title.group == group {
                        function.drop_all_copies();
                    }
                }
            }
            Notice::All => {
                remote.near.clear(Cause::Cleared);
            }
        }
    }
}
