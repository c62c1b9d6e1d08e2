//! The ways in which two schemas can differ in one place.
//!
//! Not here: how the place is found. Invariant: names and types of unknown origin were escaped and cut.

use alloc::string::String;
use core::fmt;

/// How two schemas can differ in one place. Names and types are escaped and cut at 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disagreement {
    /// Another type.
    Type {
        /// What was expected, as the schema writes it.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A field that was expected is not there.
    MissingField {
        /// Its name.
        name: String,
    },
    /// There is a field that was not expected.
    UnexpectedField {
        /// Its name.
        name: String,
    },
    /// A field has another name, or another place.
    FieldOrder {
        /// The field that was expected here.
        expected: String,
        /// The field that is here.
        found: String,
    },
    /// A variant that was expected is not there.
    MissingVariant {
        /// Its name.
        name: String,
    },
    /// There is a variant that was not expected.
    UnexpectedVariant {
        /// Its name.
        name: String,
    },
    /// A variant has another place.
    VariantOrder {
        /// The variant that was expected here.
        expected: String,
        /// The variant that is here.
        found: String,
    },
    /// A variant has another tag.
    Tag {
        /// The variant.
        name: String,
        /// The tag that was expected.
        expected: u32,
        /// The tag that it has.
        found: u32,
    },
    /// The tag of an enum has another width.
    TagWidth {
        /// The bits that were expected.
        expected: u8,
        /// The bits that it has.
        found: u8,
    },
    /// An array has another length.
    Length {
        /// The elements that were expected.
        expected: u64,
        /// The elements that it has.
        found: u64,
    },
    /// The same bytes, but a type that holds itself is written out to another level.
    Recursion,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { expected, found } => write!(out, "expected {expected}, found {found}"),
            Self::MissingField { name } => write!(out, "field \"{name}\" is missing"),
            Self::UnexpectedField { name } => write!(out, "field \"{name}\" was not expected"),
            Self::FieldOrder { expected, found } => {
                write!(out, "expected field \"{expected}\", found field \"{found}\"")
            }
            Self::MissingVariant { name } => write!(out, "variant \"{name}\" is missing"),
            Self::UnexpectedVariant { name } => write!(out, "variant \"{name}\" was not expected"),
            Self::VariantOrder { expected, found } => {
                write!(out, "expected variant \"{expected}\", found variant \"{found}\"")
            }
            Self::Tag { name, expected, found } => {
                write!(out, "variant \"{name}\": expected tag {expected}, found {found}")
            }
            Self::TagWidth { expected, found } => {
                write!(out, "expected a tag of {expected} bits, found {found}")
            }
            Self::Length { expected, found } => {
                write!(out, "expected {expected} elements, found {found}")
            }
            Self::Recursion => out.write_str("the types repeat themselves at other levels"),
        }
    }
}
