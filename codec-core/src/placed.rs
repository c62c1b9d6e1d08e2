//! Elements that travel where the endpoint likes them best: in a segment beside the packed bytes, or inline.
//!
//! One byte for the place, eight for the number of elements, then the segment's number or the elements. The codecs of
//! [`Bulk`](crate::Bulk) and of tensors and buffers share it. The invariant: a segment that is taken has exactly the
//! bytes that its elements need.

use crate::endpoint::Placement;
use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::segment::{MemoryKind, Segment};
use crate::writer::Writer;

/// The elements are written behind the count.
const INLINE: u8 = 0;
/// The number of the segment that holds the elements is written behind the count.
const SEGMENT: u8 = 1;

/// Writes the number under which [`Writer::attach`] put the elements, or has `inline` write them.
pub(crate) fn encode(
    segment: Option<u32>,
    count: u64,
    writer: &mut Writer<'_>,
    inline: impl FnOnce(&mut Writer<'_>) -> Result<()>,
) -> Result<()> {
    writer.write_trivial_type(&if segment.is_some() { SEGMENT } else { INLINE })?;
    writer.write_trivial_type(&count)?;
    match segment {
        Some(index) => writer.write_trivial_type(&index),
        None => inline(writer),
    }
}

/// Where elements are, and how many.
pub(crate) struct Placed {
    index: Option<u32>,
    /// How many elements there are.
    pub(crate) count: usize,
}

/// Reads where the elements are; inline ones come next.
pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Placed> {
    let place = reader.read_trivial_type::<u8>()?;
    let found = reader.read_trivial_type::<u64>()?;
    let offset = reader.offset();
    let index = match place {
        INLINE => None,
        SEGMENT => Some(reader.read_trivial_type::<u32>()?),
        found => return Err(Error::UnknownTag { offset: offset - 9, name: "Bulk", found: found.into() }),
    };
    let count = usize::try_from(found).map_err(|_| Error::InvalidLength { offset, found })?;
    Ok(Placed { index, count })
}

impl Placed {
    /// Whether the elements are in a segment.
    pub(crate) fn is_segment(&self) -> bool {
        self.index.is_some()
    }

    /// Takes the segment that holds them, if they are not inline.
    pub(crate) fn segment(
        &self,
        size: usize,
        alignment: usize,
        kind: MemoryKind,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Segment>> {
        let Some(index) = self.index else { return Ok(None) };
        let Some(length) = self.count.checked_mul(size) else {
            return Err(Error::InvalidLength { offset: reader.offset(), found: self.count as u64 });
        };
        let wanted = length as u64;
        let segment =
            reader.take_segment(Placement { index, length: wanted, alignment, kind, descriptor: &[] })?;
        match segment.length() as u64 {
            found if found == wanted => Ok(Some(segment)),
            found => Err(Error::SegmentLength { index, wanted, found }),
        }
    }
}
