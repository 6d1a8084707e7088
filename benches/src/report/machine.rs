//! Where it is measured, and with what.

use std::env;
use std::fs;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

/// The libraries compared in memory.
const MEMORY: [&str; 7] = ["cacheado", "cached", "dashmap", "hitbox", "hitbox-fn", "moka", "quick_cache"];

/// The clients of servers.
const SERVERS: [&str; 2] = ["mongodb", "redis"];

/// Machine, compiler, libraries and command, a line each.
pub(super) fn lines(servers: &[String]) -> Vec<String> {
    let cores = available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let libraries = versions(&[&MEMORY[..], &SERVERS[..]].concat());
    let mut lines = vec![
        format!("Machine: {}, {cores} cores, {} {}", processor(), env::consts::OS, kernel.trim()),
        format!("Compiler: {}", env!("BUILT_BY")),
        format!("Libraries: {}", libraries.join(", ")),
    ];
    if !servers.is_empty() {
        lines.push(format!("Servers: {}", servers.join(", ")));
    }
    lines.push(format!("Date: {}", today()));
    lines.push(format!("Command: `{}`", command()));
    lines
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| env::consts::ARCH.to_owned(), |(_, model)| model.to_owned())
}

/// The versions in the lock file of these packages.
fn versions(listed: &[&str]) -> Vec<String> {
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));
    let packages = lock.split("[[package]]");
    let field = |package: &str, field: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(" = \""));
        line.map(|value| value.trim_end_matches('"').to_owned())
    };
    let wanted = |name: &String, version: &String| {
        // Another major version of dashmap is in the tree of a peer.
        listed.contains(&name.as_str()) && (name != "dashmap" || version.starts_with("6."))
    };
    packages
        .filter_map(|package| Some((field(package, "name")?, field(package, "version")?)))
        .filter(|(name, version)| wanted(name, version))
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}

fn command() -> String {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let command = "cargo run --release -p cacheado-benches";
    if arguments.is_empty() { command.to_owned() } else { format!("{command} -- {}", arguments.join(" ")) }
}

/// The date in UTC.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date of a day since 1970 (Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*): years begin in
/// March there, so that the day that some years lack is their last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(19_358), (2023, 1, 1));
        assert_eq!(civil(20_820), (2027, 1, 2));
    }
}
