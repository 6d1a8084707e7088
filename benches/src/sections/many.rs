//! Hits among a million entries, where most of what is read is in no cache of the processor.

use super::{rounds, wanted};
use crate::contenders::bounded;
use crate::harness;
use crate::options::Options;
use crate::plots::{bars, medians};
use crate::report::{Comparison, Report};
use crate::workloads::struct_key;

const ENTRIES: u64 = 1_000_000;

/// On one thread and on two. An error if a measured call was not a hit.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let effort = options.effort((31, 200_000), (11, 50_000));
    report.introduce(&format!("{} Struct values, {ENTRIES} entries, drawn uniformly.", rounds(effort)));
    for threads in [1, 2] {
        let name = format!("many/struct/{threads}");
        let contenders = wanted(options, bounded::million());
        if !options.wants(&name) || contenders.is_empty() {
            continue;
        }
        let keys: Vec<_> = (0..ENTRIES).map(struct_key).collect();
        let results = harness::hits(&contenders, &keys, threads, effort)?;
        report.compare(&Comparison::new(&name, &results));
        if threads == 1 {
            report.plot(bars(
                "many",
                "Hits among a million entries, 1 thread",
                "ns a call",
                &medians(&results),
            )?);
        }
    }
    Ok(())
}
