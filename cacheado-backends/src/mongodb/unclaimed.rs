//! A claim on its way to whoever has asked for it.

use std::sync::Arc;

use mongodb::bson::oid::ObjectId;

use super::link::Link;
use crate::io;

/// A claim that nobody has taken yet. There can be only so many on a key, so that one whose caller has gone, or has
/// been told that its time is up, is given up at once: dropping it does so.
pub(super) struct Unclaimed {
    link: Arc<Link>,
    id: String,
    nonce: ObjectId,
    is_taken: bool,
}

impl Unclaimed {
    pub(super) fn new(link: Arc<Link>, id: String, nonce: ObjectId) -> Self {
        Self { link, id, nonce, is_taken: false }
    }

    /// It is the caller's.
    pub(super) fn take(mut self) -> ObjectId {
        self.is_taken = true;
        self.nonce
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        let (false, Ok(io)) = (self.is_taken, io::handle()) else { return };
        let (link, id, nonce) = (Arc::clone(&self.link), std::mem::take(&mut self.id), self.nonce);
        io.spawn(async move {
            if let Err(failure) = link.abandon(id, nonce).await {
                tracing::debug!(
                    target: "cacheado",
                    cause = %failure.of("abandon"),
                    "a claim was not given up; it ends by itself"
                );
            }
        });
    }
}
