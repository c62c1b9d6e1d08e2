//! Pointers, maps and tuples that hold plain old data of other crates: written as if that had a codec.
//!
//! The invariant of `pod` holds here, too: each wrapper is transparent around what it wraps, and its bytes and its
//! schema are those of the same container of parts with codecs.
#![allow(unsafe_code, reason = "the head is accessed without checks; each type is transparent")]

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::mem::{MaybeUninit, offset_of};
#[cfg(feature = "std")]
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
};

use super::field::field;
use super::probe::Via;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::layout::product;
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::row;
use crate::raw::transparent::{Wrapper, unwrap_arc, unwrap_box, unwrap_rc, wrap_ref};
use crate::reader::Reader;
use crate::schema::{FieldNode, Node, SchemaBuilder};
use crate::types::{length, table};
use crate::writer::Writer;

macro_rules! pointers {
    ($($(#[$doc:meta])+ $name:ident $pointer:ident $unwrap:ident;)+) => {$(
        $(#[$doc])+
        #[repr(transparent)]
        pub struct $name<W: Wrapper>($pointer<W::Of>);

        // SAFETY: `repr(transparent)` over the only field.
        unsafe impl<W: Wrapper> Wrapper for $name<W> {
            type Of = $pointer<W::Of>;
        }

        // The layout stays opaque: as that of a pointer, it has no head and says nothing of the value.
        impl<W: Wrapper + Encode> Encode for $name<W> {
            fn encode(&self, writer: &mut Writer<'_>) -> Result<()> {
                let value = wrap_ref::<W>(&self.0);
                if const { W::LAYOUT.facts().tail } {
                    writer.nested(|writer| row::encode(value, writer))
                } else {
                    row::encode(value, writer)
                }
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Pointer(types.node::<W>())
            }
        }

        impl<'de, W: Wrapper + Decode<'de>> Decode<'de> for $name<W> {
            fn decode(reader: &mut Reader<'de>) -> Result<Self> {
                row::decode::<$pointer<W>>(reader).map(|value| Self($unwrap(value)))
            }
        }
    )+};
}

pointers! {
    /// A box of something wrapped.
    InBox Box unwrap_box;
    /// A shared pointer to something wrapped.
    InRc Rc unwrap_rc;
    /// A shared pointer to something wrapped, for threads.
    InArc Arc unwrap_arc;
}

macro_rules! maps {
    ($(
        $(#[$meta:meta])+
        $name:ident [$($state:ident)?] $table:ty where K::Of: [$($key:tt)+] $(, S: [$($hasher:tt)+])?;
        $prepare:expr;
    )+) => {$(
        $(#[$meta])+
        #[repr(transparent)]
        pub struct $name<K: Via, V: Via $(, $state)?>($table);

        $(#[$meta])+
        // SAFETY: `repr(transparent)` over the only field.
        unsafe impl<K: Via, V: Via $(, $state)?> Wrapper for $name<K, V $(, $state)?> {
            type Of = $table;
        }

        $(#[$meta])+
        impl<K: Via, V: Via $(, $state)?> Encode for $name<K, V $(, $state)?> {
            layout!(
                /// Head: the number of entries. Tail: what is left of a very long length, and the entries.
                => length::FACTS
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                // SAFETY: the caller has room for the layout's four bytes.
                unsafe { length::encode_head(self.0.len(), &mut head) };
            }

            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                length::encode_tail(self.0.len(), writer)?;
                writer.nested(|writer| {
                    self.0.iter().try_for_each(|(key, value)| row::encode(&(K::view(key), V::view(value)), writer))
                })
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Map(types.node::<K::As>(), types.node::<V::As>())
            }
        }

        $(#[$meta])+
        impl<'de, K: Via, V: Via $(, $state)?> Decode<'de> for $name<K, V $(, $state)?>
        where
            K::As: Decode<'de>,
            V::As: Decode<'de>,
            K::Of: $($key)+
            $(, S: $($hasher)+)?
        {
            decode_row!('de);

            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the four bytes of the layout.
                let count = unsafe { length::decode(&mut head, reader) }?;
                let table = reader.nested(|reader| {
                    let backed = table::claim::<(K::As, V::As)>(count, 16, reader)?;
                    let prepare: fn(&mut $table, usize) -> Result<()> = $prepare;
                    let mut table = <$table>::default();
                    prepare(&mut table, backed)?;
                    for _ in 0..count {
                        let (key, value) = table::entry::<(K::As, V::As)>(reader)?;
                        prepare(&mut table, 1)?;
                        if table.insert(K::unview(key), V::unview(value)).is_some() {
                            return Err(Error::DuplicateKey { offset: reader.offset() });
                        }
                    }
                    Ok(table)
                })?;
                slot.write(Self(table));
                Ok(())
            }
        }
    )+};
}

maps! {
    /// A sorted map.
    InBTreeMap [] BTreeMap<K::Of, V::Of> where K::Of: [Ord];
    |_, _| Ok(());

    /// A hash map.
    #[cfg(feature = "std")]
    InHashMap [S] HashMap<K::Of, V::Of, S> where K::Of: [Eq + Hash], S: [BuildHasher + Default];
    |table, more| {
        let bytes = more * size_of::<(K::Of, V::Of)>();
        table.try_reserve(more).map_err(|_| Error::OutOfMemory { bytes: bytes as u64 })
    };
}

/// How the fields of a tuple travel.
pub trait Vias {
    /// The tuple.
    type Of;
}

/// A tuple of which at least one field is wrapped.
#[repr(transparent)]
pub struct InTuple<V: Vias>(V::Of);

// SAFETY: `repr(transparent)` over the only field.
unsafe impl<V: Vias> Wrapper for InTuple<V> {
    type Of = V::Of;
}

macro_rules! tuples {
    ($(($($via:ident $number:tt $guard:ident),+);)+) => {$(
        impl<$($via: Via),+> Vias for ($($via,)+) {
            type Of = ($($via::Of,)+);
        }

        impl<$($via: Via),+> Encode for InTuple<($($via,)+)> {
            layout!(
                /// Head and tail are those of the fields, each in order; whether the memory is the encoding follows
                /// from where the fields lie.
                => product(size_of::<Self>(), &[
                    $(field::<$via::As>(offset_of!(<Self as Wrapper>::Of, $number))),+
                ])
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                $(
                    // SAFETY: the caller has room for the heads of all fields.
                    unsafe { row::encode_head($via::view(&self.0.$number), &mut head) };
                )+
            }

            #[inline]
            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                $(row::encode_tail($via::view(&self.0.$number), writer)?;)+
                Ok(())
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Struct(alloc::vec![$(
                    FieldNode { name: stringify!($number).into(), node: types.node::<$via::As>() }
                ),+])
            }
        }

        impl<'de, $($via: Via),+> Decode<'de> for InTuple<($($via,)+)>
        where
            $($via::As: Decode<'de>),+
        {
            decode_row!('de);

            #[inline]
            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                mut head: HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                let tuple = slot.as_mut_ptr().cast::<<Self as Wrapper>::Of>();
                $(
                    // SAFETY: the field lies within the slot.
                    let field = $via::view_mut(unsafe { &raw mut (*tuple).$number });
                    // SAFETY: the caller has the heads of all fields; the field is writable, aligned and only ours.
                    let $guard = unsafe { row::decode_field::<$via::As>(field, &mut head, reader) }?;
                )+
                $($guard.keep();)+
                Ok(())
            }
        }
    )+};
}

tuples! {
    (A 0 a);
    (A 0 a, B 1 b);
    (A 0 a, B 1 b, C 2 c);
    (A 0 a, B 1 b, C 2 c, D 3 d);
}
