//! DLPack's C structures, and the two acts that no type can check: to take one over from a foreign producer, and to
//! hand one out.
//!
//! Numbers that come from a producer are plain integers here, never Rust enums, and are checked before a pointer is
//! followed. The invariant: whoever has a [`Managed`] calls its deleter, once.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::ptr::{NonNull, null_mut};

use crate::error::Result;
use crate::raw::address::DeviceAddress;
use crate::segment::{MemoryKind, Owner, Segment};
use crate::tensor::dlpack::{DlpackError, element_type, element_type_of, is_host};
use crate::tensor::{DType, Device, DeviceKind, RANK_LIMIT, Shape, Tensor, TensorError};

/// The element type of a [`DLTensor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct DLDataType {
    /// 0 signed, 1 unsigned, 2 float, 4 bfloat, 5 complex, 6 bool; there are others.
    pub code: u8,
    /// Bits of one lane.
    pub bits: u8,
    /// Lanes of a vector type; else 1.
    pub lanes: u16,
}

/// The device of a [`DLTensor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct DLDevice {
    /// The number of a [`DeviceKind`].
    pub device_type: i32,
    /// Which of that kind.
    pub device_id: i32,
}

/// An array, without its memory.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct DLTensor {
    /// The memory.
    pub data: *mut c_void,
    /// The device that has it.
    pub device: DLDevice,
    /// How many dimensions there are.
    pub ndim: i32,
    /// The type of the elements.
    pub dtype: DLDataType,
    /// The extent of each dimension in elements.
    pub shape: *mut i64,
    /// The step of each dimension in elements; null if they are in row-major order.
    pub strides: *mut i64,
    /// Where in the memory the first element begins, in bytes.
    pub byte_offset: u64,
}

/// The version of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct DLPackVersion {
    /// Structures of another major version have another layout.
    pub major: u32,
    /// What may be found in them.
    pub minor: u32,
}

/// An array with its memory: the structure in a capsule named `dltensor_versioned`.
#[derive(Debug)]
#[repr(C)]
pub struct DLManagedTensorVersioned {
    /// The version of this structure.
    pub version: DLPackVersion,
    /// The producer's own.
    pub manager_ctx: *mut c_void,
    /// Frees memory and structure.
    pub deleter: Option<unsafe extern "C" fn(*mut Self)>,
    /// [`READ_ONLY`], [`IS_COPIED`] and others.
    pub flags: u64,
    /// The array.
    pub dl_tensor: DLTensor,
}

/// The structure before version 1, in a capsule named `dltensor`.
#[derive(Debug)]
#[repr(C)]
pub struct DLManagedTensor {
    /// The array.
    pub dl_tensor: DLTensor,
    /// The producer's own.
    pub manager_ctx: *mut c_void,
    /// Frees memory and structure.
    pub deleter: Option<unsafe extern "C" fn(*mut Self)>,
}

/// The flag of memory that must not be written to.
pub const READ_ONLY: u64 = 1;
/// The flag of memory that the producer has copied for this consumer.
pub const IS_COPIED: u64 = 2;
/// The version of the structures that are made here.
pub const VERSION: DLPackVersion = DLPackVersion { major: 1, minor: 1 };

/// One of the two structures that hold an array with its memory.
///
/// # Safety
///
/// `release` calls the structure's deleter, if it has one, and nothing else frees it; `tensor` is the structure's.
pub unsafe trait Abi: Sized + 'static {
    /// The array, if the version is one whose layout is known.
    ///
    /// # Errors
    ///
    /// [`DlpackError::Version`].
    fn tensor(&self) -> Result<DLTensor, DlpackError>;

    /// The flags.
    fn flags(&self) -> u64;

    /// Calls the deleter.
    ///
    /// # Safety
    ///
    /// `this` is a structure that is valid and not released yet; nobody uses it afterwards.
    unsafe fn release(this: NonNull<Self>);
}

// SAFETY: `release` does what it must, and no more.
unsafe impl Abi for DLManagedTensorVersioned {
    fn tensor(&self) -> Result<DLTensor, DlpackError> {
        match self.version.major {
            1 => Ok(self.dl_tensor),
            major => Err(DlpackError::Version { major }),
        }
    }

    fn flags(&self) -> u64 {
        self.flags
    }

    unsafe fn release(this: NonNull<Self>) {
        // SAFETY: the caller has a valid structure.
        if let Some(deleter) = unsafe { this.as_ref() }.deleter {
            // SAFETY: the producer's deleter, with its own structure, once.
            unsafe { deleter(this.as_ptr()) };
        }
    }
}

// SAFETY: as above.
unsafe impl Abi for DLManagedTensor {
    fn tensor(&self) -> Result<DLTensor, DlpackError> {
        Ok(self.dl_tensor)
    }

    fn flags(&self) -> u64 {
        0
    }

