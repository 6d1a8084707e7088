//! Hits and puts over real servers on the loopback address, beside the bare clients.
//!
//! | file | subject |
//! |---|---|
//! | `workload` | what is stored |
//! | `pass` | calls of several tasks at a time |
//! | `cacheado` | annotated functions and programmatic keys |
//! | `bare` | what one would write with the clients alone: a command, and `MessagePack` |
//! | `cached` | the best-known macro crate, over its own pool of connections |

mod bare;
mod cacheado;
mod cached;
mod pass;
mod workload;

use std::sync::Arc;

use cacheado_servers::{MongoDb, Redis};
use tokio::runtime::{Builder, Runtime};

use crate::bounds::{Bound, Limit};
use crate::contenders::Contender;
use crate::options::Options;
use crate::workloads::StructKey;
use crate::{compare, report};

/// How many tasks call at a time, and what an async hit may take then, in parts of the bare client's.
const TASKS: [(usize, f64); 2] = [(1, 1.10), (64, 1.25)];

/// Servers, and what runs async calls: the same for all contenders.
struct Bench {
    redis: Redis,
    mongo: MongoDb,
    runtime: Arc<Runtime>,
    keys: Vec<StructKey>,
    options: Options,
    met: Vec<(String, Bound)>,
}

/// Every workload. An error if a measured call was not a hit.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let skipped = || "CACHEADO_SKIP_SERVERS leaves out the servers that this measures".to_owned();
    let redis = Redis::start().ok_or_else(skipped)?;
    let mongo = MongoDb::start().ok_or_else(skipped)?;
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = Arc::new(runtime.map_err(|error| error.to_string())?);
    cacheado::open(&redis.url(), &mongo.uri());
    cached::open(&redis.url());

    let servers = runtime.block_on(bare::servers(&redis.url(), &mongo.uri()));
    report::machine(&["cacheado", "cached", "mongodb", "redis"], &servers);
    let options = options.clone();
    let mut bench = Bench { redis, mongo, runtime, keys: workload::keys(), options, met: Vec::new() };
    report::rounds(&bench.options);
    bench.redis_async()?;
    bench.redis_sync()?;
    bench.mongodb()?;
    // What needs no server is some thousand times as fast.
    bench.options = bench.options.with_calls(bench.options.calls * 50);
    report::rounds(&bench.options);
    bench.near()?;
    report::bounds(&bench.met);
    Ok(())
}

impl Bench {
    fn redis_async(&mut self) -> Result<(), String> {
        let connection = self.runtime.block_on(bare::redis_async(&self.redis.url()));
        for (tasks, limit) in TASKS {
            let (runtime, bare) = (&self.runtime, &connection);
            let hits = vec![cacheado::hit(runtime, tasks), bare::hit(runtime, tasks, bare)];
            let puts = vec![cacheado::put(runtime, tasks), bare::put(runtime, tasks, bare)];
            self.compare(&format!("redis/hit/{tasks}"), hits, &[("cacheado", bare::REDIS, limit)])?;
            self.compare(&format!("redis/put/{tasks}"), puts, &[])?;
        }
        Ok(())
    }

    fn redis_sync(&mut self) -> Result<(), String> {
        let contenders = vec![cacheado::hit_sync(), bare::hit_sync(&self.redis.url()), cached::hit_sync()];
        let limits = [("cacheado", cached::NAME, 1.0), ("cacheado", bare::REDIS, 1.3)];
        self.compare("redis/hit sync", contenders, &limits)
    }

    fn mongodb(&mut self) -> Result<(), String> {
        let collection = self.runtime.block_on(bare::mongodb(&self.mongo.uri()));
        for (tasks, _) in TASKS {
            let ours = cacheado::hit_mongodb(&self.runtime, tasks);
            let contenders = vec![ours, bare::hit_mongodb(&self.runtime, tasks, &collection)];
            self.compare(&format!("mongodb/hit/{tasks}"), contenders, &[])?;
        }
        Ok(())
    }

    fn near(&mut self) -> Result<(), String> {
        let contenders = vec![cacheado::hit_near(), cacheado::hit_memory()];
        self.compare("near/hit", contenders, &[("cacheado", cacheado::MEMORY, 1.05)])
    }

    fn compare(
        &mut self,
        name: &str,
        contenders: Vec<Contender<StructKey>>,
        limits: &[Limit],
    ) -> Result<(), String> {
        compare(name, contenders, &self.keys, 1, &self.options, limits, &mut self.met)
    }
}
