//! MongoDB as a [`Backend`].

use std::sync::Arc;
use std::time::Duration;

use super::MongoDb;
use super::document::Stored;
use super::link::Effort::{Few, Many};
use crate::contract::{Backend, BackendStats, Capabilities, Entry, Tier};
use crate::error::Result;

impl MongoDb {
    fn named(&self, key: &str) -> String {
        self.link.settings.names.id(key)
    }
}

impl Backend for MongoDb {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let id = self.named(key);
        self.link.run("get", Few, |link| async move { link.get(id).await }).await
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        let ids = keys.iter().map(|key| self.named(key)).collect();
        self.link.run("get_many", Few, |link| async move { link.get_many(ids).await }).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        let id = self.named(key);
        let stored = Stored::new(value, ttl, Vec::new()).map_err(|failure| failure.of("put"))?;
        self.link.run("put", Few, |link| async move { link.set(id, stored, None).await }).await
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        let id = self.named(key);
        self.link.run("remove", Few, |link| async move { link.evict(id, None).await }).await
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let prefix = prefix.to_owned();
        self.link.run("keys", Many, |link| async move { link.keys(&prefix).await }).await
    }

    async fn clear(&self) -> Result<u64> {
        self.link.run("clear", Many, |link| async move { link.clear(None).await }).await
    }

    async fn stats(&self) -> Result<BackendStats> {
        self.link
            .run("stats", Many, |link| async move { link.count(None).await })
            .await
            .map(BackendStats::new)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            groups: true,
            fences: true,
            expiry: true,
            bus: true,
            leases: true,
            ..Capabilities::default()
        }
    }

    fn tier(self: Arc<Self>) -> Arc<dyn Tier> {
        self
    }
}
