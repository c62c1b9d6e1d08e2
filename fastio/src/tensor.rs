//! Sealed allocations as tensors: the memory itself, which the tensor keeps.
//!
//! Not here: arrays that live as long as a guard (`array.rs`). Invariant: the metadata is believed only as far as the
//! bytes go.

use podwire_codec_core::{Segment, tensor::Tensor};

use crate::{
    allocation::FastIoAllocation,
    error::{Error, Result},
    shared_bytes::SharedBytes,
};

impl FastIoAllocation {
    /// The array of a sealed allocation as a tensor on the same memory, which keeps the allocation. In a message it
    /// travels by reference.
    ///
    /// ```
    /// # let pipeline = format!("doc-tensor-{}", std::process::id());
    /// use podwire_fastio::FastIoContext;
    ///
    /// let context = FastIoContext::open(&pipeline)?;
    /// let memory = context.create_array::<f32>(&[480, 640])?;
    /// memory.map_mut()?.as_array_mut::<f32>()?.fill(0.5);
    /// memory.seal()?;
    /// let tensor = memory.into_tensor()?;
    /// assert_eq!(tensor.shape(), [480, 640]);
    /// assert_eq!(tensor.as_slice::<f32>()?[7], 0.5);
    /// # drop((context, tensor));
    /// # FastIoContext::remove(&pipeline)?;
    /// # Ok::<(), podwire_fastio::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`into_shared`](Self::into_shared) and [`SharedBytes::into_tensor`].
    pub fn into_tensor(self) -> Result<Tensor> {
        self.into_shared()?.into_tensor()
    }
}

impl SharedBytes {
    /// The bytes as the array that the metadata describes, on the same memory.
    ///
    /// # Errors
    /// [`Error::WrongShape`] if the metadata describes no array; [`Error::Codec`] if the array does not fit the bytes;
    /// [`Error::Corrupt`] if there is no valid metadata.
    pub fn into_tensor(self) -> Result<Tensor> {
        let metadata = self.allocation().metadata()?;
        let Some(dtype) = metadata.dtype else {
            return Err(Error::WrongShape { reason: "the metadata names no element type" });
        };
        let too_large = Error::WrongShape { reason: "an extent or a stride is too large" };
        let shape =
            metadata.shape.iter().map(|extent| usize::try_from(*extent)).collect::<Result<Vec<_>, _>>();
        let strides = metadata.strides.iter().flatten().map(|step| isize::try_from(*step));
        let (Ok(shape), Ok(strides)) = (shape, strides.collect::<Result<Vec<_>, _>>()) else {
            return Err(too_large);
        };
        if metadata.strides.is_some() {
            return Ok(Tensor::from_strides(self.into(), dtype, &shape, &strides, 0)?);
        }
        // An allocation may be larger than its array.
        let bytes = shape.iter().try_fold(dtype.size(), |bytes, extent| bytes.checked_mul(*extent));
        let bytes = bytes.ok_or(too_large)?;
        let memory = Segment::from(self);
        let part = memory.part(0..bytes).unwrap_or(memory);
        Ok(Tensor::from_segment(part, dtype, &shape)?)
    }
}
