//! `IndexMap` and `IndexSet`: maps and sets whose order is kept.
#![allow(unsafe_code, reason = "the head is accessed without checks")]

use core::hash::{BuildHasher, Hash};
use core::mem::MaybeUninit;

use indexmap::{IndexMap, IndexSet};

use crate::decode::Decode;
use crate::encode::Encode;
use crate::error::{Error, Result};
use crate::raw::head::{HeadReader, HeadWriter};
use crate::raw::row;
use crate::reader::Reader;
use crate::schema::{Node, SchemaBuilder};
use crate::types::length;
use crate::types::table::{claim, entry, tables};
use crate::writer::Writer;

/// What an entry takes besides its parts, at most: its hash, and its place in the index, twice over.
const EACH: usize = 5 * size_of::<u64>();

tables! {
    [K, V; S] IndexMap<K, V, S> where K: Eq + Hash, S: BuildHasher + Default;
    (K, V), |table, (key, value)| table.insert(key, value).is_none(), |types| Node::Map(types.node::<K>(), types.node::<V>());
    Self::default(); |table: &mut Self, more| {
        table.try_reserve(more).map_err(|_| Error::OutOfMemory { bytes: (more * size_of::<(K, V)>()) as u64 })
    }; each EACH;

    [T; S] IndexSet<T, S> where T: Eq + Hash, S: BuildHasher + Default;
    T, |table, element| table.insert(element), |types| Node::Sequence(types.node::<T>());
    Self::default(); |table: &mut Self, more| {
        table.try_reserve(more).map_err(|_| Error::OutOfMemory { bytes: (more * size_of::<T>()) as u64 })
    }; each EACH;
}
