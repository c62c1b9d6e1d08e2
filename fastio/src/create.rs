//! Getting memory for a new allocation: from the pool, or from the system.
//!
//! Not here: the pool itself. Invariant: while a file is being made, its segment is in state `Making` and names its
//! maker, so that nothing is lost when the maker dies.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use crate::{
    crash::crash_point,
    error::{Error, Result},
    pool,
    segment::{CHILDREN_LIMIT, HEADER, SegmentMap, file_name, payload_offset},
    slot::clear_bit,
    state::{State, Word},
    store::{AllocationId, Store},
};

/// A new private allocation with one handle.
pub(crate) struct Created {
    pub(crate) id: AllocationId,
    pub(crate) map: Arc<SegmentMap>,
    /// Whether the bytes are those of an earlier allocation.
    pub(crate) used: bool,
}

impl Store {
    /// Memory for `length` bytes with room for so many children.
    pub(crate) fn create(&self, length: u64, children: usize) -> Result<Created> {
        if children > CHILDREN_LIMIT {
            return Err(Error::TooManyChildren { limit: CHILDREN_LIMIT });
        }
        let payload = payload_offset(children);
        let too_large = || Error::NoSpace { wanted: length };
        let bytes = length.checked_add((payload - HEADER) as u64).filter(|bytes| *bytes < i64::MAX as u64);
        let class = bytes.and_then(pool::class_of).ok_or_else(too_large)?;
        match self.create_in(class, payload, length) {
            // What the pool keeps in other sizes may be just what is missing.
            Err(Error::NoSpace { .. }) if self.trim(0)? > 0 => self.create_in(class, payload, length),
            other => other,
        }
    }

    fn create_in(&self, class: u32, payload: usize, length: u64) -> Result<Created> {
        loop {
            let lock = self.lock()?;
            let Some(index) = lock.take_pooled(class)? else { break };
            let id = self.begin_private(index, payload, length)?;
            crash_point!("after-reuse");
            drop(lock);
            match self.map_private(index, None) {
                Ok(map) => return Ok(Created { id, map, used: true }),
                Err(Error::Corrupt { .. } | Error::NotPrivate { .. }) => self.discard(index)?,
                Err(error) => {
                    self.unhold(id)?;
                    return Err(error);
                }
            }
        }
        let index = self.lock()?.begin_making(class)?;
        let epoch = self.segment(index)?.epoch.load(SeqCst);
        match self.create_segment(index, epoch, class) {
            Ok(made) => {
                let id = self.begin_private(index, payload, length)?;
                let map = self.map_private(index, Some(made))?;
                Ok(Created { id, map, used: false })
            }
            Err(error) => {
                self.lock()?.set_empty(index)?;
                Err(error)
            }
        }
    }

    /// Gives up a pooled segment of which the file is gone or is another one.
    fn discard(&self, index: u32) -> Result<()> {
        let lock = self.lock()?;
        let segment = self.segment(index)?;
        let word = self.state(index)?;
        segment.state.store(Word::new(State::Making, self.slot, word.generation).pack(), SeqCst);
        let mut local = self.local(index);
        local.holds = 0;
        local.map = None;
        clear_bit(&segment.holders, self.slot);
        drop(local);
        let _ = self.directory.unlink(&file_name(index, segment.epoch.load(SeqCst)));
        lock.set_empty(index)
    }
}
