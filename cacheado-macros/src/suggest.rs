//! "Did you mean": the nearest of the valid names, and what other crates' names are called here.

/// Arguments of other crates' macros (`cached`, `memoize` and the like), and what does the same here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["time", "ttl_secs", "ttl_millis", "time_to_live", "expire", "expires", "expiry", "expiration"],
        "write `ttl = 300` (seconds) or `ttl = \"5m\"`",
    ),
    (
        &["size", "max_size", "max_items", "max_entries", "max_capacity", "capacity"],
        "a bound is one of the cache: `Cache::builder().rule(rules::Lru::new(1_000))`; to bound one function, give it a \
         cache of its own that has the rule, such as a `static` by `cache = SMALL`",
    ),
    (&["unbound", "unbounded"], "that is the default: a cache without a rule has no bound"),
    (&["result"], "that is the default: `Err` is not stored (`cache_err = \"5s\"` stores it)"),
    (&["option"], "that is the default: `None` is not stored (`cache_none` stores it)"),
    (
        &["sync_writes", "sync_lock", "sync"],
        "that is the default: one caller a key computes, and the others wait (`single_flight = false`: they do not)",
    ),
    (&["convert"], "the key is an expression of its own: write `key(a, b)` or `key = EXPRESSION`"),
    (
        &["time_refresh", "refresh"],
        "a rule can set a lifetime anew on a hit: return `Effect::SetTtl` from `Rule::on_get`; `refresh_if` computes anew",
    ),
    (&["result_fallback"], "write `stale_if_error = \"1h\"`"),
    (&["in_impl"], "methods need no argument of this kind: write `skip(self)`, or name `self` in `key(..)`"),
    (
        &["ty", "type", "create", "disk", "redis", "backend"],
        "where values are kept is said to the cache: `Cache::builder().backend(..)`; `cache = EXPRESSION` names one",
    ),
    (
        &["map_error"],
        "an outage is a miss; `on_backend_error = \"error\"` returns it, for `E: From<cacheado::Error>`",
    ),
    (&["with_cached_flag"], "`cacheado::observe` tells how a call was served"),
    (
        &["cache_prefix_block", "prefix", "namespace"],
        "write `name = \"billing.invoice\"`, the stable name in keys",
    ),
];

/// What does here what an argument of this name does elsewhere.
pub(crate) fn instead_of(name: &str) -> Option<&'static str> {
    ELSEWHERE.iter().find(|(names, _)| names.contains(&name)).map(|(_, advice)| *advice)
}

/// The candidate nearest to `word`, where one is near enough to be a slip of the keyboard. Capitals are no slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    // Of a name of one letter, any other is one slip away.
    let limit = (length / 3).clamp(1, 3).min(length.saturating_sub(1));
    candidates
        .into_iter()
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ", did you mean `x`?", or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// Names in back quotes, with commas: what an error lists as valid.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Optimal string alignment distance (Damerau–Levenshtein with adjacent transpositions).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let width = right.len() + 1;
    let mut table = vec![0_usize; (left.len() + 1) * width];
    let at = |row: usize, column: usize| row * width + column;
    for row in 0..=left.len() {
        for column in 0..width {
            table[at(row, column)] = if row == 0 {
                column
            } else if column == 0 {
                row
            } else {
                let (a, b) = (left[row - 1], right[column - 1]);
                let substituted = table[at(row - 1, column - 1)] + usize::from(a != b);
                let inserted = table[at(row, column - 1)] + 1;
                let deleted = table[at(row - 1, column)] + 1;
                let mut best = substituted.min(inserted).min(deleted);
                if row > 1 && column > 1 && a == right[column - 2] && left[row - 2] == b {
                    best = best.min(table[at(row - 2, column - 2)] + 1);
                }
                best
            };
        }
    }
    table.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised() {
        let names = ["ttl", "tags", "scope", "single_flight"];
        assert_eq!(nearest("tll", names), Some("ttl"));
        assert_eq!(nearest("scop", names), Some("scope"));
        assert_eq!(nearest("singleflight", names), Some("single_flight"));
        assert_eq!(nearest("TTL", names), Some("ttl"));
        assert_eq!(nearest("id", ["ID"]), Some("ID"));
    }

    #[test]
    fn another_word_is_not() {
        assert_eq!(nearest("capacity", ["ttl", "tags", "scope"]), None);
        assert_eq!(nearest("", ["ttl"]), None);
        assert_eq!(nearest("x", ["n", "m"]), None);
    }

    #[test]
    fn names_of_other_crates_have_their_answers() {
        assert!(instead_of("time").is_some_and(|advice| advice.contains("ttl = 300")));
        assert!(
            instead_of("size")
                .is_some_and(|advice| advice.contains("rules::Lru") && advice.contains("cache = SMALL"))
        );
        assert!(instead_of("result").is_some_and(|advice| advice.contains("`Err` is not stored")));
        assert_eq!(instead_of("ttl"), None);
        let mut all: Vec<_> = ELSEWHERE.iter().flat_map(|(names, _)| *names).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "each name has one answer");
    }
}
