//! Coming to a pipeline and leaving it: who is its last member, and what that one takes along.
//!
//! Not here: who is alive (`slot.rs`), and the removing itself (`remove.rs`). Invariant: a pipeline that goes with its
//! last member is marked as removed only by one who had claimed that and then saw no member; who comes is a member
//! first, and takes such a claim away then. Each of the two does its first step before it looks: one sees the other.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use crate::{
    crash::crash_point,
    error::{Error, Result},
    store::Store,
};

/// The word of a slot that nobody has.
pub(crate) const FREE: u32 = 0;
/// The word of a slot whose process is a member.
pub(crate) const MEMBER: u32 = 1;
/// The word of a slot whose process wants to become one.
pub(crate) const COMING: u32 = 2;

/// The mark of a pipeline that is (being) removed, whoever uses it.
pub(crate) const REMOVED: u32 = 1;
/// The mark of a pipeline is this and a slot while that slot's process looks whether it was the last member.
const CLAIMED: u32 = 2;

impl Store {
    fn slot_word(&self) -> &AtomicU32 {
        &self.control().slots[usize::from(self.slot)]
    }

    /// Becomes a member, with the slot that was claimed. `false` if the pipeline is to be removed first, because all its
    /// members were killed: it should have gone with the last of them.
    pub(crate) fn join(&self) -> Result<bool> {
        let joined = self.try_join();
        if !matches!(joined, Ok(true)) {
            self.slot_word().store(FREE, SeqCst);
        }
        joined
    }

    fn try_join(&self) -> Result<bool> {
        let control = self.control();
        if control.ephemeral.load(SeqCst) != 0 {
            self.bury_the_dead()?;
            while !self.has_other_members() && control.removed.load(SeqCst) != REMOVED {
                if self.end_without_members() {
                    return Ok(false);
                }
                // Another one who comes had the same thought.
                std::thread::yield_now();
            }
        }
        self.slot_word().store(MEMBER, SeqCst);
        crash_point!("after-slot-used");
        loop {
            match control.removed.load(SeqCst) {
                0 => return Ok(true),
                REMOVED => return Err(Error::Removed),
                claim => {
                    let _ = control.removed.compare_exchange(claim, 0, SeqCst, SeqCst);
                }
            }
        }
    }

    /// Gives this process's slot back. The last one to leave takes the pool along; whether it has to remove the pipeline.
    pub(crate) fn leave(&self) -> bool {
        if self.check().is_err() {
            return false;
        }
        let control = self.control();
        let ephemeral = control.ephemeral.load(SeqCst) != 0;
        if ephemeral {
            // Who cannot be buried now is a member that was killed after us.
            let _ = self.bury_the_dead();
        }
        // Of those who leave at once, the last to clear its word sees no member; several may.
        self.slot_word().store(FREE, SeqCst);
        crash_point!("after-slot-cleared");
        if ephemeral {
            return self.end_without_members();
        }
        while !self.has_other_members() && control.counts.pooled_bytes.load(SeqCst) != 0 {
            // Trimming is for members; the lock of the slot is still ours.
            self.slot_word().store(MEMBER, SeqCst);
            let trimmed = self.trim(0);
            self.slot_word().store(FREE, SeqCst);
            // The count may be garbage: who finds nothing is done.
            if !trimmed.is_ok_and(|removed| removed > 0) {
                break;
            }
        }
        false
    }

    fn has_other_members(&self) -> bool {
        let mut slots = self.control().slots.iter().enumerate();
        slots.any(|(slot, word)| slot != self.slot.into() && word.load(SeqCst) == MEMBER)
    }

    /// Marks a pipeline without other members as removed; whether it did, and so has to remove it.
    fn end_without_members(&self) -> bool {
        let mark = &self.control().removed;
        let claim = CLAIMED + u32::from(self.slot);
        let before = mark.load(SeqCst);
        if before == REMOVED
            || self.has_other_members()
            || mark.compare_exchange(before, claim, SeqCst, SeqCst).is_err()
        {
            return false;
        }
        crash_point!("after-claim");
        let then = if self.has_other_members() { 0 } else { REMOVED };
        let done = mark.compare_exchange(claim, then, SeqCst, SeqCst).is_ok() && then == REMOVED;
        if done {
            crash_point!("after-remove-flag");
        }
        done
    }
}
