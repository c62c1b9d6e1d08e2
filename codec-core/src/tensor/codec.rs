//! How a tensor travels: as `struct { dtype, device, shape, strides, memory }`, complete behind a pointer.
//!
//! In a segment it keeps its strides; inline it is packed in row-major order. Nothing that is read is believed before
//! it is checked against the memory that is there.

use alloc::vec::Vec;

use super::shape::{RANK_LIMIT, Shape};
use super::{DType, Device, Tensor, TensorError, memory};
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::placed;
use crate::raw::sequence;
use crate::reader::Reader;
use crate::schema::{FieldNode, Node, SchemaBuilder};
use crate::segment::Segment;
use crate::writer::Writer;

impl Encode for Tensor {
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        let index = writer.attach(&self.segment)?;
        let strides = if index.is_some() && !self.shape.is_row_major() { self.strides() } else { &[] };
        writer.encode(&self.dtype)?;
        writer.encode(&self.device)?;
        writer.write_trivial_type(&(self.rank() as u32))?;
        writer.write_trivial_type(&(strides.len() as u32))?;
        sequence::encode(self.shape(), writer)?;
        sequence::encode(strides, writer)?;
        let bytes = if index.is_some() { self.segment.length() } else { self.len() * self.dtype.size() };
        placed::encode(index, bytes as u64, writer, |writer| self.write_packed(writer))
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        let fields = alloc::vec![
            types.field::<DType>("dtype"),
            types.field::<Device>("device"),
            types.field::<Vec<u64>>("shape"),
            types.field::<Vec<i64>>("strides"),
            memory_field(types),
        ];
        // What is hand-written stands wholly in the tail, as a value behind a pointer does.
        Node::Pointer(types.anonymous(Node::Struct(fields)))
    }
}

/// The field that holds the memory of a tensor or a buffer.
pub(super) fn memory_field(types: &mut SchemaBuilder) -> FieldNode {
    types.field::<crate::Bulk<u8>>("memory")
}

impl Tensor {
    fn write_packed(&self, writer: &mut Writer<'_>) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let (segment, size) = (self.segment.to_host()?, self.dtype.size());
        let bytes = segment.bytes()?;
        self.shape.runs().try_for_each(|run| {
            let run = bytes.get(run.start * size..run.end * size).unwrap_or_default();
            memory::write_words(run, self.dtype.alignment(), writer)
        })
    }
}

impl<'de> Decode<'de> for Tensor {
    fn decode(reader: &mut Reader<'de>) -> Result<Self> {
        let dtype: DType = reader.decode()?;
        let mut device: Device = reader.decode()?;
        let rank = reader.read_trivial_type::<u32>()?;
        let steps = reader.read_trivial_type::<u32>()?;
        if rank as usize > RANK_LIMIT {
            return Err(TensorError::Rank { found: rank.into() }.into());
        }
        if steps != 0 && steps != rank {
            return Err(TensorError::Strides { rank: rank.into(), found: steps.into() }.into());
        }
        let extents = sequence::decode::<usize>(rank as usize, reader)?;
        let strides = sequence::decode::<isize>(steps as usize, reader)?;
        let size = dtype.size();
        let shape = if strides.is_empty() {
            Shape::row_major(size, extents)?
        } else {
            let shape = Shape::strided(size, extents, strides.clone())?;
            if shape.is_row_major() || shape.strides() != strides {
                return Err(TensorError::NeedlessStrides.into());
            }
            shape
        };
        let placed = placed::decode(reader)?;
        if !placed.is_segment() && !shape.is_row_major() {
            return Err(TensorError::NeedlessStrides.into());
        }
        let wanted = shape.span() * size;
        if placed.count != wanted {
            return Err(TensorError::Length { wanted: wanted as u64, found: placed.count as u64 }.into());
        }
        let segment: Segment = memory::decode(&placed, dtype.alignment(), &mut device, reader)?;
        Ok(Self { dtype, device, shape, segment })
    }
}
