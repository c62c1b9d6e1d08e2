//! Device memory as a kind of memory that Fast I/O carries.
//!
//! Not here: stand-ins, and how their memory is found. Invariant: what is shared is sealed, so that nobody writes to it.

use std::{any::Any, sync::Arc};

use podwire_codec_core::{Error as CodecError, MemoryKind, Result as CodecResult, Segment};
use podwire_fastio::{FastIoAllocation, FastIoContext, ForeignMemory};

use crate::{
    allocation::DeviceAllocation,
    counters::add,
    device::Device,
    driver::Place,
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
            // Of another library, or of another pipeline: as its memory cannot be shared here, a copy of it is.
            _ => {
                let device = place(&self.0, segment)?.device;
                Ok(copy(&self.0, device, context, segment)?.into_stand_in())
            }
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

/// Where a segment that a device sees begins, and on which device that is, which is ready.
pub(crate) fn place(machine: &Machine, segment: &Segment) -> Result<Place> {
    let address = segment.device_address().ok_or(Error::WrongMemory { kind: segment.kind().0 })? as u64;
    let device = match segment.owner().device_index() {
        Some(device) => device,
        None => machine.driver.device_of(address)?,
    };
    machine.details(device)?;
    Ok(Place { device, address })
}

/// Copies, and counts it.
pub(crate) fn copy_between(machine: &Machine, to: Place, from: Place, bytes: usize) -> Result<()> {
    if bytes > 0 {
        machine.driver.copy(to, from, bytes)?;
        add(&machine.counters.bytes_on_device, bytes);
    }
    Ok(())
}

/// A sealed copy, on a device, of a segment that some device sees.
pub(crate) fn copy(
    machine: &Arc<Machine>,
    device: u32,
    context: &FastIoContext,
    segment: &Segment,
) -> Result<DeviceAllocation> {
    let (from, bytes) = (place(machine, segment)?, segment.length());
    let copy = Device::new(Arc::clone(machine), device)?.create(context, bytes)?;
    copy_between(machine, copy.place(0, bytes)?, from, bytes)?;
    copy.seal()?;
    Ok(copy)
}
