//! `str` and the strings that own or borrow one.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;
use core::mem::MaybeUninit;

use super::length;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::sequence;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

impl Encode for str {
    layout!(
        /// Head: the length in bytes. Tail: what is left of a very long length, and the bytes.
        => Facts { text: true, ..length::FACTS }
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
        // SAFETY: the caller has room for the layout's four bytes.
        unsafe { length::encode_head(self.len(), &mut head) };
    }

    #[inline(always)]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        length::encode_tail(self.len(), writer)?;
        writer.write(self.as_bytes())
    }

    fn schema(_: &mut SchemaBuilder) -> Node {
        Node::Text
    }
}

/// Text borrowed from the input.
impl<'a, 'de: 'a> Decode<'de> for &'a str {
    decode_row!('de);

    #[inline(always)]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the four bytes of the layout.
        let count = unsafe { length::decode(&mut head, reader) }?;
        let Some(text) = sequence::take_text(count, reader)? else {
            return Err(reader.source.refuse(count, "text"));
        };
        slot.write(text);
        Ok(())
    }

    #[inline(always)]
    unsafe fn decode_ascii(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the four bytes of the layout; a run has no length in the long form.
        let count = u32::from_le_bytes(unsafe { head.take() });
        // SAFETY: the run was seen to be there and to be ASCII, and this is its next text.
        slot.write(unsafe { reader.source.take_ascii(count as usize) });
        Ok(())
    }
}

/// Owners of text: written as the text, read as a `String`.
macro_rules! texts {
    ($($owner:ty)+) => {$(
        impl Encode for $owner {
            encode_as!(str);
        }

        impl<'de> Decode<'de> for $owner {
            decode_row!('de);

            #[inline(always)]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the four bytes of the layout.
                let count = unsafe { length::decode(&mut head, reader) }?;
                slot.write(sequence::decode_string(count, reader)?.into());
                Ok(())
            }
        }
    )+};
}

texts!(String Box<str> Rc<str> Arc<str>);
