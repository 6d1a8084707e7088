//! cacheado beside its peers: what it costs in time and memory, and how often it hits.
//!
//! | module | subject |
//! |---|---|
//! | `options` | the command line |
//! | `run` | a run, from the first section to the report |
//! | `sections` | what can be measured, one file a section |
//! | `contenders` | calls to cacheado and to each peer |
//! | `workloads`, `zipf` | keys and values, the access order |
//! | `bodies` | how often bodies have run, by which hits and misses are checked |
//! | `harness`, `measured` | rounds that interleave the contenders, on one thread and on several |
//! | `report` | tables, goals, and `RESULTS.md` |
//! | `plots` | the plots in it |
//! | `callgrind` | an exact number of hits, for counting instructions |
#![expect(clippy::cast_precision_loss, reason = "no count here comes near to 2^52")]

mod bodies;
mod callgrind;
mod contenders;
mod harness;
mod measured;
mod options;
mod plots;
mod report;
mod run;
mod sections;
mod workloads;
mod zipf;

use std::process::ExitCode;

use options::Command;

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Ok(Command::Run(options)) => run::run(&options),
        Ok(Command::Callgrind { contender, hits }) => callgrind::run(&contender, hits),
        Ok(Command::Help) => {
            print!("{}", options::help());
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}
