//! Human durations in string literals: `"5m"`, `"1h 30m"`, `"500ms"`, in the units of the `humantime` crate.

use std::time::Duration;

/// The units: their spellings and their length in nanoseconds. A month and a year are `humantime`'s averages.
const UNITS: &[(&[&str], u64)] = &[
    (&["ns", "nsec", "nanos"], 1),
    (&["us", "µs", "usec"], 1_000),
    (&["ms", "msec", "millis"], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (&["m", "min", "mins", "minute", "minutes"], 60 * 1_000_000_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600 * 1_000_000_000),
    (&["d", "day", "days"], 86_400 * 1_000_000_000),
    (&["w", "wk", "wks", "week", "weeks"], 7 * 86_400 * 1_000_000_000),
    (&["M", "month", "months"], 2_630_016 * 1_000_000_000),
    (&["y", "yr", "yrs", "year", "years"], 31_557_600 * 1_000_000_000),
];

/// What every message ends with.
const EXAMPLES: &str = "write it like \"500ms\", \"30s\", \"5m\", \"1h 30m\" or \"2days\"";

/// The duration that `text` says, or what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim_start();
    if rest.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(format!("the duration is empty: {EXAMPLES}"));
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (number, after_number) = split(rest, |c| c.is_ascii_digit());
        if number.is_empty() {
            return Err(format!("expected a number at `{}`: {EXAMPLES}", rest.trim_end()));
        }
        let (unit, after_unit) = split(after_number.trim_start(), char::is_alphabetic);
        let nanos = nanos(unit).ok_or_else(|| {
            if unit.is_empty() {
                format!("`{number}` has no unit: {EXAMPLES}")
            } else {
                format!("unknown unit `{unit}`: valid are ns, us, ms, s, m, h, d, w, month, y, and their long forms")
            }
        })?;
        let number: u64 = number.parse().map_err(|_| format!("`{number}` is too large"))?;
        total += u128::from(number) * u128::from(nanos);
        rest = after_unit.trim_start();
    }
    let seconds = u64::try_from(total / 1_000_000_000).map_err(|_| format!("`{text}` is too long"))?;
    // The remainder is below 10^9, so it always fits.
    let nanos = u32::try_from(total % 1_000_000_000).unwrap_or_default();
    Ok(Duration::new(seconds, nanos))
}

/// The longest head of `text` whose characters all are `wanted`, and the rest.
fn split(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !wanted(c)).unwrap_or(text.len()))
}

fn nanos(unit: &str) -> Option<u64> {
    UNITS.iter().find(|(names, _)| names.contains(&unit)).map(|(_, nanos)| *nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(text: &str) -> Duration {
        parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_unit() {
        assert_eq!(ok("7ns"), Duration::from_nanos(7));
        assert_eq!(ok("7us"), Duration::from_micros(7));
        assert_eq!(ok("7µs"), Duration::from_micros(7));
        assert_eq!(ok("500ms"), Duration::from_millis(500));
        assert_eq!(ok("30s"), Duration::from_secs(30));
        assert_eq!(ok("5m"), Duration::from_secs(300));
        assert_eq!(ok("2h"), Duration::from_secs(7_200));
        assert_eq!(ok("2days"), Duration::from_secs(172_800));
        assert_eq!(ok("1w"), Duration::from_secs(604_800));
        assert_eq!(ok("1M"), Duration::from_secs(2_630_016));
        assert_eq!(ok("1y"), Duration::from_secs(31_557_600));
    }

    #[test]
    fn sums_with_and_without_spaces() {
        assert_eq!(ok("1h 30m"), Duration::from_secs(5_400));
        assert_eq!(ok("1h30m"), Duration::from_secs(5_400));
        assert_eq!(ok(" 1 hour  30 min "), Duration::from_secs(5_400));
        assert_eq!(ok("1s 500ms"), Duration::from_millis(1_500));
    }

    #[test]
    fn zero_is_a_duration() {
        assert_eq!(ok("0"), Duration::ZERO);
        assert_eq!(ok("0s"), Duration::ZERO);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text| parse(text).expect_err(text);
        assert!(error("").contains("empty"));
        assert!(error("   ").contains("empty"));
        assert!(error("5").contains("no unit"));
        assert!(error("5 parsecs").contains("unknown unit `parsecs`"));
        assert!(error("m5").contains("expected a number at `m5`"));
        assert!(error("-5s").contains("expected a number"));
        assert!(error("1.5h").contains("no unit") || error("1.5h").contains("number"));
        assert!(error("99999999999999999999s").contains("too large"));
        assert!(error("18446744073709551615y").contains("too long"));
    }
}
