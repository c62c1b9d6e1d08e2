//! Wrappers of one value, written as the value.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::any::TypeId;
use core::cmp::Reverse;
use core::mem::MaybeUninit;
use core::num::{Saturating, Wrapping};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::row;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

macro_rules! wrappers {
    ($($wrapper:ident)+) => {$(
        impl<T: Encode> Encode for $wrapper<T> {
            layout!(
                /// That of the value, which writes for it. Not all of these wrappers promise to be transparent, so
                /// the memory is not said to be the encoding.
                => Facts { bulk: false, plain: false, ..T::LAYOUT.facts() }
            );

            #[inline]
            fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
                row::encode(&self.0, writer)
            }

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                // SAFETY: the caller has room for the head of the value, whose layout this is.
                unsafe { row::encode_head(&self.0, &mut head) };
            }

            #[inline]
            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                row::encode_tail(&self.0, writer)
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                T::schema(types)
            }

            fn schema_key() -> TypeId {
                T::schema_key()
            }
        }

        impl<'de, T: Decode<'de>> Decode<'de> for $wrapper<T> {
            #[inline]
            fn decode(reader: &mut Reader<'de>) -> Result<Self> {
                row::decode(reader).map($wrapper)
            }

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the head of the value, whose layout this is.
                slot.write($wrapper(unsafe { row::decode_value(&mut head, reader) }?));
                Ok(())
            }
        }
    )+};
}

wrappers!(Wrapping Saturating Reverse);
