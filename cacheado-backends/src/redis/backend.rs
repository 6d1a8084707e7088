//! [`Backend`]: entries without groups, each routed by its key.

use std::sync::Arc;
use std::time::Duration;

use super::groups::Which;
use super::{Redis, tier};
use crate::contract::{Backend, BackendStats, Capabilities, Entry, New, Tier, Wanted};
use crate::error::{Error, ErrorKind, Result};

/// The longest key, in bytes.
const LONGEST: usize = 1_024;

impl Backend for Redis {
    fn name(&self) -> &'static str {
        tier::NAME
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        check(key, "get")?;
        self.read(key, key, Wanted::ValueAndLifetime).await
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        for key in keys {
            check(key, "get many")?;
        }
        let keys: Vec<(&str, &str)> = keys.iter().map(|key| (*key, *key)).collect();
        self.read_many(&keys, Wanted::ValueAndLifetime).await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        check(key, "put")?;
        self.overwrite(key, key, &[], New { value, ttl }, None).await
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        check(key, "remove")?;
        self.withdraw(key, key, None).await
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        self.names(prefix).await
    }

    async fn clear(&self) -> Result<u64> {
        self.remove_all("clear", Which::All, None).await
    }

    async fn stats(&self) -> Result<BackendStats> {
        self.number("stats", Which::All).await.map(BackendStats::new)
    }

    fn capabilities(&self) -> Capabilities {
        tier::capabilities(self)
    }

    fn tier(self: Arc<Self>) -> Arc<dyn Tier> {
        self
    }
}

fn check(key: &str, operation: &'static str) -> Result<()> {
    if key.len() <= LONGEST {
        return Ok(());
    }
    let text = format!("a key of {} bytes; {LONGEST} at most", key.len());
    Err(Error::new(ErrorKind::TooLarge, operation, text))
}
