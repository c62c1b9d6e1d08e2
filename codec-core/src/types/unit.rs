//! Types without data: `()`, `..` and `PhantomData` of anything.
#![allow(unsafe_code, reason = "the traits' methods for types with a layout are unsafe")]

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::RangeFull;

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::Result;
use crate::layout::Facts;
use crate::raw::head::HeadReader;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::trivial::Trivial;

macro_rules! nothing {
    ($([$($generics:tt)*] $type:ty = $value:expr;)+) => {$(
        impl<$($generics)*> Encode for $type {
            layout!(
                /// No bytes; `encode_head` writes none.
                => Facts::bulk(0, true)
            );

            encode_row!();

            fn schema(_: &mut SchemaBuilder) -> Node {
                Node::Struct(alloc::vec::Vec::new())
            }
        }

        impl<'de, $($generics)*> Decode<'de> for $type {
            decode_row!('de);

            #[inline(always)]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                _: HeadReader<'_>,
                _: &mut Reader<'de>,
            ) -> Result<()> {
                slot.write($value);
                Ok(())
            }
        }
    )+};
}

nothing! {
    [] () = ();
    [] RangeFull = ..;
    [T: ?Sized] PhantomData<T> = PhantomData;
}

// SAFETY: the layout is bulk; there are no fields.
unsafe impl Trivial for () {}
// SAFETY: the layout is bulk; there are no fields.
unsafe impl<T: ?Sized + 'static> Trivial for PhantomData<T> {}
