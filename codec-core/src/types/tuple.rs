//! Tuples: as structs with numbered fields.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::{MaybeUninit, offset_of};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::{Field, product};
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::row;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

macro_rules! tuples {
    ($(($($type:ident $number:tt $guard:ident),+);)+) => {$(
        impl<$($type: Encode),+> Encode for ($($type,)+) {
            layout!(
                /// Head and tail are those of the fields, each in order; whether the memory is the encoding follows
                /// from where the fields lie.
                => product(size_of::<Self>(), &[$(Field {
                    offset: offset_of!(Self, $number),
                    size: size_of::<$type>(),
                    facts: $type::LAYOUT.facts(),
                }),+])
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                $(
                    // SAFETY: the caller has room for the heads of all fields.
                    unsafe { row::encode_head(&self.$number, &mut head) };
                )+
            }

            #[inline]
            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                $(row::encode_tail(&self.$number, writer)?;)+
                Ok(())
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Struct(alloc::vec![$(types.field::<$type>(stringify!($number))),+])
            }
        }

        impl<'de, $($type: Decode<'de>),+> Decode<'de> for ($($type,)+) {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                let tuple = slot.as_mut_ptr();
                $(
                    // SAFETY: the field lies within the slot.
                    let field = unsafe { &raw mut (*tuple).$number };
                    // SAFETY: the caller has the heads of all fields; the field is writable, aligned and only ours.
                    let $guard = unsafe { row::decode_field::<$type>(field, &mut head, reader) }?;
                )+
                $($guard.keep();)+
                Ok(())
            }
        }
    )+};
}

tuples! {
    (A 0 a);
    (A 0 a, B 1 b);
    (A 0 a, B 1 b, C 2 c);
    (A 0 a, B 1 b, C 2 c, D 3 d);
    (A 0 a, B 1 b, C 2 c, D 3 d, E 4 e);
    (A 0 a, B 1 b, C 2 c, D 3 d, E 4 e, F 5 f);
    (A 0 a, B 1 b, C 2 c, D 3 d, E 4 e, F 5 f, G 6 g);
    (A 0 a, B 1 b, C 2 c, D 3 d, E 4 e, F 5 f, G 6 g, H 7 h);
    (A 0 a, B 1 b, C 2 c, D 3 d, E 4 e, F 5 f, G 6 g, H 7 h, I 8 i);
    (A 0 a, B 1 b, C 2 c, D 3 d, E 4 e, F 5 f, G 6 g, H 7 h, I 8 i, J 9 j);
    (A 0 a, B 1 b, C 2 c, D 3 d, E 4 e, F 5 f, G 6 g, H 7 h, I 8 i, J 9 j, K 10 k);
    (A 0 a, B 1 b, C 2 c, D 3 d, E 4 e, F 5 f, G 6 g, H 7 h, I 8 i, J 9 j, K 10 k, L 11 l);
}
