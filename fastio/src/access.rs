//! Readers and writers of one allocation, across threads and processes.
//!
//! Not here: what they read and write. Invariant: a writer excludes everybody else; the word of the writer and the
//! bits of the readers are keyed by process slot, so that the lock of a dead process is known and taken over, and
//! what it may have left half written is known as poisoned.
//!
//! A writer announces itself before it waits, and new readers wait for it; only a process that reads already may
//! read once more, or a thread with two views of one array could wait for itself.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use crate::{
    crash::crash_point,
    error::{Error, Result},
    futex::{self, Deadline},
    slot::{bits, clear_bit, nobody, set_bit},
    store::{AllocationId, Store},
    sys::{SLOTS, SegmentEntry},
};

/// In the writer's word: it has the lock, it does not only wait for it.
pub(crate) const HELD: u32 = 1 << 31;

/// Stands for the right to read: a read or write lock, or a seal, with a handle behind it. Made only by this crate's guards.
#[derive(Debug)]
pub(crate) struct ReadProof(());

/// Stands for the right to write, alone. Made only by this crate's guards.
#[derive(Debug)]
pub(crate) struct WriteProof(());

/// How long to wait for access.
#[derive(Clone, Copy)]
pub(crate) enum Patience {
    Forever,
    None,
    For(Duration),
}

impl Patience {
    pub(crate) fn deadline(self) -> Deadline {
        match self {
            Self::For(wait) => Deadline::after(wait),
            _ => Deadline::after(None),
        }
    }
}

impl Store {
    /// Whether an allocation is sealed. It stays so until its memory is recycled.
    #[inline]
    pub(crate) fn sealed(&self, id: AllocationId) -> Result<bool> {
        Ok(self.segment(id.index)?.sealed.load(SeqCst) == id.generation)
    }

    /// The right to read an allocation that the caller holds, if it is sealed.
    #[inline]
    pub(crate) fn read_sealed(&self, id: AllocationId) -> Result<Option<ReadProof>> {
        Ok(self.sealed(id)?.then_some(ReadProof(())))
    }

    /// The right to read memory that is lent to a channel, for an end that holds it: to the receiver for as long as it has
    /// not taken a later message, to the sender where it has the right to write.
    pub(crate) fn read_lent(&self, id: AllocationId) -> Result<ReadProof> {
        let lent = self.segment(id.index)?.lent.load(SeqCst) == id.generation;
        if lent { Ok(ReadProof(())) } else { Err(Error::Freed) }
    }

    /// The right to write to memory that is lent to a channel, for its sender: when there is room for a message of its
    /// place, the receiver is done with the one before, and it sees the next one only when it is sent.
    pub(crate) fn write_lent(&self) -> WriteProof {
        WriteProof(())
    }

    /// The read lock. Given back by `end_read`.
    pub(crate) fn begin_read(&self, id: AllocationId, patience: Patience) -> Result<ReadProof> {
        let (segment, local) = self.both(id.index)?;
        let access = &segment.access;
        let mut deadline = None;
        // One who reads already may read once more, also when a writer waits.
        while let Err(()) = local.readers.enter(|| {
            // Bit first, word second; the writer does it the other way round: one of the two sees the other.
            set_bit(&access.readers, self.slot);
            if access.writer.load(SeqCst) == 0 {
                return Ok(());
            }
            clear_bit(&access.readers, self.slot);
            Err(())
        }) {
            futex::notify(&access.events, &access.waiters);
            let deadline = deadline.get_or_insert_with(|| patience.deadline());
            self.await_access(id, patience, deadline, || access.writer.load(SeqCst) == 0)?;
        }
        if segment.poisoned.load(SeqCst) == id.generation {
            self.end_read(id)?;
            return Err(Error::Poisoned);
        }
        Ok(ReadProof(()))
    }

    #[inline]
    pub(crate) fn end_read(&self, id: AllocationId) -> Result<()> {
        let (segment, local) = self.both(id.index)?;
        let access = &segment.access;
        if local.readers.leave(|| clear_bit(&access.readers, self.slot)) {
            futex::notify(&access.events, &access.waiters);
        }
        Ok(())
    }

