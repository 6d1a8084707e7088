//! Bytes an entry takes, told by `cacheado-bytes`, which counts what is allocated.

use std::env;
use std::process::{Command, Stdio};

use crate::measured::Measured;
use crate::options::Options;
use crate::plots::{bars, medians};
use crate::report::{Comparison, Report};

const WORKLOAD: &str = "bytes/entry";

/// As in `bytes/caches.rs`.
const CACHES: [&str; 8] = [
    "cacheado",
    "cacheado with scope",
    "cacheado Adaptive",
    "moka",
    "quick_cache",
    "cached LruTtlCache",
    "cached ShardedLruTtlCache",
    "dashmap",
];

const SUBJECTS: [&str; 2] = ["cacheado", "cacheado with scope"];

/// Each cache in a process of its own.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    if !options.wants(WORKLOAD) {
        return Ok(());
    }
    report.introduce(
        "Bytes allocated and not freed, an entry, after a cache of 100 000 entries was given 400 000 keys: its tables, \
         lists and queues, the key and the value. Keys are strings of 32 bytes, values an `Arc` of 8 (24 with its \
         counters). moka, `cached` and ours have a time to live. The allocator's own waste is not counted.",
    );
    let (mut results, mut entries) = (Vec::new(), Vec::new());
    for name in CACHES.into_iter().filter(|name| options.wants_contender(name)) {
        let (bytes, held) = count(name)?;
        if held == 0 {
            return Err(format!("{name} holds nothing"));
        }
        results.push(Measured::new(name, vec![bytes as f64 / held as f64]));
        entries.push(held.to_string());
    }
    report.compare(
        &Comparison::new(WORKLOAD, &results).of(&SUBJECTS).in_bytes().with("entries", entries.into_iter()),
    );
    report.plot(bars("bytes", "Memory an entry, key of 32 bytes", "bytes", &medians(&results))?);
    Ok(())
}

/// Live bytes and entries. The program is built here, as `cargo run` builds one alone.
fn count(name: &str) -> Result<(u64, u64), String> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["run", "--quiet", "--locked", "--release", "--bin", "cacheado-bytes", "--", name]);
    let output = cargo.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cargo does not start, to run cacheado-bytes: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let counted = said.trim().split_once(' ');
    let counted = counted.and_then(|(bytes, entries)| bytes.parse().ok().zip(entries.parse().ok()));
    counted.ok_or_else(|| format!("cacheado-bytes told nothing of {name}: {}", output.status))
}
