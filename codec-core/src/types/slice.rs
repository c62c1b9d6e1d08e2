//! `[T]`, and slices borrowed from the input.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use super::length;
use crate::bulk::Plain;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::sequence;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

impl<T: Encode> Encode for [T] {
    layout!(
        /// Head: the length. Tail: what is left of a very long length, and the elements.
        => length::FACTS
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
        // SAFETY: the caller has room for the layout's four bytes.
        unsafe { length::encode_head(self.len(), &mut head) };
    }

    #[inline]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        length::encode_tail(self.len(), writer)?;
        sequence::encode(self, writer)
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Sequence(types.node::<T>())
    }
}

/// A slice of plain values, borrowed from the input; [`Error::Unaligned`] where the input does not happen to be
/// aligned for them, which `&[u8]` always is.
impl<'a, 'de: 'a, T: Plain> Decode<'de> for &'a [T] {
    decode_row!('de);

    #[inline]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the four bytes of the layout.
        let count = unsafe { length::decode(&mut head, reader) }?;
        // No error is made before it is one: even to drop it is more than to borrow.
        let Some(bytes) = borrow_elements::<T>(count, reader)? else {
            return Err(Error::CannotBorrow { offset: reader.offset(), expected: "a slice" });
        };
        match bytemuck::try_cast_slice(bytes) {
            Ok(elements) => {
                slot.write(elements);
                Ok(())
            }
            Err(_) => Err(unaligned::<T>(bytes.len(), reader)),
        }
    }
}

/// That so many bytes that were just taken do not lie where elements could be.
#[cold]
fn unaligned<T>(length: usize, reader: &Reader<'_>) -> Error {
    Error::Unaligned { offset: reader.offset() - length as u64, alignment: align_of::<T>() as u64 }
}

/// The bytes of `count` elements, if the input stays and holds them as they are in memory.
pub(super) fn borrow_elements<'de, T: Plain>(
    count: usize,
    reader: &mut Reader<'de>,
) -> Result<Option<&'de [u8]>> {
    const { assert!(size_of::<T>() > 0, "values without a size leave nothing to borrow: decode a Vec") };
    if !const { T::LAYOUT.facts().bulk } {
        return Ok(None);
    }
    match count.checked_mul(size_of::<T>()) {
        Some(size) => reader.try_borrow(size),
        None => Err(Error::InvalidLength { offset: reader.offset(), found: count as u64 }),
    }
}
