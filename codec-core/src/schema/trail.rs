//! The way from a value to one of its parts, for errors and differences.
//!
//! Not for anything else: a trail is written once, when something went wrong. Invariant: what it writes is bounded and
//! has no control characters, whoever chose the names on the way.

use alloc::string::String;
use core::fmt::Write;

/// Bytes of a path that are shown.
const SHOWN: usize = 256;

/// Bytes of a name or a type that are shown.
pub(super) const SHORT: usize = 64;

/// One step of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'s> {
    /// A field of a struct.
    Field(&'s str),
    /// A variant of an enum.
    Variant(&'s str),
    /// An element, by its number.
    Index(usize),
    /// Any element.
    Element,
    /// Any key of a map.
    Key,
    /// Any value of a map.
    Value,
}

/// Writes the way, from the outside in.
pub(super) fn path<'s>(steps: impl Iterator<Item = Step<'s>>) -> String {
    let mut path = String::new();
    for step in steps {
        if path.len() >= SHOWN {
            path.push('…');
            break;
        }
        // Nothing that is written to a string fails.
        let _ = match step {
            Step::Field(name) | Step::Variant(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&shown(name));
                Ok(())
            }
            Step::Index(index) => write!(path, "[{index}]"),
            Step::Element => write!(path, "[]"),
            Step::Key => write!(path, "{{key}}"),
            Step::Value => write!(path, "{{value}}"),
        };
    }
    path
}

/// Text of unknown origin as it can be shown in a line: escaped, cut at `SHORT` bytes.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        let escaped = character.escape_debug();
        if shown.len() + escaped.len() > SHORT {
            shown.push('…');
            break;
        }
        match character {
            '"' | '\'' => shown.push(character),
            _ => shown.extend(escaped),
        }
    }
    shown
}
