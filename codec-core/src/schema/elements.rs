//! Elements of a fixed size, kept as the bytes that they came as.
//!
//! A million numbers are four million bytes here, and not a million values; an element becomes a value when it is asked
//! for. The invariant: the memory holds `count` times the size of an element, which was checked where it was made.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::build::Build;
use super::{NodeId, Schema, Value, make, text, walk};
use crate::bulk::Plain;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::segment::{Owner, Segment};

/// Elements of a fixed size: of a vector, an array, or a [`Bulk`](crate::Bulk).
///
/// ```
/// use podwire_codec_core::schema::schema_of;
/// use podwire_codec_core::to_vec;
///
/// let bytes = to_vec(&vec![0.5_f32; 1_000_000])?;
/// let value = schema_of::<Vec<f32>>().from_slice(&bytes)?;
/// let samples = value.as_elements().unwrap();
/// assert_eq!(samples.len(), 1_000_000);
/// assert_eq!(samples.as_slice::<f32>().unwrap()[999_999], 0.5);
/// assert_eq!(value.to_string(), "[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, … 999,990 more]");
/// # Ok::<(), podwire_codec_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Elements {
    schema: Schema,
    node: NodeId,
    count: usize,
    memory: Segment,
}

impl Elements {
    pub(super) fn new(elements: make::Elements<'_>, memory: Segment) -> Self {
        let make::Elements { schema, node, count } = elements;
        Self { schema: schema.clone(), node, count, memory }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Their memory: as they came on the wire, one behind the other. The host need not be able to read it.
    #[must_use]
    pub fn memory(&self) -> &Segment {
        &self.memory
    }

    /// Their bytes, if the host can read them.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.memory.bytes().ok()
    }

    /// The schema's text of one element, such as `f32`. It is never longer than the text of the whole schema: that of an
    /// empty array of the types around it, which could be, is cut.
    #[must_use]
    pub fn element(&self) -> alloc::string::String {
        // An element of a fixed size refers to nothing around it, but in such an array.
        text::beginning(&self.schema.parts.nodes, self.node, self.schema.text().len())
    }

    /// One element; nothing beyond the last, and nothing if the host cannot read the memory.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value> {
        if index >= self.count {
            return None;
        }
        let size = self.schema.shape(self.node).head.ok()?;
        let start = index.checked_mul(size)?;
        let bytes = self.bytes()?.get(start..start.checked_add(size)?)?;
        walk::walk_head(&self.schema, self.node, Build { memory: None }, bytes).ok()
    }

    /// One element after the other; none if the host cannot read the memory.
    pub fn iter(&self) -> impl Iterator<Item = Value> {
        (0..self.count).map_while(|index| self.get(index))
    }

    /// All elements, if they are of this type, and lie in memory as it does: aligned, which elements that
    /// [stayed where they were](Schema::decode_sharing) need not be.
    #[must_use]
    pub fn as_slice<T: Plain + Encode>(&self) -> Option<&[T]> {
        let own = cfg!(target_endian = "little") && super::schema_of::<T>().text() == self.element();
        bytemuck::try_cast_slice(self.bytes()?).ok().filter(|_| own)
    }

    /// Whether each is a number, a `bool` or a `char`.
    pub(super) fn are_scalars(&self) -> bool {
        matches!(self.schema.node(self.node), super::Node::Scalar(_))
    }
}

impl PartialEq for Elements {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.element() == other.element() && self.bytes() == other.bytes()
    }
}

impl core::fmt::Debug for Elements {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Elements")
            .field("element", &self.element())
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// Bytes of memory that is aligned for every scalar.
struct Aligned {
    memory: Vec<u128>,
    length: usize,
}

impl Owner for Aligned {
    fn bytes(&self) -> Option<&[u8]> {
        bytemuck::cast_slice(&self.memory).get(..self.length)
    }
}

/// Bytes of memory that elements take beside their own.
pub(super) const OWNER: usize = size_of::<Aligned>() + 3 * size_of::<u128>();
/// Bytes by which memory grows while nobody knows how much its stream still holds.
const STEP: usize = 32 * 1024;

/// Reads so many bytes into memory of their own: at once where the input is known to hold them, and else in steps, so
/// that a length that lies costs little.
pub(super) fn read(size: usize, reader: &mut Reader<'_>) -> Result<Segment> {
    let remaining = reader.remaining();
    if let Some(found) = remaining
        && found < size as u64
    {
        return Err(Error::UnexpectedEnd { offset: reader.offset(), wanted: size as u64, found });
    }
    reader.charge(OWNER)?;
    let mut memory = Vec::<u128>::new();
    let mut length = 0;
    while length < size {
        let step = if remaining.is_some() { size } else { STEP.max(length) };
        let step = step.min(size - length);
        let words = (length + step).div_ceil(size_of::<u128>());
        let more = words - memory.len();
        reader.charge(more.saturating_mul(size_of::<u128>()))?;
        memory.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { bytes: step as u64 })?;
        memory.resize(words, 0);
        let bytes = &mut bytemuck::cast_slice_mut::<u128, u8>(&mut memory)[length..length + step];
        reader.read(bytes)?;
        length += step;
    }
    Ok(Segment::new(Arc::new(Aligned { memory, length })))
}
