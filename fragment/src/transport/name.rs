//! Names of links as engines can have them: not too long, and of characters that they allow.
//!
//! The invariant: the same name gives the same result in every process, and two names never the same one.

use std::borrow::Cow;

/// What begins a name that was cut; no name that stands as it is has it.
const CUT: char = '~';

/// The name itself if it fits, or else as much of it as fits, and a hash of the whole.
///
/// `allowed` says of each byte whether the engine takes it; letters, digits, `_` and `~` it must.
pub(crate) fn fitted(name: &str, most: usize, allowed: impl Fn(u8) -> bool) -> Cow<'_, str> {
    let fits = |byte: u8| allowed(byte) && byte != CUT as u8;
    let is_dots = name.bytes().all(|byte| byte == b'.');
    if name.len() <= most && !is_dots && name.bytes().all(fits) {
        return name.into();
    }
    let tail = format!("{CUT}{:032x}", hash(name.as_bytes()));
    let shown = name.bytes().map(|byte| if fits(byte) { char::from(byte) } else { '_' });
    shown.take(most.saturating_sub(tail.len())).chain(tail.chars()).collect::<String>().into()
}

/// 128 bits of FNV-1a.
pub(crate) fn hash(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printable(byte: u8) -> bool {
        (b'!'..=b'~').contains(&byte) && byte != b'/'
    }

    #[test]
    fn a_name_that_fits_stays_and_any_other_is_cut_with_a_hash() {
        assert_eq!(fitted("a.out>b.in", 254, printable), "a.out>b.in");
        let long = "x".repeat(300);
        for odd in ["", ".", "..", "a/b", "ä", "a\nb", "a~b", long.as_str()] {
            let name = fitted(odd, 254, printable);
            assert!(name.len() <= 254 && name.contains(CUT) && name.bytes().all(printable), "{name}");
        }
        let longer = "x".repeat(301);
        assert_ne!(fitted(&long, 254, printable), fitted(&longer, 254, printable));
        assert_ne!(fitted("a/b", 254, printable), fitted("a_b", 254, printable));
    }
}
