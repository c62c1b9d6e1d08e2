//! `SmallVec`: the same as a `Vec`; few elements are moved to where they stand without an allocation.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use smallvec::{Array, SmallVec};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::sequence;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::types::length;
use crate::writer::Writer;

impl<A: Array<Item: Encode>> Encode for SmallVec<A> {
    layout!(
        /// That of the slice, which writes for it.
        => length::FACTS
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, head: HeadWriter<'_>) {
        // SAFETY: the caller's.
        unsafe { <[A::Item] as Encode>::encode_head(self, head) };
    }

    #[inline]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        <[A::Item] as Encode>::encode_tail(self, writer)
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Sequence(types.node::<A::Item>())
    }
}

impl<'de, A: Array<Item: Decode<'de>>> Decode<'de> for SmallVec<A> {
    decode_row!('de);

    #[inline]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the four bytes of the layout.
        let count = unsafe { length::decode(&mut head, reader) }?;
        let elements = sequence::decode::<A::Item>(count, reader)?;
        slot.write(Self::from_vec(elements));
        Ok(())
    }
}
