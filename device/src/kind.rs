//! Device memory as a kind of memory that Fast I/O carries.
//!
//! Not here: stand-ins, and how their memory is found. Invariant: what is shared is sealed, so that nobody writes to it.

use std::{any::Any, sync::Arc};

use podwire_codec_core::{Error as CodecError, MemoryKind, Result as CodecResult, Segment};
use podwire_fastio::{FastIoAllocation, FastIoContext, ForeignMemory, Metadata};

use crate::{
    counters::add,
    device::Device,
    error::{Error, Result},
    machine::Machine,
    shown::Shown,
};

/// The kind, for pipelines.
pub(crate) struct Kind(pub(crate) Arc<Machine>);

impl ForeignMemory for Kind {
    fn kind(&self) -> MemoryKind {
        self.0.kind
    }

    fn stand_in(&self, context: &FastIoContext, segment: &Segment) -> CodecResult<FastIoAllocation> {
        let owner: &dyn Any = &**segment.owner();
        match owner.downcast_ref::<Shown>() {
            Some(shown) if shown.stand_in().context().same_pipeline(context) => Ok(shown.stand_in().clone()),
            Some(shown) => Ok(copy(&self.0, shown.device(), context, segment)?),
            // Of another library, in this process: as its memory cannot be shared, a copy of it is.
            None => Ok(copy(&self.0, 0, context, segment)?),
        }
    }

    fn open(&self, stand_in: FastIoAllocation, descriptor: &[u8], length: u64) -> CodecResult<Segment> {
        let (record, memory) = self.0.open(&stand_in)?;
        let found = record.length as u64;
        let wrong = CodecError::SegmentLength { index: 0, wanted: length, found };
        // A part of memory that was there before says where it begins; what is as long as its memory is whole.
        let start = match descriptor.first_chunk() {
            Some(start) if found != length => u64::from_le_bytes(*start),
            _ => 0,
        };
        let end = start.checked_add(length).and_then(|end| usize::try_from(end).ok());
        let Some((start, end)) = usize::try_from(start).ok().zip(end) else { return Err(wrong) };
        if !stand_in.is_sealed() {
            return Err(Error::FastIo(podwire_fastio::Error::NotSealed).into());
        }
        let shown = Shown::new(Arc::clone(&self.0), stand_in, memory, record.length);
        Segment::new(Arc::new(shown)).part(start..end).ok_or(wrong)
    }
}

/// A sealed copy of a segment that the device can read, under a stand-in of its own.
pub(crate) fn copy(
    machine: &Arc<Machine>,
    device: u32,
    context: &FastIoContext,
    segment: &Segment,
) -> Result<FastIoAllocation> {
    let device = Device::new(Arc::clone(machine), device)?;
    let wrong = Error::WrongMemory { kind: segment.kind().0, device: device.ordinal() };
    let from = segment.device_address().ok_or(wrong)? as u64;
    let copy = device.create_with(context, segment.length(), Metadata::default())?;
    if segment.length() > 0 {
        let to = copy.memory().block.address;
        machine.driver.copy(device.ordinal(), to, from, segment.length())?;
        add(&machine.counters.bytes_on_device, segment.length());
    }
    copy.seal()?;
    Ok(copy.into_stand_in())
}
