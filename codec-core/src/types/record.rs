//! Structs of this crate and of `num-complex` that are written as `#[derive(Codec)]` would write them.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::{MaybeUninit, offset_of};

use num_complex::Complex;

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::{Field, product};
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::row;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::tensor::{Device, DeviceKind, EndOfStream, Plane, Timestamp};
use crate::trivial::Trivial;
use crate::writer::Writer;

use super::through::through;

macro_rules! records {
    ($([$($generic:ident)?] $record:ty { $($name:ident: $type:ty),* })+) => {$(
        impl<$($generic: Encode)?> Encode for $record {
            layout!(
                /// Head and tail are those of the fields, each in order; whether the memory is the encoding follows
                /// from where the fields lie.
                => product(size_of::<Self>(), &[$(Field {
                    offset: offset_of!(Self, $name),
                    size: size_of::<$type>(),
                    facts: <$type as Encode>::LAYOUT.facts(),
                }),*])
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                let _ = &mut head;
                $(
                    // SAFETY: the caller has room for the heads of all fields.
                    unsafe { row::encode_head(&self.$name, &mut head) };
                )*
            }

            #[inline]
            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                let _ = &writer;
                $(row::encode_tail(&self.$name, writer)?;)*
                Ok(())
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                let _ = &types;
                Node::Struct(alloc::vec![$(types.field::<$type>(stringify!($name))),*])
            }
        }

        impl<'de $(, $generic: Decode<'de>)?> Decode<'de> for $record {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                let _ = (&mut head, &reader);
                slot.write(Self { $(
                    // SAFETY: the caller has the heads of all fields.
                    $name: unsafe { row::decode_value(&mut head, reader) }?,
                )* });
                Ok(())
            }
        }
    )+};
}

records! {
    [T] Complex<T> { re: T, im: T }
    [] Device { kind: DeviceKind, index: u32 }
    [] Plane { offset: u64, stride: u64, size: u64 }
    [] Timestamp { acqtime: i64, pubtime: i64 }
    [] EndOfStream {}
}

through! {
    [] DeviceKind as u16, "a device": |kind| kind.0, |number| Some(DeviceKind(number));
}

// SAFETY: `repr(C)` of two equal trivial fields: no padding, and an order that the language guarantees.
unsafe impl<T: Trivial> Trivial for Complex<T> {}
// SAFETY: as for `Complex`.
unsafe impl Trivial for Timestamp {}
