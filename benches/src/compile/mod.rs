//! What a hundred annotated functions cost to build, in time and in bytes, beside `cached` and beside the same functions
//! without a macro.

mod build;
mod program;

use std::time::Duration;

use build::{Package, Profile, Took};
use program::{CONTENDERS, Contender};

/// How many functions a program has.
pub(crate) const FUNCTIONS: u32 = 100;

/// One contender in one profile.
pub(crate) struct Row {
    pub(crate) contender: &'static str,
    pub(crate) profile: &'static str,
    /// The medians of what building the crate alone takes: by the clock, and of all processors.
    pub(crate) wall: Duration,
    pub(crate) processor: Duration,
    /// What a function adds to the stripped program.
    pub(crate) bytes: Option<u64>,
}

/// Builds the program of each contender `rounds` times, by turns, and prints what that takes. The dependencies are
/// built before.
pub(crate) fn run(rounds: usize, only: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let contenders: Vec<_> =
        CONTENDERS.into_iter().filter(|contender| contender.name().contains(only)).collect();
    let packages: Vec<Package> =
        contenders.iter().map(|&contender| Package::new(contender)).collect::<Result<_, _>>()?;
    for profile in [Profile::Dev, Profile::Release] {
        let bytes: Vec<_> =
            packages.iter().map(|package| per_function(package, profile)).collect::<Result<_, _>>()?;
        let mut took: Vec<Vec<Took>> = packages.iter().map(|_| Vec::new()).collect();
        for round in 0..rounds {
            for step in 0..packages.len() {
                // Another one goes first in each round.
                let turn = (round + step) % packages.len();
                took[turn].push(packages[turn].build(profile)?);
            }
        }
        for ((&contender, took), bytes) in contenders.iter().zip(took).zip(bytes) {
            let wall = median(took.iter().map(|took| took.wall));
            let processor = median(took.iter().map(|took| took.processor));
            rows.push(Row { contender: contender.name(), profile: profile.name(), wall, processor, bytes });
        }
    }
    print(&rows);
    Ok(rows)
}

/// What a function adds to the program; nothing is said of programs that are not optimised.
fn per_function(package: &Package, profile: Profile) -> Result<Option<u64>, String> {
    package.write(false)?;
    package.build(profile)?;
    let without = package.size(profile)?;
    package.write(true)?;
    package.build(profile)?;
    let with = package.size(profile)?;
    let each = with.saturating_sub(without) / u64::from(FUNCTIONS);
    Ok((profile == Profile::Release).then_some(each))
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times.get(times.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn print(rows: &[Row]) {
    println!("## build of {FUNCTIONS} functions\n");
    println!(
        "| profile | contender                    | wall s | / cached | cpu s | / cached | bytes a function |"
    );
    println!(
        "|---------|------------------------------|-------:|---------:|------:|---------:|-----------------:|"
    );
    for row in rows {
        let peer = rows
            .iter()
            .find(|peer| peer.profile == row.profile && peer.contender == Contender::Cached.name());
        let ratio = |ours: Duration, theirs: fn(&Row) -> Duration| {
            peer.map_or_else(String::new, |peer| {
                format!("{:.2}", ours.as_secs_f64() / theirs(peer).as_secs_f64())
            })
        };
        println!(
            "| {:<7} | {:<28} | {:>6.2} | {:>8} | {:>5.2} | {:>8} | {:>16} |",
            row.profile,
            row.contender,
            row.wall.as_secs_f64(),
            ratio(row.wall, |peer| peer.wall),
            row.processor.as_secs_f64(),
            ratio(row.processor, |peer| peer.processor),
            row.bytes.map_or_else(String::new, |bytes| bytes.to_string()),
        );
    }
    println!();
}
