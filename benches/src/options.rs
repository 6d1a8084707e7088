//! The command line.

use std::path::PathBuf;

use lexopt::{Arg, Error, Parser, ValueExt};

use crate::sections;

const HELP: &str = "\
cacheado-benches [SECTION]... [OPTIONS]       run these sections, or all; a run of all writes benches/RESULTS.md
cacheado-benches callgrind-hit N [CONTENDER]  hit the struct workload N times after a warm-up

  --quick        fewer and shorter rounds, for a first look
  --filter TEXT  only workloads that have TEXT in their name, such as `u64`, `struct/2`, `redis`
  --only TEXT    only contenders that have TEXT in their name, for a profiler
  --rounds N     how often each contender runs
  --calls N      calls a thread and round
  --full         evict: servers with a million other entries, too
  --traces DIR   other traces: files of the name *.txt.gz, a key a line
  --capacity N   the capacity for those that DIR/capacities.txt does not name
  --write        write benches/RESULTS.md although this is not a run of all
";

pub(crate) enum Command {
    Run(Options),
    Callgrind { contender: String, hits: usize },
    Help,
}

/// What is to be run, and how.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// Names of sections; none means all.
    pub(crate) sections: Vec<String>,
    rounds: Option<usize>,
    calls: Option<u32>,
    filter: String,
    only: String,
    pub(crate) is_quick: bool,
    pub(crate) is_full: bool,
    pub(crate) is_written: bool,
    pub(crate) traces: Option<PathBuf>,
    pub(crate) capacity: Option<usize>,
}

/// How often contenders run, and how many calls each makes then.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) calls: u32,
}

impl Options {
    /// What the command line says, else this many rounds and calls, or those of a first look.
    pub(crate) fn effort(&self, usual: (usize, u32), quick: (usize, u32)) -> Effort {
        let (rounds, calls) = if self.is_quick { quick } else { usual };
        Effort { rounds: self.rounds.unwrap_or(rounds), calls: self.calls.unwrap_or(calls) }
    }

    /// Whether a workload of this name is to be run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    /// Whether a contender of this name is to be run.
    pub(crate) fn wants_contender(&self, name: &str) -> bool {
        name.contains(&self.only)
    }

    /// Whether everything is run as it is by default, so that the report is what it says that it is.
    pub(crate) fn is_whole(&self) -> bool {
        let is_usual = self.rounds.is_none() && self.calls.is_none() && !self.is_quick;
        let is_all = self.sections.is_empty() && self.filter.is_empty() && self.only.is_empty();
        is_usual && is_all && self.traces.is_none() && self.capacity.is_none()
    }
}

impl Command {
    pub(crate) fn parse() -> Result<Self, Error> {
        let mut options = Options::default();
        let mut parser = Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("rounds") => options.rounds = Some(parser.value()?.parse()?),
                Arg::Long("calls") => options.calls = Some(parser.value()?.parse()?),
                Arg::Long("filter") => options.filter = parser.value()?.string()?,
                Arg::Long("only") => options.only = parser.value()?.string()?,
                Arg::Long("traces") => options.traces = Some(parser.value()?.into()),
                Arg::Long("capacity") => options.capacity = Some(parser.value()?.parse()?),
                Arg::Long("quick") => options.is_quick = true,
                Arg::Long("full") => options.is_full = true,
                Arg::Long("write") => options.is_written = true,
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Value(name) if name == "callgrind-hit" => return Self::callgrind(&mut parser),
                Arg::Value(name) => options.sections.push(section(name.string()?)?),
                other => return Err(other.unexpected()),
            }
        }
        if options.rounds == Some(0) || options.calls == Some(0) || options.capacity == Some(0) {
            return Err("`--rounds`, `--calls` and `--capacity` start at 1".into());
        }
        Ok(Self::Run(options))
    }

    fn callgrind(parser: &mut Parser) -> Result<Self, Error> {
        let hits = parser.value()?.parse()?;
        let contender = match parser.next()? {
            Some(Arg::Value(contender)) => contender.string()?,
            Some(other) => return Err(other.unexpected()),
            None => "cacheado".to_owned(),
        };
        Ok(Self::Callgrind { contender, hits })
    }
}

/// The name, if there is such a section.
fn section(name: String) -> Result<String, Error> {
    if sections::ALL.iter().any(|section| section.name == name) {
        return Ok(name);
    }
    Err(format!("no section `{name}`; there are: {}", sections::names()).into())
}

/// What the command line may say.
pub(crate) fn help() -> String {
    format!("{HELP}\nsections: {}\n", sections::names())
}
