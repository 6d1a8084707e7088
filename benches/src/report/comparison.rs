//! Contenders beside each other.

use std::fmt::Write as _;

use crate::contenders::bounded;
use crate::measured::Measured;

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nanoseconds a call.
    Time,
    /// Bytes an entry.
    Bytes,
    /// A part of the calls, of which more is better.
    HitRate,
}

/// One workload, and what was measured of each contender.
pub(crate) struct Comparison<'a> {
    workload: &'a str,
    results: &'a [Measured],
    subjects: &'a [&'static str],
    unit: Unit,
    are_all_ours: bool,
    more: Option<(&'static str, Vec<String>)>,
}

/// What is kept of it.
pub(super) struct Compared {
    pub(super) workload: String,
    /// The first of ours, which peers are compared with.
    pub(super) subject: Option<&'static str>,
    pub(super) rows: Vec<Row>,
    pub(super) unit: Unit,
    /// Whether there is no peer among them.
    pub(super) are_all_ours: bool,
}

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) value: f64,
    pub(super) fastest: f64,
    pub(super) spread: f64,
}

/// What others are measured by, not beaten by: functions without a cache.
const FLOORS: [&str; 2] = [bounded::BODY, "no macro"];

impl Row {
    pub(super) fn is_peer(&self) -> bool {
        !self.name.starts_with("cacheado") && !FLOORS.contains(&self.name)
    }
}

impl<'a> Comparison<'a> {
    /// Times, in which `cacheado` is compared with the others.
    pub(crate) fn new(workload: &'a str, results: &'a [Measured]) -> Self {
        Self { workload, results, subjects: &["cacheado"], unit: Unit::Time, are_all_ours: false, more: None }
    }

    /// These are compared with the others; the first of them most of all.
    pub(crate) fn of(self, subjects: &'a [&'static str]) -> Self {
        Self { subjects, ..self }
    }

    /// The contenders are cacheado in different situations, so that none is ahead of it.
    pub(crate) fn of_ours(self) -> Self {
        Self { are_all_ours: true, ..self }
    }

    pub(crate) fn in_bytes(self) -> Self {
        Self { unit: Unit::Bytes, ..self }
    }

    pub(crate) fn by_hit_rate(self) -> Self {
        Self { unit: Unit::HitRate, ..self }
    }

    /// Another column, with a cell for each contender.
    pub(crate) fn with(self, head: &'static str, cells: impl Iterator<Item = String>) -> Self {
        Self { more: Some((head, cells.collect())), ..self }
    }

    pub(super) fn compared(&self) -> Compared {
        let row = |result: &Measured| Row {
            name: result.name,
            value: result.median(),
            fastest: result.fastest(),
            spread: result.spread(),
        };
        Compared {
            workload: self.workload.to_owned(),
            subject: self.subjects().next().map(|subject| subject.name),
            rows: self.results.iter().map(row).collect(),
            unit: self.unit,
            are_all_ours: self.are_all_ours,
        }
    }

    fn subjects(&self) -> impl Iterator<Item = &Measured> {
        let named = |name: &&str| self.results.iter().find(|result| result.name == *name);
        self.subjects.iter().filter_map(named)
    }

    /// Ratios first.
    pub(super) fn table(&self) -> String {
        let (unit, size) = self.scale();
        let is_time = self.unit == Unit::Time;
        let (mut head, mut rule, mut rows) = (String::new(), String::new(), String::new());
        for subject in self.subjects() {
            let _ = write!(head, "| {} / it ", subject.name);
            let _ = write!(rule, "|{:->1$}", ":", subject.name.len() + 7);
        }
        let _ = write!(head, "| contender                      | {unit:>8} ");
        let _ = write!(rule, "|--------------------------------|---------:");
        if is_time {
            let _ = write!(head, "|  fastest | spread ");
            let _ = write!(rule, "|---------:|-------:");
        }
        if let Some((more, _)) = &self.more {
            let _ = write!(head, "| {more} ");
            let _ = write!(rule, "|{:->1$}", ":", more.len() + 2);
        }
        for (number, result) in self.results.iter().enumerate() {
            for subject in self.subjects() {
                let ratio = subject.median() / result.median();
                let _ = write!(rows, "| {ratio:>0$.2} ", subject.name.len() + 5);
            }
            let _ = write!(rows, "| {:<30} | {:>8.1} ", result.name, result.median() / size);
            if is_time {
                let _ = write!(rows, "| {:>8.1} | {:>4.0} % ", result.fastest() / size, result.spread());
            }
            if let Some((more, cells)) = &self.more {
                let _ = write!(rows, "| {:>1$} ", cells[number], more.len());
            }
            rows.push_str("|\n");
        }
        format!("### {}\n\n{head}|\n{rule}|\n{}", self.workload, rows.trim_end())
    }

    /// The unit that the figures are read best in, and how much it is.
    fn scale(&self) -> (&'static str, f64) {
        let all = |least| self.results.iter().all(|result| result.median() >= least);
        match self.unit {
            Unit::Bytes => ("bytes", 1.0),
            Unit::HitRate => ("hits", 1.0),
            Unit::Time if all(1e6) => ("ms", 1e6),
            Unit::Time if all(1e3) => ("µs/op", 1e3),
            Unit::Time => ("ns/op", 1.0),
        }
    }
}
