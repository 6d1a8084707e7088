//! Hit rates on access traces, at the capacity that each is meant for and at others.
//!
//! | file | subject |
//! |---|---|
//! | `trace` | where they are, and how they are read |
//! | `policies` | the caches, one access after the other |
//! | `optimal` | what a cache could hit that knew the future |

mod optimal;
mod policies;
mod trace;

use crate::measured::Measured;
use crate::options::Options;
use crate::plots::{Axes, Line, lines};
use crate::report::{Comparison, Report};
use policies::{ADAPTIVE, POLICIES, Policy};
use trace::Trace;

/// The capacities of a curve, in parts of the stated one.
const PARTS: [(usize, usize); 8] = [(1, 8), (1, 4), (1, 2), (1, 1), (3, 2), (2, 1), (4, 1), (8, 1)];

/// Every trace.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    report.introduce(
        "One thread; a lookup, and where it misses an insertion. `optimal` knows the future (Belady's MIN). `LRU` is \
         ours, and exact. The peers' rates vary by some thousandths from run to run, ours do not.",
    );
    let mut traces = trace::all(options)?;
    traces.retain(|trace| options.wants(&format!("trace/{}", trace.name)));
    if traces.is_empty() {
        return Ok(());
    }
    let stated: Vec<_> = traces.iter().map(|trace| rates(trace, trace.capacity)).collect();
    summary(report, &traces, &stated);
    for (trace, rates) in traces.iter().zip(&stated) {
        curve(report, trace, rates, options.is_quick)?;
    }
    Ok(())
}

/// The hit rate of each policy at this capacity.
fn rates(trace: &Trace, capacity: usize) -> Vec<f64> {
    POLICIES
        .iter()
        .map(|policy| (policy.hits)(&trace.keys, capacity) as f64 / trace.keys.len() as f64)
        .collect()
}

/// The rates at the stated capacities, and how far `Adaptive` is from the best of those that users could take.
fn summary(report: &mut Report, traces: &[Trace], stated: &[Vec<f64>]) {
    let names: Vec<_> = POLICIES.iter().map(|policy| policy.label).collect();
    let mut table = format!(
        "### At the stated capacities\n\n| trace | accesses | distinct | capacity | {} |\n|---|{}\n",
        names.join(" | "),
        "---:|".repeat(names.len() + 3)
    );
    for (trace, rates) in traces.iter().zip(stated) {
        let start = [trace.keys.len(), trace.distinct, trace.capacity].map(|number| number.to_string());
        table += &row(&trace.name, &start, rates);
        let name = format!("trace/{}", trace.name);
        note(report, &name, rates);
        report.figure(&name, "shortfall", -lead(rates));
    }
    let averages: Vec<f64> = (0..POLICIES.len())
        .map(|policy| stated.iter().map(|rates| rates[policy]).sum::<f64>() / stated.len() as f64)
        .collect();
    table += &row("average", &[const { String::new() }; 3], &averages);
    report.figure("trace/average", "lead", lead(&averages));
    report.say(table.trim_end());
}

fn row(name: &str, start: &[String], rates: &[f64]) -> String {
    let rates = rates.iter().map(|rate| format!("{rate:.4}"));
    let cells: Vec<_> = start.iter().cloned().chain(rates).collect();
    format!("| {name} | {} |\n", cells.join(" | "))
}

/// For the list of rows in which a peer is ahead.
fn note(report: &mut Report, name: &str, rates: &[f64]) {
    let caches = POLICIES.iter().zip(rates).filter(|(policy, _)| policy.label != "optimal");
    let measured: Vec<_> = caches.map(|(policy, rate)| Measured::new(policy.name, vec![*rate])).collect();
    report.note(&Comparison::new(name, &measured).of(&[ADAPTIVE]).by_hit_rate());
}

/// `Adaptive`'s rate less the best of the others that do not know the future.
fn lead(rates: &[f64]) -> f64 {
    let of = |wanted: fn(&Policy) -> bool| {
        let some = POLICIES.iter().zip(rates).filter(move |(policy, _)| wanted(policy));
        some.map(|(_, rate)| *rate).fold(0.0, f64::max)
    };
    of(|policy| policy.name == ADAPTIVE) - of(|policy| policy.is_rival)
}

/// Hit rate against capacity. Those at the stated capacity are known.
fn curve(report: &mut Report, trace: &Trace, stated: &[f64], is_quick: bool) -> Result<(), String> {
    let parts = if is_quick { &PARTS[2..5] } else { &PARTS[..] };
    let mut points = vec![Vec::new(); POLICIES.len()];
    let names: Vec<_> = POLICIES.iter().map(|policy| policy.label).collect();
    let mut table = format!(
        "### trace/{}\n\n| capacity | {} |\n|---|{}\n",
        trace.name,
        names.join(" | "),
        "---:|".repeat(names.len())
    );
    for (part, of) in parts {
        let capacity = (trace.capacity * part / of).max(1);
        let rates = if capacity == trace.capacity {
            stated.to_vec()
        } else {
            let rates = rates(trace, capacity);
            note(report, &format!("trace/{} at {capacity}", trace.name), &rates);
            rates
        };
        table += &row(&capacity.to_string(), &[], &rates);
        for (points, rate) in points.iter_mut().zip(&rates) {
            points.push((capacity as f64, *rate));
        }
    }
    report.say(table.trim_end());
    let drawn: Vec<_> =
        POLICIES.iter().zip(points).map(|(policy, points)| Line { name: policy.name, points }).collect();
    let axes = Axes { x: "capacity", y: "hit rate", is_steep: false };
    report.plot(lines(&format!("trace-{}", trace.name), &format!("Hit rate, {}", trace.name), axes, &drawn)?);
    Ok(())
}