    unsafe fn release(this: NonNull<Self>) {
        // SAFETY: the caller has a valid structure.
        if let Some(deleter) = unsafe { this.as_ref() }.deleter {
            // SAFETY: the producer's deleter, with its own structure, once.
            unsafe { deleter(this.as_ptr()) };
        }
    }
}

/// An array with its memory, whose deleter is called when it is dropped.
#[derive(Debug)]
pub struct Managed<M: Abi = DLManagedTensorVersioned>(NonNull<M>);

// SAFETY: `from_raw` demands a deleter that any thread may call, and memory that does not change.
unsafe impl<M: Abi> Send for Managed<M> {}
// SAFETY: a shared reference only reads the structure.
unsafe impl<M: Abi> Sync for Managed<M> {}

impl<M: Abi> Managed<M> {
    /// Takes over what a producer made, for example the pointer of a capsule (which is then to be renamed `used_…`).
    ///
    /// # Errors
    ///
    /// [`DlpackError::Null`].
    ///
    /// # Safety
    ///
    /// If it is not null:
    /// - it points to a valid structure of its version, which is the caller's to consume;
    /// - if its device is the host, `shape`, `strides` and `data` are null or point to as much as it says, and all
    ///   bytes from the lowest element to the highest are initialised; if it is another device, the same once what is
    ///   queued there has ended;
    /// - none of this is written to, and all of it stays, until the deleter was called;
    /// - the deleter may be called from any thread.
    pub unsafe fn from_raw(managed: *mut M) -> Result<Self> {
        match NonNull::new(managed) {
            Some(managed) => Ok(Self(managed)),
            None => Err(TensorError::from(DlpackError::Null { what: "structure" }).into()),
        }
    }

    /// Hands it over to a consumer, who calls the deleter: for example as the pointer of a capsule.
    #[must_use]
    pub fn into_raw(self) -> *mut M {
        core::mem::ManuallyDrop::new(self).0.as_ptr()
    }

    /// The structure, for reading.
    #[must_use]
    pub fn as_raw(&self) -> &M {
        // SAFETY: `from_raw` demands a valid structure, and it is ours until we are dropped.
        unsafe { self.0.as_ref() }
    }
}

impl<M: Abi> Drop for Managed<M> {
    fn drop(&mut self) {
        // SAFETY: `from_raw` demands a valid structure that is ours to consume, and this is the only drop.
        unsafe { M::release(self.0) };
    }
}

/// A tensor, and the structure that describes it to others. The structure comes first, so that they have one address.
#[repr(C)]
struct Export {
    managed: DLManagedTensorVersioned,
    shape: [i64; RANK_LIMIT],
    strides: [i64; RANK_LIMIT],
    tensor: Tensor,
}

/// Describes a tensor whose first element lies at `data`, to which the tensor keeps its memory.
pub(crate) fn export(tensor: Tensor, data: *const u8, device: DLDevice) -> Managed {
    let numbers = |from: &mut dyn Iterator<Item = i64>| {
        let mut numbers = [0; RANK_LIMIT];
        numbers.iter_mut().zip(from).for_each(|(slot, number)| *slot = number);
        numbers
    };
    let shape = numbers(&mut tensor.shape().iter().map(|extent| *extent as i64));
    let strides = numbers(&mut tensor.strides().iter().map(|stride| *stride as i64));
    let dl_tensor = DLTensor {
        data: data.cast_mut().cast(),
        device,
        ndim: tensor.rank() as i32,
        dtype: element_type_of(tensor.dtype()),
        shape: null_mut(),
        strides: null_mut(),
        byte_offset: 0,
    };
    let managed = DLManagedTensorVersioned {
        version: VERSION,
        manager_ctx: null_mut(),
        deleter: Some(delete),
        flags: READ_ONLY,
        dl_tensor,
    };
    let export = NonNull::from(Box::leak(Box::new(Export { managed, shape, strides, tensor })));
    let at = export.as_ptr();
    // SAFETY: a field of the live box; only its address is taken.
    let shape = unsafe { &raw mut (*at).shape };
    // SAFETY: as above.
    let strides = unsafe { &raw mut (*at).strides };
    // SAFETY: the box is live, and nobody else knows it.
    let managed = unsafe { &mut (*at).managed };
    managed.manager_ctx = at.cast();
    managed.dl_tensor.shape = shape.cast();
    managed.dl_tensor.strides = strides.cast();
    Managed(export.cast())
}

/// The deleter of what [`export`] made.
unsafe extern "C" fn delete(managed: *mut DLManagedTensorVersioned) {
    if !managed.is_null() {
        // SAFETY: DLPack passes the structure that `export` made, which is the beginning of its box, once.
        drop(unsafe { Box::from_raw(managed.cast::<Export>()) });
    }
}

