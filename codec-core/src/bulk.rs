//! `Bulk<T>`: a shared slice of plain values that is not copied, out or in, where the endpoint can avoid it.

use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ops::{Deref, Range};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::placed;
use crate::raw::sequence;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::segment::{MemoryKind, Segment, alignment};
use crate::trivial::Trivial;
use crate::writer::Writer;

/// A shared, immutable `[T]` of plain values, which any struct may hold.
///
/// On an endpoint that carries segments, its memory travels by reference, if it is not too small to be worth that
/// ([`Capabilities::threshold`](crate::endpoint::Capabilities)); on any other it is written inline, and is read into
/// fresh, aligned memory. A clone is another reference to the same memory.
///
/// ```
/// use podwire_codec_core::{Bulk, from_slice, to_vec};
///
/// let samples = Bulk::from(vec![0.5_f32, 0.25]);
/// assert_eq!(from_slice::<Bulk<f32>>(&to_vec(&samples)?)?[1], 0.25);
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
///
/// A struct of your own can be an element if it is trivial and plain old data:
/// `#[derive(Codec, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)] #[repr(C)] #[codec(trivial)]`. For a type of
/// another crate, wrap it in such a struct.
pub struct Bulk<T> {
    segment: Segment,
    of: PhantomData<fn() -> T>,
}

impl<T: Plain> Bulk<T> {
    /// The values in a segment.
    ///
    /// # Errors
    ///
    /// [`Error::NotHostMemory`]; [`Error::SegmentAlignment`]; [`Error::InvalidLength`] if it is not a whole number of
    /// elements.
    pub fn from_segment(segment: Segment) -> Result<Self> {
        check::<T>(segment.bytes()?)?;
        Ok(Self { segment, of: PhantomData })
    }

    /// The memory behind the values.
    #[must_use]
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// A part of the values, given by their numbers, in the same memory; `None` if it reaches beyond them.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Option<Self> {
        let size = size_of::<T>();
        let bytes = range.start.checked_mul(size)?..range.end.checked_mul(size)?;
        Some(Self { segment: self.segment.part(bytes)?, of: PhantomData })
    }
}

/// A type of which every aligned byte pattern of its size is a value, so that memory can be seen as a slice of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be seen in memory as it is",
    label = "not trivial and plain old data",
    note = "above a struct of your own write `#[derive(Clone, Copy, Codec, bytemuck::Pod, bytemuck::Zeroable)] #[repr(C)] #[codec(trivial)]`",
    note = "a type of another crate that is `bytemuck::Pod`: hold it in such a struct, with `#[repr(transparent)]`",
    note = "values of any other type travel in a `Vec`"
)]
pub trait Plain: Trivial + bytemuck::Pod + Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Trivial + bytemuck::Pod + Send + Sync> Plain for T {}

/// Sees the bytes of a segment as values.
fn check<T: Plain>(bytes: &[u8]) -> Result<&[T]> {
    const { assert!(size_of::<T>() > 0, "values without a size take no memory: use a Vec") };
    bytemuck::try_cast_slice(bytes).map_err(|error| match error {
        bytemuck::PodCastError::TargetAlignmentGreaterAndInputNotAligned => {
            Error::SegmentAlignment { wanted: align_of::<T>() as u64, found: alignment(bytes) as u64 }
        }
        _ => Error::InvalidLength { offset: 0, found: bytes.len() as u64 },
    })
}

impl<T: Plain> Deref for Bulk<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // Owners promise that their memory neither moves nor changes, so what was checked once stays true. An owner
        // that breaks this shows no values.
        self.segment.bytes().and_then(check).unwrap_or(&[])
    }
}

impl<T: Plain> From<Vec<T>> for Bulk<T> {
    /// Shares the vector; its elements are not copied.
    fn from(values: Vec<T>) -> Self {
        Self { segment: Segment::of_values(values), of: PhantomData }
    }
}

impl<T> Clone for Bulk<T> {
    fn clone(&self) -> Self {
        Self { segment: self.segment.clone(), of: PhantomData }
    }
}

impl<T: Plain> Default for Bulk<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T: Plain + PartialEq> PartialEq for Bulk<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Plain + Eq> Eq for Bulk<T> {}

impl<T: Plain + core::fmt::Debug> core::fmt::Debug for Bulk<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: Plain> Encode for Bulk<T> {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        let segment = writer.attach(&self.segment)?;
        placed::encode(segment, self.len() as u64, writer, |writer| sequence::encode(self, writer))
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Bulk(types.node::<T>())
    }
}

impl<'de, T: Plain> Decode<'de> for Bulk<T> {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        let placed = placed::decode(reader)?;
        match placed.segment(size_of::<T>(), align_of::<T>(), MemoryKind::HOST, reader)? {
            Some(segment) => Self::from_segment(segment),
            None => Ok(sequence::decode::<T>(placed.count, reader)?.into()),
        }
    }
}
