//! A page that both processes see: where they take turns. The only unsafe code of this package besides `ice`.

use std::{
    fs::OpenOptions,
    path::Path,
    sync::atomic::{AtomicU32, AtomicU64},
};

use memmap2::MmapRaw;

/// The words of the page, each on a cache line of its own.
pub struct Page {
    map: MmapRaw,
}

impl Page {
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        file.set_len(4096)?;
        Ok(Self { map: MmapRaw::map_raw(&file)? })
    }

    fn line(&self, line: usize) -> *mut u8 {
        assert!(line < 64);
        self.map.as_mut_ptr().wrapping_add(line * 64)
    }

    /// How many messages the receiver has seen.
    pub fn seen(&self) -> &AtomicU64 {
        // SAFETY: the line is inside the mapped page, aligned, and used as this atomic only.
        unsafe { &*self.line(0).cast() }
    }

    /// When the message was sent, in nanoseconds of the monotonic clock.
    pub fn sent_at(&self) -> &AtomicU64 {
        // SAFETY: as in `seen`.
        unsafe { &*self.line(1).cast() }
    }

    /// What the bare spin and the bare futex carry.
    pub fn word(&self) -> &AtomicU32 {
        // SAFETY: as in `seen`.
        unsafe { &*self.line(2).cast() }
    }
}
