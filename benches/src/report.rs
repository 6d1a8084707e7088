//! What is printed.

use std::fs;
use std::thread::available_parallelism;

use crate::bounds::Bound;
use crate::harness::Measured;
use crate::options::Options;

/// Where it was measured, and what.
pub(crate) fn machine(options: &Options) {
    let cores = available_parallelism().map_or(0, usize::from);
    println!("machine: {}, {cores} cores; {}; {}", processor(), env!("BUILT_BY"), versions().join(", "));
    println!("each figure: the median of {} rounds of {} calls a thread\n", options.rounds, options.calls);
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.to_owned())
}

/// The versions in the lock file of the libraries compared.
fn versions() -> Vec<String> {
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));
    let packages = lock.split("[[package]]");
    let field = |package: &str, field: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(" = \""));
        line.map(|value| value.trim_end_matches('"').to_owned())
    };
    let listed = ["cacheado", "cached", "quick_cache", "moka", "dashmap"];
    let wanted = |name: &String, version: &String| {
        // Another major version of dashmap is in the tree of a peer.
        listed.contains(&name.as_str()) && (name != "dashmap" || version.starts_with("6."))
    };
    packages
        .filter_map(|package| Some((field(package, "name")?, field(package, "version")?)))
        .filter(|(name, version)| wanted(name, version))
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}

/// One workload on one number of threads.
pub(crate) fn table(name: &str, results: &[Measured]) {
    let subjects = || results.iter().filter(|result| SUBJECTS.contains(&result.name));
    println!("## {name}\n");
    for subject in subjects() {
        print!("| {} / it ", subject.name);
    }
    println!("| contender                      | ns/op  | fastest | spread |");
    for subject in subjects() {
        print!("|{:->1$}", ":", subject.name.len() + 7);
    }
    println!("|--------------------------------|-------:|--------:|-------:|");
    for result in results {
        let (median, fastest, spread) = (result.median(), result.fastest(), result.spread());
        for subject in subjects() {
            print!("| {:>1$.2} ", subject.median() / median, subject.name.len() + 5);
        }
        println!("| {:<30} | {median:>6.1} | {fastest:>7.1} | {spread:>4.0} % |", result.name);
    }
    println!();
}

/// Those that the others are compared with.
const SUBJECTS: [&str; 2] = ["cacheado", "cacheado without ttl"];

/// The bounds of all workloads.
pub(crate) fn bounds(bounds: &[(String, Bound)]) {
    println!("## bounds\n");
    for (workload, bound) in bounds {
        let Bound { subject, peer, limit, ratio } = bound;
        let verdict = if bound.is_met() { "met   " } else { "MISSED" };
        println!("{verdict} {workload:<12} {subject} / {peer}: {ratio:.2}, at most {limit:.2}");
    }
}
