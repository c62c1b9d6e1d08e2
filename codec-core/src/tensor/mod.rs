//! Tensors, and the video and audio buffers of streaming applications: what their elements are, where they lie, and
//! the memory, which is shared and travels without a copy where the endpoint can.
//!
//! The order of the files: [`DType`] and [`Device`]; `shape`, which puts elements into memory; [`Tensor`], here; how
//! it travels (`codec`); [`VideoBuffer`], [`AudioBuffer`], [`Timestamp`]. The invariant: every element of a tensor
//! lies in its segment, from whose first byte to whose last they reach, and there are no more elements than fit.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::bulk::{Bulk, Plain};
use crate::error::{Error, Result};
use crate::segment::Segment;

mod audio;
mod codec;
mod device;
#[cfg(feature = "dlpack")]
pub mod dlpack;
mod dtype;
mod error;
mod memory;
#[cfg(feature = "ndarray")]
mod ndarray;
mod shape;
mod time;
mod video;

pub use audio::{AudioBuffer, AudioLayout, SampleFormat};
pub use device::{Device, DeviceKind};
pub use dtype::{DType, Element};
pub use error::TensorError;
pub use shape::RANK_LIMIT;
pub use time::{EndOfStream, Timestamp};
pub use video::{PixelFormat, Plane, PlaneFormat, VideoBuffer};

pub(crate) use shape::Shape;

/// Tensors by name, sorted by it.
pub type TensorMap = BTreeMap<String, Tensor>;

/// An array of numbers of any rank up to 32, in shared, immutable memory.
///
/// A clone, a [`part`](Self::part) and a [`reshape`](Self::reshape) are other views of the same memory. On an endpoint
/// that carries segments the memory travels by reference, with its strides; on any other it is written inline, packed.
///
/// ```
/// use podwire_codec_core::tensor::{DType, Tensor};
/// use podwire_codec_core::{Codec, Gather};
///
/// let volume = Tensor::from_vec(vec![0.5_f32; 64 * 64 * 64], &[64, 64, 64])?;
/// let slice = volume.part(0, 10..11)?.reshape(&[64, 64])?; // the same memory
/// assert_eq!((slice.dtype(), slice.shape()), (DType::F32, &[64, 64][..]));
/// assert_eq!(slice.as_slice::<f32>()?[0], 0.5);
///
/// let mut gather = Gather::new(); // an endpoint that carries segments
/// Codec::serialize(&volume, &mut gather)?;
/// assert!(gather.packed().len() < 64, "shape and type, and none of the 1 MiB");
/// let same = Tensor::deserialize(&mut gather)?;
/// assert!(core::ptr::eq(volume.as_slice::<f32>()?, same.as_slice::<f32>()?));
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor {
    dtype: DType,
    device: Device,
    shape: Shape,
    /// From the lowest element to the highest, and not a byte more.
    segment: Segment,
}

impl Tensor {
    /// The elements of a vector in row-major order; they are not copied.
    ///
    /// # Errors
    ///
    /// [`TensorError::Length`] if the shape has another number of elements; [`TensorError::Rank`];
    /// [`TensorError::TooLarge`].
    pub fn from_vec<T: Element>(elements: Vec<T>, shape: &[usize]) -> Result<Self> {
        const { assert!(size_of::<T>() == T::DTYPE.size(), "the type is not as large as its dtype") };
        Self::from_segment(Segment::of_values(elements), T::DTYPE, shape)
    }

    /// The memory of a segment, as elements in row-major order.
    ///
    /// # Errors
    ///
    /// [`TensorError::Length`] if the segment is not exactly as long as the elements; [`TensorError::Rank`];
    /// [`TensorError::TooLarge`]; [`Error::SegmentAlignment`].
    pub fn from_segment(segment: Segment, dtype: DType, shape: &[usize]) -> Result<Self> {
        let shape = Shape::row_major(dtype.size(), shape.into())?;
        let (wanted, found) = (shape.span() * dtype.size(), segment.length());
        if wanted != found {
            return Err(TensorError::Length { wanted: wanted as u64, found: found as u64 }.into());
        }
        Self::new(segment, dtype, shape)
    }

