//! The command line.

use lexopt::{Arg, Error, Parser, ValueExt};

pub(crate) const HELP: &str = "\
cacheado-benches [OPTIONS]                    compare the hit paths
cacheado-benches callgrind-hit N [CONTENDER]  hit the struct workload N times after a warm-up

  --rounds N     how often each contender runs (default 31)
  --calls N      calls a thread and round (default 200000)
  --filter TEXT  only what has TEXT in its name, such as `hit`, `u64`, `struct/2`
  --quick        15 rounds of 50000 calls
";

pub(crate) enum Command {
    Hits(Options),
    Callgrind { contender: String, hits: usize },
    Help,
}

pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) calls: u32,
    pub(crate) filter: String,
}

impl Command {
    pub(crate) fn parse() -> Result<Self, Error> {
        let mut options = Options { rounds: 31, calls: 200_000, filter: String::new() };
        let mut parser = Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("rounds") => options.rounds = parser.value()?.parse()?,
                Arg::Long("calls") => options.calls = parser.value()?.parse()?,
                Arg::Long("filter") => options.filter = parser.value()?.string()?,
                Arg::Long("quick") => (options.rounds, options.calls) = (15, 50_000),
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Value(name) if name == "callgrind-hit" => {
                    let hits = parser.value()?.parse()?;
                    let contender = match parser.next()? {
                        Some(Arg::Value(contender)) => contender.string()?,
                        Some(other) => return Err(other.unexpected()),
                        None => "cacheado".to_owned(),
                    };
                    return Ok(Self::Callgrind { contender, hits });
                }
                other => return Err(other.unexpected()),
            }
        }
        if options.rounds == 0 || options.calls == 0 {
            return Err("`--rounds` and `--calls` start at 1".into());
        }
        Ok(Self::Hits(options))
    }
}
