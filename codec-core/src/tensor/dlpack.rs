//! DLPack: tensors from and for numpy, PyTorch, JAX, CuPy and others in the same process, without a copy.
//!
//! A tensor goes out as the structure with a version and flags, which says that it is read-only: it is shared. The older
//! structure cannot say so, and is only taken in. Here is what the numbers mean; `raw::dlpack` has the structures. (Why
//! not a crate: see `docs/adr`.)
//!
//! ```
//! use podwire_codec_core::tensor::{Tensor, dlpack};
//!
//! let tensor = Tensor::from_vec(vec![1.0_f32, 2.0, 3.0, 4.0], &[2, 2])?;
//! let pointer = tensor.to_dlpack()?.into_raw(); // what a capsule named `dltensor_versioned` holds
//!
//! // SAFETY: it was just made, and is consumed once.
//! let managed = unsafe { dlpack::Managed::from_raw(pointer) }?;
//! let same = Tensor::from_dlpack(managed)?;
//! assert!(core::ptr::eq(same.as_slice::<f32>()?, tensor.as_slice::<f32>()?));
//! # Ok::<(), podwire_codec_core::Error>(())
//! ```

pub use crate::raw::dlpack::{
    Abi, DLDataType, DLDevice, DLManagedTensor, DLManagedTensorVersioned, DLPackVersion, DLTensor, IS_COPIED,
    Managed, READ_ONLY, VERSION,
};

use super::{DType, DeviceKind, Tensor, TensorError};
use crate::error::Result;
use crate::raw::dlpack;

/// Why a tensor cannot be taken over from another library, or handed over to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DlpackError {
    /// The structure is of a version whose layout is not known.
    #[error("DLPack version {major}: only version 1 is known")]
    Version {
        /// Its major version.
        major: u32,
    },
    /// A pointer that must not be null.
    #[error("the {what} of a DLPack tensor is null")]
    Null {
        /// What it should point to.
        what: &'static str,
    },
    /// No rank of a tensor.
    #[error("{found} dimensions in a DLPack tensor: there can be 0 to 32")]
    Rank {
        /// How many dimensions it claims.
        found: i32,
    },
    /// A negative extent.
    #[error("dimension {axis} of a DLPack tensor has {found} elements")]
    Extent {
        /// The dimension.
        axis: u32,
        /// Its extent.
        found: i64,
    },
    /// Elements that no [`DType`] is.
    #[error("DLPack elements of code {code}, {bits} bits and {lanes} lanes are not known")]
    ElementType {
        /// The kind of number.
        code: u8,
        /// Bits of one lane.
        bits: u8,
        /// Lanes.
        lanes: u16,
    },
    /// Memory of a device that the host cannot read.
    #[error("memory of DLPack device type {kind} is not the host's")]
    Device {
        /// The device type.
        kind: i32,
    },
}

impl Tensor {
    /// Describes the tensor to a consumer in the same process. The memory is shared, and read-only.
    ///
    /// Memory of a device goes out if its owner says where the device sees it. What a tensor holds does not change, so that
    /// a consumer need not wait for any stream.
    ///
    /// # Errors
    ///
    /// [`Error::NotHostMemory`](crate::Error::NotHostMemory), and [`DlpackError::Device`] if it is a device's that nobody
    /// here can use; [`TensorError::NotBool`].
    pub fn to_dlpack(&self) -> Result<Managed> {
        let kind = i32::from(self.device().kind.0);
        let index = i32::try_from(self.device().index);
        let address = self.segment().device_address().filter(|_| is_cuda(kind));
        let Some(device_id) = index.ok().filter(|_| is_host(kind) || address.is_some()) else {
            return Err(TensorError::from(DlpackError::Device { kind }).into());
        };
        let origin = self.shape.origin() * self.dtype().size();
        let data = match (self.is_empty(), address) {
            (true, _) => core::ptr::null(),
            (false, Some(address)) => core::ptr::without_provenance(address.wrapping_add(origin)),
            (false, None) => {
                // Once, as an owner could show other bytes the next time.
                let bytes = self.segment().bytes()?;
                if self.dtype() == DType::Bool {
                    super::elements::<bool>(bytes)?;
                }
                bytes.as_ptr().wrapping_add(origin)
            }
        };
        Ok(dlpack::export(self.clone(), data, DLDevice { device_type: kind, device_id }))
    }

    /// Takes over a tensor of another library, without a copy. With an error, the structure is released.
    ///
    /// # Errors
    ///
    /// [`DlpackError`]; [`TensorError::Repeated`] for an array that is broadcast; [`TensorError::TooLarge`];
    /// [`Error::SegmentAlignment`](crate::Error::SegmentAlignment).
    pub fn from_dlpack<M: Abi>(managed: Managed<M>) -> Result<Self> {
        let (segment, dtype, device, shape) = dlpack::import(managed, is_host)?;
        Ok(Self::new(segment, dtype, shape)?.with_device(device))
    }

    /// The same, also for memory of a CUDA device. The caller has waited for whatever the producer still had to do on the
    /// device, as a tensor does not change.
    ///
    /// # Errors
    ///
    /// As [`from_dlpack`](Self::from_dlpack).
    pub fn from_dlpack_of_device<M: Abi>(managed: Managed<M>) -> Result<Self> {
        let (segment, dtype, device, shape) = dlpack::import(managed, |kind| is_host(kind) || is_cuda(kind))?;
        Ok(Self::new(segment, dtype, shape)?.with_device(device))
    }
}

/// Whether devices of this type are CUDA's.
pub(crate) fn is_cuda(kind: i32) -> bool {
    kind == i32::from(DeviceKind::CUDA.0)
}

/// Whether the host reads the memory of devices of this type: its own, and what is pinned for CUDA and ROCm.
pub(crate) fn is_host(kind: i32) -> bool {
    matches!(kind, 1 | 3 | 11)
}

/// Codes of DLPack, with bits, in the order of [`DType::ALL`].
const CODES: [(DType, u8, u8); 15] = [
    (DType::U8, 1, 8),
    (DType::U16, 1, 16),
    (DType::U32, 1, 32),
    (DType::U64, 1, 64),
    (DType::I8, 0, 8),
    (DType::I16, 0, 16),
    (DType::I32, 0, 32),
    (DType::I64, 0, 64),
    (DType::F16, 2, 16),
    (DType::BF16, 4, 16),
    (DType::F32, 2, 32),
    (DType::F64, 2, 64),
    (DType::C64, 5, 64),
    (DType::C128, 5, 128),
    (DType::Bool, 6, 8),
];

/// The dtype of elements.
pub(crate) fn element_type(found: DLDataType) -> Result<DType, DlpackError> {
    let DLDataType { code, bits, lanes } = found;
    let known = CODES.iter().find(|known| (known.1, known.2, 1) == (code, bits, lanes));
    known.map(|known| known.0).ok_or(DlpackError::ElementType { code, bits, lanes })
}

/// What DLPack says for a dtype.
pub(crate) fn element_type_of(dtype: DType) -> DLDataType {
    let (_, code, bits) = CODES[usize::from(dtype.code()) - 1];
    DLDataType { code, bits, lanes: 1 }
}
