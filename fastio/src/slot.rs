//! Process slots: who is alive, and what is done about those who are not.
//!
//! Not here: the steps by which memory is recycled, and what coming and leaving mean for the pipeline (`membership.rs`). Invariant: a process lives exactly as long as the kernel holds
//! its `flock` on its slot's file; no pid and no clock is asked. Whoever gets the lock of a used slot cleans what
//! the slot left; marking the slot free is the last step, so that a killed cleaner is simply repeated.

use std::{
    fs::File,
    sync::atomic::Ordering::{Relaxed, SeqCst},
};

use rustix::{fs::FlockOperation, io::Errno};

use crate::{
    access::HELD,
    crash::{crash_point, may_fail},
    directory::Directory,
    error::{Error, Result},
    futex,
    index::Index,
    membership::{COMING, FREE},
    segment,
    state::State,
    store::Store,
    sys::{Bitmap, SLOTS},
};

/// The kernel's lock on a slot's file, held until dropped.
///
/// It is given back by closing the file, never by unlocking: a forked child shares the lock, and unlocking there
/// would unlock here.
pub(crate) struct SlotLock {
    _file: File,
}

impl SlotLock {
    /// The lock, if no process has it.
    pub(crate) fn try_take(directory: &Directory, slot: u16) -> Result<Option<Self>> {
        let name = format!("slot.{slot}");
        let file = directory.file_or_new(&name)?;
        crash_point!("after-slot-file");
        let exclusive = FlockOperation::NonBlockingLockExclusive;
        match may_fail().and_then(|()| rustix::fs::flock(&file, exclusive)) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(source) => Err(Error::io("flock", directory.path().join(name), source)),
        }
    }

    /// The lock of another process's slot, if that process is dead.
    pub(crate) fn of_the_dead(store: &Store, slot: u16) -> Result<Option<Self>> {
        if slot == store.slot { Ok(None) } else { Self::try_take(&store.directory, slot) }
    }
}

/// Claims a slot for this process, which is to [join](Store::join) next. Cleans it first if its last owner died.
pub(crate) fn claim(store: &mut Store) -> Result<SlotLock> {
    for slot in 0..SLOTS as u16 {
        let Some(lock) = SlotLock::try_take(&store.directory, slot)? else { continue };
        crash_point!("after-slot-lock");
        store.slot = slot;
        let word = &store.control().slots[usize::from(slot)];
        // Garbage may name a slot that was free as the holder of the index lock: its new owner would wait for itself.
        if word.load(SeqCst) != FREE || store.index_holder() == Some(slot) {
            store.lock_burying(Some(slot))?.clean(slot)?;
        }
        word.store(COMING, SeqCst);
        crash_point!("after-slot-coming");
        return Ok(lock);
    }
    Err(Error::SlotsExhausted { limit: SLOTS })
}

impl Store {
    /// Cleans up after a process if it is dead; whether it was.
    pub(crate) fn bury_if_dead(&self, slot: u16) -> Result<bool> {
        if usize::from(slot) >= SLOTS {
            return Ok(false);
        }
        let Some(_lock) = SlotLock::of_the_dead(self, slot)? else { return Ok(false) };
        if self.control().slots[usize::from(slot)].load(SeqCst) != FREE {
            self.lock_burying(Some(slot))?.clean(slot)?;
        }
        Ok(true)
    }

    /// The same for one who waits, and asks again: where no file can be opened for now, nobody is known to be dead.
    pub(crate) fn bury_if_known_dead(&self, slot: u16) -> Result<bool> {
        self.bury_if_dead(slot).or_else(Error::unless_short)
    }

    /// Clears what a slot has marked, if no process has it: it is dead, or never was, and the mark is garbage.
    pub(crate) fn clear_marks_of_nobody(&self, slot: u16) -> Result<()> {
        let lock = SlotLock::of_the_dead(self, slot).or_else(Error::unless_short)?;
        if lock.is_some() {
            self.lock_burying(Some(slot))?.clean(slot)?;
        }
        Ok(())
    }

    /// Cleans up after every dead process.
    pub(crate) fn bury_the_dead(&self) -> Result<()> {
        for slot in 0..SLOTS as u16 {
            let used = self.control().slots[usize::from(slot)].load(SeqCst) != FREE;
            if used && slot != self.slot {
                self.bury_if_dead(slot)?;
            }
        }
        Ok(())
    }
}

impl Index<'_> {
    /// Removes every trace of a slot whose lock the caller holds. Can be repeated.
    pub(crate) fn clean(&self, slot: u16) -> Result<()> {
        let store = self.store;
        crash_point!("clean-started");
        for index in 0..store.segment_count() {
            let segment = store.segment(index)?;
            clear_bit(&segment.access.readers, slot);
            let writer = segment.access.writer.load(SeqCst);
            if writer & !HELD == u32::from(slot) + 1 {
                if writer & HELD != 0 {
                    // Poison first: whoever finds the lock free must find the poison too.
                    segment.poisoned.store(store.state(index)?.generation, SeqCst);
                    crash_point!("clean-poisoned");
                }
                let _ = segment.access.writer.compare_exchange(writer, 0, SeqCst, SeqCst);
            }
            futex::notify(&segment.access.events, &segment.access.waiters);
            clear_bit(&segment.holders, slot);
            let word = store.state(index)?;
            match word.state {
                State::Making if word.owner == slot => {
                    store.directory.unlink(&segment::file_name(index, segment.epoch.load(SeqCst)))?;
                    self.set_empty(index)?;
                }
                State::Private => self.release(index)?,
                State::Freed => self.recycle(index)?,
                _ => {}
            }
        }
        self.clean_channels(slot)?;
        crash_point!("clean-segments");
        if store.control().slots[usize::from(slot)].swap(FREE, SeqCst) != FREE {
            store.buried.fetch_add(1, Relaxed);
        }
        crash_point!("clean-slot-free");
        Ok(())
    }
}

/// Sets the bit of a slot.
#[inline]
pub(crate) fn set_bit(bitmap: &Bitmap, slot: u16) {
    bitmap[usize::from(slot) / 64].fetch_or(1 << (slot % 64), SeqCst);
}

/// Clears the bit of a slot.
#[inline]
pub(crate) fn clear_bit(bitmap: &Bitmap, slot: u16) {
    let word = &bitmap[usize::from(slot) / 64];
    if word.load(SeqCst) & (1 << (slot % 64)) != 0 {
        word.fetch_and(!(1 << (slot % 64)), SeqCst);
    }
}

/// The slots whose bits are set.
pub(crate) fn bits(bitmap: &Bitmap) -> impl Iterator<Item = u16> {
    bitmap.iter().enumerate().flat_map(|(word, bits)| {
        let bits = bits.load(SeqCst);
        (0..64).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| (word * 64 + bit) as u16)
    })
}

/// Whether no bit is set.
#[inline]
pub(crate) fn nobody(bitmap: &Bitmap) -> bool {
    bitmap.iter().all(|word| word.load(SeqCst) == 0)
}
