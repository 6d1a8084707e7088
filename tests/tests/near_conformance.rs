//! The conformance suite through a whole cache with a near cache in front of each backend: what a caller sees is
//! what the backend promises, copies or not.
//!
//! The cache's verbs stand for the small contract; groups and fences are then emulated over it, so that they go
//! through copies too. A second node sees an eviction when its notice has come, which is the near cache's promise
//! and not that of a backend: `remote.rs` and `servers` have its tests.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use cacheado::backends::{
    Backend, BackendStats, Emulated, Entry, Error, ErrorKind, Memory, MongoDb, Redis, Result, SharedMemory,
};
use cacheado::{Cache, Ttl};
use cacheado_backends::conformance::Subject;
use cacheado_backends::contract::Tier;
use cacheado_servers::{Shared, unique};
use tokio::runtime::Runtime;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How long an operation may take where a machine runs many tests at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where what was begun goes on though its caller has gone.
static BACKGROUND: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// While a value is being set, the copy of the old one may still be read: that is over when `set` returns, and
/// promised by no near cache before. So reads and sets of a key wait for each other here.
#[derive(Clone, Default)]
struct Settled(Arc<[RwLock<()>; 32]>);

impl Settled {
    fn place(&self, key: &str) -> usize {
        let hash = key.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        hash % self.0.len()
    }

    async fn read(&self, keys: &[&str]) -> Vec<RwLockReadGuard<'_, ()>> {
        // In order, so that none waits for one who waits for it.
        let places: BTreeSet<_> = keys.iter().map(|key| self.place(key)).collect();
        let mut guards = Vec::new();
        for place in places {
            guards.push(self.0[place].read().await);
        }
        guards
    }

    async fn write(&self, key: &str) -> RwLockWriteGuard<'_, ()> {
        self.0[self.place(key)].write().await
    }
}

/// A cache with a near cache, as a backend.
struct Near {
    cache: Cache,
    settled: Settled,
    /// What has been put: a cache does not list its keys.
    keys: Mutex<BTreeSet<String>>,
}

impl Near {
    fn over(backend: impl Backend) -> Self {
        let cache = Cache::builder().backend(backend).near(Memory::new()).build().unwrap();
        Self { cache, settled: Settled::default(), keys: Mutex::default() }
    }
}

fn failed(error: cacheado::Error) -> Error {
    let kind = match error.kind() {
        cacheado::ErrorKind::Codec => ErrorKind::TooLarge,
        _ => ErrorKind::Other,
    };
    Error::new(kind, "use the cache", error)
}

impl Backend for Near {
    fn name(&self) -> &'static str {
        "near"
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        let _settled = self.settled.read(&[key]).await;
        let value = self.cache.get_async::<Arc<Vec<u8>>>(key).await.map_err(failed)?;
        let Some(value) = value else { return Ok(None) };
        let remaining = self.cache.remaining_async(key).await.map_err(failed)?;
        Ok(Some(Entry { value: value.to_vec(), remaining }))
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        let _settled = self.settled.read(keys).await;
        let values = self.cache.get_many_async::<Arc<Vec<u8>>>(keys).await.map_err(failed)?;
        let mut entries = Vec::new();
        for (key, value) in keys.iter().zip(values) {
            let remaining = self.cache.remaining_async(key).await.map_err(failed)?;
            entries.push(value.map(|value| Entry { value: value.to_vec(), remaining }));
        }
        Ok(entries)
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        self.keys.lock().unwrap().insert(key.to_owned());
        let (cache, settled) = (self.cache.clone(), self.settled.clone());
        let (key, value) = (key.to_owned(), Arc::new(value.to_vec()));
        let setting = BACKGROUND.spawn(async move {
            let _alone = settled.write(&key).await;
            cache.set_async(&key, &value, Ttl::from(ttl)).await
        });
        setting.await.unwrap().map_err(failed)
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        self.cache.evict_async(key).await.map_err(failed)
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let known: Vec<_> =
            self.keys.lock().unwrap().iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        let live = self.cache.get_many_async::<Arc<Vec<u8>>>(&known).await.map_err(failed)?;
        Ok(known.into_iter().zip(live).filter_map(|(key, value)| value.map(|_| key)).collect())
    }

    async fn clear(&self) -> Result<u64> {
        self.cache.evict_by_scope_async(&cacheado::Scope::global()).await.map_err(failed)
    }

    async fn stats(&self) -> Result<BackendStats> {
        Ok(BackendStats::new(self.cache.stats().total_keys))
    }

    /// An emulated eviction of a thousand entries is many operations of the server.
    fn tier(self: Arc<Self>) -> Arc<dyn Tier> {
        Arc::new(Emulated::new(self).with_timeout(PATIENCE * 3))
    }
}

mod memory {
    use super::{Near, SharedMemory, Subject};

    async fn fresh() -> Subject {
        Subject::new(Near::over(SharedMemory::new()))
    }

    cacheado_backends::conformance!(fresh, without(bus, second_node));
}

mod redis {
    use super::{Near, PATIENCE, Redis, Shared, Subject, unique};

    async fn fresh() -> Subject {
        let Some(server) = Shared::redis() else { return Subject::skipped("Redis") };
        let redis = Redis::builder(server.url())
            .namespace(unique("near"))
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .build()
            .unwrap();
        Subject::new(Near::over(redis)).keeping(server)
    }

    cacheado_backends::conformance!(fresh, without(bus, second_node));
}

mod mongodb {
    use super::{MongoDb, Near, PATIENCE, Shared, Subject, unique};

    async fn fresh() -> Subject {
        let Some(server) = Shared::mongodb() else { return Subject::skipped("MongoDB") };
        let mongodb = MongoDb::builder(server.url())
            .database("near")
            .namespace(unique("near"))
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Subject::new(Near::over(mongodb)).keeping(server)
    }

    cacheado_backends::conformance!(fresh, without(bus, second_node));
}
