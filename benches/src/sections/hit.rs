//! Hits in memory: small and struct values, several threads.

use super::{rounds, wanted};
use crate::contenders::{self, Contender};
use crate::harness;
use crate::measured::Measured;
use crate::options::{Effort, Options};
use crate::plots::{Axes, Line, lines};
use crate::report::{Comparison, Report};
use crate::workloads::{Key, number_keys, struct_keys};

const THREADS: [usize; 4] = [1, 2, 4, 8];

const SUBJECTS: [&str; 2] = ["cacheado", "cacheado without ttl"];

/// Every workload on every number of threads. An error if a measured call was not a hit.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let effort = options.effort((31, 200_000), (15, 50_000));
    report.introduce(&format!(
        "{} Half as many calls above 2 threads. Where there are more threads than cores, they wait for each other.",
        rounds(effort)
    ));
    over_threads(options, report, effort, "struct", &struct_keys(), contenders::structs)?;
    over_threads(options, report, effort, "u64", &number_keys(), contenders::numbers)
}

fn over_threads<K: Key>(
    options: &Options,
    report: &mut Report,
    effort: Effort,
    kind: &str,
    keys: &[K],
    contenders: fn() -> Vec<Contender<K>>,
) -> Result<(), String> {
    let mut all = Vec::new();
    for threads in THREADS {
        let name = format!("hit/{kind}/{threads}");
        let contenders = wanted(options, contenders());
        if !options.wants(&name) || contenders.is_empty() {
            continue;
        }
        let calls = if threads > 2 { effort.calls.div_ceil(2) } else { effort.calls };
        let results = harness::hits(&contenders, keys, threads, Effort { calls, ..effort })?;
        report.compare(&Comparison::new(&name, &results).of(&SUBJECTS));
        all.push((threads, results));
    }
    if all.len() > 1 {
        let axes = Axes { x: "threads", y: "ns a call of one thread", is_steep: true };
        let title = format!("Hits, {kind} values");
        report.plot(lines(&format!("hit-{kind}"), &title, axes, &by_contender(&all))?);
    }
    Ok(())
}

/// A line for each contender.
fn by_contender(all: &[(usize, Vec<Measured>)]) -> Vec<Line> {
    let names = all[0].1.iter().map(|result| result.name);
    let points = |number: usize| {
        all.iter().map(|(threads, results)| (*threads as f64, results[number].median())).collect()
    };
    names.enumerate().map(|(number, name)| Line { name, points: points(number) }).collect()
}
