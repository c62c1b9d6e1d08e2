//! The handle of an allocation on a device, and the guards through which it is used.
//!
//! Not here: names, locks and lives, which are those of the allocation that stands for it. Invariant: a guard gives its lock
//! back only when the device has done what the guard was used for.

use std::{cell::Cell, fmt, sync::Arc, time::Duration};

use podwire_codec_core::{
    Segment,
    tensor::{DType, Device as TensorDevice, Tensor},
};
use podwire_fastio::{AllocationId, FastIoAllocation, FastIoContext, Metadata, ReadGuard, WriteGuard};

use crate::{
    device::Device,
    driver::Place,
    error::{Error, Result},
    kind,
    memory::Memory,
    record::KEY,
    shown::Shown,
    stream::Stream,
};

/// A piece of device memory, and a handle that keeps it.
///
/// It behaves as a [`FastIoAllocation`] does: private until it is published, found by name from any process of the
/// pipeline, locked for writing, sealed for good, used again when nobody holds it. Unlike the host's, the memory is there
/// only as long as a process lives that has made it or holds it: then [`Device::get`] says [`Error::Gone`].
///
/// ```no_run
/// use podwire_device::Device;
/// use podwire_fastio::FastIoContext;
///
/// let (gpu, context) = (Device::open(0)?, FastIoContext::open("scanner")?);
/// let volume = gpu.create(&context, 256 * 256 * 256 * 4)?;
/// volume.map_mut()?.fill(0)?; // or a kernel writes to `map_mut()?.address()`
/// volume.publish("volume")?;
///
/// let found = gpu.get(&context, "volume")?; // here, or in any other process
/// let address = found.map()?.address(); // the same memory
/// # let _ = address;
/// # Ok::<(), podwire_device::Error>(())
/// ```
pub struct DeviceAllocation {
    device: Device,
    stand_in: FastIoAllocation,
    memory: Arc<Memory>,
    length: usize,
}

impl DeviceAllocation {
    pub(crate) fn new(
        device: Device,
        stand_in: FastIoAllocation,
        memory: Arc<Memory>,
        length: usize,
    ) -> Self {
        Self { device, stand_in, memory, length }
    }

    pub(crate) fn into_stand_in(self) -> FastIoAllocation {
        self.stand_in
    }

    /// The device that has the memory.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The allocation of the pipeline that stands for this one. It has no bytes; it can be sent as any other, and
    /// [`Device::map`] takes it at the other end.
    #[must_use]
    pub fn stand_in(&self) -> &FastIoAllocation {
        &self.stand_in
    }

    /// The pipeline that this belongs to.
    #[must_use]
    pub fn context(&self) -> &FastIoContext {
        self.stand_in.context()
    }

    /// What stands for this allocation in messages between processes of the pipeline.
    #[must_use]
    pub fn id(&self) -> AllocationId {
        self.stand_in.id()
    }

    /// The size in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether the size is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// This handle's copy of the metadata. The key `podwire.cuda` says where the memory is.
    ///
    /// # Errors
    /// As [`FastIoAllocation::metadata`].
    pub fn metadata(&self) -> Result<&Metadata> {
        Ok(self.stand_in.metadata()?)
    }

    /// Replaces this handle's copy of the metadata, but for the key `podwire.cuda`.
    ///
    /// # Errors
    /// As [`FastIoAllocation::metadata`].
    pub fn set_metadata(&mut self, mut metadata: Metadata) -> Result<()> {
        let record = self.stand_in.metadata()?.user.get(KEY).cloned().unwrap_or_default();
        metadata.user.insert(KEY.into(), record);
        self.stand_in.set_metadata(metadata);
        Ok(())
    }

    /// Gives the allocation a name, under which every process of the pipeline gets it. What guards were used for is done by
    /// then, so that nobody sees a write that is still on its way.
    ///
    /// # Errors
    /// As [`FastIoAllocation::publish`].
    pub fn publish(&self, name: &str) -> Result<()> {
        Ok(self.stand_in.publish(name)?)
    }

    /// The same, but takes the name over if it is taken.
    ///
    /// # Errors
    /// As [`FastIoAllocation::replace`].
    pub fn replace(&self, name: &str) -> Result<()> {
        Ok(self.stand_in.replace(name)?)
    }

    /// Takes all names away: no new handle anywhere. The memory is used again when the last handle is gone.
    ///
    /// # Errors
    /// As [`FastIoAllocation::free`].
    pub fn free(&self) -> Result<()> {
        Ok(self.stand_in.free()?)
    }

