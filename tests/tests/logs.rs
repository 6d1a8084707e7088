//! Who listens to the log is code of the user's, which can use the cache that it hears of (hazards 16 and 23).

use std::path::Path;

use cacheado::backends::SharedMemory;
use cacheado::prelude::*;
use cacheado_tests::wait::in_time;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Level, Metadata, Subscriber};

/// Reports what the cache has counted with each warning.
struct Reporting(Cache);

impl Subscriber for Reporting {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        assert_eq!(event.metadata().target(), "cacheado");
        assert_eq!(explained(&self.0, 7), 7);
        assert!(self.0.stats_by_function().len() > 1);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[cached(cache = cache, skip(cache))]
fn explained(cache: &Cache, n: u8) -> u8 {
    n
}

#[cached(cache = cache, skip(cache), local)]
fn stays(cache: &Cache, n: u8) -> u8 {
    n
}

#[test]
fn hazard_23_who_is_told_that_values_stay_here_can_ask_the_cache() {
    in_time(|| {
        let cache = Cache::builder().backend(SharedMemory::new()).build().unwrap();
        with_default(Reporting(cache.clone()), || assert_eq!(stays(&cache, 1), 1));
        assert_eq!(explained_cache(&cache).stats().misses, 1, "it was told");
    });
}

/// What every module says that logs, so that a filter need not know of modules.
#[test]
fn all_events_have_one_target() {
    let mut events = 0;
    for folder in ["../cacheado/src", "../cacheado-backends/src"] {
        each_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut |path, text| {
            for level in ["error", "warn", "info", "debug", "trace"] {
                for event in text.split(&format!("tracing::{level}!(")).skip(1) {
                    events += 1;
                    assert!(event.trim_start().starts_with("target: \"cacheado\","), "{}", path.display());
                }
            }
        });
    }
    assert!(events > 20, "{events}");
}

fn each_file(folder: &Path, see: &mut dyn FnMut(&Path, &str)) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, see);
        } else {
            see(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}
