//! The index lock: whoever holds it may change names, lists and counts.
//!
//! Not here: the changes. Invariant: what stands under this lock can be derived from the state words and the
//! entries of names. When a holder dies in the middle, the next one takes the lock over and derives it anew.

use std::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
};

use crate::{
    crash::crash_point,
    error::{Error, Result},
    futex,
    slot::SlotLock,
    store::Store,
    sys::SLOTS,
};

const WAITERS: u32 = 1 << 31;
const SPINS: u32 = 200;

/// The index lock, held.
pub(crate) struct Index<'a> {
    pub(crate) store: &'a Store,
}

enum Taken {
    Free,
    /// From a dead process, of which the caller has the slot's lock.
    Over,
    /// From a dead process, of which this is the slot's lock.
    OverWith(u16, SlotLock),
}

impl Store {
    /// Takes the index lock; waits for it as long as its holder lives.
    pub(crate) fn lock(&self) -> Result<Index<'_>> {
        self.lock_burying(None)
    }

    /// The same for a caller who holds the lock of a dead process's slot, and may take over from it.
    pub(crate) fn lock_burying(&self, dead: Option<u16>) -> Result<Index<'_>> {
        let line = &self.control().lock;
        let me = u32::from(self.slot) + 1;
        let taken = match line.word.compare_exchange(0, me, SeqCst, SeqCst) {
            Ok(_) => Taken::Free,
            Err(_) => self.lock_slowly(dead)?,
        };
        let index = Index { store: self };
        crash_point!("index-locked");
        if !matches!(taken, Taken::Free) || line.dirty.load(SeqCst) != 0 {
            line.dirty.store(1, SeqCst);
            index.rebuild()?;
            line.dirty.store(0, SeqCst);
        }
        if let Taken::OverWith(slot, _lock) = taken {
            index.clean(slot)?;
        }
        Ok(index)
    }

    /// For one who has waited in vain: what a dead process did under the lock may be known only when the lock is taken
    /// over from it. Does not wait for one that lives, which may be stopped.
    pub(crate) fn see_to_the_lock(&self) -> Result<()> {
        match self.index_holder() {
            None => Ok(()),
            Some(holder) if usize::from(holder) >= SLOTS => self.lock().map(drop),
            Some(holder) => self.bury_if_known_dead(holder).map(drop),
        }
    }

    /// The slot that the lock says has it; one that there cannot be, where garbage says so.
    pub(crate) fn index_holder(&self) -> Option<u16> {
        holder(self.control().lock.word.load(SeqCst))
    }

    #[cold]
    fn lock_slowly(&self, dead: Option<u16>) -> Result<Taken> {
        let word = &self.control().lock.word;
        let me = u32::from(self.slot) + 1;
        // Once this thread has slept it cannot know whether others sleep too.
        let mut mine = me;
        let mut spins = 0;
        loop {
            let seen = word.load(SeqCst);
            if seen == 0 {
                if word.compare_exchange(0, mine, SeqCst, SeqCst).is_ok() {
                    return Ok(Taken::Free);
                }
                continue;
            }
            // A word with waiters and no holder is garbage, and nobody's.
            let holder = holder(seen).unwrap_or(u16::MAX);
            let take_over = || word.compare_exchange(seen, me | WAITERS, SeqCst, SeqCst).is_ok();
            if dead == Some(holder) || usize::from(holder) >= SLOTS {
                if take_over() {
                    return Ok(Taken::Over);
                }
                continue;
            }
            if spins < SPINS {
                spins += 1;
                std::hint::spin_loop();
                continue;
            }
            let marked = seen | WAITERS;
            if seen != marked && word.compare_exchange(seen, marked, SeqCst, SeqCst).is_err() {
                continue;
            }
            mine = me | WAITERS;
            let slept = futex::sleep(word, marked, futex::PATIENCE);
            // Nobody can claim the slot while we hold its lock, so that `holder` still means the dead.
            if slept
                && let Some(lock) = SlotLock::of_the_dead(self, holder).or_else(Error::unless_short)?
                && word.compare_exchange(marked, me | WAITERS, SeqCst, SeqCst).is_ok()
            {
                return Ok(Taken::OverWith(holder, lock));
            }
        }
    }
}

/// Raises a count that changes under the index lock only: nobody else stores it, so that no locked step is needed.
#[inline]
pub(crate) fn raise(count: &AtomicU32) {
    count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
}

/// Lowers such a count.
#[inline]
pub(crate) fn lower(count: &AtomicU32) {
    count.store(count.load(Relaxed).wrapping_sub(1), Relaxed);
}

/// The slot that a word of the lock names.
fn holder(word: u32) -> Option<u16> {
    let slot = (word & !WAITERS).checked_sub(1)?;
    Some(slot.min(u16::MAX.into()) as u16)
}

impl Index<'_> {
    /// Has the next holder of the lock derive everything anew.
    pub(crate) fn spoiled(&self) {
        self.store.control().lock.dirty.store(1, SeqCst);
    }
}

impl Drop for Index<'_> {
    fn drop(&mut self) {
        let line = &self.store.control().lock;
        if std::thread::panicking() {
            self.spoiled();
        }
        if line.word.swap(0, SeqCst) & WAITERS != 0 {
            futex::wake_one(&line.word);
        }
    }
}
