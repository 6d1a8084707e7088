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

use super::{rounds, wanted};
use crate::contenders::Contender;
use crate::harness;
use crate::options::{Effort, Options};
use crate::plots::bars;
use crate::report::{Comparison, Report};
use crate::workloads::StructKey;

/// How many tasks call at a time.
const TASKS: [usize; 2] = [1, 64];

/// Every workload there may be: where none of them is wanted, no server is started.
const NAMES: [&str; 8] = [
    "redis/hit/1",
    "redis/hit/64",
    "redis/put/1",
    "redis/put/64",
    "redis/hit sync",
    "mongodb/hit/1",
    "mongodb/hit/64",
    "near/hit",
];

/// Servers, and what runs async calls: the same for all contenders.
struct Bench<'a> {
    redis: Redis,
    mongo: MongoDb,
    runtime: Arc<Runtime>,
    keys: Vec<StructKey>,
    effort: Effort,
    options: &'a Options,
    report: &'a mut Report,
    /// Ours over the bare client's, for the plot.
    ratios: Vec<(String, f64)>,
}

/// Every workload. An error if a measured call was not a hit.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    if !NAMES.iter().any(|name| options.wants(name)) {
        return Ok(());
    }
    let skipped = || "CACHEADO_SKIP_SERVERS leaves out the servers that this measures".to_owned();
    let redis = Redis::start().ok_or_else(skipped)?;
    let mongo = MongoDb::start().ok_or_else(skipped)?;
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = Arc::new(runtime.map_err(|error| error.to_string())?);
    cacheado::open(&redis.url(), &mongo.uri());
    cached::open(&redis.url());
    report.servers(runtime.block_on(bare::servers(&redis.url(), &mongo.uri())));

    let effort = options.effort((31, 4_000), (11, 1_000));
    report.introduce(&format!("{} `/1` and `/64` are the tasks that call at the same time.", rounds(effort)));
    let (keys, ratios) = (workload::keys(), Vec::new());
    let mut bench = Bench { redis, mongo, runtime, keys, effort, options, report, ratios };
    bench.redis_async()?;
    bench.redis_sync()?;
    bench.mongodb()?;
    bench.draw()?;
    // What needs no server is some thousand times as fast.
    bench.effort.calls *= 50;
    bench.report.introduce(&format!("Without a round trip. {}", rounds(bench.effort)));
    bench.near()
}

impl Bench<'_> {
    fn redis_async(&mut self) -> Result<(), String> {
        let connection = self.runtime.block_on(bare::redis_async(&self.redis.url()));
        for tasks in TASKS {
            let (runtime, bare) = (&self.runtime, &connection);
            let hits = vec![cacheado::hit(runtime, tasks), bare::hit(runtime, tasks, bare)];
            let puts = vec![cacheado::put(runtime, tasks), bare::put(runtime, tasks, bare)];
            self.compare(&format!("redis/hit/{tasks}"), hits)?;
            self.compare(&format!("redis/put/{tasks}"), puts)?;
        }
        Ok(())
    }

    fn redis_sync(&mut self) -> Result<(), String> {
        let contenders = vec![cacheado::hit_sync(), bare::hit_sync(&self.redis.url()), cached::hit_sync()];
        self.compare("redis/hit sync", contenders)
    }

    fn mongodb(&mut self) -> Result<(), String> {
        let collection = self.runtime.block_on(bare::mongodb(&self.mongo.uri()));
        for tasks in TASKS {
            let ours = cacheado::hit_mongodb(&self.runtime, tasks);
            let contenders = vec![ours, bare::hit_mongodb(&self.runtime, tasks, &collection)];
            self.compare(&format!("mongodb/hit/{tasks}"), contenders)?;
        }
        Ok(())
    }

    fn near(&mut self) -> Result<(), String> {
        self.compare("near/hit", vec![cacheado::hit_near(), cacheado::hit_memory()])
    }

    fn compare(&mut self, name: &str, contenders: Vec<Contender<StructKey>>) -> Result<(), String> {
        let contenders = wanted(self.options, contenders);
        if !self.options.wants(name) || contenders.is_empty() {
            return Ok(());
        }
        let results = harness::hits(&contenders, &self.keys, 1, self.effort)?;
        self.report.compare(&Comparison::new(name, &results));
        if let [ours, peer, ..] = &results[..] {
            self.ratios.push((name.to_owned(), ours.median() / peer.median()));
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<(), String> {
        let rows: Vec<_> = self.ratios.iter().map(|(name, ratio)| (&**name, *ratio)).collect();
        if !rows.is_empty() {
            self.report.plot(bars("remote", "Over servers: cacheado / bare client", "ratio of time", &rows)?);
        }
        Ok(())
    }
}
