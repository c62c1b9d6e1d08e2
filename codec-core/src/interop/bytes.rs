//! `Bytes` and `BytesMut`: the same as a `Vec<u8>`, whose memory they take over.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::sequence;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::types::length;
use crate::writer::Writer;

macro_rules! bytes {
    ($($type:ty, $from:expr;)+) => {$(
        impl Encode for $type {
            layout!(
                /// That of the slice, which writes for it.
                => length::FACTS
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, head: HeadWriter<'_>) {
                // SAFETY: the caller's.
                unsafe { <[u8] as Encode>::encode_head(self, head) };
            }

            #[inline]
            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                <[u8] as Encode>::encode_tail(self, writer)
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Sequence(types.node::<u8>())
            }
        }

        impl<'de> Decode<'de> for $type {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the four bytes of the layout.
                let count = unsafe { length::decode(&mut head, reader) }?;
                let elements = sequence::decode::<u8>(count, reader)?;
                slot.write($from(elements));
                Ok(())
            }
        }
    )+};
}

bytes! {
    Bytes, Bytes::from;
    // Takes the vector's memory over, as `Bytes` does, as long as nobody shares it.
    BytesMut, |elements| BytesMut::from(Bytes::from(elements));
}
