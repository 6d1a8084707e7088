//! Rounds: each runs every contender once, one after the other, so that whatever disturbs the machine
//! disturbs all of them.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::bodies;
use crate::contenders::Contender;
use crate::measured::Measured;
use crate::options::Effort;
use crate::workloads::{Key, order};

/// Which calls are to run the body. If others do, nothing was measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    Never,
    Always,
    Sometimes,
}

/// What the contenders are asked for.
pub(crate) struct Calls<'a, K> {
    pub(crate) threads: usize,
    pub(crate) effort: Effort,
    /// The keys that a thread asks for in a round, the same for all contenders.
    pub(crate) draw: &'a (dyn Fn(usize, usize) -> Vec<K> + Sync),
    pub(crate) bodies: Bodies,
}

/// Runs the contenders against each other on keys that they hold. An error if one of them was not hit.
pub(crate) fn hits<K: Key>(
    contenders: &[Contender<K>],
    keys: &[K],
    threads: usize,
    effort: Effort,
) -> Result<Vec<Measured>, String> {
    for contender in contenders {
        (contender.fill)(keys);
        let before = bodies::everywhere();
        (contender.run)(keys);
        if bodies::everywhere() != before {
            return Err(format!("{}: a key that was filled is not hit", contender.name));
        }
    }
    let draw = |thread, _| order(keys, effort.calls as usize, thread as u64);
    measure(contenders, &Calls { threads, effort, draw: &draw, bodies: Bodies::Never })
}

/// Runs the contenders against each other. An error if a body ran, or did not, that should not, or should.
///
/// The threads live through all rounds, and meet before each run. A run lasts from when the first of them begins
/// until the last has finished, be it that there are more threads than cores; that is divided by the calls of one.
pub(crate) fn measure<K: Key>(
    contenders: &[Contender<K>],
    calls: &Calls<'_, K>,
) -> Result<Vec<Measured>, String> {
    let before = bodies::everywhere();
    let barrier = Barrier::new(calls.threads);
    let runs: Vec<Vec<Run>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..calls.threads)
            .map(|thread| {
                let barrier = &barrier;
                scope.spawn(move || work(contenders, calls, thread, barrier))
            })
            .collect();
        let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
        joined.collect::<Result<_, _>>().map_err(|_| "a contender panicked".to_owned())
    })?;
    if calls.bodies == Bodies::Never && bodies::everywhere() != before {
        return Err("a measured call was not a hit".to_owned());
    }

    let mut rounds = vec![Vec::new(); contenders.len()];
    let mut computed = vec![0; contenders.len()];
    let round = f64::from(calls.effort.calls);
    for step in 0..runs[0].len() {
        let contender = runs[0][step].contender;
        let start = runs.iter().map(|thread| thread[step].start).min();
        let end = runs.iter().map(|thread| thread[step].end).max();
        let took = start.zip(end).map(|(start, end)| end - start).unwrap_or_default();
        rounds[contender].push(took.as_secs_f64() * 1e9 / round);
        computed[contender] += runs.iter().map(|thread| thread[step].bodies).sum::<u64>();
    }
    let all = round * (calls.effort.rounds * calls.threads) as f64;
    let measured = contenders.iter().zip(rounds).zip(computed);
    measured
        .map(|((contender, rounds), computed)| {
            let computed = computed as f64 / all;
            if calls.bodies == Bodies::Always && computed < 1.0 {
                return Err(format!("{}: a call that was to miss was a hit", contender.name));
            }
            Ok(Measured::new(contender.name, rounds).computing(computed))
        })
        .collect()
}

/// One contender, once, on one thread.
struct Run {
    contender: usize,
    start: Instant,
    end: Instant,
    bodies: u64,
}

/// One thread's part, run by run.
fn work<K: Key>(
    contenders: &[Contender<K>],
    calls: &Calls<'_, K>,
    thread: usize,
    barrier: &Barrier,
) -> Vec<Run> {
    let mut runs = Vec::new();
    for round in 0..calls.effort.rounds {
        let keys = (calls.draw)(thread, round);
        for step in 0..contenders.len() {
            // Another one goes first in each round.
            let contender = (round + step) % contenders.len();
            let (run, before) = (&contenders[contender].run, bodies::here());
            barrier.wait();
            let start = Instant::now();
            run(&keys);
            let end = Instant::now();
            runs.push(Run { contender, start, end, bodies: bodies::here() - before });
        }
    }
    runs
}
