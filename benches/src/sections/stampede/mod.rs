//! Stampedes: many ask for one key that is not there. How long until all have it, and how often the body runs.
//!
//! | file | subject |
//! |---|---|
//! | `threads` | functions and stores that block those who wait |
//! | `tasks` | those that let other tasks run meanwhile |

mod tasks;
mod threads;

use std::time::Duration;

use crate::measured::Measured;
use crate::options::Options;
use crate::report::{Comparison, Report};

/// What the body takes: it waits, as for a database.
const BODY: Duration = Duration::from_millis(5);

const THREADS: usize = 8;
const TASKS: usize = 64;

/// The bound of every cache.
const CAPACITY: usize = 100_000;

/// How long every value is stored.
const TTL: Duration = Duration::from_mins(5);

/// One round of one contender: how long it took until all callers had the value, and how many bodies ran.
struct Stampede {
    took: Duration,
    bodies: u64,
}

/// On threads, and on tasks.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let rounds = options.effort((31, 1), (7, 1)).rounds;
    report.introduce(&format!(
        "Each figure: the median of {rounds} stampedes for a key that is not there, over a body that waits for \
         {} ms. `bodies` is how many ran in a stampede, on average: more than one is work that was done twice.",
        BODY.as_millis()
    ));
    if options.wants("stampede/threads") {
        let results = measure(&threads::contenders(), options, rounds, threads::stampede);
        tell(report, &format!("stampede/threads/{THREADS}"), &results);
    }
    if options.wants("stampede/tasks") {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let results = measure(&tasks::contenders(), options, rounds, |ask, key| {
            runtime.block_on(tasks::stampede(ask, key))
        });
        tell(report, &format!("stampede/tasks/{TASKS}"), &results);
    }
    Ok(())
}

/// Another key in each round.
fn measure<A>(
    contenders: &[(&'static str, A)],
    options: &Options,
    rounds: usize,
    stampede: impl Fn(&A, u64) -> Stampede,
) -> Vec<Measured> {
    let wanted: Vec<_> = contenders.iter().filter(|(name, _)| options.wants_contender(name)).collect();
    let mut times = vec![Vec::new(); wanted.len()];
    let mut bodies = vec![0; wanted.len()];
    for round in 0..rounds {
        for step in 0..wanted.len() {
            let contender = (round + step) % wanted.len();
            let one = stampede(&wanted[contender].1, round as u64);
            times[contender].push(one.took.as_secs_f64() * 1e9);
            bodies[contender] += one.bodies;
        }
    }
    let measured = wanted.iter().zip(times).zip(bodies);
    measured
        .map(|(((name, _), times), bodies)| {
            Measured::new(name, times).computing(bodies as f64 / rounds as f64)
        })
        .collect()
}

fn tell(report: &mut Report, name: &str, results: &[Measured]) {
    if !results.is_empty() {
        let bodies = results.iter().map(|result| format!("{:.1}", result.computed));
        report.compare(&Comparison::new(name, results).with("bodies", bodies));
    }
}
