//! `Option`: a tag in the head, the value in the tail.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::row;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

impl<T: Encode> Encode for Option<T> {
    layout!(
        /// Head: the tag. Tail: the value, if there is one.
        => Facts::row(1, true)
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
        // SAFETY: the caller has room for the layout's one byte.
        unsafe { head.put([u8::from(self.is_some())]) };
    }

    #[inline]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        match self {
            Some(value) => row::encode(value, writer),
            None => Ok(()),
        }
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Option(types.node::<T>())
    }
}

impl<'de, T: Decode<'de>> Decode<'de> for Option<T> {
    decode_row!('de);

    #[inline]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        let address = head.cursor();
        // SAFETY: the caller has the layout's one byte.
        let [tag] = unsafe { head.take() };
        // No `?` here, nor in what else is called once per level: without optimisation it triples what a level needs
        // on the stack.
        match tag {
            0 => {
                slot.write(None);
                Ok(())
            }
            1 => row::decode(reader).map(|value| {
                slot.write(Some(value));
            }),
            found => Err(unknown(found, address, reader)),
        }
    }
}

#[cold]
#[inline(never)]
fn unknown(found: u8, address: *const u8, reader: &Reader<'_>) -> Error {
    let offset = reader.source.offset_of(address);
    Error::UnknownTag { offset, name: "Option", found: found.into() }
}
