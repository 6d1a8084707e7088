//! Async hits in memory, beside a sync one.

use super::{rounds, wanted};
use crate::contenders;
use crate::harness;
use crate::options::Options;
use crate::plots::{bars, medians};
use crate::report::{Comparison, Report};
use crate::workloads::struct_keys;

/// On one thread and on two. An error if a measured call was not a hit.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let effort = options.effort((31, 100_000), (15, 25_000));
    report.introduce(&format!(
        "{} Each future is polled where it is made. hitbox keeps JSON, which each of its hits reads.",
        rounds(effort)
    ));
    for threads in [1, 2] {
        let name = format!("async/struct/{threads}");
        let contenders = wanted(options, contenders::asynchronous());
        if !options.wants(&name) || contenders.is_empty() {
            continue;
        }
        let results = harness::hits(&contenders, &struct_keys(), threads, effort)?;
        report.compare(&Comparison::new(&name, &results).of(&["cacheado async", "cacheado"]));
        if threads == 1 {
            report.plot(bars(
                "async",
                "Async hits, struct values, 1 thread",
                "ns a call",
                &medians(&results),
            )?);
        }
    }
    Ok(())
}
