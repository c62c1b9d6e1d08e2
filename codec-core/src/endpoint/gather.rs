//! Packed bytes and a list of segments: what every transport and allocation wants to have.

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use super::{Buffer, Capabilities, Endpoint, Placement};
use crate::error::{Error, Result};
use crate::segment::Segment;

/// Gathers packed bytes, and the segments that belong to them, without copying the segments.
///
/// ```
/// use podwire_codec_core::{Bulk, Codec, Gather};
///
/// let voxels = Bulk::from(vec![0_u16; 100_000]);
/// let mut gather = Gather::new();
/// Codec::serialize(&voxels, &mut gather)?;
/// assert!(gather.packed().len() < 32);
/// assert_eq!(gather.segments()[0].length(), 200_000);
///
/// let same = Bulk::<u16>::deserialize(&mut gather)?;
/// assert!(core::ptr::eq(&*voxels, &*same));
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Gather {
    packed: Buffer,
    segments: Vec<Segment>,
    capabilities: Capabilities,
}

impl Gather {
    /// Buffers below this many bytes are written inline, if nothing else was asked for.
    pub const THRESHOLD: usize = 4 * 1024;
    /// Segments that one message may have, if nothing else was asked for.
    pub const SEGMENTS: u32 = 1024;

    /// An empty gathering.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_capabilities(Capabilities { segments: Self::SEGMENTS, threshold: Self::THRESHOLD })
    }

    /// An empty gathering that takes so many segments, from so many bytes on.
    #[must_use]
    pub const fn with_capabilities(capabilities: Capabilities) -> Self {
        Self { packed: Buffer::new(), segments: Vec::new(), capabilities }
    }

    /// Packed bytes and their segments, to be read.
    #[must_use]
    pub fn from_parts(packed: Vec<u8>, segments: Vec<Segment>) -> Self {
        Self { packed: packed.into(), segments, ..Self::new() }
    }

    /// The packed bytes that are not read yet.
    #[must_use]
    pub fn packed(&self) -> &[u8] {
        self.packed.as_slice()
    }

    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Empties the gathering, which from here on has these capabilities, and keeps its memory.
    pub(crate) fn begin(&mut self, capabilities: Capabilities) {
        self.clear();
        self.capabilities = capabilities;
    }

    /// The packed bytes, none of which were read, and the segments.
    pub(crate) fn parts_mut(&mut self) -> (&mut Vec<u8>, &[Segment]) {
        (self.packed.bytes_mut(), &self.segments)
    }

    /// Bytes of memory that are kept for packed bytes.
    #[cfg(feature = "std")]
    pub(crate) fn capacity(&self) -> usize {
        self.packed.capacity()
    }

    /// Empties the gathering and keeps its memory.
    pub fn clear(&mut self) {
        self.packed.clear();
        self.segments.clear();
    }

    /// The packed bytes that are not read yet, and the segments.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<Segment>) {
        (self.packed.into_vec(), self.segments)
    }
}

impl Default for Gather {
    fn default() -> Self {
        Self::new()
    }
}

impl Endpoint for Gather {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.packed.write(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.packed.read(bytes)
    }

    #[allow(unsafe_code, reason = "forwarded")]
    unsafe fn window(&mut self, count: usize) -> Result<&mut [MaybeUninit<u8>]> {
        // SAFETY: the caller's.
        unsafe { self.packed.window(count) }
    }

    #[allow(unsafe_code, reason = "forwarded")]
    unsafe fn commit(&mut self, count: usize) {
        // SAFETY: the caller's.
        unsafe { self.packed.commit(count) }
    }

    fn peek(&mut self, count: usize) -> Result<&[u8]> {
        self.packed.peek(count)
    }

    fn consume(&mut self, count: usize) {
        self.packed.consume(count);
    }

    fn remaining(&self) -> Option<u64> {
        self.packed.remaining()
    }

    /// What it can still take.
    fn capabilities(&self) -> Capabilities {
        let taken = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
        let segments = self.capabilities.segments.saturating_sub(taken);
        Capabilities { segments, ..self.capabilities }
    }

    fn attach(&mut self, segment: &Segment) -> Result<Option<u32>> {
        let index = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
        // What the host cannot read cannot be written inline, however small it is.
        let small = segment.length() < self.capabilities.threshold && segment.bytes().is_ok();
        if small || index >= self.capabilities.segments {
            return Ok(None);
        }
        self.segments
            .try_reserve(1)
            .map_err(|_| Error::OutOfMemory { bytes: size_of::<Segment>() as u64 })?;
        self.segments.push(segment.clone());
        Ok(Some(index))
    }

    fn take_segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
        let found = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
        let index = placement.index;
        self.segments.get(index as usize).cloned().ok_or_else(|| Error::NoSegment { index, found })
    }
}
