//! Names: which ones can be, how they are shown, and what of them is looked at first.

use super::RegistryError;
use crate::error::Result;

/// The longest codec name in bytes.
const NAME: usize = 255;

/// Refuses names that nobody could read in a list or a log.
pub(super) fn check_name(name: &str) -> Result<()> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > NAME {
        "it is longer than 255 bytes"
    } else if name.chars().any(char::is_control) {
        "it has control characters"
    } else {
        return Ok(());
    };
    Err(RegistryError::BadName { name: shown(name), reason }.into())
}

/// A name of unknown origin as it can be shown: escaped, cut at 64 bytes.
pub(super) fn shown(name: &str) -> Box<str> {
    let mut shown = String::new();
    for character in name.chars() {
        let escaped = character.escape_debug();
        if shown.len() + escaped.len() > 64 {
            shown.push('…');
            break;
        }
        shown.extend(escaped);
    }
    shown.into()
}

/// A name by its ends and its length, as words: all of a name of up to [`Short::WHOLE`] bytes.
#[derive(Clone, Copy)]
pub(super) struct Short {
    first: u64,
    last: u64,
    length: usize,
}

impl Short {
    /// Names of up to so many bytes are the same if their short forms are.
    pub(super) const WHOLE: usize = 16;

    #[inline(always)]
    pub(super) fn of(name: &str) -> Self {
        let (bytes, length) = (name.as_bytes(), name.len());
        let (first, last) = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
        } else {
            (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0)
        };
        Self { first, last, length }
    }

    /// Whether two are the same. Word by word: what was just made is in registers, and to compare it as memory would wait
    /// until it is there.
    #[inline(always)]
    pub(super) fn is(self, other: &Self) -> bool {
        (self.first ^ other.first) | (self.last ^ other.last) | (self.length ^ other.length) as u64 == 0
    }

    /// Whoever makes names that fall together makes them slow to find, as slow as by the table, and nothing else: only names
    /// that are registered are remembered.
    #[inline(always)]
    pub(super) fn hash(self) -> u64 {
        (self.first.wrapping_mul(MIX) ^ self.last.rotate_left(23) ^ self.length as u64).wrapping_mul(MIX)
    }
}

/// Mixes bits upwards.
pub(super) const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
