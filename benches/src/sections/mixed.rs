//! Hits and misses as a service has them: keys by Zipf's law, of which there are more than the cache holds.

use super::{rounds, wanted};
use crate::contenders::bounded::{self, MIXED};
use crate::harness::{self, Bodies, Calls};
use crate::options::Options;
use crate::plots::{bars, medians};
use crate::report::{Comparison, Report};
use crate::workloads::struct_key;
use crate::zipf::Zipf;

/// How many distinct keys there are: ten times as many as fit.
const KEYS: usize = 10 * MIXED;

/// How much more often the first is asked for than those behind it: so that about one call in twenty misses.
const SKEW: f64 = 1.25;

const SUBJECTS: [&str; 2] = ["cacheado", "cacheado Adaptive"];

/// On one thread and on two.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let effort = options.effort((31, 100_000), (11, 50_000));
    report.introduce(&format!(
        "{} {KEYS} keys by Zipf's law with an exponent of {SKEW}, caches of {MIXED} entries. A miss runs the body \
         and stores its value.",
        rounds(effort)
    ));
    let zipf = Zipf::new(KEYS, SKEW);
    for threads in [1, 2] {
        let name = format!("mixed/zipf/{threads}");
        let contenders = wanted(options, bounded::mixed());
        if !options.wants(&name) || contenders.is_empty() {
            continue;
        }
        let draw = |seed: u64, calls: usize| {
            let mut random = fastrand::Rng::with_seed(seed);
            (0..calls).map(|_| struct_key(zipf.draw(&mut random) as u64)).collect::<Vec<_>>()
        };
        let filling = draw(u64::MAX, 20 * KEYS);
        for contender in &contenders {
            (contender.run)(&filling);
        }
        let fresh =
            |thread: usize, round: usize| draw((round * threads + thread) as u64, effort.calls as usize);
        let calling = Calls { threads, effort, draw: &fresh, bodies: Bodies::Sometimes };
        let results = harness::measure(&contenders, &calling)?;
        let rates = results.iter().map(|result| format!("{:.1} %", (1.0 - result.computed) * 100.0));
        report.compare(&Comparison::new(&name, &results).of(&SUBJECTS).with("hits", rates));
        let title = format!("Zipf's law, one call in twenty misses, threads: {threads}");
        report.plot(bars(&format!("mixed-{threads}"), &title, "ns a call", &medians(&results))?);
    }
    Ok(())
}
