//! `Vec` and the other sequences that are read into one.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use alloc::boxed::Box;
use alloc::collections::{BinaryHeap, VecDeque};
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::MaybeUninit;

use super::length;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::sequence;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

/// Owners of a slice: written as the slice, read by one of the functions for sequences.
macro_rules! sequences {
    ($($owner:ident: $slice:ty, $decode:path;)+) => {$(
        impl<T: Encode> Encode for $owner<$slice> {
            encode_as!([T]);
        }

        impl<'de, T: Decode<'de>> Decode<'de> for $owner<$slice> {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the four bytes of the layout.
                match unsafe { length::decode(&mut head, reader) } {
                    Ok(count) => $decode(count, reader).map(|elements: Self| {
                        slot.write(elements);
                    }),
                    Err(error) => Err(error),
                }
            }
        }
    )+};
}

/// Collections that are written element by element, and read as a `Vec` first.
macro_rules! collections {
    ($($collection:ident [$($bound:tt)*])+) => {$(
        impl<T: Encode> Encode for $collection<T> {
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

            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                length::encode_tail(self.len(), writer)?;
                sequence::encode_each(self.iter(), writer)
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Sequence(types.node::<T>())
            }
        }

        impl<'de, T: Decode<'de> $($bound)*> Decode<'de> for $collection<T> {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the four bytes of the layout.
                let count = unsafe { length::decode(&mut head, reader) }?;
                let elements = sequence::decode::<T>(count, reader)?;
                slot.write(elements.into());
                Ok(())
            }
        }
    )+};
}

collections!(VecDeque [] BinaryHeap [+ Ord]);
sequences! {
    Vec: T, sequence::decode;
    Box: [T], boxed;
    Rc: [T], sequence::decode_rc;
    Arc: [T], sequence::decode_arc;
}

/// A vector whose room is exactly its elements is a box already.
fn boxed<'de, T: Decode<'de>>(count: usize, reader: &mut Reader<'de>) -> Result<Box<[T]>> {
    sequence::decode::<T>(count, reader).map(Vec::into_boxed_slice)
}
