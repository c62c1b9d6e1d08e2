//! `&T`: written as `T`.
#![allow(unsafe_code, reason = "the traits' methods for types with a layout are unsafe")]

use core::any::TypeId;

use crate::encode::Encode;
use crate::error::Result;
use crate::layout::Facts;
use crate::raw::head::HeadWriter;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

impl<T: Encode + ?Sized> Encode for &T {
    layout!(
        /// That of `T`, which writes for it; but the memory is an address.
        => Facts { bulk: false, plain: false, ..T::LAYOUT.facts() }
    );

    #[inline]
    fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
        crate::raw::row::encode::<T>(self, writer)
    }

    #[inline(always)]
    unsafe fn encode_head(&self, head: HeadWriter<'_>) {
        // SAFETY: the caller's.
        unsafe { T::encode_head(self, head) };
    }

    #[inline]
    fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
        T::encode_tail(self, writer)
    }

    fn schema(types: &mut SchemaBuilder) -> Node {
        T::schema(types)
    }

    fn schema_key() -> TypeId {
        T::schema_key()
    }
}
