//! A schema as a value: its canonical text.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use super::length;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::sequence;
use crate::reader::Reader;
use crate::schema::{Node, Schema, SchemaBuilder};
use crate::writer::Writer;

impl Encode for Schema {
    layout!(
        /// That of the text, which writes for it.
        => length::FACTS
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, head: HeadWriter<'_>) {
        // SAFETY: the caller's.
        unsafe { str::encode_head(self.text(), head) };
    }

    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        str::encode_tail(self.text(), writer)
    }

    fn schema(_: &mut SchemaBuilder) -> Node {
        Node::Text
    }
}

impl<'de> Decode<'de> for Schema {
    decode_row!('de);

    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the four bytes of the layout.
        let count = unsafe { length::decode(&mut head, reader) }?;
        let text = sequence::decode_string(count, reader)?;
        reader.charge(text.len().saturating_mul(Schema::MEMORY))?;
        slot.write(text.parse()?);
        Ok(())
    }
}