    /// Waits until nobody writes, and makes the memory immutable.
    ///
    /// # Errors
    /// As [`FastIoAllocation::seal`].
    pub fn seal(&self) -> Result<()> {
        Ok(self.stand_in.seal()?)
    }

    /// Whether the memory is immutable.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.stand_in.is_sealed()
    }

    /// Takes what a writer left that died in the middle of writing, for everybody; whether one had.
    ///
    /// # Errors
    /// As [`FastIoAllocation::accept_poisoned`].
    pub fn accept_poisoned(&self) -> Result<bool> {
        Ok(self.stand_in.accept_poisoned()?)
    }

    /// Waits until nobody writes, and gives the memory to read.
    ///
    /// # Errors
    /// As [`FastIoAllocation::map`].
    pub fn map(&self) -> Result<DeviceReadGuard<'_>> {
        Ok(DeviceReadGuard::new(self, self.stand_in.map()?))
    }

    /// The same, waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`FastIoAllocation::map_timeout`].
    pub fn map_timeout(&self, timeout: Duration) -> Result<DeviceReadGuard<'_>> {
        Ok(DeviceReadGuard::new(self, self.stand_in.map_timeout(timeout)?))
    }

    /// Waits until nobody else reads or writes, and gives the memory to write.
    ///
    /// # Errors
    /// As [`FastIoAllocation::map_mut`].
    pub fn map_mut(&self) -> Result<DeviceWriteGuard<'_>> {
        Ok(DeviceWriteGuard::new(self, self.stand_in.map_mut()?))
    }

    /// The same, waiting no longer than `timeout`.
    ///
    /// # Errors
    /// As [`FastIoAllocation::map_mut_timeout`].
    pub fn map_mut_timeout(&self, timeout: Duration) -> Result<DeviceWriteGuard<'_>> {
        Ok(DeviceWriteGuard::new(self, self.stand_in.map_mut_timeout(timeout)?))
    }

    /// The bytes on the host; the copy is counted.
    ///
    /// # Errors
    /// As [`map`](Self::map); [`Error::Driver`].
    pub fn to_vec(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let no_memory = |_| podwire_codec_core::Error::OutOfMemory { bytes: self.length as u64 };
        bytes.try_reserve_exact(self.length).map_err(no_memory)?;
        bytes.resize(self.length, 0);
        self.map()?.download(0, &mut bytes)?;
        Ok(bytes)
    }

    /// A sealed allocation as a tensor on the same memory, which keeps it. In a message it travels by reference to every
    /// process of this host.
    ///
    /// # Errors
    /// [`podwire_fastio::Error::NotSealed`]; [`Error::Codec`] if the shape needs another number of bytes.
    pub fn into_tensor(self, dtype: DType, shape: &[usize]) -> Result<Tensor> {
        let device = TensorDevice::cuda(self.device.ordinal());
        let bytes = shape.iter().try_fold(dtype.size(), |bytes, extent| bytes.checked_mul(*extent));
        let memory = self.into_segment()?;
        // The allocation may be larger than its array.
        let part = bytes.and_then(|bytes| memory.part(0..bytes)).unwrap_or(memory);
        Ok(Tensor::from_segment(part, dtype, shape)?.with_device(device))
    }

    pub(crate) fn into_segment(self) -> Result<Segment> {
        if !self.is_sealed() {
            return Err(podwire_fastio::Error::NotSealed.into());
        }
        let machine = Arc::clone(self.device.machine());
        Ok(Segment::new(Arc::new(Shown::new(machine, self.stand_in, self.memory, self.length))))
    }

    /// Where a range of bytes lies.
    pub(crate) fn place(&self, start: usize, bytes: usize) -> Result<Place> {
        let block = &self.memory.block;
        match start.checked_add(bytes) {
            Some(end) if end <= self.length => {
                Ok(Place { device: block.device, address: block.address + start as u64 })
            }
            end => {
                let [start, end, length] = [start, end.unwrap_or(usize::MAX), self.length].map(|n| n as u64);
                Err(Error::Range { start, end, length })
            }
        }
    }
}

impl fmt::Debug for DeviceAllocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAllocation")
            .field("device", &self.device)
            .field("id", &self.id())
            .field("len", &self.length)
            .finish_non_exhaustive()
    }
}

