//! Arrays of any rank: a struct of their shape, and of their elements in logical order, the last axis fastest, whatever
//! their strides.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use ndarray::{ArcArray, Array, ArrayBase, Data, Dimension, IxDyn};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::{row, sequence};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::types::length;
use crate::writer::Writer;

/// Any array can be written: owned, shared, or a view.
impl<S: Data<Elem: Encode>, D: Dimension> Encode for ArrayBase<S, D> {
    layout!(
        /// Head: the two lengths. Tail: the axes, the elements, and what is left of very long lengths.
        => Facts::row(2 * length::FACTS.head, true)
    );

    encode_row!();

    #[inline]
    unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
        // SAFETY: the caller has room for two lengths.
        unsafe { length::encode_head(self.ndim(), &mut head) };
        // SAFETY: this is the second.
        unsafe { length::encode_head(self.len(), &mut head) };
    }

    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        row::encode_tail(self.shape(), writer)?;
        length::encode_tail(self.len(), writer)?;
        match self.as_slice() {
            Some(elements) => sequence::encode(elements, writer),
            None => sequence::encode_each(self.iter(), writer),
        }
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Struct(alloc::vec![types.field::<[usize]>("shape"), types.field::<[S::Elem]>("elements")])
    }
}

impl<'de, T: Decode<'de>, D: Dimension> Decode<'de> for Array<T, D> {
    decode_row!('de);

    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        let offset = reader.source.offset_of(head.cursor());
        // SAFETY: the caller has the heads of two sequences.
        let shape = unsafe { row::decode_value::<Vec<usize>>(&mut head, reader) }?;
        // SAFETY: this is the second.
        let elements = unsafe { row::decode_value::<Vec<T>>(&mut head, reader) }?;
        let array = Array::from_shape_vec(IxDyn(&shape), elements).and_then(Array::into_dimensionality);
        let expected = "an array of this rank with as many elements as its shape says";
        slot.write(array.map_err(|_| Error::OutOfRange { offset, expected })?);
        Ok(())
    }
}

impl<'de, T: Decode<'de> + Clone, D: Dimension> Decode<'de> for ArcArray<T, D> {
    decode_row!('de);

    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller's; the layout is that of any array.
        slot.write(unsafe { row::decode_value::<Array<T, D>>(&mut head, reader) }?.into_shared());
        Ok(())
    }
}
