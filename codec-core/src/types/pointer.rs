//! `Box`, `Rc` and `Arc` of one value: no head, the whole value in the tail.
//!
//! Their layout says nothing of the value's, so that a recursive type has one.
#![allow(unsafe_code, reason = "the traits' methods for types with a layout are unsafe")]

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::mem::MaybeUninit;

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::Facts;
use crate::raw::head::HeadReader;
use crate::raw::{place, row};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

macro_rules! pointers {
    ($($pointer:ident $new:path;)+) => {$(
        impl<T: Encode> Encode for $pointer<T> {
            layout!(
                /// No head; the tail is the value, head and tail.
                => Facts::row(0, true)
            );

            encode_row!();

            #[inline]
            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                if const { T::LAYOUT.facts().tail } {
                    writer.nested(|writer| row::encode::<T>(self, writer))
                } else {
                    row::encode::<T>(self, writer)
                }
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Pointer(types.node::<T>())
            }
        }

        impl<'de, T: Decode<'de>> Decode<'de> for $pointer<T> {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                _: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                let nested = const { T::LAYOUT.facts().tail };
                if nested && let Err(error) = reader.enter() {
                    return Err(error);
                }
                let value = $new(reader);
                if nested {
                    reader.leave();
                }
                value.map(|value| {
                    slot.write(value);
                })
            }
        }
    )+};
}

pointers! {
    Box place::boxed;
    Rc place::rc;
    Arc place::arc;
}
