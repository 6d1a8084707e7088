//! What things should cost, in ratios that hold on any machine.

use std::fmt::Write as _;

use super::Report;
use crate::contenders::bounded::INSERT;

/// One goal.
struct Goal {
    what: &'static str,
    of: Of,
    bound: Bound,
}

/// Where its figure comes from.
enum Of {
    /// In this workload, what the first took in parts of what the second took.
    Ratio(&'static str, &'static str, &'static str),
    /// A figure that a section tells.
    Figure(&'static str, &'static str),
}

enum Bound {
    AtMost(f64),
    Above(f64),
}

use Bound::{Above, AtMost};
use Of::{Figure, Ratio};

const fn goal(what: &'static str, of: Of, bound: Bound) -> Goal {
    Goal { what, of, bound }
}

const BARE: &str = "redis, bare";

/// All of them. A goal of something that was not run is named as such.
const ALL: [Goal; 31] = [
    goal(
        "hit of a struct / quick_cache's bare borrowed get, 1 thread",
        Ratio("hit/struct/1", "cacheado", "quick_cache"),
        AtMost(0.8),
    ),
    goal("… 2 threads", Ratio("hit/struct/2", "cacheado", "quick_cache"), AtMost(0.8)),
    goal(
        "hit of a `u64` / `#[concurrent_cached]` unbounded, 1 thread",
        Ratio("hit/u64/1", "cacheado", "#[concurrent_cached] unbounded"),
        AtMost(1.5),
    ),
    goal("… 2 threads", Ratio("hit/u64/2", "cacheado", "#[concurrent_cached] unbounded"), AtMost(1.5)),
    goal(
        "hit of a struct / `#[cached]`, 1 thread",
        Ratio("hit/struct/1", "cacheado", "#[cached]"),
        AtMost(0.5),
    ),
    goal("… 2 threads", Ratio("hit/struct/2", "cacheado", "#[cached]"), AtMost(0.25)),
    goal(
        "hit of a struct / `#[concurrent_cached]`, 1 thread",
        Ratio("hit/struct/1", "cacheado", "#[concurrent_cached]"),
        AtMost(0.5),
    ),
    goal("… 2 threads", Ratio("hit/struct/2", "cacheado", "#[concurrent_cached]"), AtMost(0.5)),
    goal(
        "async hit / sync hit, 1 thread",
        Ratio("async/struct/1", "cacheado async", "cacheado"),
        AtMost(1.2),
    ),
    goal("… 2 threads", Ratio("async/struct/2", "cacheado async", "cacheado"), AtMost(1.2)),
    goal(
        "miss, body and store / the body and quick_cache's insert, 1 thread",
        Ratio("miss/struct/1", "cacheado", INSERT),
        AtMost(1.0),
    ),
    goal("… 2 threads", Ratio("miss/struct/2", "cacheado", INSERT), AtMost(1.0)),
    goal(
        "… 1 thread, without a scope",
        Ratio("miss/struct/1", "cacheado without scope", INSERT),
        AtMost(1.0),
    ),
    goal("bytes an entry / moka's", Ratio("bytes/entry", "cacheado", "moka"), AtMost(1.2)),
    goal("… with a scope", Ratio("bytes/entry", "cacheado with scope", "moka"), AtMost(1.2)),
    goal(
        "hit rate of `Adaptive` below the best of LRU, quick_cache and moka: sprite",
        Figure("trace/sprite", "shortfall"),
        AtMost(0.002),
    ),
    goal("… 2_pools", Figure("trace/2_pools", "shortfall"), AtMost(0.002)),
    goal("… gcc", Figure("trace/gcc", "shortfall"), AtMost(0.002)),
    goal("… web07", Figure("trace/web07", "shortfall"), AtMost(0.002)),
    goal("… web12", Figure("trace/web12", "shortfall"), AtMost(0.002)),
    goal(
        "average hit rate of `Adaptive` less the best average of those three",
        Figure("trace/average", "lead"),
        Above(0.0),
    ),
    goal("async hit over Redis / bare client, 1 task", Ratio("redis/hit/1", "cacheado", BARE), AtMost(1.1)),
    goal("… 64 tasks", Ratio("redis/hit/64", "cacheado", BARE), AtMost(1.25)),
    goal(
        "sync hit over Redis / `#[concurrent_cached]`",
        Ratio("redis/hit sync", "cacheado", "#[concurrent_cached]"),
        AtMost(1.0),
    ),
    goal("… / bare client", Ratio("redis/hit sync", "cacheado", BARE), AtMost(1.3)),
    goal(
        "hit on a near copy / hit in memory",
        Ratio("near/hit", "cacheado", "cacheado in memory"),
        AtMost(1.05),
    ),
    goal(
        "evicting a scope among many others / among few, memory",
        Figure("evict/memory", "growth"),
        AtMost(2.0),
    ),
    goal("… Redis", Figure("evict/redis", "growth"), AtMost(2.0)),
    goal("… MongoDB", Figure("evict/mongodb", "growth"), AtMost(2.0)),
    goal(
        "time to build 100 annotated functions / of `cached`, dev",
        Ratio("compile/dev", "cacheado", "cached"),
        AtMost(0.8),
    ),
    goal("… release", Ratio("compile/release", "cacheado", "cached"), AtMost(0.8)),
];

impl Goal {
    fn reached(&self, report: &Report) -> Option<Reached> {
        match self.of {
            Ratio(workload, subject, peer) => {
                let (ours, peers) = (report.row(workload, subject)?, report.row(workload, peer)?);
                let fastest = ours.fastest / peers.fastest;
                let spread = ours.spread.max(peers.spread);
                Some(Reached { figure: ours.value / peers.value, noise: Some(Noise { fastest, spread }) })
            }
            Figure(workload, name) => {
                report.figure_of(workload, name).map(|figure| Reached { figure, noise: None })
            }
        }
    }
}

/// What came out.
struct Reached {
    /// By the medians, where it is a ratio of times.
    figure: f64,
    noise: Option<Noise>,
}

/// How far a ratio can be trusted.
struct Noise {
    /// The ratio by the fastest rounds.
    fastest: f64,
    /// The greater spread of the two, in per cent; none where nothing was timed.
    spread: f64,
}

impl Bound {
    fn holds(&self, figure: f64) -> bool {
        match *self {
            AtMost(most) => figure <= most,
            Above(least) => figure > least,
        }
    }
}

/// Which of them are met.
pub(super) fn table(report: &Report) -> String {
    let mut table =
        String::from("| | goal | figure | fastest | spread | bound |\n|---|---|---:|---:|---:|---:|\n");
    for goal in &ALL {
        let digits =
            if matches!(goal.of, Figure(workload, _) if workload.starts_with("trace")) { 4 } else { 2 };
        let reached = goal.reached(report);
        let verdict = match &reached {
            Some(reached) if goal.bound.holds(reached.figure) => "met",
            Some(_) => "**missed**",
            None => "not run",
        };
        let figure =
            reached.as_ref().map_or("–".to_owned(), |reached| format!("{:.digits$}", reached.figure));
        let noise = reached.and_then(|reached| reached.noise).filter(|noise| noise.spread > 0.0);
        let (fastest, spread) = match noise {
            Some(noise) => (format!("{:.2}", noise.fastest), format!("{:.0} %", noise.spread)),
            None => (String::new(), String::new()),
        };
        let bound = match goal.bound {
            AtMost(most) => format!("≤ {most}"),
            Above(least) => format!("> {least}"),
        };
        let _ = writeln!(table, "| {verdict} | {} | {figure} | {fastest} | {spread} | {bound} |", goal.what);
    }
    format!(
        "{}\n\nWhether one is met is decided by the medians. Beside them: the same ratio by the fastest rounds, and the \
         greater of the two spreads. Above some 10 %, the machine was busy.",
        table.trim_end()
    )
}
