//! The pool: files of freed segments, kept by size class to be used again.
//!
//! Not here: when a segment may enter it (`lifecycle.rs`). Invariant: a pooled segment has no holder, no name and
//! no child, and its file is as long as its class says.
//!
//! The policy is simple: at most `KEEP` bytes stay; more is given back to the system at once, and everything is
//! when memory is short, in a sweep, and when the last process leaves.

use std::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, Release, SeqCst},
};

use crate::{
    crash::crash_point,
    error::{Error, Result},
    index::Index,
    segment::{self, HEADER},
    state::{State, Word},
    store::Store,
    sys::CLASSES,
};

/// Bytes that the pool of a pipeline keeps.
pub(crate) const KEEP: u64 = 512 << 20;

/// The size class for so many bytes after the header page; `None` beyond what any machine has.
///
/// Up to 8 pages by pages, then eight steps to each doubling: at most an eighth is lost.
pub(crate) fn class_of(bytes: u64) -> Option<u32> {
    let pages = bytes.div_ceil(HEADER as u64).max(1);
    if pages <= 8 {
        return Some(pages as u32 - 1);
    }
    let shift = (pages - 1).ilog2() - 3;
    let steps = ((pages - 1) >> shift) as u32 + 1;
    let class = 8 + shift * 8 + (steps - 9);
    ((class as usize) < CLASSES).then_some(class)
}

/// The bytes after the header page that segments of a class have.
pub(crate) fn capacity(class: u32) -> u64 {
    let class = u64::from(class.min(CLASSES as u32 - 1));
    let pages = if class < 8 { class + 1 } else { ((class - 8) % 8 + 9) << ((class - 8) / 8) };
    pages * HEADER as u64
}

/// The length of the file of a segment of a class.
pub(crate) fn file_length(class: u32) -> u64 {
    HEADER as u64 + capacity(class)
}

