//! Every way to evict against every way to fill, over a server. See `cacheado_tests::fencing`.

use cacheado::backends::{MongoDb, Redis};
use cacheado_tests::fencing::Stage;
use cacheado_tests::wait::on_threads;

use crate::server::Server;

crate::over_each_server!(
    hazard_21_every_eviction_wins_over_every_fill,
    hazard_32_every_eviction_wins_over_every_fill_with_near_caches,
);

fn stage(server: &Server, has_copies: bool) -> Stage {
    let url = server.url();
    if server.kind() == "redis" {
        let client = || Redis::builder(&*url).namespace("fencing").build().unwrap();
        Stage::over([client(), client()], has_copies)
    } else {
        let client = || MongoDb::builder(&*url).database("fencing").build().unwrap();
        Stage::over([client(), client()], has_copies)
    }
}

fn hazard_21_every_eviction_wins_over_every_fill(server: &Server) {
    let stage = stage(server, false);
    on_threads(2, || async move { stage.every_eviction_wins_over_every_fill().await });
}

fn hazard_32_every_eviction_wins_over_every_fill_with_near_caches(server: &Server) {
    let stage = stage(server, true);
    on_threads(2, || async move { stage.every_eviction_wins_over_every_fill().await });
}
