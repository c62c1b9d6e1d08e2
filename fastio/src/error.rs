//! What can go wrong, one variant for each situation that a caller can act on.
//!
//! Not here: how a failure is detected. Invariant: a name from outside is shown escaped and cut, so that an
//! error message can be printed anywhere.

use std::{io, path::PathBuf, time::Duration};

use podwire_codec_core::{Error as CodecError, registry::RegistryError, tensor::DType};
use rustix::io::Errno;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a pipeline or an allocation was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing is published under this name (any more).
    #[error("nothing is published as \"{name}\"")]
    NotFound {
        /// The name that was asked for.
        name: String,
    },
    /// The name belongs to another publication; `replace` would take it over.
    #[error("the name \"{name}\" is taken; `replace`, `replace_array` and `replace_value` take it over")]
    NameTaken {
        /// The name that was to be published.
        name: String,
    },
    /// The name of a publication or of a pipeline is not allowed.
    #[error("the name \"{name}\" {reason}")]
    BadName {
        /// The name, escaped and cut at 64 bytes.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What is published under the name is no value: bytes, or an array.
    #[error("what is published as \"{name}\" is no value")]
    NotAValue {
        /// The name that was asked for.
        name: String,
    },
    /// Nobody has left the schema of the value, and no codec here has it.
    #[error("the schema {fingerprint:016x} of what is published as \"{name}\" is not known")]
    NoSchema {
        /// The name that was asked for.
        name: String,
        /// The fingerprint of the schema.
        fingerprint: u64,
    },
    /// A value could not be encoded or decoded.
    #[error(transparent)]
    Codec(podwire_codec_core::Error),
    /// The file system that holds the pipeline has no room.
    #[error("no room for {wanted} more bytes of shared memory")]
    NoSpace {
        /// The bytes that were asked for, bookkeeping included.
        wanted: u64,
    },
    /// The pipeline would have more than its quota allows.
    #[error("that would be more than the pipeline's quota of {limit} {what}")]
    QuotaExceeded {
        /// `bytes` of files, or `names`.
        what: &'static str,
        /// The quota.
        limit: u64,
    },
    /// The time that the caller gave has passed.
    #[error("waited {waited:?} for {what}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// The time that the caller gave.
        waited: Duration,
    },
    /// The other end of the channel was closed, and there is nothing left to receive.
    #[error("the other end of the channel \"{channel}\" is closed")]
    Closed {
        /// The channel.
        channel: String,
    },
    /// The process at the other end of the channel died, and there is nothing left to receive. Another process can take
    /// its place.
    #[error("the process at the other end of the channel \"{channel}\" died")]
    PeerDied {
        /// The channel.
        channel: String,
    },
    /// The channel holds as many messages as it can.
    #[error("the channel \"{channel}\" is full")]
    Full {
        /// The channel.
        channel: String,
    },
    /// A living process, perhaps this one, has this end of the channel.
    #[error("the {end} of the channel \"{channel}\" is taken")]
    EndTaken {
        /// The channel.
        channel: String,
        /// Which end: `sender` or `receiver`.
        end: &'static str,
    },
    /// The channel exists already, with other properties.
    #[error("the channel \"{channel}\" has {what} {found}, not {wanted}")]
    ChannelDiffers {
        /// The channel.
        channel: String,
        /// Which property: `capacity` or `inline bytes`.
        what: &'static str,
        /// What was asked for.
        wanted: usize,
        /// What the channel has.
        found: usize,
    },
    /// A channel cannot have these properties.
    #[error("a channel cannot have {what} {found}; the limits are {least} and {most}")]
    BadChannel {
        /// Which property: `capacity` or `inline bytes`.
        what: &'static str,
        /// What was asked for.
        found: usize,
        /// The least that can be asked for.
        least: usize,
        /// The most that can be asked for.
        most: usize,
    },
    /// The message is of another kind than the one asked for.
    #[error("the message is {found}, not {wanted}")]
    WrongKind {
        /// What was asked for.
        wanted: &'static str,
        /// What the message is.
        found: &'static str,
    },
    /// A process died (or a thread panicked) while it wrote here; see
    /// [`accept_poisoned`](crate::FastIoAllocation::accept_poisoned).
    #[error("a writer died in the middle of writing; `accept_poisoned` takes the bytes as they are")]
    Poisoned,
    /// A `try_` call would have had to wait.
    #[error("in use by another reader or writer")]
    Busy,
    /// The allocation is sealed: nobody writes to it any more.
    #[error("the allocation is sealed")]
    Sealed,
    /// The operation needs a sealed allocation.
    #[error("the allocation is not sealed")]
    NotSealed,
    /// The allocation was freed.
    #[error("the allocation was freed")]
    Freed,
    /// The handle was made before a `fork` and is used in the child.
    #[error("the handle belongs to the parent process; open the pipeline again after a fork")]
    Forked,
    /// The pipeline was removed while it was open here.
    #[error("the pipeline was removed")]
    Removed,
    /// As many processes as a pipeline can have are using it.
    #[error("all {limit} process slots of the pipeline are in use")]
    SlotsExhausted {
        /// How many processes can use a pipeline at once.
        limit: usize,
    },
    /// A shared file does not hold what it should.
    #[error("{}: {what}", path.display())]
    Corrupt {
        /// What is wrong.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A file or directory is not private to this user, or not of the expected kind.
    #[error("{}: {reason}", path.display())]
    NotPrivate {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The metadata does not fit into the room kept for it.
    #[error("metadata of {size} bytes exceeds the limit of {limit}")]
    MetadataTooLarge {
        /// Encoded size in bytes.
        size: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// The elements are of another type than the one asked for.
    #[error("expected elements of type {expected}, found {}", found.map_or("none", DType::name))]
    WrongType {
        /// The type that the caller asked for.
        expected: DType,
        /// The type that the metadata names.
        found: Option<DType>,
    },
    /// Shape, strides and size do not fit each other.
    #[error("the shape does not fit: {reason}")]
    WrongShape {
        /// What does not fit.
        reason: &'static str,
    },
    /// The alignment is not a power of two of at most 4096.
    #[error("an alignment of {alignment} bytes is not a power of two of at most 4096")]
    BadAlignment {
        /// The alignment that was asked for, in bytes.
        alignment: usize,
    },
    /// The allocation has no room for more children; say how many at creation.
    #[error("no room for more than {limit} children")]
    TooManyChildren {
        /// The room that there is.
        limit: usize,
    },
    /// An allocation cannot own this one.
    #[error("cannot be adopted: {reason}")]
    CannotAdopt {
        /// Why not.
        reason: &'static str,
    },
    /// The operating system refused.
    #[error("{op} {}: {source}", path.display())]
    Io {
        /// The system call.
        op: &'static str,
        /// What it was applied to.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(op: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::Io { op, path: path.into(), source: source.into() }
    }

    /// Nothing instead of an error that passes when the process, or the system, has descriptors and memory again.
    pub(crate) fn unless_short<T: Default>(self) -> Result<T> {
        let short = |source: &io::Error| {
            let code = Errno::from_io_error(source);
            code.is_some_and(|code| [Errno::MFILE, Errno::NFILE, Errno::NOMEM].contains(&code))
        };
        match self {
            Self::Io { source, .. } if short(&source) => Ok(T::default()),
            other => Err(other),
        }
    }

    /// Names the type for which there is no codec, where only the caller knew it.
    #[cold]
    pub(crate) fn naming_type(self, type_name: Option<&'static str>) -> Self {
        match self {
            Self::Codec(CodecError::Registry(error))
                if matches!(*error, RegistryError::UnknownType { type_name: None }) =>
            {
                CodecError::from(RegistryError::UnknownType { type_name }).into()
            }
            other => other,
        }
    }
}

impl From<podwire_codec_core::Error> for Error {
    /// An error of this crate that went through a codec comes out as itself.
    fn from(error: podwire_codec_core::Error) -> Self {
        match error {
            podwire_codec_core::Error::Backend(error) => match error.downcast() {
                Ok(own) => *own,
                Err(other) => Self::Codec(podwire_codec_core::Error::Backend(other)),
            },
            other => Self::Codec(other),
        }
    }
}
