//! Every way to evict against every way to fill, over what needs no server. See `cacheado_tests::fencing`; the
//! same over Redis and MongoDB is in `servers`.

use cacheado::backends::SharedMemory;
use cacheado::testing::FlakyBackend;
use cacheado_tests::fencing::Stage;
use cacheado_tests::wait::on_threads;

/// So few that a cell that waits for another shows.
const THREADS: usize = 2;

fn all_hold(stage: impl FnOnce() -> Stage + Send + 'static) {
    on_threads(THREADS, || async { stage().every_eviction_wins_over_every_fill().await });
}

fn native() -> [SharedMemory; 2] {
    let server = SharedMemory::new();
    [server.clone(), server]
}

/// The small contract alone.
fn emulated() -> [FlakyBackend<SharedMemory>; 2] {
    let server = FlakyBackend::new(SharedMemory::new());
    [server.clone(), server]
}

#[test]
fn hazard_21_every_eviction_wins_over_every_fill_in_memory() {
    all_hold(Stage::memory);
}

#[test]
fn hazard_21_every_eviction_wins_over_every_fill_on_a_server() {
    all_hold(|| Stage::over(native(), false));
}

#[test]
fn hazard_32_every_eviction_wins_over_every_fill_with_near_caches() {
    all_hold(|| Stage::over(native(), true));
}

#[test]
fn hazard_21_every_eviction_wins_over_every_fill_on_a_server_of_seven_operations() {
    all_hold(|| Stage::over(emulated(), false));
}
