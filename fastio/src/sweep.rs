//! The sweep: cleaning up whatever dead processes left, and giving pooled memory back.
//!
//! Not here: the cleaning of one slot (`slot.rs`). Invariant: what is published, or held by a living process, is not
//! touched; two sweeps at once, or one killed in the middle, do no harm.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::{
    error::Result,
    segment::{file_name, parse_file_name},
    state::State,
    store::Store,
};

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweepReport {
    /// Processes that had died without leaving, and that this one has cleaned up after since it opened the pipeline or
    /// swept last.
    pub dead_processes: usize,
    /// Files of pooled memory that were given back to the system.
    pub trimmed: usize,
    /// Files that belonged to nothing.
    pub orphans: usize,
}

impl Store {
    pub(crate) fn sweep(&self) -> Result<SweepReport> {
        self.bury_the_dead()?;
        {
            let lock = self.lock()?;
            for index in 0..self.segment_count() {
                let word = self.state(index)?;
                let owner = self.control().slots.get(usize::from(word.owner));
                // Its maker has left without coming to an end, because a system call failed.
                if word.state == State::Making && owner.is_none_or(|used| used.load(SeqCst) == 0) {
                    self.directory.unlink(&file_name(index, self.segment(index)?.epoch.load(SeqCst)))?;
                    lock.set_empty(index)?;
                }
                lock.release(index)?;
            }
            for channel in self.channels() {
                let channel = channel?;
                lock.reconcile(channel)?;
                lock.retire(channel)?;
            }
        }
        let trimmed = self.trim(0)?;
        let orphans = self.remove_orphans()?;
        Ok(SweepReport { dead_processes: self.buried.swap(0, Relaxed), trimmed, orphans })
    }

    /// Removes segment files that no segment has. An epoch never comes back, so that a file which is an orphan once
    /// stays one.
    fn remove_orphans(&self) -> Result<usize> {
        let files = self.directory.entries()?;
        let _lock = self.lock()?;
        let mut removed = 0;
        for file in files {
            let Some((index, epoch)) = parse_file_name(&file) else { continue };
            let owned = index < self.segment_count()
                && self.state(index)?.state != State::Empty
                && self.segment(index)?.epoch.load(SeqCst) == epoch;
            if !owned && self.directory.unlink(&file)? {
                removed += 1;
            }
        }
        Ok(removed)
    }
}
