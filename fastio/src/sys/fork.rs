//! Noticing that this process is a forked child, at the price of one load.
//!
//! Not here: what follows from it. Invariant: the word is 1 in the process that made it, and 0 in every child.

use std::{
    io,
    sync::atomic::{AtomicU32, Ordering},
};

use memmap2::MmapRaw;
use rustix::mm::{Advice, madvise};

/// A private page that the kernel gives to forked children as zeros (`MADV_WIPEONFORK`).
pub(crate) struct ForkSentinel {
    page: MmapRaw,
}

impl ForkSentinel {
    pub(crate) fn new() -> io::Result<Self> {
        let page = MmapRaw::from(memmap2::MmapMut::map_anon(4096)?);
        // SAFETY: the range is exactly the anonymous private page that was just mapped and that nobody refers to yet;
        // the advice takes effect only in children, in which every reader of the page expects zero.
        unsafe { madvise(page.as_mut_ptr().cast(), 4096, Advice::LinuxWipeOnFork) }?;
        let sentinel = Self { page };
        sentinel.word().store(1, Ordering::Relaxed);
        Ok(sentinel)
    }

    fn word(&self) -> &AtomicU32 {
        let address = self.page.as_mut_ptr().cast::<AtomicU32>();
        // SAFETY: the page is mapped and writable as long as `self` lives, its address is page aligned, and
        // nothing but this function refers to it.
        unsafe { &*address }
    }

    /// Whether this process was forked from the one that made the sentinel.
    pub(crate) fn forked(&self) -> bool {
        self.word().load(Ordering::Relaxed) == 0
    }
}
