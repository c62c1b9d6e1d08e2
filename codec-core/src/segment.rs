//! Memory that is not to be copied.
//!
//! A segment is a range of some owner's memory. The core knows neither shared memory nor devices: an owner shows
//! bytes if the host can read them, and describes itself to the endpoint of its own kind. The invariant: a segment
//! keeps its owner, so its memory stays for as long as the segment does.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::ops::Range;

use crate::error::{Error, Result};
use crate::raw::address::DeviceAddress;

/// Which memory a segment lies in.
///
/// Numbers below 256 are podwire's own; others are free for users' memory kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemoryKind(pub u16);

impl MemoryKind {
    /// Memory of this process, or mapped into it.
    pub const HOST: Self = Self(0);
    /// A Fast I/O allocation, which every process of its pipeline can map.
    pub const FASTIO: Self = Self(1);
    /// Memory of a CUDA device.
    pub const CUDA: Self = Self(2);
}

/// Something that owns memory: a vector, a mapped allocation, a device buffer.
///
/// What `bytes` shows must neither change nor move while the owner lives.
pub trait Owner: Any + Send + Sync {
    /// The memory, if the host can read it.
    fn bytes(&self) -> Option<&[u8]>;

    /// Length of the memory in bytes, also where the host cannot read it.
    fn length(&self) -> usize {
        self.bytes().map_or(0, <[u8]>::len)
    }

    /// Alignment of the memory's first byte.
    fn alignment(&self) -> usize {
        self.bytes().map_or(1, alignment)
    }

    /// Which memory it is.
    fn kind(&self) -> MemoryKind {
        MemoryKind::HOST
    }

    /// What the endpoint of this kind needs to find this part of the memory again: at most
    /// [`Segment::DESCRIPTOR`] bytes that mean nothing to anybody else.
    fn descriptor(&self, part: Range<usize>) -> Vec<u8> {
        let _ = part;
        Vec::new()
    }

    /// A copy of this part for the host, which cannot read the memory itself: for endpoints that carry bytes only.
    ///
    /// # Errors
    ///
    /// [`Error::NotHostMemory`] if there is no way, and the owner's own ([`Error::backend`]).
    fn to_host(&self, part: Range<usize>) -> Result<Segment> {
        let _ = part;
        Err(Error::NotHostMemory { kind: self.kind().0 })
    }

    /// Where a device sees the memory of which the host has no bytes: an address that means something to libraries of
    /// this process that use the device.
    fn device_address(&self) -> Option<DeviceAddress> {
        None
    }

    /// Which device of its kind has the memory, as this process numbers them; a sender's number may be another.
    fn device_index(&self) -> Option<u32> {
        None
    }
}

/// Alignment of the first byte, as far as anybody asks.
pub(crate) fn alignment(bytes: &[u8]) -> usize {
    1 << bytes.as_ptr().addr().trailing_zeros().min(12)
}

impl Owner for Vec<u8> {
    fn bytes(&self) -> Option<&[u8]> {
        Some(self)
    }
}

/// A range of an owner's memory, shared and immutable.
#[derive(Clone)]
pub struct Segment {
    owner: Arc<dyn Owner>,
    start: usize,
    length: usize,
}

impl Segment {
    /// The longest descriptor that an owner may give, in bytes.
    pub const DESCRIPTOR: usize = 128;

    /// All of the owner's memory.
    #[must_use]
    pub fn new(owner: Arc<dyn Owner>) -> Self {
        let length = owner.length();
        Self { owner, start: 0, length }
    }

    /// The memory of a vector; its elements are not copied.
    pub(crate) fn of_values<T: bytemuck::NoUninit + Send + Sync>(values: Vec<T>) -> Self {
        /// A vector of values as an owner of bytes.
        struct Values<T>(Vec<T>);
        impl<T: bytemuck::NoUninit + Send + Sync> Owner for Values<T> {
            fn bytes(&self) -> Option<&[u8]> {
                Some(bytemuck::cast_slice(&self.0))
            }
        }
        Self::new(Arc::new(Values(values)))
    }

    /// A part of this segment, given in bytes; `None` if it reaches beyond it.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        let length = range.end.checked_sub(range.start)?;
        (range.end <= self.length).then(|| Self {
            owner: Arc::clone(&self.owner),
            start: self.start + range.start,
            length,
        })
    }

    /// Length in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Where the segment begins in its owner's memory, in bytes.
    #[must_use]
    pub fn start(&self) -> usize {
        self.start
    }

    /// Alignment of the first byte: a power of two, at most that of the owner.
    #[must_use]
    pub fn alignment(&self) -> usize {
        let owner = self.owner.alignment();
        if self.start == 0 { owner } else { owner.min(1 << self.start.trailing_zeros()) }
    }

    /// Which memory it lies in.
    #[must_use]
    pub fn kind(&self) -> MemoryKind {
        self.owner.kind()
    }

    /// Who owns it.
    #[must_use]
    pub fn owner(&self) -> &Arc<dyn Owner> {
        &self.owner
    }

    /// Checks that numbers of this alignment can be seen in place, as far as the host can see.
    pub(crate) fn check_alignment(&self, wanted: usize) -> Result<()> {
        match self.bytes().map(alignment) {
            Ok(found) if found < wanted && self.length > 0 => {
                Err(Error::SegmentAlignment { wanted: wanted as u64, found: found as u64 })
            }
            _ => Ok(()),
        }
    }

    /// What the endpoint of its kind needs to find it again; empty for memory of this process.
    #[must_use]
    pub fn descriptor(&self) -> Vec<u8> {
        self.owner.descriptor(self.start..self.start + self.length)
    }

    /// The bytes.
    ///
    /// # Errors
    ///
    /// [`Error::NotHostMemory`] if the host cannot read them.
    pub fn bytes(&self) -> Result<&[u8]> {
        let bytes = self.owner.bytes().and_then(|bytes| bytes.get(self.start..self.start + self.length));
        bytes.ok_or(Error::NotHostMemory { kind: self.kind().0 })
    }

    /// The segment in memory that the host can read: this one, or a copy that its owner makes.
    ///
    /// # Errors
    ///
    /// Those of [`Owner::to_host`]; [`Error::SegmentLength`] if the owner makes a copy of another length.
    pub fn to_host(&self) -> Result<Self> {
        if self.bytes().is_ok() {
            return Ok(self.clone());
        }
        let copy = self.owner.to_host(self.start..self.start + self.length)?;
        match copy.bytes()?.len() {
            found if found == self.length => Ok(copy),
            found => Err(Error::SegmentLength { index: 0, wanted: self.length as u64, found: found as u64 }),
        }
    }

    /// Where a device sees the segment: see [`Owner::device_address`].
    #[must_use]
    pub fn device_address(&self) -> Option<usize> {
        self.owner.device_address()?.get().checked_add(self.start)
    }
}

impl From<Vec<u8>> for Segment {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(Arc::new(bytes))
    }
}

impl core::fmt::Debug for Segment {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Segment")
            .field("length", &self.length)
            .field("alignment", &self.alignment())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}
