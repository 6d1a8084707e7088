//! What can be measured, a file each. A section adds tables, plots and figures to the report, in an order of its own;
//! which of the figures are goals stands in `report/goals.rs`.
//!
//! Another one is a function of this shape, and a line in [`ALL`].

mod asynchronous;
mod bytes;
mod compile;
mod evict;
mod hit;
mod many;
mod miss;
mod mixed;
mod remote;
mod stampede;
mod traces;

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use crate::contenders::Contender;
use crate::options::{Effort, Options};
use crate::report::Report;

/// What can be measured.
pub(crate) struct Section {
    /// As the command line says it.
    pub(crate) name: &'static str,
    title: &'static str,
    /// An error if there is nothing to report, because something failed or is missing.
    run: fn(&Options, &mut Report) -> Result<(), String>,
}

/// All sections, in the order of the report.
pub(crate) const ALL: [Section; 11] = [
    Section { name: "hit", title: "Hits in memory", run: hit::run },
    Section { name: "async", title: "Async hits in memory", run: asynchronous::run },
    Section { name: "miss", title: "Misses and insertions", run: miss::run },
    Section { name: "mixed", title: "Hits and misses, mixed", run: mixed::run },
    Section { name: "stampede", title: "Stampedes", run: stampede::run },
    Section { name: "bytes", title: "Bytes an entry", run: bytes::run },
    Section { name: "traces", title: "Hit rates on traces", run: traces::run },
    Section { name: "evict", title: "Evicting a scope", run: evict::run },
    Section { name: "remote", title: "Hits and puts over servers", run: remote::run },
    Section { name: "compile", title: "Building a hundred functions", run: compile::run },
    // Last, as its caches stay.
    Section { name: "many", title: "Hits among many entries", run: many::run },
];

/// The names of all sections.
pub(crate) fn names() -> String {
    ALL.map(|section| section.name).join(", ")
}

/// Runs what is wanted. Which sections failed; the others have run all the same.
pub(crate) fn run(options: &Options, report: &mut Report) -> Vec<&'static str> {
    let mut failed = Vec::new();
    for section in &ALL {
        if !options.sections.is_empty() && !options.sections.iter().any(|name| name == section.name) {
            report.left_out(section.title);
            continue;
        }
        report.begin(section.title);
        // A server that is missing is told by a panic that names the line to run.
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| (section.run)(options, report)));
        if let Err(why) = outcome.unwrap_or_else(|panic| Err(message(&*panic))) {
            report.failed(why);
            failed.push(section.name);
        }
    }
    failed
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

/// Those of these that are wanted.
fn wanted<K>(options: &Options, mut contenders: Vec<Contender<K>>) -> Vec<Contender<K>> {
    contenders.retain(|contender| options.wants_contender(contender.name));
    contenders
}

/// What the figures that follow are.
fn rounds(effort: Effort) -> String {
    format!("Each figure: the median of {} rounds of {} calls a thread.", effort.rounds, effort.calls)
}
