//! What can be wrong with a message.

use alloc::boxed::Box;
use core::fmt;

use crate::schema::Difference;

/// Why bytes are not a message, or not the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// It does not begin as a message does.
    #[error("no podwire message: it begins with {found:02x?}")]
    Magic {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// It is of a version that this build does not know.
    #[error("message version {found} is not known, this build knows {known}")]
    Version {
        /// The message's version.
        found: u8,
        /// This build's version.
        known: u8,
    },
    /// It has flags that this version does not define.
    #[error("message flags {found:#04x} are not defined")]
    Flags {
        /// All its flags.
        found: u8,
    },
    /// A length in its header cannot be right.
    #[error("{what} of {found} bytes or entries does not fit the message")]
    Length {
        /// Which length.
        what: &'static str,
        /// What it says.
        found: u64,
    },
    /// The codec's name is not UTF-8.
    #[error("the codec name is not UTF-8")]
    Name,
    /// The value does not fill the packed bytes.
    #[error("codec \"{name}\" left {count} packed bytes unread")]
    Unread {
        /// The codec's name.
        name: Box<str>,
        /// Bytes that are left.
        count: u64,
    },
    /// Both sides know the name, but mean different types.
    #[error("codec \"{name}\": {}", Mismatch { expected, found, difference })]
    SchemaMismatch {
        /// The codec's name.
        name: Box<str>,
        /// Fingerprint of this build's type.
        expected: u64,
        /// Fingerprint in the message.
        found: u64,
        /// The first difference between the two, if this build has seen the schema of the message.
        difference: Option<Box<Difference>>,
    },
    /// The message's checksum is not that of its bytes: they were damaged on the way.
    #[error("the message was damaged: its checksum is {found:08x}, that of its bytes {expected:08x}")]
    Checksum {
        /// The checksum of its bytes.
        expected: u32,
        /// The checksum in it.
        found: u32,
    },
    /// The message has a checksum, which this build cannot compute: codec-core's feature `std` is off.
    #[error("this build knows no checksums: the feature `std` is off")]
    NoChecksums,
    /// The schema in the message is not the one that its header names.
    #[error("the message names schema {expected:016x}, but has {found:016x} in it")]
    WrongSchema {
        /// Fingerprint in the header.
        expected: u64,
        /// Fingerprint of the schema.
        found: u64,
    },
    /// The message holds a value of another type than the one that was asked for.
    #[error("the message is a \"{found}\", not a \"{expected}\"")]
    WrongType {
        /// Name of the type that was asked for.
        expected: Box<str>,
        /// Name in the message.
        found: Box<str>,
    },
}

/// What is said of two schemas: the first difference, or both fingerprints.
struct Mismatch<'e> {
    expected: &'e u64,
    found: &'e u64,
    difference: &'e Option<Box<Difference>>,
}

impl fmt::Display for Mismatch<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.difference {
            Some(difference) => write!(out, "the message is of another build, {difference}"),
            None => write!(
                out,
                "the message has schema {:016x}, this build has {:016x}",
                self.found, self.expected
            ),
        }
    }
}
