//! What can be wrong with a tensor or a buffer, or with how it is looked at.

use crate::tensor::DType;

/// Why element type, shape, strides or planes do not fit the memory, or are not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// More dimensions than a tensor can have.
    #[error("rank {found}: a tensor has at most 32 dimensions")]
    Rank {
        /// How many there are.
        found: u64,
    },
    /// The elements would need more bytes than there are addresses.
    #[error("the elements need more memory than there can be")]
    TooLarge,
    /// The memory is shorter or longer than the elements.
    #[error("the elements take {wanted} bytes, the memory has {found}")]
    Length {
        /// Bytes from the first to the last element.
        wanted: u64,
        /// Bytes of memory.
        found: u64,
    },
    /// There are not as many strides as dimensions.
    #[error("{found} strides for {rank} dimensions")]
    Strides {
        /// How many dimensions there are.
        rank: u64,
        /// How many strides.
        found: u64,
    },
    /// The strides lead out of the memory.
    #[error("the strides lead from byte {start} to byte {end} of memory that has {found}")]
    OutOfBounds {
        /// Where the lowest element begins; negative if it is before the memory.
        start: i64,
        /// Where the highest element ends.
        end: i64,
        /// Bytes of memory.
        found: u64,
    },
    /// More elements than the memory has room for: some dimension repeats them.
    #[error(
        "{wanted} bytes of elements in {found} bytes of memory: a repeated dimension has to be copied out"
    )]
    Repeated {
        /// Bytes that the elements would take one by one.
        wanted: u64,
        /// Bytes that they lie in.
        found: u64,
    },
    /// Strides were sent where the elements are in row-major order, or in a form that a writer does not write.
    #[error("strides that say nothing, or not in their one form")]
    NeedlessStrides,
    /// The elements are of another type.
    #[error("the elements are {found}, not {wanted}")]
    WrongType {
        /// The type that was asked for.
        wanted: DType,
        /// The type that they have.
        found: DType,
    },
    /// The elements do not lie in row-major order without gaps.
    #[error("the elements are not in row-major order: view them as an array, or copy them with `to_vec`")]
    NotContiguous,
    /// A byte that is no `bool`.
    #[error("byte {found:#04x} of element {index} is no bool")]
    NotBool {
        /// Which element, counted in memory.
        index: u64,
        /// The byte.
        found: u8,
    },
    /// Another number of elements was asked for.
    #[error("{wanted} elements were asked for, there are {found}")]
    Count {
        /// Elements that the new shape has.
        wanted: u64,
        /// Elements that there are.
        found: u64,
    },
    /// There is no such dimension, or no such range in it.
    #[error("elements {start} to {end} of dimension {axis} do not exist")]
    Range {
        /// The dimension.
        axis: u64,
        /// The first element that was asked for.
        start: u64,
        /// The element behind the last.
        end: u64,
    },
    /// There are not as many planes as the pixel format has.
    #[error("{found} planes: the pixel format has {wanted}")]
    Planes {
        /// Planes of the format.
        wanted: u64,
        /// Planes that there are.
        found: u64,
    },
    /// A plane's stride or size is less than its pixels need, or it leads out of the memory.
    #[error("plane {plane} needs {wanted} bytes where there are {found}")]
    Plane {
        /// Which plane.
        plane: u64,
        /// Bytes that it needs.
        wanted: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// A tensor of another library cannot be taken over, or this one not handed over.
    #[cfg(feature = "dlpack")]
    #[error(transparent)]
    Dlpack(#[from] super::dlpack::DlpackError),
}

impl From<TensorError> for crate::Error {
    fn from(error: TensorError) -> Self {
        Self::Tensor(alloc::boxed::Box::new(error))
    }
}
