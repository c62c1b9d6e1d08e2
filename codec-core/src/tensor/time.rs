//! Small parts of messages that travel with tensors and buffers.

/// When data was acquired, and when it was published, in nanoseconds of a clock that both sides agree on.
///
/// ```
/// use podwire_codec_core::{tensor::Timestamp, to_vec};
///
/// let stamp = Timestamp { acqtime: 5, pubtime: 7 };
/// assert_eq!(to_vec(&stamp)?.len(), 16);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
pub struct Timestamp {
    /// When the data was acquired, in nanoseconds.
    pub acqtime: i64,
    /// When it was published, in nanoseconds.
    pub pubtime: i64,
}

/// The last message of a stream. It takes no bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndOfStream;
