//! Arrays: views of payload as elements, and the one routine that copies.
//!
//! Not here: waiting for access. Invariant: a view is given only where dtype, shape, strides, size and alignment
//! fit the bytes; whatever this crate copies for the user is counted here.

use std::sync::atomic::Ordering::Relaxed;

use bytemuck::{AnyBitPattern, NoUninit};
use ndarray::{ArrayView, ArrayViewD, ArrayViewMutD, Dimension, IxDyn, ShapeBuilder, StrideShape};
use podwire_codec_core::tensor::Element;

use crate::{
    error::{Error, Result},
    guard::{ReadGuard, WriteGuard},
    metadata::Metadata,
    shared_bytes::SharedBytes,
    store::Store,
    sys,
};

impl ReadGuard<'_> {
    /// The elements as an array, in place.
    ///
    /// # Errors
    /// [`Error::WrongType`] if the metadata names another dtype, [`Error::WrongShape`] if shape and strides do not
    /// fit the bytes, [`Error::Corrupt`] if there is no valid metadata.
    pub fn as_array<T: Element + AnyBitPattern>(&self) -> Result<ArrayViewD<'_, T>> {
        view(self, self.allocation.metadata()?)
    }
}

impl WriteGuard<'_> {
    /// The elements as an array, in place.
    ///
    /// # Errors
    /// As [`ReadGuard::as_array`].
    pub fn as_array<T: Element + AnyBitPattern>(&self) -> Result<ArrayViewD<'_, T>> {
        view(self, self.allocation.metadata()?)
    }

    /// The elements as an array that can be changed, in place.
    ///
    /// # Errors
    /// As [`ReadGuard::as_array`].
    pub fn as_array_mut<T: Element + AnyBitPattern + NoUninit>(&mut self) -> Result<ArrayViewMutD<'_, T>> {
        let (shape, count) = shape::<T>(self.allocation.metadata()?)?;
        let elements = sys::elements_mut(self, count).ok_or(TOO_FEW)?;
        ArrayViewMutD::from_shape(shape, elements).map_err(|_| STRIDES)
    }
}

impl SharedBytes {
    /// The elements as an array, in place.
    ///
    /// # Errors
    /// As [`ReadGuard::as_array`].
    pub fn as_array<T: Element + AnyBitPattern>(&self) -> Result<ArrayViewD<'_, T>> {
        view(self, self.allocation().metadata()?)
    }
}

const TOO_FEW: Error = Error::WrongShape { reason: "the allocation has fewer bytes, or is not aligned" };
const STRIDES: Error = Error::WrongShape { reason: "the strides leave the allocation or overlap" };

fn view<'a, T: Element + AnyBitPattern>(bytes: &'a [u8], metadata: &Metadata) -> Result<ArrayViewD<'a, T>> {
    let (shape, count) = shape::<T>(metadata)?;
    let elements = sys::elements(bytes, count).ok_or(TOO_FEW)?;
    ArrayViewD::from_shape(shape, elements).map_err(|_| STRIDES)
}

/// The shape that the metadata describes, and the elements that it reaches over.
fn shape<T: Element>(metadata: &Metadata) -> Result<(StrideShape<IxDyn>, usize)> {
    const { assert!(size_of::<T>() == T::DTYPE.size(), "the type is not as large as its dtype") };
    if metadata.dtype != Some(T::DTYPE) {
        return Err(Error::WrongType { expected: T::DTYPE, found: metadata.dtype });
    }
    let too_large = Error::WrongShape { reason: "an extent is too large" };
    let extents: Option<Vec<usize>> =
        metadata.shape.iter().map(|extent| usize::try_from(*extent).ok()).collect();
    let Some(extents) = extents else { return Err(too_large) };
    let Some(strides) = &metadata.strides else {
        let count = extents.iter().try_fold(1usize, |count, extent| count.checked_mul(*extent));
        return Ok((IxDyn(&extents).into(), count.ok_or(too_large)?));
    };
    if strides.len() != extents.len() {
        return Err(Error::WrongShape { reason: "there are not as many strides as dimensions" });
    }
    let Ok(strides) = strides.iter().map(|stride| usize::try_from(*stride)).collect::<Result<Vec<_>, _>>()
    else {
        return Err(Error::WrongShape { reason: "a stride is negative" });
    };
    // The last element is at the sum of (extent - 1) * stride.
    let last = extents.iter().zip(&strides).try_fold(0usize, |last, (extent, stride)| {
        last.checked_add(extent.saturating_sub(1).checked_mul(*stride)?)
    });
    let empty = extents.contains(&0);
    let count = if empty { Some(0) } else { last.and_then(|last| last.checked_add(1)) };
    Ok((IxDyn(&extents).strides(IxDyn(&strides)), count.ok_or(too_large)?))
}

impl Store {
    /// Copies an array of any layout into payload, in standard C order. The one routine that copies.
    pub(crate) fn copy<T: Element + NoUninit, D: Dimension>(
        &self,
        target: &mut [u8],
        source: &ArrayView<'_, T, D>,
    ) -> Result<()> {
        match source.as_slice() {
            Some(elements) => {
                let bytes: &[u8] = bytemuck::cast_slice(elements);
                target.get_mut(..bytes.len()).ok_or(TOO_FEW)?.copy_from_slice(bytes);
            }
            None if sys::assign(target, source) => {}
            None => return Err(TOO_FEW),
        }
        self.copied.fetch_add((source.len() * size_of::<T>()) as u64, Relaxed);
        Ok(())
    }
}
