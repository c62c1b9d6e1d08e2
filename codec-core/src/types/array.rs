//! `[T; N]`: the heads of all elements, then their tails.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::{row, sequence};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::trivial::Trivial;
use crate::writer::Writer;

/// The facts of `count` elements.
const fn repeat(element: Facts, count: usize) -> Facts {
    let Some(head) = element.head.checked_mul(count) else {
        panic!("the head of this array is larger than the address space")
    };
    Facts { head, opaque: false, ..element }
}

impl<T: Encode, const N: usize> Encode for [T; N] {
    layout!(
        /// Head and tail are those of the elements, each in order. Arrays have no padding of their own.
        => repeat(T::LAYOUT.facts(), N)
    );

    encode_row!();

    #[inline(always)]
    unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
        if const { T::LAYOUT.facts().bulk } {
            // SAFETY: the elements' memory is their encoding, and the caller has room for it.
            unsafe { head.put_memory(self) };
            return;
        }
        for element in self {
            // SAFETY: the caller has room for the heads of `N` elements.
            unsafe { row::encode_head(element, &mut head) };
        }
    }

    #[inline]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        self.iter().try_for_each(|element| row::encode_tail(element, writer))
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        Node::Array(types.node::<T>(), N as u64)
    }
}

impl<'de, T: Decode<'de>, const N: usize> Decode<'de> for [T; N] {
    decode_row!('de);

    #[inline(always)]
    unsafe fn decode_row(
        slot: &mut MaybeUninit<Self>,
        mut head: HeadReader<'_>,
        reader: &mut Reader<'de>,
    ) -> Result<()> {
        // SAFETY: the caller has the heads of `N` elements.
        unsafe { sequence::decode_array(slot, &mut head, reader) }
    }
}

// SAFETY: the layout is that of the elements, which is bulk on little-endian targets; their order is guaranteed.
unsafe impl<T: Trivial, const N: usize> Trivial for [T; N] {}
