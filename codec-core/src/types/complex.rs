//! Complex numbers: the real part, then the imaginary one.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::mem::MaybeUninit;

use num_complex::Complex;

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::Facts;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::trivial::Trivial;

macro_rules! complex {
    ($($float:ident)+) => {$(
        impl Encode for Complex<$float> {
            layout!(
                /// Two floats in memory, as `repr(C)` says: their bytes on little-endian targets, all bits allowed.
                => if cfg!(target_endian = "little") {
                    Facts::bulk(size_of::<Self>(), true)
                } else {
                    Facts::row(size_of::<Self>(), false)
                }
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, head: &mut HeadWriter<'_>) {
                // SAFETY: the caller has room for both parts.
                unsafe { head.put(self.re.to_le_bytes()) };
                // SAFETY: as above.
                unsafe { head.put(self.im.to_le_bytes()) };
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Struct(alloc::vec![types.field::<$float>("re"), types.field::<$float>("im")])
            }
        }

        impl<'de> Decode<'de> for Complex<$float> {
            decode_row!('de);

            #[inline(always)]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                head: &mut HeadReader<'_>,
                _: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has both parts.
                let re = $float::from_le_bytes(unsafe { head.take() });
                // SAFETY: as above.
                let im = $float::from_le_bytes(unsafe { head.take() });
                slot.write(Self { re, im });
                Ok(())
            }
        }

        // SAFETY: two floats one behind the other, by `repr(C)`.
        unsafe impl Trivial for Complex<$float> {}
    )+};
}

complex!(f32 f64);
