//! Every way to evict against every way to fill, over a server. See `cacheado_tests::fencing`.

use std::time::Duration;

use cacheado_tests::fencing::Stage;
use cacheado_tests::patient;
use cacheado_tests::wait::on_threads_within;

use crate::server::Server;

crate::over_each_server!(
    hazard_21_every_eviction_wins_over_every_fill,
    hazard_32_every_eviction_wins_over_every_fill_with_near_caches,
);

fn stage(server: &Server, has_copies: bool) -> Stage {
    let url = server.url();
    if server.kind() == "redis" {
        let client = || patient::redis(&*url).namespace("fencing").build().unwrap();
        Stage::over([client(), client()], has_copies)
    } else {
        let client = || patient::mongodb(&*url).database("fencing").build().unwrap();
        Stage::over([client(), client()], has_copies)
    }
}

/// There are many cells, each of many trips to the server.
fn check(server: &Server, has_copies: bool) {
    let stage = stage(server, has_copies);
    let test = || async move { stage.every_eviction_wins_over_every_fill().await };
    on_threads_within(Duration::from_secs(120), 2, test);
}

fn hazard_21_every_eviction_wins_over_every_fill(server: &Server) {
    check(server, false);
}

fn hazard_32_every_eviction_wins_over_every_fill_with_near_caches(server: &Server) {
    check(server, true);
}
