//! Maps and sets: a count, and as many entries, each a row, read one by one into a table that grows.
//!
//! An entry of a map is the tuple of key and value. A key or an element that stands twice is an error: nothing that is
//! sent is lost silently.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use alloc::collections::{BTreeMap, BTreeSet};
use core::mem::MaybeUninit;
#[cfg(feature = "std")]
use std::{
    collections::{HashMap, HashSet},
    hash::BuildHasher,
};

use super::length;
#[cfg(feature = "std")]
use crate::__private::demand::HashedKey;
use crate::__private::demand::SortedKey;
use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::{row, sequence};
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::writer::Writer;

/// Codecs of tables: of what parts, and which entries are read, inserted (false: it is there already) and described.
macro_rules! tables {
    ($(
        $(#[$meta:meta])*
        [$($part:ident),+ $(; $generics:ident)?] $table:ty $(where $($bound:ident: $first:ident $(+ $more:ident)*),+)?;
        $entry:ty, $insert:expr, $describe:expr;
        $new:expr; $prepare:expr $(; each $each:expr)?;
    )+) => {$(
        $(#[$meta])*
        impl<$($part: Encode),+ $(, $generics)?> Encode for $table {
            layout!(
                /// Head: the number of entries. Tail: what is left of a very long length, and the entries.
                => length::FACTS
            );

            encode_row!();

            #[inline(always)]
            unsafe fn encode_head(&self, mut head: HeadWriter<'_>) {
                // SAFETY: the caller has room for the layout's four bytes.
                unsafe { length::encode_head(self.len(), &mut head) };
            }

            fn encode_tail(&self, writer: &mut Writer<'_>) -> Result<()> {
                length::encode_tail(self.len(), writer)?;
                writer.nested(|writer| self.iter().try_for_each(|entry| row::encode(&entry, writer)))
            }

            fn schema(types: &mut SchemaBuilder) -> Node {
                let describe: fn(&mut SchemaBuilder) -> Node = $describe;
                describe(types)
            }
        }

        $(#[$meta])*
        impl<'de, $($part: Decode<'de>),+ $(, $generics)?> Decode<'de> for $table
        $(where $($bound: $first $(+ $more)*),+)?
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
                    let backed = claim::<$entry>(count, 16 $(+ $each)?, reader)?;
                    let mut table = $new;
                    $prepare(&mut table, backed)?;
                    for _ in 0..count {
                        let next = entry::<$entry>(reader)?;
                        $prepare(&mut table, 1)?;
                        let insert: fn(&mut Self, $entry) -> bool = $insert;
                        if !insert(&mut table, next) {
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

tables! {
    [K, V] BTreeMap<K, V> where K: SortedKey;
    (K, V), |table, (key, value)| table.insert(key, value).is_none(), |types| Node::Map(types.node::<K>(), types.node::<V>());
    BTreeMap::new(); |_: &mut Self, _| Ok::<_, Error>(());

    #[cfg(feature = "std")]
    [K, V; S] HashMap<K, V, S> where K: HashedKey, S: BuildHasher + Default;
    (K, V), |table, (key, value)| table.insert(key, value).is_none(), |types| Node::Map(types.node::<K>(), types.node::<V>());
    Self::default(); |table: &mut Self, more| {
        table.try_reserve(more).map_err(|_| Error::OutOfMemory { bytes: (more * size_of::<(K, V)>()) as u64 })
    };

    [T] BTreeSet<T> where T: SortedKey;
    T, |table, element| table.insert(element), |types| Node::Sequence(types.node::<T>());
    BTreeSet::new(); |_: &mut Self, _| Ok::<_, Error>(());

    #[cfg(feature = "std")]
    [T; S] HashSet<T, S> where T: HashedKey, S: BuildHasher + Default;
    T, |table, element| table.insert(element), |types| Node::Sequence(types.node::<T>());
    Self::default(); |table: &mut Self, more| {
        table.try_reserve(more).map_err(|_| Error::OutOfMemory { bytes: (more * size_of::<T>()) as u64 })
    };
}

#[allow(unused_imports, reason = "each feature brings a user of it")]
pub(crate) use tables;

/// Reads one entry.
pub(crate) fn entry<'de, T: Decode<'de>>(reader: &mut Reader<'de>) -> Result<T> {
    sequence::counted::<T, _>(reader, row::decode)
}

/// Charges `count` entries and says for how many the table can be prepared at once.
///
/// A table can have room for somewhat more than twice its entries, and has some bytes of its own for `each`. One that
/// grows has its old memory besides, which is half of that.
pub(crate) fn claim<'de, T: Decode<'de>>(
    count: usize,
    each: usize,
    reader: &mut Reader<'de>,
) -> Result<usize> {
    let head = const { T::LAYOUT.facts().head };
    let backed = if head == 0 {
        if !const { T::LAYOUT.facts().tail } {
            reader.charge_items(count)?;
        }
        count.min(64)
    } else if reader.backs(count.saturating_mul(head)) {
        count
    } else if reader.source.stays() {
        return Err(reader.unbacked(count.saturating_mul(head)));
    } else {
        // What the rest holds may be claimed for others that it is within: no more than a few at once.
        (reader.source.left() / head).min(64)
    };
    let grown = if backed == count { 2 } else { 3 };
    reader.charge(count.saturating_mul((2 * grown + 1) * size_of::<T>() / 2 + grown * each / 2))?;
    Ok(backed)
}
