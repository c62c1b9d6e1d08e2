//! What can go wrong between a value and its bytes.
//!
//! One variant is one situation that a caller can act on; the numbers in it say where and how much. Nothing here
//! is a string that a program would have to parse.

use alloc::boxed::Box;

use crate::message::MessageError;
#[cfg(feature = "std")]
use crate::registry::RegistryError;
use crate::schema::SchemaError;
use crate::tensor::TensorError;

/// The result of every codec operation.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a value could not be encoded or decoded.
///
/// Offsets count bytes from the start of the value that is read, or of the message that holds it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input ended inside a value.
    #[error("input ends at byte {offset}: {wanted} more bytes were wanted, {found} are there")]
    UnexpectedEnd {
        /// Where reading stopped.
        offset: u64,
        /// Bytes that the value still needed there.
        wanted: u64,
        /// Bytes that were left.
        found: u64,
    },
    /// [`from_slice`](crate::from_slice) found bytes behind the value.
    #[error("{count} bytes follow the value, which ends at byte {offset}")]
    TrailingBytes {
        /// Where the value ends.
        offset: u64,
        /// Bytes that follow it.
        count: u64,
    },
    /// A fixed endpoint has no room left.
    #[error("the endpoint is full: {wanted} more bytes were wanted, {found} are free")]
    EndpointFull {
        /// Bytes that had to be written at once.
        wanted: u64,
        /// Bytes that are free.
        found: u64,
    },
    /// A bit pattern that the type does not have: a `bool` of 2, a surrogate as `char`, a zero `NonZero`.
    #[error("{found:#x} at byte {offset} is no {expected}")]
    InvalidValue {
        /// Where the pattern stands.
        offset: u64,
        /// What was to be read.
        expected: &'static str,
        /// The bits that were found.
        found: u64,
    },
    /// Bits that make a value of another type, but none of this one: nanoseconds of a second and more, a year that
    /// the system's clock does not have.
    #[error("at byte {offset} there is not {expected}")]
    OutOfRange {
        /// Where the value stands.
        offset: u64,
        /// What was to be read.
        expected: &'static str,
    },
    /// A path or another string of the system that is not UTF-8, and so has no encoding.
    #[error("a path that is not UTF-8 cannot be encoded")]
    NotText,
    /// An enum or `Option` tag that no variant has.
    #[error("tag {found} at byte {offset} is no variant of {name}")]
    UnknownTag {
        /// Where the tag stands.
        offset: u64,
        /// The enum.
        name: &'static str,
        /// The tag that was found.
        found: u64,
    },
    /// Text that is not UTF-8.
    #[error("the text of {length} bytes before byte {offset} is not UTF-8 from its byte {valid} on")]
    InvalidUtf8 {
        /// Where the text ends.
        offset: u64,
        /// Length of the text in bytes.
        length: u64,
        /// How many of its bytes are valid.
        valid: u64,
    },
    /// A length that does not fit this machine, or one that has a shorter form.
    #[error("length {found} before byte {offset} is not valid here")]
    InvalidLength {
        /// Where the length was read.
        offset: u64,
        /// The length.
        found: u64,
    },
    /// A map or set that holds one key twice.
    #[error("a key stands twice in the map that ends at byte {offset}")]
    DuplicateKey {
        /// Where reading stopped.
        offset: u64,
    },
    /// A value wants to borrow from an input that does not stay, such as a stream: decode a `Cow` or an owned type.
    #[error("{expected} at byte {offset} cannot be borrowed from this input: decode a Cow or an owned value")]
    CannotBorrow {
        /// Where the value stands.
        offset: u64,
        /// What was to be borrowed.
        expected: &'static str,
    },
    /// A slice cannot be borrowed, because its bytes are not aligned for its elements: decode a `Cow` or a `Vec`.
    #[error("the slice at byte {offset} is not aligned to {alignment} bytes: decode a Cow or a Vec")]
    Unaligned {
        /// Where the slice stands.
        offset: u64,
        /// The alignment that its elements need.
        alignment: u64,
    },
    /// The value needs more memory than [`Limits::bytes`](crate::Limits::bytes) grants.
    #[error(
        "the value before byte {offset} needs {wanted} more bytes of memory, {left} are left of its limit"
    )]
    ByteLimit {
        /// Where reading stopped.
        offset: u64,
        /// Bytes that the next part needs.
        wanted: u64,
        /// Bytes left of the limit.
        left: u64,
    },
    /// More elements that take no bytes of input than [`Limits::items`](crate::Limits::items) grants.
    #[error("{wanted} more elements before byte {offset}, {left} are left of the limit")]
    ItemLimit {
        /// Where reading stopped.
        offset: u64,
        /// Elements that were announced.
        wanted: u64,
        /// Elements left of the limit.
        left: u64,
    },
    /// Values nested deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("values are nested deeper than `Limits::depth`, at byte {offset}")]
    DepthLimit {
        /// Where the limit was met.
        offset: u64,
    },
    /// The allocator refused.
    #[error("out of memory: {bytes} bytes were wanted")]
    OutOfMemory {
        /// Bytes that were wanted.
        bytes: u64,
    },
    /// The value refers to a segment that its endpoint does not have, or not any more.
    #[error("segment {index} is not there: the endpoint has {found}")]
    NoSegment {
        /// Number of the segment.
        index: u32,
        /// How many the endpoint has.
        found: u32,
    },
    /// A segment is not what the value says of it.
    #[error("segment {index} has {found} bytes, {wanted} were promised")]
    SegmentLength {
        /// Number of the segment.
        index: u32,
        /// Bytes that the value promises.
        wanted: u64,
        /// Bytes that the segment has.
        found: u64,
    },
    /// A segment lies in memory that the host cannot read.
    #[error("a segment of memory kind {kind} cannot be read by the host")]
    NotHostMemory {
        /// The memory kind's number.
        kind: u16,
    },
    /// A segment is not aligned for its elements.
    #[error("a segment is aligned to {found} bytes, its elements need {wanted}")]
    SegmentAlignment {
        /// Alignment that the elements need.
        wanted: u64,
        /// Alignment that the segment has.
        found: u64,
    },
    /// A value that is read by its schema was written by a codec that does not describe itself: neither it nor what
    /// follows it can be read.
    #[error("{}, at byte {offset}, was written by a codec that does not describe itself", place(path))]
    Undescribed {
        /// Where the value stands.
        offset: u64,
        /// The way to it, such as `frames[3].blob`; empty for the value itself.
        path: Box<str>,
    },
    /// Text that should be a schema is none.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The bytes are no message, or not the message that was asked for.
    #[error(transparent)]
    Message(#[from] Box<MessageError>),
    /// Element type, shape, strides or planes do not fit the memory, or are not what was asked for.
    #[error(transparent)]
    Tensor(#[from] Box<TensorError>),
    /// The registry cannot serve the name or the type.
    #[cfg(feature = "std")]
    #[error(transparent)]
    Registry(#[from] Box<RegistryError>),
    /// A `std::io` reader or writer failed.
    #[cfg(feature = "std")]
    #[error("i/o: {0}")]
    Io(#[from] std::io::Error),
    /// A backend outside this crate failed; this is its own error.
    #[error("endpoint: {0}")]
    Backend(Box<dyn core::error::Error + Send + Sync>),
}

/// A way within a value as it stands in a sentence.
fn place(path: &str) -> &str {
    if path.is_empty() { "the value" } else { path }
}

impl Error {
    /// Wraps the error of a hand-written endpoint.
    pub fn backend(error: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self::Backend(error.into())
    }
}
