//! The smallest backend that there is, and what may be wrong with one.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::contract::{Backend, BackendStats, Entry};
use crate::error::{Error, ErrorKind, Result};

/// What is wrong with a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Defect {
    #[default]
    None,
    /// An expired entry is returned.
    ServesExpired,
    /// An expired entry is listed.
    ListsExpired,
    /// A lifetime is rounded down to whole milliseconds, and none is an error.
    RoundsDown,
    /// Deadlines are added without regard to the end of time.
    Overflows,
    /// A put leaves the lifetime of what is there.
    KeepsLifetime,
    /// An empty value is taken for none.
    LosesEmpty,
    /// Long values are cut.
    Cuts,
    /// Letters of both cases are one.
    FoldsCase,
    /// Spaces around a key are dropped.
    Trims,
    /// Long keys are cut.
    CutsKeys,
    /// A batch leaves out what is not there.
    SkipsMissing,
    /// A prefix is looked for anywhere.
    Contains,
    /// A star in a prefix stands for anything.
    Globs,
    /// All namespaces are one.
    Shares,
    /// A value is written in two steps.
    Tears,
    /// A removal looks first and removes then.
    LooksFirst,
    /// A clear does not count.
    CountsNothing,
}

type Entries = HashMap<String, (Vec<u8>, Option<Instant>)>;

/// Entries in a map.
#[derive(Clone, Default)]
pub(super) struct Map {
    entries: Arc<Mutex<Entries>>,
    defect: Defect,
}

fn is_live(deadline: Option<Instant>) -> bool {
    deadline.is_none_or(|deadline| Instant::now() < deadline)
}

impl Map {
    pub(super) fn with(defect: Defect) -> Self {
        static ALL: LazyLock<Arc<Mutex<Entries>>> = LazyLock::new(Arc::default);
        let entries = if defect == Defect::Shares { Arc::clone(&ALL) } else { Arc::default() };
        Self { entries, defect }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    fn key(&self, key: &str) -> String {
        match self.defect {
            Defect::FoldsCase => key.to_lowercase(),
            Defect::Trims => key.trim().to_owned(),
            Defect::CutsKeys => key.chars().take(1_000).collect(),
            _ => key.to_owned(),
        }
    }

    fn deadline(&self, ttl: Option<Duration>) -> Result<Option<Instant>> {
        let Some(mut ttl) = ttl else { return Ok(None) };
        if self.has(Defect::RoundsDown) {
            ttl = Duration::from_millis(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
            if ttl.is_zero() {
                return Err(Error::new(ErrorKind::Refused, "put", "invalid expire time"));
            }
        }
        if self.has(Defect::Overflows) {
            let low = u32::try_from(ttl.as_secs() & u64::from(u32::MAX)).unwrap_or_default();
            ttl = Duration::new(low.into(), ttl.subsec_nanos());
        }
        Ok(Instant::now().checked_add(ttl))
    }

    fn matches(&self, key: &str, prefix: &str) -> bool {
        match self.defect {
            Defect::Contains => key.contains(prefix),
            Defect::Globs => key.starts_with(prefix.trim_end_matches('*')),
            _ => key.starts_with(prefix),
        }
    }
}

impl Backend for Map {
    fn name(&self) -> &'static str {
        "map"
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let entries = self.entries.lock();
        let Some((value, deadline)) = entries.get(&self.key(key)) else { return Ok(None) };
        let is_lost = self.has(Defect::LosesEmpty) && value.is_empty();
        if is_lost || !(is_live(*deadline) || self.has(Defect::ServesExpired)) {
            return Ok(None);
        }
        let remaining = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        Ok(Some(Entry { value: value.clone(), remaining }))
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        let mut found = Vec::new();
        for key in keys {
            found.push(self.get(key).await?);
        }
        if self.has(Defect::SkipsMissing) {
            found.retain(Option::is_some);
        }
        Ok(found)
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        let key = self.key(key);
        let mut deadline = self.deadline(ttl)?;
        let mut value = value.to_vec();
        if self.has(Defect::Cuts) {
            value.truncate(1_000_000);
        }
        if self.has(Defect::Tears) {
            let front = value[..value.len() / 2].to_vec();
            self.entries.lock().insert(key.clone(), (front, deadline));
            tokio::task::yield_now().await;
        }
        let mut entries = self.entries.lock();
        if self.has(Defect::KeepsLifetime) {
            deadline = entries.get(&key).map_or(deadline, |(_, deadline)| *deadline);
        }
        entries.insert(key, (value, deadline));
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        let key = self.key(key);
        if self.has(Defect::LooksFirst) {
            let is_there = self.entries.lock().contains_key(&key);
            tokio::task::yield_now().await;
            self.entries.lock().remove(&key);
            return Ok(is_there);
        }
        Ok(self.entries.lock().remove(&key).is_some_and(|(_, deadline)| is_live(deadline)))
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let mut entries = self.entries.lock();
        if !self.has(Defect::ListsExpired) && !self.has(Defect::ServesExpired) {
            entries.retain(|_, (_, deadline)| is_live(*deadline));
        }
        Ok(entries.keys().filter(|key| self.matches(key, prefix)).cloned().collect())
    }

    async fn clear(&self) -> Result<u64> {
        let entries = std::mem::take(&mut *self.entries.lock());
        let live = entries.values().filter(|(_, deadline)| is_live(*deadline)).count();
        Ok(if self.has(Defect::CountsNothing) { 0 } else { live as u64 })
    }

    async fn stats(&self) -> Result<BackendStats> {
        Ok(BackendStats::new(self.entries.lock().len() as u64))
    }
}
