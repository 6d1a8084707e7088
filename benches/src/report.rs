//! What is printed.

use std::fs;
use std::thread::available_parallelism;

use crate::bounds::Bound;
use crate::harness::Measured;
use crate::options::Options;

/// The libraries compared in memory.
pub(crate) const IN_MEMORY: [&str; 5] = ["cacheado", "cached", "quick_cache", "moka", "dashmap"];

/// Where it is measured, and what: packages of the lock file, and what else there is to name.
pub(crate) fn machine(packages: &[&str], more: &[String]) {
    let cores = available_parallelism().map_or(0, usize::from);
    let mut subjects = versions(packages);
    subjects.extend_from_slice(more);
    println!("machine: {}, {cores} cores; {}; {}", processor(), env!("BUILT_BY"), subjects.join(", "));
}

/// What the figures that follow are.
pub(crate) fn rounds(options: &Options) {
    println!("each figure: the median of {} rounds of {} calls a thread\n", options.rounds, options.calls);
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.to_owned())
}

/// The versions in the lock file of these packages.
fn versions(listed: &[&str]) -> Vec<String> {
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));
    let packages = lock.split("[[package]]");
    let field = |package: &str, field: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(" = \""));
        line.map(|value| value.trim_end_matches('"').to_owned())
    };
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

/// One workload, in the unit that its figures are read best in.
pub(crate) fn table(name: &str, results: &[Measured]) {
    let subjects = || results.iter().filter(|result| SUBJECTS.contains(&result.name));
    let (unit, size) = unit(results);
    println!("## {name}\n");
    for subject in subjects() {
        print!("| {} / it ", subject.name);
    }
    println!("| contender                      | {unit}/op  | fastest | spread |");
    for subject in subjects() {
        print!("|{:->1$}", ":", subject.name.len() + 7);
    }
    println!("|--------------------------------|-------:|--------:|-------:|");
    for result in results {
        let (median, fastest, spread) = (result.median() / size, result.fastest() / size, result.spread());
        for subject in subjects() {
            print!("| {:>1$.2} ", subject.median() / result.median(), subject.name.len() + 5);
        }
        println!("| {:<30} | {median:>6.1} | {fastest:>7.1} | {spread:>4.0} % |", result.name);
    }
    println!();
}

/// The unit of time that suits these results, and how many nanoseconds it is.
fn unit(results: &[Measured]) -> (&'static str, f64) {
    if results.iter().all(|result| result.median() >= 1e3) { ("µs", 1e3) } else { ("ns", 1.0) }
}

/// Those that the others are compared with.
const SUBJECTS: [&str; 3] = ["cacheado", "cacheado without ttl", "among many"];

/// The bounds of all workloads.
pub(crate) fn bounds(bounds: &[(String, Bound)]) {
    println!("## bounds\n");
    for (workload, bound) in bounds {
        let Bound { subject, peer, limit, ratio } = bound;
        let verdict = if bound.is_met() { "met   " } else { "MISSED" };
        println!("{verdict} {workload:<12} {subject} / {peer}: {ratio:.2}, at most {limit:.2}");
    }
}
