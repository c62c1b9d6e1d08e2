//! The standard library's everyday types, and a few more, one file per shape.

/// A layout as a promise, for the codecs of this folder.
///
/// They keep it together with the rest of their impl, in the same file; each use says why it holds.
macro_rules! layout {
    ($(#[doc = $why:literal])+ => $facts:expr) => {
        $(#[doc = $why])+
        #[allow(unsafe_code, reason = "the promise is argued above it")]
        // SAFETY: argued at the use of this macro.
        const LAYOUT: $crate::layout::Layout<Self> = unsafe { $crate::layout::Layout::promise($facts) };
    };
}

/// `Encode::encode` of a type with a layout.
macro_rules! encode_row {
    () => {
        #[inline]
        fn encode(&self, writer: &mut $crate::writer::Writer<'_>) -> $crate::error::Result<()> {
            $crate::raw::row::encode(self, writer)
        }
    };
}

/// All of `Encode`, for a type that derefs to text or to a slice and is written as that.
macro_rules! encode_as {
    ($target:ty) => {
        layout!(
            /// That of what it derefs to, which writes for it.
            => $crate::types::length::FACTS
        );

        encode_row!();

        #[inline(always)]
        unsafe fn encode_head(&self, head: $crate::raw::head::HeadWriter<'_>) {
            // SAFETY: the caller's.
            unsafe { <$target as $crate::encode::Encode>::encode_head(self, head) };
        }

        #[inline(always)]
        fn encode_tail(&self, writer: &mut $crate::writer::Writer<'_>) -> $crate::error::Result<()> {
            <$target as $crate::encode::Encode>::encode_tail(self, writer)
        }

        fn schema(types: &mut $crate::schema::SchemaBuilder) -> $crate::schema::Node {
            <$target as $crate::encode::Encode>::schema(types)
        }
    };
}

/// `Decode::decode` of a type with a layout.
macro_rules! decode_row {
    ($de:lifetime) => {
        #[inline]
        fn decode(reader: &mut $crate::reader::Reader<$de>) -> $crate::error::Result<Self> {
            $crate::raw::row::decode(reader)
        }
    };
}

mod array;
pub(crate) mod code;
mod cow;
mod either;
#[cfg(feature = "half")]
mod half;
pub(crate) mod length;
mod net;
mod number;
mod option;
#[cfg(feature = "std")]
mod path;
mod pointer;
mod range;
mod record;
mod reference;
mod scalar;
mod schema;
pub(crate) mod shared;
mod slice;
pub(crate) mod table;
mod text;
pub(crate) mod through;
mod time;
mod tuple;
mod unit;
mod vec;
mod wrapper;
