//! Getting memory for a new allocation: from the pool, or from the system.
//!
//! Not here: the pool itself. Invariant: while a file is being made, its segment is in state `Making` and names its
//! maker, so that nothing is lost when the maker dies.

use std::sync::atomic::Ordering::SeqCst;

use crate::{
    crash::crash_point,
    error::{Error, Result},
    pool,
    segment::{CHILDREN_LIMIT, HEADER, file_name, payload_offset},
    store::{AllocationId, Store},
    sys::{Held, soon_written},
};

/// A new private allocation with one handle.
pub(crate) struct Created {
    pub(crate) id: AllocationId,
    pub(crate) held: Held,
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
            Err(Error::NoSpace { .. } | Error::QuotaExceeded { .. }) if self.trim(0)? > 0 => {
                self.create_in(class, payload, length)
            }
            other => other,
        }
    }

    fn create_in(&self, class: u32, payload: usize, length: u64) -> Result<Created> {
        let control = self.control();
        soon_written(&control.counts);
        soon_written(&control.classes[class as usize]);
        loop {
            let lock = self.lock()?;
            let Some(index) = lock.take_pooled(class)? else { break };
            match self.begin_private(index, payload, length, None) {
                Ok((id, held)) => {
                    crash_point!("after-reuse");
                    return Ok(Created { id, held, used: true });
                }
                // The file is gone, or is another one: without it the segment is empty.
                Err(Error::Corrupt { .. } | Error::NotPrivate { .. }) => {
                    let epoch = self.segment(index)?.epoch.load(SeqCst);
                    let _ = self.directory.unlink(&file_name(index, epoch));
                    lock.set_empty(index)?;
                }
                Err(error) => {
                    lock.put_pooled(index)?;
                    return Err(error);
                }
            }
        }
        let index = self.lock()?.begin_making(class)?;
        let epoch = self.segment(index)?.epoch.load(SeqCst);
        match self.create_segment(index, epoch, class) {
            Ok(made) => {
                let (id, held) = self.begin_private(index, payload, length, Some(made))?;
                Ok(Created { id, held, used: false })
            }
            Err(error) => {
                self.lock()?.set_empty(index)?;
                Err(error)
            }
        }
    }
}