    /// Elements anywhere in a segment: the first one begins at byte `offset`, and to the next one of a dimension it
    /// is a step of `strides` elements, which may be negative.
    ///
    /// ```
    /// use podwire_codec_core::tensor::{DType, Tensor};
    ///
    /// let memory = vec![1_u8, 2, 3, 4, 5, 6].into(); // two rows of three
    /// let upside_down = Tensor::from_strides(memory, DType::U8, &[2, 3], &[-3, 1], 3)?;
    /// assert_eq!(upside_down.to_vec::<u8>()?, [4, 5, 6, 1, 2, 3]);
    /// # Ok::<(), podwire_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TensorError::OutOfBounds`], [`TensorError::Repeated`] (a stride of 0, for instance),
    /// [`TensorError::Strides`], [`TensorError::Rank`], [`TensorError::TooLarge`]; [`Error::SegmentAlignment`].
    pub fn from_strides(
        segment: Segment,
        dtype: DType,
        shape: &[usize],
        strides: &[isize],
        offset: usize,
    ) -> Result<Self> {
        let size = dtype.size();
        let shape = Shape::strided(size, shape.into(), strides.into())?;
        if shape.count() == 0 {
            return Self::new(segment.part(0..0).unwrap_or(segment), dtype, shape);
        }
        let start = offset.checked_sub(shape.origin() * size);
        let range = start.and_then(|start| Some(start..start.checked_add(shape.span() * size)?));
        let Some(part) = range.and_then(|range| segment.part(range)) else {
            let start = (offset as i64).saturating_sub((shape.origin() * size) as i64);
            let end = start.saturating_add((shape.span() * size) as i64);
            return Err(TensorError::OutOfBounds { start, end, found: segment.length() as u64 }.into());
        };
        Self::new(part, dtype, shape)
    }

    /// The segment is exactly as long as the shape reaches.
    fn new(segment: Segment, dtype: DType, shape: Shape) -> Result<Self> {
        segment.check_alignment(dtype.alignment())?;
        Ok(Self { dtype, device: Device::HOST, shape, segment })
    }

    /// The same tensor, said to be on a device. A new one is on the host.
    #[must_use]
    pub fn with_device(self, device: Device) -> Self {
        Self { device, ..self }
    }

    /// The type of the elements.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The extent of each dimension in elements, slowest first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        self.shape.extents()
    }

    /// The step of each dimension in elements. If the elements are not in row-major order, a dimension of extent 1
    /// has stride 0.
    #[must_use]
    pub fn strides(&self) -> &[isize] {
        self.shape.strides()
    }

    /// How many dimensions there are.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.shape().len()
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.count()
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the elements lie in row-major order without gaps.
    #[must_use]
    pub fn is_contiguous(&self) -> bool {
        self.shape.is_row_major()
    }

    /// Where the elements are meant to be used.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// The memory, from the lowest element to the highest.
    #[must_use]
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The same elements in other memory: a segment of the same length with the same bytes in it, which the caller has
    /// copied there.
    ///
    /// # Errors
    ///
    /// [`TensorError::Length`]; [`Error::SegmentAlignment`].
    pub fn with_segment(&self, segment: Segment) -> Result<Self> {
        let (wanted, found) = (self.segment.length() as u64, segment.length() as u64);
        if wanted != found {
            return Err(TensorError::Length { wanted, found }.into());
        }
        Ok(Self::new(segment, self.dtype, self.shape.clone())?.with_device(self.device))
    }

    /// The tensor on the host: this one if the host can read it, or a copy that the memory's owner makes, with the same
    /// strides.
    ///
    /// # Errors
    ///
    /// Those of [`Segment::to_host`]; [`Error::SegmentAlignment`].
    pub fn to_host(&self) -> Result<Self> {
        Ok(self.with_segment(self.segment.to_host()?)?.with_device(Device::HOST))
    }

    /// The elements, in place.
    ///
    /// A `bool` is checked each time; numbers need no check.
    ///
    /// # Errors
    ///
    /// [`TensorError::WrongType`], [`TensorError::NotContiguous`], [`TensorError::NotBool`];
    /// [`Error::NotHostMemory`].
    pub fn as_slice<T: Element>(&self) -> Result<&[T]> {
        self.check_type::<T>()?;
        if !self.is_contiguous() {
            return Err(TensorError::NotContiguous.into());
        }
        self.memory()
    }

    /// A copy of the elements in row-major order.
    ///
    /// # Errors
    ///
    /// As [`as_slice`](Self::as_slice), but any strides will do; [`Error::OutOfMemory`].
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.check_type::<T>()?;
        let memory = self.memory::<T>()?;
        let mut elements = Vec::new();
        let bytes = (self.len() * size_of::<T>()) as u64;
        elements.try_reserve_exact(self.len()).map_err(|_| Error::OutOfMemory { bytes })?;
        for run in self.shape.runs() {
            elements.extend_from_slice(memory.get(run).unwrap_or_default());
        }
        Ok(elements)
    }

    /// A range of one dimension, in the same memory.
    ///
    /// # Errors
    ///
    /// [`TensorError::Range`].
    pub fn part(&self, axis: usize, range: Range<usize>) -> Result<Self> {
        let (start, end) = (range.start, range.end);
        let extent = self.shape().get(axis).filter(|extent| start <= end && end <= **extent);
        if extent.is_none() {
            let [axis, start, end] = [axis, start, end].map(|number| number as u64);
            return Err(TensorError::Range { axis, start, end }.into());
        }
        let mut shape = self.shape().to_vec();
        shape[axis] = end - start;
        let offset = if start == end {
            // There is no element at `start`, perhaps: its place may be nowhere.
            0
        } else {
            let first = self.shape.origin().cast_signed() + start.cast_signed() * self.strides()[axis];
            first.cast_unsigned() * self.dtype.size()
        };
        let part = Self::from_strides(self.segment.clone(), self.dtype, &shape, self.strides(), offset)?;
        Ok(part.with_device(self.device))
    }

    /// The same elements in another shape.
    ///
    /// # Errors
    ///
    /// [`TensorError::NotContiguous`]; [`TensorError::Count`] if the shape has another number of elements;
    /// [`TensorError::Rank`]; [`TensorError::TooLarge`].
    pub fn reshape(&self, shape: &[usize]) -> Result<Self> {
        if !self.is_contiguous() {
            return Err(TensorError::NotContiguous.into());
        }
        let shape = Shape::row_major(self.dtype.size(), shape.into())?;
        if shape.count() != self.len() {
            let (wanted, found) = (shape.count() as u64, self.len() as u64);
            return Err(TensorError::Count { wanted, found }.into());
        }
        Ok(Self { shape, ..self.clone() })
    }

    /// The same without a dimension of extent 1.
    fn without(&self, axis: usize) -> Result<Self> {
        let (mut shape, mut strides) = (self.shape().to_vec(), self.strides().to_vec());
        shape.remove(axis);
        strides.remove(axis);
        let offset = self.shape.origin() * self.dtype.size();
        let less = Self::from_strides(self.segment.clone(), self.dtype, &shape, &strides, offset)?;
        Ok(less.with_device(self.device))
    }

    fn check_type<T: Element>(&self) -> Result<()> {
        const { assert!(size_of::<T>() == T::DTYPE.size(), "the type is not as large as its dtype") };
        match self.dtype {
            found if found == T::DTYPE => Ok(()),
            found => Err(TensorError::WrongType { wanted: T::DTYPE, found }.into()),
        }
    }

    /// All memory from the lowest element to the highest, gaps included, which must be values, too.
    fn memory<T: Element>(&self) -> Result<&[T]> {
        if self.is_empty() {
            return Ok(&[]);
        }
        elements(self.segment.bytes()?)
    }
}

