//! The segment table of a message, and the endpoint that finds a value's segments by it.

use alloc::vec::Vec;

use super::MessageError;
use crate::endpoint::{Endpoint, Placement};
use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::segment::{MemoryKind, Segment};

/// What a message says of one of its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentEntry {
    /// Length in bytes.
    pub length: u64,
    /// The number under which the message's endpoint has it.
    pub number: u32,
    /// Which memory it lies in.
    pub kind: MemoryKind,
    /// Alignment of its first byte: a power of two.
    pub alignment: u64,
    /// What the endpoint of its kind needs to find it.
    pub descriptor: Vec<u8>,
}

impl SegmentEntry {
    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let length = self.descriptor.len();
        let Some(count) = u8::try_from(length).ok().filter(|_| length <= Segment::DESCRIPTOR) else {
            return Err(MessageError::Length { what: "a segment's descriptor", found: length as u64 }.into());
        };
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.kind.0.to_le_bytes());
        // An owner that says it has no alignment has that of a byte.
        bytes.push(if self.alignment == 0 { 0 } else { self.alignment.trailing_zeros() as u8 });
        bytes.push(count);
        bytes.extend(&self.descriptor);
        Ok(())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let length = reader.read_trivial_type()?;
        let number = reader.read_trivial_type()?;
        let kind = MemoryKind(reader.read_trivial_type()?);
        let alignment: u8 = reader.read_trivial_type()?;
        let count = usize::from(reader.read_trivial_type::<u8>()?);
        if alignment >= 64 || count > Segment::DESCRIPTOR {
            let found = u64::from(alignment.max(count as u8));
            return Err(MessageError::Length { what: "a segment's alignment or descriptor", found }.into());
        }
        reader.charge(count)?;
        let mut descriptor = alloc::vec![0; count];
        reader.read(&mut descriptor)?;
        Ok(Self { length, number, kind, alignment: 1 << alignment, descriptor })
    }
}

/// Finds the segments of a message among those of its endpoint.
pub(super) struct Renumbered<'m> {
    pub(super) entries: &'m [SegmentEntry],
    pub(super) endpoint: &'m mut dyn Endpoint,
}

impl Endpoint for Renumbered<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.endpoint.write(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.endpoint.read(bytes)
    }

    fn take_segment(&mut self, placement: Placement<'_>) -> Result<Segment> {
        let found = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let index = placement.index;
        let entry = self.entries.get(index as usize).ok_or_else(|| Error::NoSegment { index, found })?;
        if entry.length != placement.length {
            return Err(Error::SegmentLength { index, wanted: placement.length, found: entry.length });
        }
        let Placement { length, alignment, .. } = placement;
        let SegmentEntry { number, kind, ref descriptor, .. } = *entry;
        self.endpoint.take_segment(Placement { index: number, length, alignment, kind, descriptor })
    }
}
