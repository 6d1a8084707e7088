//! The small contract over memory.

use std::sync::Arc;
use std::time::Duration;

use super::{NAME, Shared, SharedMemory};
use crate::contract::Tier;
use crate::error::Result;
use crate::memory::{Cause, Memory};
use crate::{Backend, BackendStats, Capabilities, Entry};

/// What memory does by itself: everything.
pub(super) fn capabilities() -> Capabilities {
    Capabilities {
        groups: true,
        fences: true,
        expiry: true,
        bus: true,
        leases: true,
        ..Capabilities::default()
    }
}

impl Shared {
    fn keys(&self, prefix: &str) -> Vec<String> {
        let keys = self.region.keys(prefix.as_bytes());
        // All keys came in as text, so none is lost.
        keys.iter().filter_map(|key| String::from_utf8(key.as_bytes().to_vec()).ok()).collect()
    }
}

impl Backend for SharedMemory {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        Ok(self.0.read(key))
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        Ok(keys.iter().map(|key| self.0.read(key)).collect())
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        // Where it is not placed, another write or removal came in between, and has the last word.
        self.0.fill(key, value, ttl, None, &self.0.ticket(key, None))?;
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        Ok(self.0.remove(key))
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        Ok(self.0.keys(prefix))
    }

    async fn clear(&self) -> Result<u64> {
        Ok(self.0.store.clear(Cause::Cleared))
    }

    async fn stats(&self) -> Result<BackendStats> {
        Ok(BackendStats::new(self.0.store.len() as u64))
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn tier(self: Arc<Self>) -> Arc<dyn Tier> {
        self
    }
}

/// Bytes under text keys, apart from the typed values of the caches that are opened from it. They are shared
/// by the clones of this handle, and kept by the system's clock; [`Memory::shared`] gives the same entries.
impl Backend for Memory {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        Backend::get(self.bytes(), key).await
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        Backend::get_many(self.bytes(), keys).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        self.bytes().put(key, value, ttl).await
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        self.bytes().remove(key).await
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        self.bytes().keys(prefix).await
    }

    async fn clear(&self) -> Result<u64> {
        Backend::clear(self.bytes()).await
    }

    async fn stats(&self) -> Result<BackendStats> {
        self.bytes().stats().await
    }

    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn tier(self: Arc<Self>) -> Arc<dyn Tier> {
        Arc::new(self.shared())
    }
}
