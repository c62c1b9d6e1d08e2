//! The memory of tensors and buffers on the wire: a [`Bulk`](crate::Bulk) of bytes, whose inline form is read into
//! memory that is aligned for its elements.

use crate::error::{Error, Result};
use crate::placed::{self, Placed};
use crate::raw::sequence;
use crate::reader::Reader;
use crate::segment::{MemoryKind, Segment};
use crate::tensor::{Device, DeviceKind};
use crate::writer::Writer;

/// Writes a buffer that is whole, wherever it goes.
pub(super) fn encode(segment: &Segment, word: usize, writer: &mut Writer<'_>) -> Result<()> {
    let index = writer.attach(segment)?;
    placed::encode(index, segment.length() as u64, writer, |writer| {
        if segment.length() == 0 { Ok(()) } else { write_words(segment.to_host()?.bytes()?, word, writer) }
    })
}

/// Writes bytes that are numbers of `word` bytes each.
pub(super) fn write_words(bytes: &[u8], word: usize, writer: &mut Writer<'_>) -> Result<()> {
    if cfg!(target_endian = "little") || word == 1 {
        return writer.write(bytes);
    }
    bytes.iter().enumerate().try_for_each(|(at, _)| {
        let reversed = at - at % word + (word - 1 - at % word);
        writer.write(bytes.get(reversed..=reversed).unwrap_or_default())
    })
}

/// Takes the segment, or reads the inline bytes, which are numbers of `word` bytes each. `device` is what the sender calls it,
/// and becomes what it is called here.
pub(super) fn decode(
    placed: &Placed,
    word: usize,
    device: &mut Device,
    reader: &mut Reader<'_>,
) -> Result<Segment> {
    let kind = if device.kind == DeviceKind::CUDA { MemoryKind::CUDA } else { MemoryKind::HOST };
    if let Some(segment) = placed.segment(1, word, kind, reader)? {
        segment.check_alignment(word)?;
        device.index = segment.owner().device_index().unwrap_or(device.index);
        return Ok(segment);
    }
    let bytes = placed.count;
    if !bytes.is_multiple_of(word) {
        return Err(Error::InvalidLength { offset: reader.offset(), found: bytes as u64 });
    }
    Ok(match word {
        2 => Segment::of_values(sequence::decode::<u16>(bytes / 2, reader)?),
        4 => Segment::of_values(sequence::decode::<u32>(bytes / 4, reader)?),
        8 => Segment::of_values(sequence::decode::<u64>(bytes / 8, reader)?),
        _ => Segment::of_values(sequence::decode::<u8>(bytes, reader)?),
    })
}

/// Whether two segments have the same bytes; what the host cannot read is the same only where it lies.
pub(super) fn same(one: &Segment, two: &Segment) -> bool {
    match (one.bytes(), two.bytes()) {
        (Ok(one), Ok(two)) => one == two,
        _ => {
            let place = |segment: &Segment| (segment.start(), segment.length());
            alloc::sync::Arc::ptr_eq(one.owner(), two.owner()) && place(one) == place(two)
        }
    }
}
