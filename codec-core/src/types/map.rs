//! Maps: a count, and as many entries, each a row of key and value.
//!
//! A key that stands twice is an error: nothing that is sent is lost silently.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use alloc::collections::BTreeMap;
use core::mem::MaybeUninit;
#[cfg(feature = "std")]
use std::{collections::HashMap, hash::BuildHasher, hash::Hash};

use super::length;
use super::table::{claim, entry};
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::row;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

macro_rules! maps {
    ($(
        $(#[$meta:meta])*
        [$($generics:ident)?] $table:ty $(where $($bound:ident: $first:ident $(+ $more:ident)*),+)?;
        $new:expr; $prepare:expr;
    )+) => {$(
        $(#[$meta])*
        impl<K: Encode, V: Encode $(, $generics)?> Encode for $table {
            layout!(
                /// Head: the number of entries. Tail: what is left of a very long length, and the entries.
                => length::FACTS
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, head: &mut HeadWriter<'_>) {
                // SAFETY: the caller has room for the layout's four bytes.
                unsafe { length::encode_head(self.len(), head) };
            }

            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                length::encode_tail(self.len(), writer)?;
                writer.nested(|writer| self.iter().try_for_each(|entry| row::encode(&entry, writer)))
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                Node::Map(types.node::<K>(), types.node::<V>())
            }
        }

        $(#[$meta])*
        impl<'de, K: Decode<'de>, V: Decode<'de> $(, $generics)?> Decode<'de> for $table
        $(where $($bound: $first $(+ $more)*),+)?
        {
            decode_row!('de);

            unsafe fn decode_row(
                slot: &mut MaybeUninit<Self>,
                head: &mut HeadReader<'_>,
                reader: &mut Reader<'de>,
            ) -> Result<()> {
                // SAFETY: the caller has the four bytes of the layout.
                let count = unsafe { length::decode(head, reader) }?;
                let table = reader.nested(|reader| {
                    let backed = claim::<(K, V)>(count, reader)?;
                    let mut table = $new;
                    $prepare(&mut table, backed)?;
                    for _ in 0..count {
                        let (key, value) = entry::<(K, V)>(reader)?;
                        $prepare(&mut table, 1)?;
                        if table.insert(key, value).is_some() {
                            return Err(Error::DuplicateKey { offset: reader.offset() });
                        }
                    }
                    Ok(table)
                })?;
                slot.write(table);
                Ok(())
            }
        }
    )+};
}

maps! {
    [] BTreeMap<K, V> where K: Ord; BTreeMap::new(); |_: &mut Self, _| Ok::<_, Error>(());
    #[cfg(feature = "std")]
    [S] HashMap<K, V, S> where K: Eq + Hash, S: BuildHasher + Default; Self::default();
    |table: &mut Self, more| {
        table.try_reserve(more).map_err(|_| Error::OutOfMemory { bytes: (more * size_of::<(K, V)>()) as u64 })
    };
}
