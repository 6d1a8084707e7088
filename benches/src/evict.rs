//! Evicting a scope costs what it holds, whatever else there is.

use std::any::Any;
use std::error::Error;
use std::time::{Duration, Instant};

use cacheado::Cache;
use cacheado::backends::{self, Backend, Memory};
use cacheado_servers::{MongoDb, Redis};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::harness::Measured;
use crate::options::Options;
use crate::{bounds, report};

/// How many entries each scope holds, the one that is evicted and those that are not.
const HELD: u32 = 100;

/// The smaller number of other entries.
const SOME: u32 = 1_000;

const FEW: &str = "among few";
const MANY: &str = "among many";

/// How many tasks store the other entries.
const TASKS: u32 = 64;

const TTL: Duration = Duration::from_hours(1);

/// How long a server may take to store one of a million entries: it flushes some to its disk meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);

cacheado::scopes! {
    mod scopes {
        tenant(tenant_id: u32)
    }
}

/// Every backend, among few and among many other entries. An error if an eviction does not evict what there is.
pub(crate) fn run(options: &Options, others: u32) -> Result<(), String> {
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
    report::machine(&["cacheado", "mongodb", "redis"], &[]);
    println!("each figure: the median of {} evictions of a scope of {HELD} entries,", options.rounds);
    println!("{FEW}: {SOME} others, {MANY}: {others} others, which no eviction touches\n");
    let mut met = Vec::new();
    let all: [(&str, Open); 3] =
        [("evict/memory", memory), ("evict/redis", redis), ("evict/mongodb", mongodb)];
    for (name, open) in all.into_iter().filter(|(name, _)| options.wants(name)) {
        let (few, many) = (open()?, open()?);
        let measuring = measure([(FEW, &few, SOME), (MANY, &many, others)], options.rounds);
        let results = runtime.block_on(measuring).map_err(|error| error.to_string())?;
        report::table(name, &results);
        let bounds = bounds::of(&results, &[(MANY, FEW, 2.0)]);
        met.extend(bounds.into_iter().map(|bound| (name.to_owned(), bound)));
    }
    report::bounds(&met);
    Ok(())
}

/// A cache, over a server of its own.
struct Store {
    cache: Cache,
    /// Ends when it is dropped.
    _server: Box<dyn Any>,
}

type Open = fn() -> Result<Store, String>;

impl Store {
    fn over(backend: backends::Result<impl Backend>, server: impl Any) -> Result<Self, String> {
        let backend = backend.map_err(|error| error.to_string())?;
        let cache = Cache::builder().backend(backend).build().map_err(|error| error.to_string())?;
        Ok(Self { cache, _server: Box::new(server) })
    }
}

fn memory() -> Result<Store, String> {
    Store::over(Ok(Memory::new()), ())
}

fn redis() -> Result<Store, String> {
    let server = Redis::start().ok_or("CACHEADO_SKIP_SERVERS leaves out Redis")?;
    Store::over(backends::Redis::builder(server.url()).timeout(PATIENCE).build(), server)
}

fn mongodb() -> Result<Store, String> {
    let server = MongoDb::start().ok_or("CACHEADO_SKIP_SERVERS leaves out MongoDB")?;
    let backend = backends::MongoDb::builder(server.uri()).database("bench").timeout(PATIENCE);
    Store::over(backend.build(), server)
}

/// Evicts a scope in each store, one after the other, round by round.
async fn measure(
    stores: [(&'static str, &Store, u32); 2],
    rounds: usize,
) -> Result<Vec<Measured>, Box<dyn Error>> {
    for (name, store, others) in &stores {
        let start = Instant::now();
        fill(&store.cache, *others).await?;
        eprintln!("{name}: {others} others stored in {:.1?}", start.elapsed());
    }
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for ((_, store, _), times) in stores.iter().zip(&mut times) {
            times.push(evict(&store.cache).await?);
        }
    }
    Ok(stores.iter().zip(times).map(|((name, ..), times)| Measured::new(name, times)).collect())
}

/// Stores this many entries, in scopes that are not evicted.
async fn fill(cache: &Cache, others: u32) -> cacheado::Result<()> {
    let mut tasks = JoinSet::new();
    let scopes = others / HELD;
    for task in 0..TASKS {
        let cache = cache.clone();
        tasks.spawn(async move {
            for tenant in (task..scopes).step_by(TASKS as usize) {
                store(&cache, tenant + 1).await?;
            }
            cacheado::Result::Ok(())
        });
    }
    tasks.join_all().await.into_iter().collect()
}

/// Stores the entries of one tenant.
async fn store(cache: &Cache, tenant: u32) -> cacheado::Result<()> {
    let scoped = cache.scoped(scopes::tenant(tenant));
    for number in 0..HELD {
        scoped.set_async(number, &u64::from(number), TTL).await?;
    }
    Ok(())
}

/// How many nanoseconds it takes to evict what has been stored before.
async fn evict(cache: &Cache) -> Result<f64, Box<dyn Error>> {
    let tenant = 0;
    store(cache, tenant).await?;
    let scope = scopes::tenant(tenant);
    let start = Instant::now();
    let evicted = cache.evict_by_scope_async(&scope).await?;
    let took = start.elapsed();
    if evicted != u64::from(HELD) {
        return Err(format!("{evicted} entries were evicted, of {HELD}").into());
    }
    Ok(took.as_secs_f64() * 1e9)
}
