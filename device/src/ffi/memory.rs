//! Memory: made, mapped, exported, imported, copied.
//!
//! Not here: who may do so when. Invariant: a [`Block`] that leaves this file is mapped for reading and writing, and an
//! error leaves nothing behind.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use cudarc::driver::sys::{
    self, CUmemAccess_flags, CUmemAccessDesc, CUmemAllocationGranularity_flags, CUmemAllocationHandleType,
    CUmemAllocationProp, CUmemAllocationType, CUmemLocation, CUmemLocationType,
};
use podwire_codec_core::DeviceAddress;

use super::{Cuda, Current, Primary, check, pinned::Pinned};
use crate::{
    driver::{Block, Details, Driver, HostMemory, Place},
    error::{Error, Result},
};

const DESCRIPTOR: CUmemAllocationHandleType =
    CUmemAllocationHandleType::CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
/// What the driver says when there is no memory.
pub(super) const OUT_OF_MEMORY: u32 = 2;

fn location(device: u32) -> CUmemLocation {
    CUmemLocation { type_: CUmemLocationType::CU_MEM_LOCATION_TYPE_DEVICE, id: device.cast_signed() }
}

fn properties(device: u32) -> CUmemAllocationProp {
    CUmemAllocationProp {
        type_: CUmemAllocationType::CU_MEM_ALLOCATION_TYPE_PINNED,
        requestedHandleTypes: DESCRIPTOR,
        location: location(device),
        win32HandleMetaData: std::ptr::null_mut(),
        allocFlags: sys::CUmemAllocationProp_st__bindgen_ty_1 {
            compressionType: 0,
            gpuDirectRDMACapable: 0,
            usage: 0,
            reserved: [0; 4],
        },
    }
}

impl Cuda {
    pub(super) fn granularity(&self, device: u32) -> Result<usize> {
        let mut bytes = 0;
        let least = CUmemAllocationGranularity_flags::CU_MEM_ALLOC_GRANULARITY_MINIMUM;
        let properties = properties(device);
        // SAFETY: `bytes` is a place for a number, and the properties are whole.
        let asked = unsafe { sys::cuMemGetAllocationGranularity(&mut bytes, &properties, least) };
        check("cuMemGetAllocationGranularity", asked)?;
        Ok(bytes)
    }

    /// Maps physical memory, which is let go if that fails.
    fn map(&self, device: u32, handle: u64, bytes: usize) -> Result<Block> {
        let mut block = Block { device, address: 0, bytes, handle };
        let mapped = self.map_block(&mut block);
        if mapped.is_err() {
            self.release(&block);
        }
        mapped.map(|()| block)
    }

    fn map_block(&self, block: &mut Block) -> Result<()> {
        let Block { device, bytes, handle, .. } = *block;
        let mut address = 0;
        // SAFETY: `address` is a place for one.
        let reserved = unsafe { sys::cuMemAddressReserve(&mut address, bytes, 0, 0, 0) };
        check("cuMemAddressReserve", reserved)?;
        // SAFETY: the range was just reserved, and the handle is live; a size beyond the memory is refused.
        if let Err(error) = check("cuMemMap", unsafe { sys::cuMemMap(address, bytes, 0, handle, 0) }) {
            // SAFETY: nothing was mapped into it.
            let _ = unsafe { sys::cuMemAddressFree(address, bytes) };
            return Err(error);
        }
        block.address = address;
        let all = CUmemAccess_flags::CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
        let access = CUmemAccessDesc { location: location(device), flags: all };
        // SAFETY: the range is mapped, and there is one description.
        check("cuMemSetAccess", unsafe { sys::cuMemSetAccess(address, bytes, &access, 1) })
    }

    /// Waits for the default stream of the device whose context is current. Copies and fills that name no stream are queued
    /// there, by whichever thread, after what other streams had queued that are not `NON_BLOCKING`; the call may return before
    /// they have ended.
    fn wait_for_default_stream(_: &Current) -> Result<()> {
        // SAFETY: null stands for the default stream, which every context has.
        check("cuStreamSynchronize", unsafe { sys::cuStreamSynchronize(std::ptr::null_mut()) })
    }

    /// The call's error, or that there is no room.
    fn or_no_room<R>(&self, device: u32, wanted: usize, result: Result<R>) -> Result<R> {
        match result {
            Err(Error::Driver { code: OUT_OF_MEMORY, .. }) => {
                let (free, total) = self.room(device)?;
                Err(Error::OutOfMemory { wanted: wanted as u64, free, total })
            }
            other => other,
        }
    }
}

impl Driver for Cuda {
    fn count(&self) -> Result<u32> {
        self.devices()
    }

    fn uuid(&self, device: u32) -> Result<[u8; 16]> {
        Self::uuid_of(device)
    }

    fn open(&self, device: u32) -> Result<Details> {
        self.retain(device)
    }

    fn room(&self, device: u32) -> Result<(u64, u64)> {
        let _current = self.enter(device)?;
        let (mut free, mut total) = (0, 0);
        // SAFETY: both are places for numbers.
        check("cuMemGetInfo", unsafe { sys::cuMemGetInfo_v2(&mut free, &mut total) })?;
        Ok((free as u64, total as u64))
    }

    fn create(&self, device: u32, bytes: usize) -> Result<Block> {
        let _current = self.enter(device)?;
        let (mut handle, properties) = (0, properties(device));
        // SAFETY: `handle` is a place for one, and the properties are whole.
        let created = unsafe { sys::cuMemCreate(&mut handle, bytes, &properties, 0) };
        self.or_no_room(device, bytes, check("cuMemCreate", created))?;
        self.or_no_room(device, bytes, self.map(device, handle, bytes))
    }

