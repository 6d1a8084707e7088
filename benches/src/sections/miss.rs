//! Misses: each call has a new key, runs the body and stores its value, for which another entry has to leave.

use super::{rounds, wanted};
use crate::contenders::bounded::{self, MISSING};
use crate::harness::{self, Bodies, Calls};
use crate::options::Options;
use crate::plots::{bars, medians};
use crate::report::{Comparison, Report};
use crate::workloads::struct_key;

/// On one thread and on two. An error if a measured call was a hit.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let effort = options.effort((31, 50_000), (11, 20_000));
    report.introduce(&format!(
        "{} Caches of {MISSING} entries, full before it begins, over keys that nobody has asked for before. \
         What a call takes includes the body, which stands beside it alone.",
        rounds(effort)
    ));
    // Each workload has caches of its own over the same functions, so numbers go on where the last have ended.
    let mut used = 0;
    for threads in [1, 2] {
        let name = format!("miss/struct/{threads}");
        let contenders = wanted(options, bounded::missing());
        if !options.wants(&name) || contenders.is_empty() {
            continue;
        }
        let filling: Vec<_> = (used..used + 2 * MISSING as u64).map(struct_key).collect();
        used += filling.len() as u64;
        for contender in &contenders {
            (contender.run)(&filling);
        }
        let calls = u64::from(effort.calls);
        let draw = |thread: usize, round: usize| {
            let from = used + (round * threads + thread) as u64 * calls;
            (from..from + calls).map(struct_key).collect()
        };
        let calling = Calls { threads, effort, draw: &draw, bodies: Bodies::Always };
        let results = harness::measure(&contenders, &calling)?;
        used += calls * (threads * effort.rounds) as u64;
        report.compare(&Comparison::new(&name, &results).of(&["cacheado", "cacheado without scope"]));
        let title = format!("Miss, body and insertion at capacity, threads: {threads}");
        report.plot(bars(&format!("miss-{threads}"), &title, "ns a call", &medians(&results))?);
    }
    Ok(())
}
