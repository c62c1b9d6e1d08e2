//! A table of records that grows by whole files and never moves.
//!
//! Not here: what the records are. Invariant: an index, once valid, stays valid, and its record stays at its
//! address, in every process.

use std::sync::OnceLock;

use crate::{
    crash::crash_point,
    directory::{self, Directory},
    error::{Error, Result},
    sys::{Records, Shared},
};

/// Records in the first chunk; each later chunk doubles the table.
const FIRST: u32 = 64;
/// The most chunks: eight million records.
pub(crate) const CHUNKS: usize = 18;

/// Where an index lies: its chunk, the offset in it, and the records that the chunk has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    chunk: usize,
    offset: usize,
    count: usize,
}

impl Place {
    #[inline]
    pub(crate) fn of(index: u32) -> Self {
        if index < FIRST {
            return Self { chunk: 0, offset: index as usize, count: FIRST as usize };
        }
        let chunk = (index / FIRST).ilog2();
        let start = FIRST << chunk;
        Self { chunk: chunk as usize + 1, offset: (index - start) as usize, count: start as usize }
    }
}

/// A table of shared records, in files `<name>.0`, `<name>.1`, and so on.
pub(crate) struct Table<T> {
    name: &'static str,
    chunks: [OnceLock<Records<T>>; CHUNKS],
}

impl<T: Shared> Table<T> {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// The record at a place; opens its chunk at first use.
    #[inline]
    pub(crate) fn get(&self, directory: &Directory, place: Place) -> Result<&T> {
        let records = match self.chunks.get(place.chunk).and_then(OnceLock::get) {
            Some(records) => records,
            None => self.open(directory, place.chunk, place.count)?,
        };
        records.get(place.offset).ok_or_else(|| self.corrupt(directory, place.chunk, "is too short"))
    }

    /// Makes sure that an index has a record. Under the index lock only.
    pub(crate) fn grow(&self, directory: &Directory, index: u32) -> Result<()> {
        let Place { chunk, count, .. } = Place::of(index);
        let length = (count * size_of::<T>()) as u64;
        if chunk >= CHUNKS {
            return Err(Error::NoSpace { wanted: length });
        }
        let file = format!("{}.{chunk}", self.name);
        if self.chunks[chunk].get().is_none() && directory.file(&file)?.is_none() {
            if chunk > 0 {
                // A count that skips a chunk is garbage, and would cost memory: the record before must be there.
                self.get(directory, Place::of(count as u32 - 1))?;
            }
            directory.create_whole(&file, length, |_| {})?;
            crash_point!("after-chunk-link");
        }
        self.get(directory, Place::of(index)).map(drop)
    }

    #[cold]
    fn open(&self, directory: &Directory, chunk: usize, count: usize) -> Result<&Records<T>> {
        if chunk >= CHUNKS {
            return Err(self.corrupt(directory, chunk, "cannot exist"));
        }
        let name = format!("{}.{chunk}", self.name);
        let wanted = (count * size_of::<T>()) as u64;
        let (file, length) =
            directory.file(&name)?.ok_or_else(|| self.corrupt(directory, chunk, "is missing"))?;
        if length != wanted {
            return Err(self.corrupt(directory, chunk, "has a wrong length"));
        }
        let map = directory::map(&file, length, false, &directory.path().join(&name))?;
        let records =
            Records::new(map, count).ok_or_else(|| self.corrupt(directory, chunk, "is too short"))?;
        Ok(self.chunks[chunk].get_or_init(|| records))
    }

    #[cold]
    fn corrupt(&self, directory: &Directory, chunk: usize, what: &'static str) -> Error {
        Error::Corrupt { what, path: directory.path().join(format!("{}.{chunk}", self.name)) }
    }
}

/// A table in this process's own memory, with the same indexes.
pub(crate) struct LocalTable<T> {
    chunks: [OnceLock<Box<[T]>>; CHUNKS],
}

impl<T: Default> LocalTable<T> {
    pub(crate) fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// The record at a place, which must be one that the shared table has.
    #[inline]
    pub(crate) fn get(&self, Place { chunk, offset, count }: Place) -> &T {
        &self.chunks[chunk].get_or_init(|| (0..count).map(|_| T::default()).collect())[offset]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_one_place() {
        let mut expected = (0, 0);
        for index in 0..10_000 {
            let Place { chunk, offset, count } = Place::of(index);
            assert_eq!((chunk, offset), expected);
            expected = if offset + 1 == count { (chunk + 1, 0) } else { (chunk, offset + 1) };
        }
    }
}
