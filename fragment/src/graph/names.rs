//! Which names can be used, and which one was meant.
//!
//! Invariant: a name never contains what separates names: in `fragment1.ping.out>fragment2.pong.in`, on the command
//! line, or in the key of a transport.

/// The longest name in bytes.
const LONGEST: usize = 64;

/// What is wrong with a name, if anything is.
pub(crate) fn flaw(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > LONGEST {
        Some("it is longer than 64 bytes")
    } else if name.contains('.') {
        Some("the dot separates names")
    } else if !name.chars().all(|letter| letter.is_alphanumeric() || "_-".contains(letter)) {
        Some("only letters, digits, `_` and `-` can stand in it")
    } else {
        None
    }
}

/// The name among these that was probably meant.
pub(crate) fn meant<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let far = name.chars().count().div_ceil(3);
    let distance = |known: &str| strsim::damerau_levenshtein(&name, &known.to_lowercase());
    known
        .into_iter()
        .map(|known| (distance(known), known))
        .filter(|(by, _)| *by <= far)
        .min()
        .map(|(_, it)| it)
}

/// What exists instead of a name that does not: `; did you mean "ping"? There are "ping" and "pong"`.
pub(crate) fn instead(name: &str, known: &[String]) -> String {
    let mut text = match meant(name, known.iter().map(String::as_str)) {
        Some(meant) => format!(": did you mean \"{meant}\"? "),
        None => "; ".to_owned(),
    };
    let (first, listed) = match known {
        [] => ("there is none", String::new()),
        [one] => ("there is ", format!("\"{one}\"")),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(|name| format!("\"{name}\"")).collect();
            ("there are ", format!("{} and \"{last}\"", most.join(", ")))
        }
    };
    text.push_str(first);
    text.push_str(&listed);
    text
}
