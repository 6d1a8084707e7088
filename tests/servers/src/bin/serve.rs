//! `cargo run -p cacheado-servers redis` starts a server, prints its address, and ends it when Enter is pressed or
//! the program is ended. `cluster`, `mongodb` and `standalone` (a MongoDB without a replica set) do the same. `shared`
//! starts one of each and prints the variables by which tests find them, and an empty line when all are there.

use std::io::{self, BufRead};
use std::process::ExitCode;

use cacheado_servers::{MongoDb, Redis, RedisCluster, start_shared};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("redis") => hold(Redis::start(), |redis| vec![redis.url()]),
        Some("cluster") => hold(RedisCluster::start(), RedisCluster::urls),
        Some("mongodb") => hold(MongoDb::start(), |mongo| vec![mongo.uri()]),
        Some("standalone") => hold(MongoDb::standalone(), |mongo| vec![mongo.uri()]),
        Some("shared") => hold(Some(start_shared()), |servers| {
            let lines = servers.iter().map(|(variable, addresses, _)| format!("{variable}={addresses}"));
            lines.chain([String::new()]).collect()
        }),
        _ => {
            eprintln!("which server: redis, cluster, mongodb, standalone or shared?");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn hold<S>(server: Option<S>, addresses: impl FnOnce(&S) -> Vec<String>) {
    let Some(server) = server else { return };
    for address in addresses(&server) {
        println!("{address}");
    }
    let _ = io::stdin().lock().read_line(&mut String::new());
}
