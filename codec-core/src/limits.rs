//! How much a decoder may do on behalf of bytes that it does not trust.

/// The bounds under which a value is decoded, and the depth under which it is encoded.
///
/// Nothing is allocated from a length alone: a collection grows only as far as the input backs it, and what it
/// allocates is charged to [`bytes`](Self::bytes).
///
/// ```
/// use podwire_codec_core::{Error, Limits, from_slice_with, to_vec};
///
/// let message = to_vec(&vec![0_u64; 1_000])?;
/// let small = Limits { bytes: 4_096, ..Limits::default() };
/// assert!(matches!(from_slice_with::<Vec<u64>>(&message, small), Err(Error::ByteLimit { .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory that one value may allocate. Default: 1 GiB.
    pub bytes: u64,
    /// Elements that one value may hold whose encoding takes no bytes, such as `()`: nothing else bounds them.
    /// Default: 131,072.
    pub items: u64,
    /// Containers within containers: sequences whose elements vary in size, maps, sets, and `Box`, `Rc`, `Arc` of
    /// values that vary in size. Default: 128.
    pub depth: u32,
}

impl Limits {
    /// The default limits.
    pub const DEFAULT: Self = Self { bytes: 1 << 30, items: 1 << 17, depth: 128 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
