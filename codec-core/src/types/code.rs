//! Enums of this crate without fields, whose one-byte tags are codes that never change.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder, VariantNode};
use crate::tensor::{AudioLayout, DType, PixelFormat, SampleFormat};

/// Defines such an enum, with `ALL`, `code`, `from_code`, `name`, and more of what is known of each variant.
macro_rules! coded {
    (
        $(#[$meta:meta])* $enum:ident $code_doc:literal
        $($variant:ident = $code:literal, $name:literal, $doc:literal;)+
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum $enum { $(#[doc = $doc] $variant = $code,)+ }

        impl $enum {
            /// All of them, by ascending code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[doc = $code_doc]
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The one with this code.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// A short lower-case name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl core::fmt::Display for $enum {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}
pub(crate) use coded;

macro_rules! codecs {
    ($($enum:ident)+) => {$(
        impl Encode for $enum {
            layout!(
                /// Head: the code, one byte.
                => Facts::row(1, false)
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                // SAFETY: the caller has room for the layout's one byte.
                unsafe { head.put([self.code()]) };
            }

            fn schema(_: &mut SchemaBuilder) -> Node {
                let variant = |each: &Self| VariantNode {
                    name: each.name().into(),
                    tag: each.code().into(),
                    fields: alloc::vec::Vec::new(),
                };
                Node::Enum { bits: 8, variants: Self::ALL.iter().map(variant).collect() }
            }
        }

        impl<'de> Decode<'de> for $enum {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                let address = head.cursor();
                // SAFETY: the caller has the layout's one byte.
                let [code] = unsafe { head.take() };
                match Self::from_code(code) {
                    Some(value) => {
                        slot.write(value);
                        Ok(())
                    }
                    None => Err(Error::UnknownTag {
                        offset: reader.source.offset_of(address),
                        name: stringify!($enum),
                        found: code.into(),
                    }),
                }
            }
        }
    )+};
}

codecs!(DType PixelFormat SampleFormat AudioLayout);
