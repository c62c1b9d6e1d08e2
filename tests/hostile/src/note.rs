//! What a child says of itself while it works: memory of a file, which outlives it.
//!
//! The invariant: the number of an input stands there before the input is decoded.
#![allow(unsafe_code, reason = "a mapped file that two processes look at")]

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::MmapRaw;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// The input that is being decoded, not yet finished.
    Input,
    /// How it is being decoded.
    Way,
    /// Inputs that are finished.
    Done,
    /// Of these, those that a codec was found for.
    Past,
    /// Decodings that gave a value.
    Values,
    Panics,
    Hangs,
    Over,
    /// The most that a decoding took, in thousandths of its bound.
    Fullest,
}

impl Count {
    pub(crate) const ALL: [Self; 9] = [
        Self::Input,
        Self::Way,
        Self::Done,
        Self::Past,
        Self::Values,
        Self::Panics,
        Self::Hangs,
        Self::Over,
        Self::Fullest,
    ];
}

/// The memory.
pub(crate) struct Note(MmapRaw);

impl Note {
    /// A fresh note in a file.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len((Count::ALL.len() * size_of::<u64>()) as u64)?;
        Ok(Self(MmapRaw::map_raw(&file)?))
    }

    /// One that is there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(MmapRaw::map_raw(&File::options().read(true).write(true).open(path)?)?))
    }

    fn place(&self, count: Count) -> &AtomicU64 {
        let words = self.0.as_mut_ptr().cast::<u64>();
        // SAFETY: the file has a word for each count, and there are no others.
        let word = unsafe { words.add(count as usize) };
        // SAFETY: mapped for as long as the note is, aligned as a page is, and only looked at as an atomic.
        unsafe { AtomicU64::from_ptr(word) }
    }

    pub(crate) fn get(&self, count: Count) -> u64 {
        self.place(count).load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, count: Count, value: u64) {
        self.place(count).store(value, Ordering::Relaxed);
    }

    pub(crate) fn most(&self, count: Count, value: u64) {
        self.set(count, self.get(count).max(value));
    }

    pub(crate) fn add(&self, count: Count) {
        self.set(count, self.get(count) + 1);
    }
}