impl Index<'_> {
    /// Puts an index on a list of segments.
    pub(crate) fn push_segment(&self, head: &AtomicU32, index: u32) -> Result<()> {
        self.store.segment(index)?.owners.next_free.store(head.load(Relaxed), Relaxed);
        head.store(index + 1, Release);
        Ok(())
    }

    /// Takes an index from a list of segments, which must be in this state.
    fn pop_segment(&self, head: &AtomicU32, state: State) -> Result<Option<u32>> {
        let Some(index) = head.load(Relaxed).checked_sub(1) else { return Ok(None) };
        let there = index < self.store.segment_count();
        let segment = there.then(|| self.store.segment(index)).transpose()?;
        let Some(segment) = segment.filter(|segment| {
            // Who had it last may have been another processor.
            segment.soon_written();
            Word::unpack(segment.state.load(SeqCst)).state == state
        }) else {
            self.spoiled();
            return Err(Error::Corrupt {
                what: "has a list with a wrong entry",
                path: self.store.path("control"),
            });
        };
        head.store(segment.owners.next_free.load(Relaxed), Release);
        Ok(Some(index))
    }

    /// A pooled segment of a class, still in state `Pooled`.
    pub(crate) fn take_pooled(&self, class: u32) -> Result<Option<u32>> {
        let control = self.store.control();
        let taken = self.pop_segment(&control.classes[class as usize], State::Pooled)?;
        if taken.is_some() {
            let bytes = &control.counts.pooled_bytes;
            bytes.store(bytes.load(Relaxed).wrapping_sub(capacity(class)), Relaxed);
            crash_point!("pool-popped");
        }
        Ok(taken)
    }

    /// Enters a segment in state `Pooled` into its list.
    pub(crate) fn put_pooled(&self, index: u32) -> Result<()> {
        let control = self.store.control();
        let class = self.store.segment(index)?.class.load(SeqCst).min(CLASSES as u32 - 1);
        let bytes = &control.counts.pooled_bytes;
        bytes.store(bytes.load(Relaxed).wrapping_add(capacity(class)), Relaxed);
        self.push_segment(&control.classes[class as usize], index)
    }

    /// A segment without a file, in state `Making` with a new epoch.
    pub(crate) fn begin_making(&self, class: u32) -> Result<u32> {
        let control = self.store.control();
        let (quota, used) = (control.quota_bytes.load(SeqCst), control.file_bytes.load(SeqCst));
        if quota != 0 && used.saturating_add(file_length(class)) > quota {
            return Err(Error::QuotaExceeded { what: "bytes", limit: quota });
        }
        let index = match self.pop_segment(&control.counts.free_segment, State::Empty)? {
            Some(index) => index,
            None => {
                let index = control.segments_used.load(SeqCst);
                self.store.grow_segments(index)?;
                control.segments_used.store(index + 1, SeqCst);
                index
            }
        };
        control.file_bytes.fetch_add(file_length(class), SeqCst);
        let segment = self.store.segment(index)?;
        let word = self.store.state(index)?;
        segment.class.store(class, SeqCst);
        segment.epoch.fetch_add(1, SeqCst);
        crash_point!("after-epoch");
        segment.state.store(Word::new(State::Making, self.store.slot, word.generation).pack(), SeqCst);
        crash_point!("after-making");
        Ok(index)
    }

    /// From `Making` back to `Empty`, when there is no file (any more).
    pub(crate) fn set_empty(&self, index: u32) -> Result<()> {
        let word = self.store.state(index)?;
        let segment = self.store.segment(index)?;
        let (files, length) = (&self.store.control().file_bytes, file_length(segment.class.load(SeqCst)));
        files.store(files.load(SeqCst).saturating_sub(length), SeqCst);
        segment.state.store(Word::new(State::Empty, 0, word.generation).pack(), SeqCst);
        crash_point!("after-trim-empty");
        self.push_segment(&self.store.control().counts.free_segment, index)
    }

    /// The largest pooled segment, in state `Making` so that it can be removed outside the lock.
    fn take_for_trimming(&self) -> Result<Option<u32>> {
        let control = self.store.control();
        for (class, head) in control.classes.iter().enumerate().rev() {
            if let Some(index) = self.pop_segment(head, State::Pooled)? {
                control.counts.pooled_bytes.fetch_sub(capacity(class as u32), SeqCst);
                let word = self.store.state(index)?;
                let making = Word::new(State::Making, self.store.slot, word.generation);
                self.store.segment(index)?.state.store(making.pack(), SeqCst);
                crash_point!("after-trim-making");
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

impl Store {
    /// Gives pooled memory back to the system until at most `keep` bytes are left; how many files went.
    pub(crate) fn trim(&self, keep: u64) -> Result<usize> {
        let mut removed = 0;
        while self.control().counts.pooled_bytes.load(SeqCst) > keep {
            let Some(index) = self.lock()?.take_for_trimming()? else { break };
            self.unmap_unused(index);
            let name = segment::file_name(index, self.segment(index)?.epoch.load(SeqCst));
            if let Err(error) = self.directory.punch(&name) {
                // The file is as it was.
                let lock = self.lock()?;
                lock.set_state(index, State::Pooled)?;
                lock.put_pooled(index)?;
                return Err(error);
            }
            crash_point!("after-trim-punch");
            // A file that cannot be removed now belongs to nothing from here on: a sweep takes it away.
            let unlinked = self.directory.unlink(&name);
            crash_point!("after-trim-unlink");
            self.lock()?.set_empty(index)?;
            unlinked?;
            removed += 1;
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_the_smallest_that_fits_and_wastes_at_most_an_eighth() {
        for pages in (1..5000).chain([16384, 16385, 1 << 30]) {
            let bytes = pages * HEADER as u64;
            let class = class_of(bytes).unwrap();
            assert!(capacity(class) >= bytes && capacity(class) * 8 <= bytes * 9, "{pages}");
            assert!(class == 0 || capacity(class - 1) < bytes, "{pages}");
        }
        assert_eq!(capacity(class_of(64 << 20).unwrap()), 64 << 20);
        assert_eq!(class_of(u64::MAX), None);
    }
}
