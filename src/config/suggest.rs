//! "Did you mean": the nearest of the words that would have been right.

/// The candidate that `got` is most likely a slip of, if any is near enough.
///
/// 1. Case, and `-` for `_`, do not count.
/// 2. One slip is forgiven for every three letters, and always one.
/// 3. Of equally near candidates the first wins.
pub(crate) fn nearest<'c>(
    got: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    // A long text is no slip, and measuring it against six hundred time zones takes time.
    if got.len() > 64 {
        return None;
    }
    let fold = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = fold(got);
    let allowed = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &fold(candidate)), candidate))
        .filter(|(slips, candidate)| *slips <= allowed && *slips < candidate.len())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// What to write instead of a key that older versions knew.
pub(super) fn went(section: &str, key: &str) -> Option<&'static str> {
    match (section, key) {
        ("[publish.statuspage]", "notify") => Some(
            "write `mode = \"full\"` in [publish] to notify subscribers; `mode = \"quiet\"`, the \
             default, does not",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn forgives_slips_but_does_not_guess() {
        let keys = ["interval", "timeout", "name", "id"];
        assert_eq!(nearest("intervall", keys), Some("interval"));
        assert_eq!(nearest("Timeout", keys), Some("timeout"));
        assert_eq!(nearest("nmae", keys), Some("name"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("xy", keys), None);
        assert_eq!(nearest("degraded-over", ["degraded_over"]), Some("degraded_over"));
    }
}