    /// The write lock. Given back by `end_write`.
    pub(crate) fn begin_write(
        &self,
        id: AllocationId,
        patience: Patience,
    ) -> Result<(WriteProof, ReadProof)> {
        self.lock_for_writing(id, patience)?;
        let segment = self.segment(id.index)?;
        let refused = if segment.sealed.load(SeqCst) == id.generation {
            Some(Error::Sealed)
        } else if segment.poisoned.load(SeqCst) == id.generation {
            Some(Error::Poisoned)
        } else {
            None
        };
        if let Some(error) = refused {
            self.end_write(id)?;
            return Err(error);
        }
        crash_point!("write-locked");
        Ok((WriteProof(()), ReadProof(())))
    }

    fn lock_for_writing(&self, id: AllocationId, patience: Patience) -> Result<()> {
        let segment = self.segment(id.index)?;
        if segment.sealed.load(SeqCst) == id.generation {
            return Err(Error::Sealed);
        }
        let access = &segment.access;
        let me = u32::from(self.slot) + 1;
        let mut deadline = None;
        while access.writer.compare_exchange(0, me, SeqCst, SeqCst).is_err() {
            let deadline = deadline.get_or_insert_with(|| patience.deadline());
            self.await_access(id, patience, deadline, || access.writer.load(SeqCst) == 0)?;
        }
        while !nobody(&access.readers) {
            let deadline = deadline.get_or_insert_with(|| patience.deadline());
            if let Err(error) = self.await_access(id, patience, deadline, || nobody(&access.readers)) {
                self.end_write(id)?;
                return Err(error);
            }
        }
        access.writer.store(me | HELD, SeqCst);
        Ok(())
    }

    pub(crate) fn end_write(&self, id: AllocationId) -> Result<()> {
        let access = &self.segment(id.index)?.access;
        access.writer.store(0, SeqCst);
        futex::notify(&access.events, &access.waiters);
        Ok(())
    }

    /// Marks what a panicking writer leaves. Under its write lock.
    pub(crate) fn poison(&self, id: AllocationId) -> Result<()> {
        self.segment(id.index)?.poisoned.store(id.generation, SeqCst);
        Ok(())
    }

    /// Takes the bytes as they are; whether they were poisoned.
    pub(crate) fn accept_poisoned(&self, id: AllocationId) -> Result<bool> {
        let poisoned = &self.segment(id.index)?.poisoned;
        Ok(poisoned.compare_exchange(id.generation, 0, SeqCst, SeqCst).is_ok())
    }

    /// Sees the last writer out, and refuses all others from then on.
    pub(crate) fn seal(&self, id: AllocationId, patience: Patience) -> Result<()> {
        match self.begin_write(id, patience) {
            Ok(_proofs) => {
                self.segment(id.index)?.sealed.store(id.generation, SeqCst);
                self.end_write(id)
            }
            Err(Error::Sealed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits a little while for `ready`, and looks whether those in the way are alive.
    fn await_access(
        &self,
        id: AllocationId,
        patience: Patience,
        deadline: &Deadline,
        ready: impl Fn() -> bool,
    ) -> Result<()> {
        let segment = self.segment(id.index)?;
        if matches!(patience, Patience::None) {
            // A dead process is not busy.
            self.bury_those_in_the_way(id, segment)?;
            return if ready() { Ok(()) } else { Err(Error::Busy) };
        }
        let access = &segment.access;
        for _ in 0..100 {
            if ready() {
                return Ok(());
            }
            std::hint::spin_loop();
        }
        let time = deadline.slice(|| format!("access to allocation {}.{}", id.index, id.generation))?;
        if futex::wait(&access.events, &access.waiters, time, || Ok(ready()))? {
            self.bury_those_in_the_way(id, segment)?;
        }
        Ok(())
    }

    #[cold]
    fn bury_those_in_the_way(&self, id: AllocationId, segment: &SegmentEntry) -> Result<()> {
        let access = &segment.access;
        let word = access.writer.load(SeqCst);
        if let Some(writer) = (word & !HELD).checked_sub(1) {
            if (writer as usize) < SLOTS {
                self.clear_marks_of_nobody(writer as u16)?;
            } else {
                // No process has such a slot: whatever wrote that may have written more.
                segment.poisoned.store(id.generation, SeqCst);
                let _ = access.writer.compare_exchange(word, 0, SeqCst, SeqCst);
                futex::notify(&access.events, &access.waiters);
            }
        }
        bits(&access.readers).try_for_each(|reader| self.clear_marks_of_nobody(reader))
    }
}
