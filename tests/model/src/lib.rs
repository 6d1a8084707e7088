//! Model checks: thread schedules of the engine, explored by shuttle. See `scripts/model-check.sh`.
//!
//! Without `--cfg shuttle` this package is empty.

#![cfg(shuttle)]

#[cfg(test)]
mod eviction;
#[cfg(test)]
mod flight;

/// Runs `check` under random schedules and under schedules with few preemptions, which between them find
/// most races. A failure prints its schedule.
#[cfg(test)]
fn explore(check: impl Fn() + Send + Sync + Clone + 'static) {
    let iterations = std::env::var("ITERATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(3_000);
    shuttle::check_random(check.clone(), iterations);
    shuttle::check_pct(check, iterations, 3);
}

/// A value and the moment at which its computation began, on the counter that stands for the outside world.
#[cfg(test)]
type Version = u64;
