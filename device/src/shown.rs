//! Sealed memory of a device as the owner of segments, which tensors keep.
//!
//! Not here: memory that may still change. Invariant: when it is dropped, this process has done all its work on the device,
//! so that nothing still reads what may then be used again.

use std::{ops::Range, sync::Arc};

use podwire_codec_core::{DeviceAddress, MemoryKind, Owner, Result as CodecResult, Segment};
use podwire_fastio::FastIoAllocation;

use crate::{
    counters::add,
    driver::{HostMemory, Place},
    error::Result,
    ffi,
    machine::Machine,
    memory::Memory,
};

/// The owner.
pub(crate) struct Shown {
    machine: Arc<Machine>,
    memory: Arc<Memory>,
    stand_in: FastIoAllocation,
    length: usize,
}

impl Shown {
    pub(crate) fn new(
        machine: Arc<Machine>,
        stand_in: FastIoAllocation,
        memory: Arc<Memory>,
        length: usize,
    ) -> Self {
        Self { machine, memory, stand_in, length }
    }

    pub(crate) fn stand_in(&self) -> &FastIoAllocation {
        &self.stand_in
    }

    pub(crate) fn device(&self) -> u32 {
        self.memory.block.device
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // A device that has failed does nothing more, either.
        let _ = self.machine.driver.synchronize(self.device(), None);
    }
}

impl Owner for Shown {
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    fn length(&self) -> usize {
        self.length
    }

    fn alignment(&self) -> usize {
        1 << self.memory.block.address.trailing_zeros().min(12)
    }

    fn kind(&self) -> MemoryKind {
        self.machine.kind
    }

    /// Where the part begins.
    fn descriptor(&self, part: Range<usize>) -> Vec<u8> {
        (part.start as u64).to_le_bytes().into()
    }

    fn to_host(&self, part: Range<usize>) -> CodecResult<Segment> {
        let from = Place { device: self.device(), address: self.memory.block.address + part.start as u64 };
        Ok(stage(&self.machine, from, part.len())?)
    }

    fn device_address(&self) -> Option<DeviceAddress> {
        Some(ffi::vouch(&self.memory.block))
    }

    fn device_index(&self) -> Option<u32> {
        Some(self.device())
    }
}

/// Copies memory of the device into pinned memory of the host, and counts it.
pub(crate) fn stage(machine: &Arc<Machine>, from: Place, length: usize) -> Result<Segment> {
    let mut memory = machine.pin(from.device, length)?;
    if length > 0 {
        machine.driver.download(from.device, from.address, &mut memory.bytes_mut()[..length])?;
    }
    add(&machine.counters.bytes_to_host, length);
    let machine = Arc::clone(machine);
    Ok(Segment::new(Arc::new(Staged { machine, memory: Some(memory), length })))
}

/// What was staged; the pinned memory is used again afterwards.
struct Staged {
    machine: Arc<Machine>,
    memory: Option<HostMemory>,
    length: usize,
}

impl Owner for Staged {
    fn bytes(&self) -> Option<&[u8]> {
        self.memory.as_ref()?.bytes().get(..self.length)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.machine.unpin(memory);
        }
    }
}
