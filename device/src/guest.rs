//! Memory of a device that another library of this process owns, as the owner of segments.
//!
//! Not here: taking it over. Invariant: it is known on which device the memory is; and when that library gets it back, this
//! process has done all its work on the device.

use std::{ops::Range, sync::Arc};

use podwire_codec_core::{
    DeviceAddress, Error as CodecError, MemoryKind, Owner, Result as CodecResult, Segment,
};

use crate::{driver::Place, machine::Machine, shown::stage};

/// The owner. Other processes cannot be handed such memory: it is copied, once it is shared.
pub(crate) struct Guest {
    machine: Arc<Machine>,
    device: u32,
    /// All that the library's own owner has.
    segment: Segment,
}

impl Guest {
    pub(crate) fn new(machine: Arc<Machine>, device: u32, segment: Segment) -> Self {
        Self { machine, device, segment }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // A device that has failed does nothing more, either.
        let _ = self.machine.driver.synchronize(self.device, None);
    }
}

impl Owner for Guest {
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    fn length(&self) -> usize {
        self.segment.length()
    }

    fn alignment(&self) -> usize {
        self.segment.alignment()
    }

    fn kind(&self) -> MemoryKind {
        self.machine.kind
    }

    fn to_host(&self, part: Range<usize>) -> CodecResult<Segment> {
        let seen = self.segment.device_address().ok_or(CodecError::NotHostMemory { kind: self.kind().0 })?;
        let from = Place { device: self.device, address: (seen + part.start) as u64 };
        Ok(stage(&self.machine, from, part.len())?)
    }

    fn device_address(&self) -> Option<DeviceAddress> {
        self.segment.owner().device_address()
    }

    fn device_index(&self) -> Option<u32> {
        Some(self.device)
    }
}
