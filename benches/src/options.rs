//! The command line.

use lexopt::{Arg, Error, Parser, ValueExt};

pub(crate) const HELP: &str = "\
cacheado-benches [OPTIONS]                    hits in memory
cacheado-benches remote [OPTIONS]             hits and puts over Redis and MongoDB
cacheado-benches evict [OPTIONS]              evictions among few and among many other entries
cacheado-benches compile [OPTIONS]            builds of a hundred annotated functions
cacheado-benches callgrind-hit N [CONTENDER]  hit the struct workload N times after a warm-up

  --rounds N     how often each contender runs
  --calls N      calls a thread and round
  --filter TEXT  only what has TEXT in its name, such as `hit`, `u64`, `struct/2`, `redis`
  --only TEXT    only contenders that have TEXT in their name, for a profiler
  --quick        fewer and shorter rounds, for a first look
  --full         evict: a million other entries instead of 100000
";

pub(crate) enum Command {
    Hits(Options),
    Remote(Options),
    Evict { options: Options, others: u32 },
    Compile(Options),
    Callgrind { contender: String, hits: usize },
    Help,
}

#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) calls: u32,
    pub(crate) filter: String,
    pub(crate) only: String,
}

impl Options {
    /// The same with other calls a round.
    pub(crate) fn with_calls(&self, calls: u32) -> Self {
        Self { calls, ..self.clone() }
    }

    /// Whether this is to be run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }
}

/// What the arguments say, before it is known which command they belong to.
#[derive(Default)]
struct Given {
    rounds: Option<usize>,
    calls: Option<u32>,
    filter: String,
    only: String,
    is_quick: bool,
    is_full: bool,
}

impl Given {
    /// Rounds and calls where the command line names none, and those of a first look.
    fn options(self, usual: (usize, u32), quick: (usize, u32)) -> Options {
        let (rounds, calls) = if self.is_quick { quick } else { usual };
        Options {
            rounds: self.rounds.unwrap_or(rounds),
            calls: self.calls.unwrap_or(calls),
            filter: self.filter,
            only: self.only,
        }
    }
}

impl Command {
    pub(crate) fn parse() -> Result<Self, Error> {
        let (mut given, mut command) = (Given::default(), None);
        let mut parser = Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("rounds") => given.rounds = Some(parser.value()?.parse()?),
                Arg::Long("calls") => given.calls = Some(parser.value()?.parse()?),
                Arg::Long("filter") => given.filter = parser.value()?.string()?,
                Arg::Long("only") => given.only = parser.value()?.string()?,
                Arg::Long("quick") => given.is_quick = true,
                Arg::Long("full") => given.is_full = true,
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Value(name) if command.is_none() && name == "callgrind-hit" => {
                    return Self::callgrind(&mut parser);
                }
                Arg::Value(name)
                    if command.is_none() && (name == "remote" || name == "evict" || name == "compile") =>
                {
                    command = Some(name);
                }
                other => return Err(other.unexpected()),
            }
        }
        if given.rounds == Some(0) || given.calls == Some(0) {
            return Err("`--rounds` and `--calls` start at 1".into());
        }
        let others = if given.is_full { 1_000_000 } else { 100_000 };
        Ok(match command.as_ref().and_then(|name| name.to_str()) {
            Some("remote") => Self::Remote(given.options((31, 4_000), (11, 1_000))),
            Some("evict") => Self::Evict { options: given.options((31, 1), (11, 1)), others },
            Some("compile") => Self::Compile(given.options((7, 1), (3, 1))),
            _ => Self::Hits(given.options((31, 200_000), (15, 50_000))),
        })
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
