//! What somebody may have meant who wrote a name that does not exist.
//!
//! Not here: the sentence around it. Invariant: a suggestion is an existing name, and near enough to be a slip of the
//! fingers.

/// The existing name nearest to this one, if it is near.
pub(crate) fn nearest<'a>(
    name: &str,
    existing: impl IntoIterator<Item = impl AsRef<str> + 'a>,
) -> Option<String> {
    let near = name.chars().count().div_ceil(3).max(1);
    existing
        .into_iter()
        .map(|other| (strsim::damerau_levenshtein(name, other.as_ref()), other))
        .filter(|(distance, _)| *distance <= near)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other.as_ref().to_owned())
}

/// `; did you mean "x"?`, or nothing.
pub(crate) fn question(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

/// `a, b, c`, or that there are none.
pub(crate) fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
