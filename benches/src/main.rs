//! cacheado beside its peers: what a hit costs, in memory and over servers, and an eviction.
//!
//! | module | subject |
//! |---|---|
//! | `options` | the command line |
//! | `workloads` | keys, values, the access order, and the body that must not run |
//! | `contenders` | a hit in memory by cacheado and by each peer, one file a library |
//! | `harness` | rounds that interleave the contenders, on one thread and on several |
//! | `remote` | hits and puts over real servers, beside the bare clients |
//! | `evict` | evictions of a scope, with few and with many other entries |
//! | `bounds` | what the figures should be |
//! | `report` | what is printed |
//! | `compile` | what a hundred annotated functions cost to build, in time and in bytes |
//! | `callgrind` | an exact number of hits, for counting instructions |

mod bounds;
mod callgrind;
mod compile;
mod contenders;
mod evict;
mod harness;
mod options;
mod remote;
mod report;
mod workloads;

use std::process::ExitCode;

use bounds::{Bound, Limit};
use contenders::Contender;
use harness::Measured;
use options::{Command, Options};
use workloads::Key;

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Ok(Command::Hits(options)) => hits(&options),
        Ok(Command::Remote(options)) => remote::run(&options),
        Ok(Command::Evict { options, others }) => evict::run(&options, others),
        Ok(Command::Compile(options)) => compile::run(options.rounds, &options.only).map(drop),
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
    report::machine(&report::IN_MEMORY, &[]);
    report::rounds(options);
    let mut met = Vec::new();
    for threads in [1, 2] {
        let limits = bounds::in_memory(threads);
        let (structs, numbers) = (contenders::structs(), contenders::numbers());
        let name = |kind| format!("hit/{kind}/{threads}");
        compare(&name("struct"), structs, &workloads::struct_keys(), threads, options, &limits, &mut met)?;
        compare(&name("u64"), numbers, &workloads::number_keys(), threads, options, &limits, &mut met)?;
    }
    report::bounds(&met);
    Ok(())
}

/// Measures one workload, if it is wanted, prints its table, and adds its bounds.
fn compare<K: Key>(
    name: &str,
    mut contenders: Vec<Contender<K>>,
    keys: &[K],
    threads: usize,
    options: &Options,
    limits: &[Limit],
    met: &mut Vec<(String, Bound)>,
) -> Result<(), String> {
    contenders.retain(|contender| contender.name.contains(&options.only));
    if !options.wants(name) || contenders.is_empty() {
        return Ok(());
    }
    let results: Vec<Measured> = harness::measure(&contenders, keys, threads, options)?;
    report::table(name, &results);
    met.extend(bounds::of(&results, limits).into_iter().map(|bound| (name.to_owned(), bound)));
    Ok(())
}
