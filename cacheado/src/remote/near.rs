//! The copies in this process, and what nodes tell each other of evictions.
//!
//! A copy is never older than what a read of the backend has just given: a refill takes a ticket before it
//! asks, and a notice that comes meanwhile marks it. Where a notice may have been missed, all copies go. While
//! the server cannot be listened to, copies are served on until their own short life ends, which is the bound
//! on staleness.

use std::sync::{Arc, OnceLock, Weak};

use cacheado_backends::contract::{Event, Subscription};
use cacheado_backends::io;
use cacheado_backends::memory::Cause;
use tokio::task::AbortHandle;

use super::{Notice, Remote, function_group};
use crate::cache::Inner;

/// The task that listens. It ends with the cache.
#[derive(Default)]
pub(super) struct Bus {
    /// Set at the first call that has copies to keep; empty if there is nobody to listen to.
    task: OnceLock<Option<AbortHandle>>,
}

impl Drop for Bus {
    fn drop(&mut self) {
        if let Some(Some(task)) = self.task.get() {
            task.abort();
        }
    }
}

impl Remote {
    /// Begins to listen to other nodes, at the first call that has copies to keep.
    pub(crate) fn listen(&self, cache: &Weak<Inner>) {
        if self.near_ttl.is_none() {
            return;
        }
        self.bus.task.get_or_init(|| {
            let subscription = Arc::clone(&self.tier).subscribe()?;
            let io = io::handle().inspect_err(|error| {
                tracing::warn!(%error, "nobody listens to other nodes' evictions");
            });
            Some(io.ok()?.spawn(heed_all(Weak::clone(cache), subscription)).abort_handle())
        });
    }
}

async fn heed_all(cache: Weak<Inner>, mut subscription: Box<dyn Subscription>) {
    loop {
        let event = subscription.next().await;
        let Some(cache) = cache.upgrade() else { return };
        cache.heed(&event);
    }
}

impl Inner {
    /// Drops the copies that an event concerns, and forbids the refills that are under way.
    fn heed(&self, event: &Event) {
        let Some(remote) = &self.remote else { return };
        let notice = match event {
            Event::Notice(bytes) => Notice::from_bytes(bytes).unwrap_or(Notice::All),
            Event::Gap => {
                tracing::debug!("evictions may have been missed: all copies are dropped");
                Notice::All
            }
        };
        match notice {
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
