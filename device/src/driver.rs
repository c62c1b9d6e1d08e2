//! What is asked of a driver, so that everything above can be tried with one that has no GPU.
//!
//! Not here: any driver; CUDA's is in `ffi`, the one for tests in `mock`. Invariant: addresses that are passed in are those
//! of live [`Block`]s, or of memory that somebody has vouched for by a `DeviceAddress`.

use std::os::fd::{BorrowedFd, OwnedFd};

use crate::{error::Result, ffi};

/// What is to be known of a device.
#[derive(Clone, Debug)]
pub(crate) struct Details {
    pub(crate) name: String,
    /// The same in every process.
    pub(crate) uuid: [u8; 16],
    /// Memory comes in multiples of this many bytes.
    pub(crate) granularity: usize,
}

/// Physical memory of a device, mapped into this process.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) device: u32,
    pub(crate) address: u64,
    pub(crate) bytes: usize,
    /// The driver's own.
    pub(crate) handle: u64,
}

/// Where memory begins, and on which device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) device: u32,
    pub(crate) address: u64,
}

/// Memory of the host that a device copies from and to without a detour.
pub(crate) enum HostMemory {
    Pinned(ffi::Pinned),
    #[cfg_attr(not(test), expect(dead_code, reason = "a driver for tests pins nothing"))]
    Pageable(Vec<u8>),
}

impl HostMemory {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Pinned(pinned) => pinned.bytes(),
            Self::Pageable(bytes) => bytes,
        }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Pinned(pinned) => pinned.bytes_mut(),
            Self::Pageable(bytes) => bytes,
        }
    }
}

/// A driver. Copies come after what the device's default stream has to do, and have come to their end when the call returns;
/// they do not wait for streams of their own, which the guards do.
pub(crate) trait Driver: Send + Sync + 'static {
    /// How many devices there are.
    fn count(&self) -> Result<u32>;

    /// What a device is called in every process; it need not be ready.
    fn uuid(&self, device: u32) -> Result<[u8; 16]>;

    /// Makes a device ready.
    fn open(&self, device: u32) -> Result<Details>;

    /// Bytes that are free, and bytes that there are.
    fn room(&self, device: u32) -> Result<(u64, u64)>;

    /// New memory, of which a multiple of the granularity is asked for.
    fn create(&self, device: u32, bytes: usize) -> Result<Block>;

    /// A descriptor by which another process imports the memory; only of what was created here. As long as it is open
    /// somewhere, the memory is there.
    fn export(&self, block: &Block) -> Result<OwnedFd>;

    /// The memory that a descriptor stands for.
    fn import(&self, device: u32, fd: BorrowedFd<'_>, bytes: usize) -> Result<Block>;

    /// Lets memory go, after all work on the device.
    fn release(&self, block: &Block);

    fn upload(&self, device: u32, to: u64, bytes: &[u8]) -> Result<()>;

    fn download(&self, device: u32, from: u64, bytes: &mut [u8]) -> Result<()>;

    /// Copies on one device, or from one to another.
    fn copy(&self, to: Place, from: Place, bytes: usize) -> Result<()>;

    fn fill(&self, device: u32, at: u64, byte: u8, bytes: usize) -> Result<()>;

    /// The device that has the memory at an address, whoever made it.
    fn device_of(&self, address: u64) -> Result<u32>;

    /// Waits for all work of this process on the device, or for that of one stream.
    fn synchronize(&self, device: u32, stream: Option<u64>) -> Result<()>;

    fn pin(&self, device: u32, bytes: usize) -> Result<HostMemory>;

    /// CUDA's own driver, for what is not memory.
    fn cuda(&self) -> Option<&ffi::Cuda> {
        None
    }
}
