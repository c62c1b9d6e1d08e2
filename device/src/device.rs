//! A GPU: where its memory comes from, and how tensors get into it and out of it.
//!
//! Not here: what an allocation can do. Invariant: a `Device` is one that the driver has made ready.

use std::{fmt, sync::Arc};

use podwire_codec_core::{
    Segment,
    tensor::{Device as TensorDevice, Tensor, dlpack},
};
use podwire_fastio::{FastIoAllocation, FastIoContext, Metadata};

use crate::{
    allocation::DeviceAllocation,
    counters::{Stats, add},
    driver::Details,
    error::{Error, Result},
    guest::Guest,
    kind,
    machine::Machine,
    shown::stage,
    stream::Stream,
};

/// A GPU that this process uses; cheap to clone.
///
/// Opening the first one loads the CUDA driver, and lets the pipelines of this process carry device memory: tensors in it
/// are then sent, published and received as any others are.
///
/// ```
/// use podwire_device::{Device, Error};
///
/// match Device::open(0) {
///     Ok(gpu) => println!("{gpu:?}"),
///     Err(Error::NoDriver | Error::NoDevice) => println!("there is no GPU; the host does it"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Clone)]
pub struct Device {
    machine: Arc<Machine>,
    ordinal: u32,
    details: Arc<Details>,
}

impl Device {
    /// How many GPUs this process can use; it may be none.
    ///
    /// # Errors
    /// [`Error::NoDriver`], [`Error::OldDriver`], [`Error::NoDevice`], [`Error::Driver`].
    pub fn count() -> Result<u32> {
        Machine::cuda()?.driver.count()
    }

    /// The GPU of this number, from 0, as `CUDA_VISIBLE_DEVICES` orders them.
    ///
    /// # Errors
    /// [`Error::WrongOrdinal`]; [`Error::Unsupported`] if it cannot share memory between processes; otherwise as
    /// [`count`](Self::count).
    pub fn open(ordinal: u32) -> Result<Self> {
        Self::new(Arc::clone(Machine::cuda()?), ordinal)
    }

    pub(crate) fn new(machine: Arc<Machine>, ordinal: u32) -> Result<Self> {
        let details = machine.details(ordinal)?;
        Ok(Self { machine, ordinal, details })
    }

