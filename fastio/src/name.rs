//! Names: which are allowed, and the form in which they are compared in shared memory.
//!
//! Not here: where they are kept (`names.rs`). Invariant: an allowed name cannot leave a directory, hide another
//! one, or upset a terminal.

use crate::error::{Error, Result};

/// The most bytes that a name can have.
pub(crate) const NAME_LIMIT: usize = 255;
/// A name in shared memory: words, padded with zero.
pub(crate) const NAME_WORDS: usize = 32;

/// What stands before the name of a channel in the index; no publication's name can have it.
pub(crate) const CHANNEL: char = '/';

/// A checked name, with its hash.
pub(crate) struct Key<'a> {
    pub(crate) text: &'a str,
    pub(crate) hash: u64,
}

impl<'a> Key<'a> {
    #[inline]
    pub(crate) fn new(text: &'a str) -> Result<Self> {
        check(text)?;
        Ok(Self { text, hash: hash(text.as_bytes()) })
    }

    /// A name as it stands in the index: of a publication, or of a channel.
    #[inline]
    pub(crate) fn stored(text: &'a str) -> Result<Self> {
        Self::new(text.strip_prefix(CHANNEL).unwrap_or(text))?;
        Ok(Self { text, hash: hash(text.as_bytes()) })
    }

    /// The words in which the name stands in shared memory.
    #[inline]
    pub(crate) fn words(&self) -> impl Iterator<Item = u64> {
        words(self.text.as_bytes())
    }
}

#[inline]
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let (whole, rest) = bytes.as_chunks::<8>();
    let rest = (!rest.is_empty()).then(|| match bytes.last_chunk() {
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
        None => rest.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte)),
    });
    whole.iter().map(|word| u64::from_le_bytes(*word)).chain(rest)
}

/// Whether every byte is printable ASCII, and none is a space or a slash.
#[inline]
fn plain(bytes: &[u8]) -> bool {
    let one = |byte: &u8| (b'!'..=b'~').contains(byte) && *byte != b'/';
    // What is left behind the last whole eight lies in the last eight.
    match bytes.last_chunk() {
        Some(last) => bytes.as_chunks().0.iter().all(eight_are_plain) && eight_are_plain(last),
        None => bytes.iter().all(one),
    }
}

#[inline]
fn eight_are_plain(bytes: &[u8; 8]) -> bool {
    const EACH: u64 = u64::MAX / 255;
    const TOP: u64 = EACH << 7;
    let word = u64::from_le_bytes(*bytes);
    let ascii = word & TOP == 0;
    // The top bit of each byte, which no carry reaches in ASCII: at least `!`; at most `~`; no slash.
    let good = |word: u64| (word + EACH * 0x5f) & !(word + EACH) & ((word ^ (EACH * 0x2f)) + EACH * 0x7f);
    ascii && good(word) & TOP == TOP
}

/// The hash of a name; part of the file layout.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    words(bytes).fold(0x9e37_79b9_7f4a_7c15 ^ bytes.len() as u64, |hash, word| {
        let hash = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^ (hash >> 32)
    })
}

/// Refuses what cannot be the name of a publication.
pub(crate) fn check(name: &str) -> Result<()> {
    let bad = |reason| Err(Error::BadName { name: shown(name), reason });
    if name.is_empty() {
        return bad("is empty");
    }
    if name.len() > NAME_LIMIT {
        return bad("has more than 255 bytes");
    }
    if plain(name.as_bytes()) {
        return if name == "." || name == ".." { bad("is a directory") } else { Ok(()) };
    }
    if name.contains('/') {
        return bad("has a slash");
    }
    if name.contains(char::is_control) {
        return bad("has a control character");
    }
    if name.contains(invisible) {
        return bad("has an invisible character");
    }
    if name.trim() != name {
        return bad("begins or ends with white space");
    }
    Ok(())
}

/// The name of a channel as it stands in the index.
pub(crate) fn of_channel(name: &str) -> Result<String> {
    check(name)?;
    if name.len() >= NAME_LIMIT {
        return Err(Error::BadName { name: shown(name), reason: "has more than 254 bytes" });
    }
    Ok(format!("{CHANNEL}{name}"))
}

/// Refuses what cannot be the name of a pipeline: a directory, which also must not be hidden.
pub(crate) fn check_pipeline(name: &str) -> Result<()> {
    check(name)?;
    if name.starts_with('.') {
        return Err(Error::BadName { name: shown(name), reason: "begins with a dot" });
    }
    Ok(())
}

/// Characters that show nothing, or that reorder what stands beside them.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A name for an error message: escaped, and cut at 64 bytes.
pub(crate) fn shown(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        let piece = if invisible(c) { c.escape_unicode().to_string() } else { c.escape_debug().to_string() };
        if text.len() + piece.len() > 64 {
            text.push_str("...");
            break;
        }
        text.push_str(&piece);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_hash_depend_on_every_byte() {
        let a = Key::new("frame-000001").unwrap();
        let b = Key::new("frame-000002").unwrap();
        assert_ne!(a.hash, b.hash);
        // Others have one hash, which `two_names_of_one_hash_are_two_names` depends on.
        assert_eq!(hash(b"frames-0A0D0DA00"), hash(b"tctsc7usgOY0Xnob"));
        let words: Vec<_> = a.words().map(u64::to_le_bytes).collect();
        assert_eq!(words, [*b"frame-00", *b"0001\0\0\0\0"]);
    }

    #[test]
    fn a_byte_that_is_not_plain_is_seen_wherever_it_stands() {
        for length in 1..40 {
            let good: Vec<u8> = (b'!'..=b'~').filter(|byte| *byte != b'/').cycle().take(length).collect();
            assert!(plain(&good), "{length}");
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = good.clone();
                    bytes[at] = byte;
                    assert_eq!(
                        plain(&bytes),
                        byte.is_ascii_graphic() && byte != b'/',
                        "{byte} at {at} of {length}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_hostile_name_is_shown_escaped_and_cut() {
        let shown = shown(&"\n\u{202e}".repeat(100));
        assert!(shown.len() <= 67 && shown.starts_with("\\n\\u{202e}"), "{shown}");
    }
}