/// Memory of a foreign producer.
struct Foreign<M: Abi> {
    _managed: Managed<M>,
    start: *const u8,
    length: usize,
    /// Whether only a device reads it: nothing is ever read at `start` then.
    device: bool,
}

// SAFETY: the memory does not change while the structure lives, which may be released by any thread.
unsafe impl<M: Abi> Send for Foreign<M> {}
// SAFETY: as above.
unsafe impl<M: Abi> Sync for Foreign<M> {}

impl<M: Abi> Owner for Foreign<M> {
    fn bytes(&self) -> Option<&[u8]> {
        if self.device {
            return None;
        }
        // SAFETY: `import` saw that these are the bytes from the lowest element to the highest, which `from_raw`
        // demands to be initialised, unchanged, and there until the structure is released, which is after `self`.
        Some(unsafe { core::slice::from_raw_parts(self.start, self.length) })
    }

    fn length(&self) -> usize {
        self.length
    }

    fn alignment(&self) -> usize {
        1 << self.start.addr().trailing_zeros().min(12)
    }

    fn kind(&self) -> MemoryKind {
        if self.device { MemoryKind::CUDA } else { MemoryKind::HOST }
    }

    fn device_address(&self) -> Option<DeviceAddress> {
        // SAFETY: `from_raw` demands memory that stays, and is not written to, until the structure is released; of a device it
        // is taken only by `from_dlpack_of_device`, whose caller has waited until it was complete.
        self.device.then(|| unsafe { DeviceAddress::new(self.start.addr()) })
    }
}

/// What a structure describes: elements from the first to the last byte of the segment. `known` says which types of
/// device are taken, which are the host's and CUDA's at most.
pub(crate) fn import<M: Abi>(
    managed: Managed<M>,
    known: impl Fn(i32) -> bool,
) -> Result<(Segment, DType, Device, Shape)> {
    let found = managed.as_raw().tensor().map_err(TensorError::from)?;
    let kind = found.device.device_type;
    if !known(kind) {
        return Err(TensorError::from(DlpackError::Device { kind }).into());
    }
    // Known are small numbers only.
    let device =
        Device { kind: DeviceKind(kind as u16), index: u32::try_from(found.device.device_id).unwrap_or(0) };
    let dtype = element_type(found.dtype).map_err(TensorError::from)?;
    let rank = usize::try_from(found.ndim).ok().filter(|rank| *rank <= RANK_LIMIT);
    let rank = rank.ok_or(TensorError::from(DlpackError::Rank { found: found.ndim }))?;
    let null = |what| TensorError::from(DlpackError::Null { what });
    let mut extents = Vec::with_capacity(rank);
    for (axis, extent) in numbers(found.shape, rank).ok_or(null("shape"))?.iter().enumerate() {
        let wrong = DlpackError::Extent { axis: axis as u32, found: *extent };
        extents.push(usize::try_from(*extent).map_err(|_| TensorError::from(wrong))?);
    }
    let shape = match found.strides.is_null() {
        false => {
            let strides = numbers(found.strides, rank).ok_or(null("strides"))?;
            let strides = strides.iter().map(|stride| isize::try_from(*stride)).collect::<Result<_, _>>();
            Shape::strided(dtype.size(), extents, strides.map_err(|_| TensorError::TooLarge)?)?
        }
        true => Shape::row_major(dtype.size(), extents)?,
    };
    let (before, length) = (shape.origin() * dtype.size(), shape.span() * dtype.size());
    if length == 0 {
        return Ok((Vec::<u8>::new().into(), dtype, device, shape));
    }
    if found.data.is_null() {
        return Err(null("data").into());
    }
    let offset = usize::try_from(found.byte_offset).ok().and_then(|offset| {
        let start = found.data.addr().checked_add(offset)?.checked_sub(before)?;
        start.checked_add(length).map(|_| offset)
    });
    let offset = offset.ok_or(TensorError::TooLarge)?;
    let start = found.data.cast::<u8>().cast_const().wrapping_add(offset).wrapping_sub(before);
    if !start.addr().is_multiple_of(dtype.alignment()) {
        let found = 1 << start.addr().trailing_zeros();
        return Err(crate::Error::SegmentAlignment { wanted: dtype.alignment() as u64, found });
    }
    let owner = Foreign { _managed: managed, start, length, device: !is_host(kind) };
    Ok((Segment::new(alloc::sync::Arc::new(owner)), dtype, device, shape))
}

/// As many numbers of a structure; `None` if they are not where numbers can be.
fn numbers<'n>(start: *const i64, rank: usize) -> Option<&'n [i64]> {
    if rank == 0 {
        return Some(&[]);
    }
    if start.is_null() || !start.is_aligned() {
        return None;
    }
    // SAFETY: `Managed::from_raw` demands that `shape` and `strides` point to as many numbers as there are
    // dimensions; the callers use them while they have the structure.
    Some(unsafe { core::slice::from_raw_parts(start, rank) })
}
