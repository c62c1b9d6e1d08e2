//! Memory of the host that the driver has pinned.
//!
//! Not here: how it is kept for the next use. Invariant: it is there, and initialised, until it is dropped.

use std::ptr::NonNull;

use cudarc::driver::sys;

use super::{Primary, check, memory::OUT_OF_MEMORY};
use crate::error::{Error, Result};

/// Memory of the host that every device copies from and to at full speed.
pub(crate) struct Pinned {
    start: NonNull<u8>,
    length: usize,
    primary: Primary,
}

// SAFETY: it is plain memory, which any thread may use and give back.
unsafe impl Send for Pinned {}
// SAFETY: as above; a shared reference only reads.
unsafe impl Sync for Pinned {}

impl Pinned {
    /// Zeros.
    pub(super) fn new(primary: Primary, length: usize) -> Result<Self> {
        let _current = primary.enter()?;
        let mut start = std::ptr::null_mut();
        // For every context of the process.
        let portable = sys::CU_MEMHOSTALLOC_PORTABLE;
        let no_memory = || Error::Codec(podwire_codec_core::Error::OutOfMemory { bytes: length as u64 });
        // SAFETY: `start` is a place for a pointer.
        match check("cuMemHostAlloc", unsafe { sys::cuMemHostAlloc(&mut start, length.max(1), portable) }) {
            Err(Error::Driver { code: OUT_OF_MEMORY, .. }) => return Err(no_memory()),
            other => other?,
        }
        let start = NonNull::new(start.cast::<u8>()).ok_or_else(no_memory)?;
        // SAFETY: there are so many bytes, which nobody else has.
        unsafe { start.write_bytes(0, length) };
        Ok(Self { start, length, primary })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the memory is there until `self` is dropped, was initialised, and is written through `&mut self` only.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and nobody else has a reference.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: it came from `cuMemHostAlloc`, and goes once; copies from and to it have ended when their calls returned.
        self.primary.free(|| unsafe { sys::cuMemFreeHost(self.start.as_ptr().cast()) });
    }
}
