//! Rounds: each runs every contender once, one after the other, so that whatever disturbs the machine
//! disturbs all of them.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::contenders::Contender;
use crate::options::Options;
use crate::workloads::{Key, computed, order};

/// One contender's rounds.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// Nanoseconds a call in each round, ascending.
    rounds: Vec<f64>,
}

impl Measured {
    /// What these rounds took, in nanoseconds a call.
    pub(crate) fn new(name: &'static str, mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        Self { name, rounds }
    }

    /// The median round.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(1, 2)
    }

    /// The distance between the quartiles, in per cent of the median: how noisy the machine was.
    pub(crate) fn spread(&self) -> f64 {
        (self.quantile(3, 4) - self.quantile(1, 4)) / self.median() * 100.0
    }

    /// The fastest round.
    pub(crate) fn fastest(&self) -> f64 {
        self.quantile(0, 1)
    }

    fn quantile(&self, part: usize, of: usize) -> f64 {
        self.rounds[(self.rounds.len() - 1) * part / of]
    }
}

/// Runs the contenders against each other on `threads` threads. An error if one of them was not hit.
///
/// The threads live through all rounds, and meet before each run. A run takes as long as its slowest
/// thread, divided by the calls of one thread.
pub(crate) fn measure<K: Key>(
    contenders: &[Contender<K>],
    keys: &[K],
    threads: usize,
    options: &Options,
) -> Result<Vec<Measured>, String> {
    for contender in contenders {
        (contender.fill)(keys);
        let before = computed();
        (contender.run)(keys);
        if computed() != before {
            return Err(format!("{}: a key that was filled is not hit", contender.name));
        }
    }

    let before = computed();
    let barrier = Barrier::new(threads);
    let times: Vec<Vec<(usize, Duration)>> = thread::scope(|scope| {
        let workers: Vec<_> = (0_u64..)
            .take(threads)
            .map(|seed| {
                let barrier = &barrier;
                scope.spawn(move || {
                    work(contenders, &order(keys, options.calls as usize, seed), barrier, options)
                })
            })
            .collect();
        let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
        joined.collect::<Result<_, _>>().map_err(|_| "a contender panicked".to_owned())
    })?;
    if computed() != before {
        return Err("a measured call was not a hit".to_owned());
    }

    let mut rounds = vec![Vec::new(); contenders.len()];
    for run in 0..times[0].len() {
        let (contender, _) = times[0][run];
        let slowest = times.iter().map(|thread| thread[run].1).max().unwrap_or_default();
        rounds[contender].push(slowest.as_secs_f64() * 1e9 / f64::from(options.calls));
    }
    let names = contenders.iter().map(|contender| contender.name);
    Ok(names.zip(rounds).map(|(name, rounds)| Measured::new(name, rounds)).collect())
}

/// One thread's part: which contender ran, and how long it took, run by run.
fn work<K: Key>(
    contenders: &[Contender<K>],
    calls: &[K],
    barrier: &Barrier,
    options: &Options,
) -> Vec<(usize, Duration)> {
    let runs = (0..options.rounds).flat_map(|round| {
        // Another one goes first in each round.
        (0..contenders.len()).map(move |step| (round + step) % contenders.len())
    });
    runs.map(|contender| {
        let run = &contenders[contender].run;
        barrier.wait();
        let start = Instant::now();
        run(calls);
        (contender, start.elapsed())
    })
    .collect()
}
