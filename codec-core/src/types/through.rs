//! Types that are written as another type: `Duration` as a tuple, `NonZero<u8>` as `u8`.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

/// Gives types the encoding of another one.
///
/// `from` gives `None` for what is no value of the type. `@(true)` in front says that the memory of both is the same, byte
/// for byte, and that every value of the other type is one of this one.
macro_rules! through {
    ($($(#[$meta:meta])* $(@($same:expr))? [$($generics:tt)*] $type:ty as $wire:ty, $expected:literal: $to:expr, $from:expr;)+) => {$(
        $(#[$meta])*
        impl<$($generics)*> $crate::encode::Encode for $type {
            layout!(
                /// That of the other type, which writes for it; the memory may differ, unless it is said not to.
                => $crate::types::through::facts(
                    <$wire as $crate::encode::Encode>::LAYOUT.facts(),
                    false $(| $same)?,
                )
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: $crate::raw::head::HeadWriter<'_>) {
                let to: fn(&Self) -> $wire = $to;
                // SAFETY: the caller has room for the head of the other type, whose layout this is.
                unsafe { $crate::raw::row::encode_head(&to(self), &mut head) };
            }

            #[inline]
            fn encode_tail(&self, writer: &mut $crate::writer::Writer<'_>) -> $crate::error::Result<()> {
                let to: fn(&Self) -> $wire = $to;
                $crate::raw::row::encode_tail(&to(self), writer)
            }

            fn schema(types: &mut $crate::schema::SchemaBuilder) -> $crate::schema::Node {
                <$wire as $crate::encode::Encode>::schema(types)
            }
        }

        $(#[$meta])*
        impl<'de, $($generics)*> $crate::decode::Decode<'de> for $type {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut core::mem::MaybeUninit<Self>,
                mut head: $crate::raw::head::HeadReader<'_>,
                reader: &mut $crate::reader::Reader<'de>,
            ) -> $crate::error::Result<()> {
                let address = head.cursor();
                // SAFETY: the caller has the head of the other type, whose layout this is.
                let wire = unsafe { $crate::raw::row::decode_value::<$wire>(&mut head, reader) }?;
                let from: fn($wire) -> Option<Self> = $from;
                match from(wire) {
                    Some(value) => {
                        slot.write(value);
                        Ok(())
                    }
                    None => Err($crate::types::through::impossible(reader, address, $expected)),
                }
            }
        }
    )+};
}
pub(crate) use through;

use crate::error::Error;
use crate::layout::Facts;
use crate::reader::Reader;

/// The facts of the other type, without those of its memory if that is not the same.
pub(crate) const fn facts(wire: Facts, same: bool) -> Facts {
    Facts { bulk: wire.bulk && same, plain: wire.plain && same, ..wire }
}

/// A value of the other type that is none of this one.
#[cold]
pub(crate) fn impossible(reader: &Reader<'_>, address: *const u8, expected: &'static str) -> Error {
    Error::OutOfRange { offset: reader.source.offset_of(address), expected }
}
