//! Evicting a scope costs what it holds, whatever else there is.

use std::any::Any;
use std::error::Error;
use std::time::{Duration, Instant};

use cacheado::Cache;
use cacheado::backends::{self, Backend, Memory};
use cacheado_servers::{MongoDb, Redis};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::measured::Measured;
use crate::options::Options;
use crate::plots::{Axes, Line, lines};
use crate::report::{Comparison, Report};

/// How many entries each scope holds, the one that is evicted and those that are not.
const HELD: u32 = 100;

/// How many tasks store the other entries.
const TASKS: u32 = 64;

const TTL: Duration = Duration::from_hours(1);

/// How long a server may take to store one of a million entries: it flushes some to its disk meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many other entries there are. A server takes minutes to store the last.
const SIZES: [(&str, u32); 4] = [
    ("among 1 000", 1_000),
    ("among 10 000", 10_000),
    ("among 100 000", 100_000),
    ("among 1 000 000", 1_000_000),
];

cacheado::scopes! {
    mod scopes {
        tenant(tenant_id: u32)
    }
}

/// Every backend. An error if an eviction does not evict what there is.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let rounds = options.effort((31, 1), (11, 1)).rounds;
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
    report.introduce(&format!(
        "Each figure: the median of {rounds} evictions of a scope of {HELD} entries, among others that stay."
    ));
    let backends: [(&str, &str, Open, bool); 3] = [
        ("evict/memory", "cacheado in memory", memory, true),
        ("evict/redis", "cacheado over Redis", redis, options.is_full),
        ("evict/mongodb", "cacheado over MongoDB", mongodb, options.is_full),
    ];
    let mut drawn = Vec::new();
    for (name, line, open, is_full) in backends.into_iter().filter(|(name, ..)| options.wants(name)) {
        let sizes = if is_full { &SIZES[..] } else { &SIZES[..3] };
        let stores = sizes.iter().map(|_| open()).collect::<Result<Vec<_>, _>>()?;
        let measuring = measure(sizes, &stores, rounds);
        let results = runtime.block_on(measuring).map_err(|error| error.to_string())?;
        let (few, many) = (&results[0], &results[results.len() - 1]);
        report.figure(name, "growth", many.median() / few.median());
        report.compare(&Comparison::new(name, &results).of(&[many.name]).of_ours());
        let points = sizes.iter().zip(&results);
        let points = points.map(|((_, size), result)| (f64::from(*size), result.median() / 1e3)).collect();
        drawn.push(Line { name: line, points });
    }
    if !drawn.is_empty() {
        let axes = Axes { x: "other entries", y: "µs an eviction of 100 entries", is_steep: true };
        report.plot(lines("evict", "Evicting a scope", axes, &drawn)?);
    }
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
    sizes: &[(&'static str, u32)],
    stores: &[Store],
    rounds: usize,
) -> Result<Vec<Measured>, Box<dyn Error>> {
    for ((name, others), store) in sizes.iter().zip(stores) {
        let start = Instant::now();
        fill(&store.cache, *others).await?;
        eprintln!("{name} others, stored in {:.1?}", start.elapsed());
    }
    let mut times = vec![Vec::new(); stores.len()];
    for _ in 0..rounds {
        for (store, times) in stores.iter().zip(&mut times) {
            times.push(evict(&store.cache).await?);
        }
    }
    Ok(sizes.iter().zip(times).map(|((name, _), times)| Measured::new(name, times)).collect())
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
