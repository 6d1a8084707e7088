//! What a hundred annotated functions cost to build, in time and in bytes, beside `cached` and beside the same functions
//! without a macro.

mod build;
mod program;

use build::{Package, Profile, Took};
use program::CONTENDERS;

use crate::measured::Measured;
use crate::options::{Effort, Options};
use crate::plots::{bars, medians};
use crate::report::{Comparison, Report};

/// How many functions a program has.
pub(super) const FUNCTIONS: u32 = 100;

const SUBJECTS: [&str; 2] = ["cacheado", "cacheado, companions = false"];

/// Builds the program of each contender by turns. The dependencies are built before.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), String> {
    let profiles = [Profile::Dev, Profile::Release];
    if !profiles.iter().any(|profile| options.wants(profile.workload())) {
        return Ok(());
    }
    let effort = options.effort((7, 1), (1, 1));
    report.introduce(&format!(
        "What the processors take for building a crate of {FUNCTIONS} functions alone, its dependencies being there: the \
         median of {} builds. `by the clock`: the same, on all cores. `bytes a function`: what one adds to the stripped \
         program, in the release profile.",
        effort.rounds
    ));
    let contenders = CONTENDERS.into_iter().filter(|contender| options.wants_contender(contender.name()));
    let packages: Vec<Package> = contenders.map(Package::new).collect::<Result<_, _>>()?;
    for profile in profiles.into_iter().filter(|profile| options.wants(profile.workload())) {
        measure(profile, &packages, effort, report)?;
    }
    Ok(())
}

fn measure(
    profile: Profile,
    packages: &[Package],
    effort: Effort,
    report: &mut Report,
) -> Result<(), String> {
    let bytes: Vec<_> =
        packages.iter().map(|package| per_function(package, profile)).collect::<Result<_, _>>()?;
    let mut took: Vec<Vec<Took>> = packages.iter().map(|_| Vec::new()).collect();
    for round in 0..effort.rounds {
        for step in 0..packages.len() {
            // Another one goes first in each round.
            let turn = (round + step) % packages.len();
            took[turn].push(packages[turn].build(profile)?);
        }
    }
    let of = |time: fn(&Took) -> f64| -> Vec<Measured> {
        let each = packages.iter().zip(&took);
        each.map(|(package, took)| Measured::new(package.name(), took.iter().map(time).collect())).collect()
    };
    let processors = of(|took| took.processor.as_secs_f64() * 1e9);
    let wall = of(|took| took.wall.as_secs_f64() * 1e9);
    let cells = wall.iter().zip(bytes).map(|(wall, bytes)| match bytes {
        Some(bytes) => format!("{:.2} s, {bytes} bytes a function", wall.median() / 1e9),
        None => format!("{:.2} s", wall.median() / 1e9),
    });
    let workload = profile.workload();
    report.compare(&Comparison::new(workload, &processors).of(&SUBJECTS).with("by the clock", cells));
    report.plot(bars(
        &workload.replace('/', "-"),
        &format!("Building {FUNCTIONS} functions, {}", profile.name()),
        "seconds of processors",
        &medians(&processors).into_iter().map(|(name, time)| (name, time / 1e9)).collect::<Vec<_>>(),
    )?);
    Ok(())
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
