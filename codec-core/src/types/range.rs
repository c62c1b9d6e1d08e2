//! Ranges: as structs of their bounds.
//!
//! A `RangeInclusive` that was iterated to its end still has bounds, and keeps for itself that it is at its end: it
//! arrives as if it had not been iterated. Nothing but the iterator can tell the two apart.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::ops::{Range, RangeFrom, RangeInclusive, RangeTo, RangeToInclusive};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::row;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

/// The facts of one or two bounds.
const fn bounds(bound: Facts, count: usize) -> Facts {
    let Some(head) = bound.head.checked_mul(count) else { panic!("the head of this range is too large") };
    Facts::row(head, bound.tail)
}

macro_rules! ranges {
    ($($range:ident { $($bound:ident: $get:expr),+ } $make:expr;)+) => {$(
        impl<T: Encode> Encode for $range<T> {
            layout!(
                /// Head and tail are those of the bounds, each in order.
                => bounds(T::LAYOUT.facts(), [$(stringify!($bound)),+].len())
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                $(
                    let get: fn(&Self) -> &T = $get;
                    // SAFETY: the caller has room for the heads of all bounds.
                    unsafe { row::encode_head(get(self), &mut head) };
                )+
            }

            #[inline]
            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                $(
                    let get: fn(&Self) -> &T = $get;
                    row::encode_tail(get(self), writer)?;
                )+
                Ok(())
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Struct(alloc::vec![$(types.field::<T>(stringify!($bound))),+])
            }
        }

        impl<'de, T: Decode<'de>> Decode<'de> for $range<T> {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut core::mem::MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                $(
                    // SAFETY: the caller has the heads of all bounds.
                    let $bound = unsafe { row::decode_value::<T>(&mut head, reader) }?;
                )+
                slot.write($make($($bound),+));
                Ok(())
            }
        }
    )+};
}

ranges! {
    Range { start: |range| &range.start, end: |range| &range.end } |start, end| start..end;
    RangeInclusive { start: RangeInclusive::start, end: RangeInclusive::end } |start, end| start..=end;
    RangeFrom { start: |range| &range.start } |start| start..;
    RangeTo { end: |range| &range.end } |end| ..end;
    RangeToInclusive { end: |range| &range.end } |end| ..=end;
}