/// Sees bytes as elements.
fn elements<T: Element>(bytes: &[u8]) -> Result<&[T]> {
    bytemuck::checked::try_cast_slice(bytes).map_err(|error| match error {
        bytemuck::checked::CheckedCastError::InvalidBitPattern => {
            let index = bytes.iter().position(|byte| *byte > 1).unwrap_or(0);
            let found = bytes.get(index).copied().unwrap_or(0);
            TensorError::NotBool { index: index as u64, found }.into()
        }
        _ => Error::SegmentAlignment {
            wanted: align_of::<T>() as u64,
            found: crate::segment::alignment(bytes) as u64,
        },
    })
}

impl<T: Element> From<Vec<T>> for Tensor {
    /// One dimension; the elements are not copied.
    fn from(elements: Vec<T>) -> Self {
        const { assert!(size_of::<T>() == T::DTYPE.size(), "the type is not as large as its dtype") };
        let shape = Shape::line(elements.len());
        let segment = Segment::of_values(elements);
        Self { dtype: T::DTYPE, device: Device::HOST, shape, segment }
    }
}

impl<T: Element + Plain> From<Bulk<T>> for Tensor {
    /// One dimension, in the same memory.
    fn from(elements: Bulk<T>) -> Self {
        const { assert!(size_of::<T>() == T::DTYPE.size(), "the type is not as large as its dtype") };
        let shape = Shape::line(elements.len());
        Self { dtype: T::DTYPE, device: Device::HOST, shape, segment: elements.segment().clone() }
    }
}

impl PartialEq for Tensor {
    /// Same type, device and shape, and the same bytes as elements, wherever they lie. Memory that the host cannot
    /// read equals only itself.
    fn eq(&self, other: &Self) -> bool {
        let size = self.dtype.size();
        let alike = (self.dtype, self.device, self.shape()) == (other.dtype, other.device, other.shape());
        alike
            && match (self.segment.bytes(), other.segment.bytes()) {
                _ if self.is_empty() => true,
                (Ok(one), Ok(two)) if self.shape != other.shape => {
                    let place = |run: Range<usize>| run.map(move |at| at * size..(at + 1) * size);
                    let mut pairs = self.shape.runs().flat_map(place).zip(other.shape.runs().flat_map(place));
                    pairs.all(|(here, there)| one.get(here) == two.get(there))
                }
                (Ok(one), Ok(two)) => self.shape.runs().all(|run| {
                    let run = run.start * size..run.end * size;
                    one.get(run.clone()) == two.get(run)
                }),
                _ => self.shape == other.shape && memory::same(&self.segment, &other.segment),
            }
    }
}

impl core::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tensor")
            .field("dtype", &self.dtype)
            .field("shape", &self.shape())
            .field("strides", &self.strides())
            .field("device", &self.device)
            .field("segment", &self.segment)
            .finish()
    }
}