    pub(crate) fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    /// Its number.
    #[must_use]
    pub fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// What its maker calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.details.name
    }

    /// Bytes that are free on it, and bytes that it has.
    ///
    /// # Errors
    /// [`Error::Driver`].
    pub fn memory(&self) -> Result<(u64, u64)> {
        self.machine.driver.room(self.ordinal)
    }

    /// Creates an allocation of `size` bytes on this device, private to this process until it is published. It takes a
    /// multiple of what the device gives out at once, which is 2 MiB, and may hold what an earlier allocation left.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; [`Error::FastIo`] and [`Error::Io`] if the pipeline cannot take it.
    pub fn create(&self, context: &FastIoContext, size: usize) -> Result<DeviceAllocation> {
        self.create_with(context, size, Metadata::default())
    }

    /// The same with metadata to begin with.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_with(
        &self,
        context: &FastIoContext,
        size: usize,
        metadata: Metadata,
    ) -> Result<DeviceAllocation> {
        let (stand_in, memory) = self.machine.create(self.ordinal, context, size, metadata)?;
        Ok(DeviceAllocation::new(self.clone(), stand_in, memory, size))
    }

    /// What is published under a name, mapped into this process; on whichever device it is.
    ///
    /// # Errors
    /// [`Error::Gone`] if every process that held the memory has ended; [`Error::NotDeviceMemory`];
    /// [`Error::NotVisible`]; [`Error::FastIo`] if nothing is published there.
    pub fn get(&self, context: &FastIoContext, name: &str) -> Result<DeviceAllocation> {
        self.map(context.get(name)?)
    }

    /// The memory that an allocation stands for, which was got by name, received, or waited for.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn map(&self, stand_in: FastIoAllocation) -> Result<DeviceAllocation> {
        let (record, memory) = self.machine.open(&stand_in)?;
        let device = Self::new(Arc::clone(&self.machine), memory.block.device)?;
        Ok(DeviceAllocation::new(device, stand_in, memory, record.length))
    }

    /// The tensor in memory of this device that the processes of the pipeline share: the tensor itself, if it is there already;
    /// a copy, which is counted, of one on the host, on another device, or of another library.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; [`Error::WrongMemory`] if no device here sees it; [`Error::Driver`]; otherwise as
    /// [`create`](Self::create).
    pub fn place(&self, context: &FastIoContext, tensor: &Tensor) -> Result<Tensor> {
        let device = TensorDevice::cuda(self.ordinal);
        let segment = tensor.segment();
        let memory = match segment.bytes() {
            Ok(bytes) => {
                let memory = self.create(context, bytes.len())?;
                memory.map_mut()?.upload(0, bytes)?;
                memory.seal()?;
                memory
            }
            Err(_) if segment.kind() == self.machine.kind && self.has(context, tensor) => {
                return Ok(tensor.clone().with_device(device));
            }
            Err(_) => kind::copy(&self.machine, self.ordinal, context, segment)?,
        };
        Ok(tensor.with_segment(memory.into_segment()?)?.with_device(device))
    }

    /// Whether a tensor is in memory of this device that the pipeline's processes share.
    fn has(&self, context: &FastIoContext, tensor: &Tensor) -> bool {
        let owner: &dyn std::any::Any = &**tensor.segment().owner();
        owner.downcast_ref::<crate::shown::Shown>().is_some_and(|shown| {
            shown.device() == self.ordinal && shown.stand_in().context().same_pipeline(context)
        })
    }

    /// The tensor in pinned memory of the host, from whichever device; one that the host can read is returned as it is. The copy
    /// is counted.
    ///
    /// # Errors
    /// [`Error::WrongMemory`], [`Error::Driver`].
    pub fn fetch(&self, tensor: &Tensor) -> Result<Tensor> {
        let segment = tensor.segment();
        if segment.bytes().is_ok() {
            return Ok(tensor.clone());
        }
        let copy = stage(&self.machine, kind::place(&self.machine, segment)?, segment.length())?;
        Ok(tensor.with_segment(copy)?.with_device(TensorDevice::HOST))
    }

    /// Takes over a tensor of another library of this process, without a copy. Waits for what that library has queued on
    /// `stream`, or on the whole device if it does not say where; what it queues elsewhere, it must have waited for itself.
    ///
    /// As its memory cannot be shared, it is copied on the device, once, when it is sent or published; see
    /// [`place`](Self::place). The library gets it back when all work of this process on the device has ended.
    ///
    /// # Errors
    /// [`Error::WrongDevice`] if it is on another device; [`Error::Codec`] for what is no tensor that podwire knows;
    /// [`Error::Driver`].
    pub fn from_dlpack<M: dlpack::Abi>(
        &self,
        managed: dlpack::Managed<M>,
        stream: Option<&Stream>,
    ) -> Result<Tensor> {
        match stream {
            Some(stream) => stream.synchronize()?,
            None => self.synchronize()?,
        }
        let tensor = Tensor::from_dlpack_of_device(managed)?;
        let segment = tensor.segment();
        if segment.bytes().is_ok() {
            return Ok(tensor);
        }
        let (found, ordinal) = (tensor.device().index, self.ordinal);
        if found != ordinal {
            return Err(Error::WrongDevice { found, ordinal });
        }
        let guest = Guest::new(Arc::clone(&self.machine), ordinal, segment.clone());
        Ok(tensor.with_segment(Segment::new(Arc::new(guest)))?)
    }

    /// A stream of its own for kernels and copies.
    ///
    /// # Errors
    /// [`Error::Driver`].
    pub fn stream(&self) -> Result<Stream> {
        Stream::new(self)
    }

    /// Waits for all work of this process on the device.
    ///
    /// # Errors
    /// [`Error::Driver`], also if an earlier kernel failed.
    pub fn synchronize(&self) -> Result<()> {
        self.machine.driver.synchronize(self.ordinal, None)
    }

    /// What was done with device memory in this process.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.machine.counters.now()
    }

    /// Gives memory back that waits to be used again: to the device and to the host.
    pub fn trim(&self) {
        self.machine.trim();
    }

    /// Brings bytes to the device, and counts them.
    pub(crate) fn upload(&self, to: u64, bytes: &[u8]) -> Result<()> {
        self.machine.driver.upload(self.ordinal, to, bytes)?;
        add(&self.machine.counters.bytes_to_device, bytes.len());
        Ok(())
    }

    /// Brings bytes to the host, and counts them.
    pub(crate) fn download(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        self.machine.driver.download(self.ordinal, from, bytes)?;
        add(&self.machine.counters.bytes_to_host, bytes.len());
        Ok(())
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GPU {} ({})", self.ordinal, self.details.name)
    }
}
