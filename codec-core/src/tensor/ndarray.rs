//! Tensors as views of `ndarray`, and its arrays as tensors, without a copy.

use ndarray::{Array, ArrayViewD, Dim, Dimension, Ix, IxDyn, ShapeBuilder};

use super::{Element, Tensor, TensorError};
use crate::error::{Error, Result};
use crate::segment::Segment;

impl Tensor {
    /// The elements as an array, in place, with whatever strides they have.
    ///
    /// ```
    /// use ndarray::array;
    /// use podwire_codec_core::tensor::Tensor;
    ///
    /// let tensor = Tensor::from(array![[1_u16, 2, 3], [4, 5, 6]]);
    /// assert_eq!(tensor.view::<u16>()?.t()[[2, 1]], 6);
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TensorError::WrongType`], [`TensorError::NotBool`]; [`Error::NotHostMemory`].
    pub fn view<T: Element>(&self) -> Result<ArrayViewD<'_, T>> {
        self.check_type::<T>()?;
        if self.is_contiguous() {
            let view = ArrayViewD::from_shape(IxDyn(self.shape()), self.memory::<T>()?);
            return view.map_err(|_| TensorError::TooLarge.into());
        }
        // ndarray keeps steps as their bits, also negative ones, and begins at the lowest element.
        let strides: alloc::vec::Vec<Ix> = self.strides().iter().map(|step| step.cast_unsigned()).collect();
        let shape = IxDyn(self.shape()).strides(IxDyn(&strides));
        let view = ArrayViewD::from_shape(shape, self.memory::<T>()?);
        view.map_err(|_| TensorError::TooLarge.into())
    }

    /// The elements of an array, which are not copied; its strides stay.
    fn from_array<T: Element, D: Dimension>(array: Array<T, D>) -> Result<Self> {
        const { assert!(size_of::<T>() == T::DTYPE.size(), "the type is not as large as its dtype") };
        let shape = array.shape().to_vec();
        let strides = array.strides().to_vec();
        let (elements, first) = array.into_raw_vec_and_offset();
        let offset = first.unwrap_or(0) * size_of::<T>();
        Self::from_strides(Segment::of_values(elements), T::DTYPE, &shape, &strides, offset)
    }
}

impl<T: Element> TryFrom<Array<T, IxDyn>> for Tensor {
    type Error = Error;

    /// Takes the array's memory over, without a copy.
    ///
    /// [`TensorError::Rank`] if it has more than 32 dimensions.
    fn try_from(array: Array<T, IxDyn>) -> Result<Self> {
        Self::from_array(array)
    }
}

macro_rules! ranks {
    ($($rank:literal)+) => {$(
        impl<T: Element> From<Array<T, Dim<[Ix; $rank]>>> for Tensor {
            /// Takes the array's memory over, without a copy.
            fn from(array: Array<T, Dim<[Ix; $rank]>>) -> Self {
                Self::from_array(array).expect("an owned array has each element once, in a vector that exists")
            }
        }
    )+};
}

ranks!(0 1 2 3 4 5 6);
