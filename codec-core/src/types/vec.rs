//! `Vec` and the other sequences that are read into one.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use alloc::boxed::Box;
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

/// Owners of a slice: written as the slice, read as a `Vec`.
macro_rules! sequences {
    ($($owner:ident)+: $slice:ty) => {$(
        impl<T: Encode> Encode for $owner<$slice> {
            layout!(
                /// That of the slice, which writes for it.
                => length::FACTS
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, head: &mut HeadWriter<'_>) {
                // SAFETY: the caller's.
                unsafe { <[T] as Encode>::encode_head(self, head) };
            }

            #[inline]
            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                <[T] as Encode>::encode_tail(self, writer)
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Sequence(types.node::<T>())
            }
        }

        impl<'de, T: Decode<'de>> Decode<'de> for $owner<$slice> {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                head: &mut HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the four bytes of the layout.
                let count = unsafe { length::decode(head, reader) }?;
                slot.write(sequence::decode::<T>(count, reader)?.into());
                Ok(())
            }
        }
    )+};
}

sequences!(Vec: T);
sequences!(Box Rc Arc: [T]);
