//! What can be wrong with a message.

use alloc::boxed::Box;

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
    #[error("codec \"{name}\": the message has schema {found:016x}, this build has {expected:016x}")]
    SchemaMismatch {
        /// The codec's name.
        name: Box<str>,
        /// Fingerprint of this build's type.
        expected: u64,
        /// Fingerprint in the message.
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
