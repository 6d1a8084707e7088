//! Several nodes over one backend, under schedules that seeds draw: see `cacheado_tests::sim`.

use cacheado_tests::sim::{Config, Failure, Mutant, Storage, explore, run, sweep};

#[track_caller]
fn holds(config: Config, schedules: u64) {
    if let Err(failure) = explore(config, schedules) {
        show(&failure);
        panic!("CACHEADO_SIM_SEED={}: {}", failure.seed, failure.what);
    }
}

fn show(failure: &Failure) {
    for line in &failure.log {
        println!("{line}");
    }
}

#[test]
fn hazard_21_in_memory() {
    holds(Config::new(Storage::Memory), 1_000);
}

#[test]
fn hazard_21_on_a_server() {
    holds(Config::new(Storage::Native), 600);
}

#[test]
fn hazard_32_on_a_server_with_near_caches() {
    holds(Config::new(Storage::Native).near(), 600);
}

#[test]
fn hazard_21_on_a_server_of_seven_operations() {
    holds(Config::new(Storage::Emulated), 300);
}

#[test]
fn hazard_32_on_a_server_of_seven_operations_with_near_caches() {
    holds(Config::new(Storage::Emulated).near(), 300);
}

#[test]
fn hazard_22_with_rules_in_memory() {
    holds(Config::new(Storage::Memory).bounded(), 500);
}

#[test]
fn hazard_22_with_rules_on_a_server_with_near_caches() {
    holds(Config::new(Storage::Native).near().bounded(), 400);
}

#[track_caller]
fn a_drop_disturbs_nobody(config: Config) {
    match sweep(config) {
        Ok(runs) => println!("{runs} runs"),
        Err(failure) => {
            show(&failure);
            panic!("{}", failure.what);
        }
    }
}

#[test]
fn hazard_19_a_call_dropped_after_any_poll_in_memory() {
    a_drop_disturbs_nobody(Config::new(Storage::Memory));
}

#[test]
fn hazard_19_a_call_dropped_after_any_poll_on_a_server() {
    a_drop_disturbs_nobody(Config::new(Storage::Native));
}

#[test]
fn hazard_19_a_call_dropped_after_any_poll_with_near_caches() {
    a_drop_disturbs_nobody(Config::new(Storage::Native).near());
}

#[test]
fn hazard_19_a_call_dropped_after_any_poll_on_a_server_of_seven_operations() {
    a_drop_disturbs_nobody(Config::new(Storage::Emulated));
}

#[test]
fn a_seed_is_one_schedule() {
    for storage in [Storage::Memory, Storage::Native, Storage::Emulated] {
        for seed in 0..20 {
            let runs = [(); 2].map(|()| run(seed, Config::new(storage), false).ok());
            assert_eq!(runs[0], runs[1], "{storage:?} {seed}");
        }
    }
}

/// The oracle finds a defect that is put in on purpose.
#[track_caller]
fn is_found(config: Config, expected: &str) {
    let found = (0..2_000).find_map(|seed| run(seed, config, false).err());
    let failure = found.expect("no schedule shows it");
    assert!(failure.what.contains(expected), "{}", failure.what);
}

#[test]
fn a_server_without_fences_is_found() {
    is_found(Config::new(Storage::Native).with(Mutant::NoFences), "invariant 3");
    is_found(Config::new(Storage::Emulated).with(Mutant::NoFences), "invariant 3");
}

#[test]
fn a_near_cache_that_ignores_notices_is_found() {
    is_found(Config::new(Storage::Native).near().with(Mutant::Deaf), "outlived the notice");
}

#[test]
fn copies_that_live_too_long_are_found() {
    is_found(Config::new(Storage::Emulated).near().with(Mutant::LongCopies), "outlived its time");
}

#[test]
fn entries_that_never_expire_are_found() {
    is_found(Config::new(Storage::Native).with(Mutant::NoLifetimes), "expired");
}

#[test]
fn tenants_that_are_mixed_up_are_found() {
    is_found(Config::new(Storage::Native).with(Mutant::MixesTenants), "isolation");
}

#[test]
fn a_server_that_never_answers_is_found() {
    is_found(Config::new(Storage::Native).with(Mutant::Hangs), "hang");
}

#[test]
fn an_eviction_that_has_failed_is_none() {
    is_found(Config::new(Storage::Native).with(Mutant::TakesFailuresForDone), "invariant 3");
}
