//! Bounds of computations, where what is asked about an outcome computes as well.

use std::sync::OnceLock;
use std::thread;

use cacheado::prelude::*;
use cacheado_tests::wait::{Watched, in_time, until};

use crate::computations::{Stage, quick};
use crate::scopes;

static STAGE: OnceLock<&'static Stage> = OnceLock::new();

/// Is part of the body whose outcome it is asked about.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is given a reference")]
fn is_wanted(value: &usize) -> bool {
    STAGE.get().is_some_and(|stage| quick(stage, "acme", *value) == *value)
}

#[cached(cache = stage.cache, skip(stage), scope = "organization", cache_if = is_wanted)]
fn judged(stage: &'static Stage, org_id: &str) -> usize {
    let _ = org_id;
    stage.runs.next();
    stage.wait_for_the_gate();
    7
}

#[cached(cache = stage.cache, skip(stage), scope = "organization")]
fn asking(stage: &'static Stage, org_id: &str) -> usize {
    judged(stage, org_id)
}

#[test]
fn hazard_23_who_is_asked_about_an_outcome_needs_no_place_of_its_own() {
    in_time(|| {
        let stage = *STAGE.get_or_init(|| Stage::leaked(1));
        let first = thread::spawn(|| judged(stage, "acme"));
        until("the first runs", || stage.runs.get() == 1);
        let (told, who) = std::sync::mpsc::channel();
        let second = thread::spawn(move || {
            told.send(Watched::this()).unwrap();
            // It has the place next, and then waits for the outcome.
            asking(stage, "acme")
        });
        let second_waits = who.recv().unwrap();
        until("the second waits", || stage.cache.stats().misses == 2 && second_waits.sleeps());
        stage.open();
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (7, 7));
        assert_eq!(stage.runs.get(), 1, "the second is served with the first one's outcome");
    });
}
