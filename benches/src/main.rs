//! cacheado beside its peers: what a hit costs.
//!
//! | module | subject |
//! |---|---|
//! | `options` | the command line |
//! | `workloads` | keys, values, the access order, and the body that must not run |
//! | `contenders` | the same job done by cacheado and by each peer, one file a library |
//! | `harness` | rounds that interleave the contenders, on one thread and on several |
//! | `bounds` | what the figures should be |
//! | `report` | what is printed |
//! | `callgrind` | an exact number of hits, for counting instructions |

mod bounds;
mod callgrind;
mod contenders;
mod harness;
mod options;
mod report;
mod workloads;

use std::process::ExitCode;

use bounds::Bound;
use contenders::Contender;
use harness::Measured;
use options::{Command, Options};
use workloads::Key;

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Ok(Command::Hits(options)) => hits(&options),
        Ok(Command::Callgrind { contender, hits }) => callgrind::run(&contender, hits),
        Ok(Command::Help) => {
            print!("{}", options::HELP);
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

/// Every hit workload on every number of threads. An error if a measured call was not a hit.
fn hits(options: &Options) -> Result<(), String> {
    report::machine(options);
    let mut bounds = Vec::new();
    for threads in [1, 2] {
        hit("hit/struct", &contenders::structs(), &workloads::struct_keys(), threads, options, &mut bounds)?;
        hit("hit/u64", &contenders::numbers(), &workloads::number_keys(), threads, options, &mut bounds)?;
    }
    report::bounds(&bounds);
    Ok(())
}

fn hit<K: Key>(
    workload: &str,
    contenders: &[Contender<K>],
    keys: &[K],
    threads: usize,
    options: &Options,
    bounds: &mut Vec<(String, Bound)>,
) -> Result<(), String> {
    let name = format!("{workload}/{threads}");
    if !name.contains(&options.filter) {
        return Ok(());
    }
    let results: Vec<Measured> = harness::measure(contenders, keys, threads, options)?;
    report::table(&name, &results);
    bounds.extend(bounds::of(&results, threads).into_iter().map(|bound| (name.clone(), bound)));
    Ok(())
}
