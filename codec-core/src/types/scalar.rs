//! Integers, floats, `bool` and `char`: little-endian, of fixed size.
#![allow(
    unsafe_code,
    reason = "the head is accessed without checks; every block writes or reads its own size"
)]

use core::mem::MaybeUninit;

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::trivial::Trivial;

const LITTLE: bool = cfg!(target_endian = "little");

/// The facts of a scalar of `size` bytes whose memory is its encoding on a little-endian machine.
pub(super) const fn scalar(size: usize, plain: bool) -> Facts {
    if LITTLE { Facts::bulk(size, plain) } else { Facts::row(size, false) }
}

macro_rules! numbers {
    ($($type:ident)+) => {$(
        impl Encode for $type {
            layout!(
                /// Head: the bytes of the number. No padding; every bit pattern is a number.
                => $crate::types::scalar::scalar(size_of::<$type>(), true)
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                // SAFETY: the caller has room for the layout's size, which is this.
                unsafe { head.put(self.to_le_bytes()) };
            }

            fn schema(_: &mut SchemaBuilder) -> Node {
                Node::Scalar(stringify!($type))
            }
        }

        impl<'de> Decode<'de> for $type {
            decode_row!('de);

            #[inline(always)]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                _: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has as many bytes as the layout's size, which is this.
                slot.write(<$type>::from_le_bytes(unsafe { head.take() }));
                Ok(())
            }
        }

        // SAFETY: the layout is bulk on little-endian targets; there are no fields.
        unsafe impl Trivial for $type {}
    )+};
}
#[cfg(feature = "half")]
pub(super) use numbers;

numbers!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64);

/// Types that are written as another one, and checked when they are read.
macro_rules! checked {
    ($($type:ident as $wire:ident: $to:expr, $from:expr;)+) => {$(
        impl Encode for $type {
            layout!(
                /// Head: the bytes of the wire type, which are the memory of the value. Not every bit pattern is
                /// a value, so it is not plain.
                => scalar(size_of::<$wire>(), false)
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                let wire: $wire = $to(*self);
                // SAFETY: the caller has room for the layout's size, which is this.
                unsafe { head.put(wire.to_le_bytes()) };
            }

            fn schema(_: &mut SchemaBuilder) -> Node {
                Node::Scalar(stringify!($type))
            }
        }

        impl<'de> Decode<'de> for $type {
            decode_row!('de);

            #[inline(always)]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                let address = head.cursor();
                // SAFETY: the caller has as many bytes as the layout's size, which is this.
                let wire = <$wire>::from_le_bytes(unsafe { head.take() });
                match $from(wire) {
                    Some(value) => {
                        slot.write(value);
                        Ok(())
                    }
                    None => Err(invalid(reader, address, stringify!($type), wire.into())),
                }
            }
        }
    )+};
}

checked! {
    bool as u8: u8::from, |byte| match byte { 0 => Some(false), 1 => Some(true), _ => None };
    char as u32: u32::from, char::from_u32;
}

// SAFETY: the layout is bulk on little-endian targets; there are no fields.
unsafe impl Trivial for bool {}
// SAFETY: as for `bool`.
unsafe impl Trivial for char {}

/// `usize` and `isize` travel as 64 bits.
macro_rules! sizes {
    ($($type:ident as $wire:ident;)+) => {$(
        impl Encode for $type {
            layout!(
                /// Head: eight bytes; on a 64-bit machine that is the memory of the number.
                => if size_of::<$type>() == 8 { scalar(8, true) } else { Facts::row(8, false) }
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                // SAFETY: the caller has room for the layout's eight bytes.
                unsafe { head.put((*self as $wire).to_le_bytes()) };
            }

            fn schema(_: &mut SchemaBuilder) -> Node {
                Node::Scalar(stringify!($wire))
            }
        }

        impl<'de> Decode<'de> for $type {
            decode_row!('de);

            #[inline(always)]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                let address = head.cursor();
                // SAFETY: the caller has the layout's eight bytes.
                let wire = <$wire>::from_le_bytes(unsafe { head.take() });
                match <$type>::try_from(wire) {
                    Ok(value) => {
                        slot.write(value);
                        Ok(())
                    }
                    Err(_) => Err(invalid(reader, address, stringify!($type), wire as u64)),
                }
            }
        }
    )+};
}

sizes! {
    usize as u64;
    isize as i64;
}

#[cold]
#[inline(never)]
fn invalid(reader: &Reader<'_>, address: *const u8, expected: &'static str, found: u64) -> Error {
    Error::InvalidValue { offset: reader.source.offset_of(address), expected, found }
}