/// Device memory, to read. As long as it lives, nobody writes.
///
/// When it is dropped after its address was asked for, it waits for all work of this process on the device, as nobody
/// knows what of it reads here; [`finish`](Self::finish) waits for one stream only.
pub struct DeviceReadGuard<'a> {
    allocation: &'a DeviceAllocation,
    _guard: ReadGuard<'a>,
    used: Cell<bool>,
}

impl<'a> DeviceReadGuard<'a> {
    fn new(allocation: &'a DeviceAllocation, guard: ReadGuard<'a>) -> Self {
        Self { allocation, _guard: guard, used: Cell::new(false) }
    }

    /// Where the memory begins for the device.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.used.set(true);
        self.allocation.memory.block.address
    }

    /// Copies bytes from an offset on to the host.
    ///
    /// # Errors
    /// [`Error::Range`], [`Error::Driver`].
    pub fn download(&self, start: usize, bytes: &mut [u8]) -> Result<()> {
        let from = self.allocation.place(start, bytes.len())?;
        if bytes.is_empty() { Ok(()) } else { self.allocation.device.download(from.address, bytes) }
    }

    /// Ends it when what was queued on this stream is done.
    ///
    /// # Errors
    /// [`Error::Driver`].
    pub fn finish(self, stream: &Stream) -> Result<()> {
        let done = stream.synchronize();
        self.used.set(done.is_err());
        done
    }
}

impl Drop for DeviceReadGuard<'_> {
    fn drop(&mut self) {
        if self.used.get() {
            // A device that has failed does nothing more, either.
            let _ = self.allocation.device.synchronize();
        }
    }
}

/// Device memory, to write. As long as it lives, nobody else reads or writes.
///
/// When it is dropped after its address was asked for, it waits for all work of this process on the device;
/// [`finish`](Self::finish) waits for one stream only. If the device failed, or the process dies before, the allocation is
/// poisoned.
pub struct DeviceWriteGuard<'a> {
    allocation: &'a DeviceAllocation,
    guard: WriteGuard<'a>,
    used: Cell<bool>,
}

impl<'a> DeviceWriteGuard<'a> {
    fn new(allocation: &'a DeviceAllocation, guard: WriteGuard<'a>) -> Self {
        Self { allocation, guard, used: Cell::new(false) }
    }

    /// Where the memory begins for the device.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.used.set(true);
        self.allocation.memory.block.address
    }

    /// Copies bytes of the host to an offset.
    ///
    /// # Errors
    /// [`Error::Range`], [`Error::Driver`].
    pub fn upload(&mut self, start: usize, bytes: &[u8]) -> Result<()> {
        let to = self.allocation.place(start, bytes.len())?;
        if bytes.is_empty() {
            return Ok(());
        }
        let uploaded = self.allocation.device.upload(to.address, bytes);
        self.whole(uploaded)
    }

    /// Sets every byte.
    ///
    /// # Errors
    /// [`Error::Driver`].
    pub fn fill(&mut self, byte: u8) -> Result<()> {
        let to = self.allocation.place(0, self.allocation.length)?;
        let filled = match self.allocation.length {
            0 => Ok(()),
            bytes => self.allocation.device.machine().driver.fill(to.device, to.address, byte, bytes),
        };
        self.whole(filled)
    }

    /// Copies the memory of a tensor on a device, this one or another, to an offset; the copy is counted.
    ///
    /// # Errors
    /// [`Error::WrongMemory`] if no device here sees it; [`Error::Range`], [`Error::Driver`].
    pub fn copy_from(&mut self, start: usize, tensor: &Tensor) -> Result<()> {
        let (segment, machine) = (tensor.segment(), self.allocation.device.machine());
        let to = self.allocation.place(start, segment.length())?;
        let from = kind::place(machine, segment)?;
        let copied = kind::copy_between(machine, to, from, segment.length());
        self.whole(copied)
    }

    /// What the device could not write is not known: the allocation is poisoned.
    fn whole(&mut self, written: Result<()>) -> Result<()> {
        if written.is_err() {
            self.guard.poison();
        }
        written
    }

    /// Ends it when what was queued on this stream is done.
    ///
    /// # Errors
    /// [`Error::Driver`]; the allocation is poisoned then.
    pub fn finish(mut self, stream: &Stream) -> Result<()> {
        let done = stream.synchronize();
        self.used.set(false);
        if done.is_err() {
            self.guard.poison();
        }
        done
    }
}

impl Drop for DeviceWriteGuard<'_> {
    fn drop(&mut self) {
        if self.used.get() && self.allocation.device.synchronize().is_err() {
            self.guard.poison();
        }
    }
}