    fn export(&self, block: &Block) -> Result<OwnedFd> {
        let _current = self.enter(block.device)?;
        let mut fd: RawFd = -1;
        let place = (&raw mut fd).cast();
        // SAFETY: `place` is where a descriptor goes, and the handle is live as long as its block.
        let exported = unsafe { sys::cuMemExportToShareableHandle(place, block.handle, DESCRIPTOR, 0) };
        check("cuMemExportToShareableHandle", exported)?;
        // SAFETY: the driver has opened it for us.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)
            .map_err(|error| Error::io("a descriptor of device memory", error))?;
        Ok(fd)
    }

    fn import(&self, device: u32, fd: BorrowedFd<'_>, bytes: usize) -> Result<Block> {
        let _current = self.enter(device)?;
        let mut handle = 0;
        let raw = std::ptr::without_provenance_mut(fd.as_raw_fd() as usize);
        // SAFETY: `handle` is a place for one; a descriptor is passed as its number, and one that is no memory's is refused.
        let imported = unsafe { sys::cuMemImportFromShareableHandle(&mut handle, raw, DESCRIPTOR) };
        self.or_no_room(device, bytes, check("cuMemImportFromShareableHandle", imported))?;
        self.or_no_room(device, bytes, self.map(device, handle, bytes))
    }

    fn release(&self, block: &Block) {
        let Ok(_current) = self.enter(block.device) else { return };
        if block.address != 0 {
            // SAFETY: whoever uses the memory has waited for the device before the block came here.
            let _ = unsafe { sys::cuMemUnmap(block.address, block.bytes) };
            // SAFETY: nothing is mapped there any more.
            let _ = unsafe { sys::cuMemAddressFree(block.address, block.bytes) };
        }
        // SAFETY: the handle is the block's, which is released once.
        let _ = unsafe { sys::cuMemRelease(block.handle) };
    }

    fn upload(&self, device: u32, to: u64, bytes: &[u8]) -> Result<()> {
        let current = self.enter(device)?;
        // SAFETY: the callers pass memory of a live block that has so many bytes, and the slice has them.
        check("cuMemcpyHtoD", unsafe { sys::cuMemcpyHtoD_v2(to, bytes.as_ptr().cast(), bytes.len()) })?;
        Self::wait_for_default_stream(&current)
    }

    fn download(&self, device: u32, from: u64, bytes: &mut [u8]) -> Result<()> {
        let _current = self.enter(device)?;
        // SAFETY: as above, the other way round; this call returns when the copy has ended.
        check("cuMemcpyDtoH", unsafe { sys::cuMemcpyDtoH_v2(bytes.as_mut_ptr().cast(), from, bytes.len()) })
    }

    fn copy(&self, to: Place, from: Place, bytes: usize) -> Result<()> {
        let (here, there) = (self.primary(to.device)?, self.primary(from.device)?);
        let current = here.enter()?;
        let (to_address, from_address) = (to.address, from.address);
        if to.device == from.device {
            // SAFETY: the callers pass memory that has so many bytes, of live blocks or vouched for.
            check("cuMemcpyDtoD", unsafe { sys::cuMemcpyDtoD_v2(to_address, from_address, bytes) })?;
        } else {
            // Each device sees its own memory only: this call needs no more, and takes the way that there is.
            let (Primary(here), Primary(there)) = (here, there);
            let default = std::ptr::null_mut();
            // SAFETY: as above, each address with the context of its device.
            let queued =
                unsafe { sys::cuMemcpyPeerAsync(to_address, here, from_address, there, bytes, default) };
            check("cuMemcpyPeerAsync", queued)?;
        }
        Self::wait_for_default_stream(&current)
    }

    fn fill(&self, device: u32, at: u64, byte: u8, bytes: usize) -> Result<()> {
        let current = self.enter(device)?;
        // SAFETY: as for `upload`.
        check("cuMemsetD8", unsafe { sys::cuMemsetD8_v2(at, byte, bytes) })?;
        Self::wait_for_default_stream(&current)
    }

    fn device_of(&self, address: u64) -> Result<u32> {
        // The context of any device will do: there is one space of addresses.
        let _current = self.enter(self.any()?)?;
        let ordinal = sys::CUpointer_attribute::CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL;
        let mut device = 0_i32;
        let place = (&raw mut device).cast();
        // SAFETY: `place` is where such a number goes; an address that is no memory's is refused.
        check("cuPointerGetAttribute", unsafe { sys::cuPointerGetAttribute(place, ordinal, address) })?;
        // Ready, for what is then asked of it.
        self.retain(device.unsigned_abs()).map(|_| device.unsigned_abs())
    }

    fn synchronize(&self, device: u32, stream: Option<u64>) -> Result<()> {
        let _current = self.enter(device)?;
        match stream {
            // SAFETY: there is a current context.
            None => check("cuCtxSynchronize", unsafe { sys::cuCtxSynchronize() }),
            Some(stream) => {
                let stream = std::ptr::without_provenance_mut(stream as usize);
                // SAFETY: the callers pass a live stream, or one that somebody has vouched for.
                check("cuStreamSynchronize", unsafe { sys::cuStreamSynchronize(stream) })
            }
        }
    }

    fn pin(&self, device: u32, bytes: usize) -> Result<HostMemory> {
        Ok(HostMemory::Pinned(Pinned::new(self.primary(device)?, bytes)?))
    }

    fn cuda(&self) -> Option<&Cuda> {
        Some(self)
    }
}

/// The address of memory that the caller keeps mapped as long as the owner that shows it, and does not write to any more.
pub(crate) fn vouch(block: &Block) -> DeviceAddress {
    // SAFETY: the callers are owners of segments: they keep their block, and there are segments of sealed memory only.
    unsafe { DeviceAddress::new(block.address as usize) }
}
