//! A shared mapping of a whole file.
//!
//! Not here: what the file is. Invariant: the mapping is at least `length` bytes long for as long as the value
//! lives, and its address never changes.

use std::{fs::File, io, marker::PhantomData};

use memmap2::{MmapOptions, MmapRaw};

use super::Shared;

/// A shared, writable mapping of the first bytes of a file.
pub(crate) struct SharedMap {
    raw: MmapRaw,
}

impl SharedMap {
    /// Maps the first `length` bytes; the caller has made sure that the file has them.
    pub(crate) fn new(file: &File, length: usize, populate: bool) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        options.len(length);
        if populate {
            options.populate();
        }
        Ok(Self { raw: options.map_raw(file)? })
    }

    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.raw.len()
    }

    /// The address of a byte inside the mapping, if there are `length` bytes from there on.
    #[inline]
    pub(super) fn address(&self, offset: usize, length: usize) -> Option<*mut u8> {
        let end = offset.checked_add(length)?;
        (end <= self.raw.len()).then(|| self.raw.as_mut_ptr().wrapping_add(offset))
    }

    /// `count` records from an offset on; `None` where they do not fit.
    ///
    /// The callers keep regions of records and of payload apart; a region of records is never handed out as
    /// payload while its file has the same generation.
    #[inline]
    pub(crate) fn records<T: Shared>(&self, offset: usize, count: usize) -> Option<&[T]> {
        let address = self.address(offset, size_of::<T>().checked_mul(count)?)?.cast::<T>();
        if !address.is_aligned() {
            return None;
        }
        // SAFETY: `address` found the whole range inside the mapping, which lives as long as `self`; it was just
        // seen to be aligned; `T: Shared` consists of atomics only, so that every bit pattern is valid and
        // concurrent changes, also by other processes, are no data race.
        Some(unsafe { std::slice::from_raw_parts(address, count) })
    }

    /// The record at an offset.
    #[inline]
    pub(crate) fn record<T: Shared>(&self, offset: usize) -> Option<&T> {
        self.records(offset, 1)?.first()
    }
}

/// A mapping that consists of records from its first byte on.
pub(crate) struct Records<T> {
    map: SharedMap,
    count: usize,
    record: PhantomData<fn() -> T>,
}

impl<T: Shared> Records<T> {
    /// `None` where so many do not fit.
    pub(crate) fn new(map: SharedMap, count: usize) -> Option<Self> {
        map.records::<T>(0, count)?;
        Some(Self { map, count, record: PhantomData })
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        if index >= self.count {
            return None;
        }
        let address = self.map.raw.as_mut_ptr().cast::<T>().wrapping_add(index);
        // SAFETY: `new` found `count` records inside the mapping, aligned, and `index` is one of them; the mapping stays
        // where it is as long as `self`; `T: Shared` consists of atomics only, as in `SharedMap::records`.
        Some(unsafe { &*address })
    }
}
