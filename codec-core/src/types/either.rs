//! The standard library's enums of two variants with one field each: `Result`, `IpAddr`, `SocketAddr`.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

/// Writes what the derive writes for `enum Name { First(A), Second(B) }`.
macro_rules! either {
    ($([$($generics:ident),*] $type:ty { $first:ident($a:ty), $second:ident($b:ty) })+) => {$(
        impl<$($generics: $crate::encode::Encode),*> $crate::encode::Encode for $type {
            layout!(
                /// Head: the tag. Tail: the field of the variant, head and tail.
                => $crate::layout::Facts::row(1, true)
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: $crate::raw::head::HeadWriter<'_>) {
                // SAFETY: the caller has room for the layout's one byte.
                unsafe { head.put([u8::from(matches!(self, Self::$second(_)))]) };
            }

            #[inline]
            fn encode_tail(&self, writer: &mut $crate::writer::Writer<'_>) -> $crate::error::Result<()> {
                match self {
                    Self::$first(value) => $crate::raw::row::encode(value, writer),
                    Self::$second(value) => $crate::raw::row::encode(value, writer),
                }
            }

            fn schema(types: &mut $crate::schema::SchemaBuilder) -> $crate::schema::Node {
                let variants = [
                    (stringify!($first), types.field::<$a>("0")),
                    (stringify!($second), types.field::<$b>("0")),
                ];
                $crate::types::either::node(variants)
            }
        }

        impl<'de, $($generics: $crate::decode::Decode<'de>),*> $crate::decode::Decode<'de> for $type {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut core::mem::MaybeUninit<Self>,
                mut head: $crate::raw::head::HeadReader<'_>,
                reader: &mut $crate::reader::Reader<'de>,
            ) -> $crate::error::Result<()> {
                let address = head.cursor();
                // SAFETY: the caller has the layout's one byte.
                let [tag] = unsafe { head.take() };
                slot.write(match tag {
                    0 => Self::$first($crate::raw::row::decode(reader)?),
                    1 => Self::$second($crate::raw::row::decode(reader)?),
                    found => {
                        let offset = reader.source.offset_of(address);
                        let name = stringify!($type);
                        return Err($crate::error::Error::UnknownTag { offset, name, found: found.into() });
                    }
                });
                Ok(())
            }
        }
    )+};
}
pub(crate) use either;

use crate::schema::{FieldNode, Node, VariantNode};

/// The schema of an enum with these variants.
pub(crate) fn node(variants: [(&str, FieldNode); 2]) -> Node {
    let variants = variants.into_iter().zip(0..).map(|((name, field), tag)| VariantNode {
        name: name.into(),
        tag,
        fields: alloc::vec![field],
    });
    Node::Enum { bits: 8, variants: variants.collect() }
}

either! {
    [T, E] Result<T, E> { Ok(T), Err(E) }
}
