//! "Did you mean": the nearest of the valid names.

/// The candidate nearest to `word`, where one is near enough to be a slip of the keyboard.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
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
    }

    #[test]
    fn another_word_is_not() {
        assert_eq!(nearest("capacity", ["ttl", "tags", "scope"]), None);
        assert_eq!(nearest("", ["ttl"]), None);
    }
}
