//! The guards through which payload is read and written.
//!
//! Not here: waiting for access (`access.rs`). Invariant: a guard borrows its handle, so that the memory is not
//! recycled under it, and gives its lock back when it goes, unless it went over into a forked child.

use std::ops::{Deref, DerefMut};

use crate::{
    access::{ReadProof, WriteProof},
    allocation::FastIoAllocation,
    sys,
};

const CHECKED: &str = "the range was checked when the handle was made";

/// The bytes of an allocation, to read. As long as it lives, nobody writes.
#[derive(Debug)]
pub struct ReadGuard<'a> {
    pub(crate) allocation: &'a FastIoAllocation,
    pub(crate) proof: ReadProof,
    /// A sealed allocation is read without a lock.
    pub(crate) locked: bool,
}

impl Deref for ReadGuard<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        let allocation = self.allocation;
        sys::bytes(&allocation.held, allocation.offset, allocation.length, &self.proof).expect(CHECKED)
    }
}

impl Drop for ReadGuard<'_> {
    fn drop(&mut self) {
        let store = self.allocation.context.store();
        if self.locked && !store.forked() {
            // The table has had this entry since the handle was made; there is nothing left that can fail.
            let _ = store.end_read(self.allocation.id);
        }
    }
}

/// The bytes of an allocation, to write. As long as it lives, nobody else reads or writes.
///
/// When its process dies, or its thread panics, before it is dropped, the allocation is poisoned.
#[derive(Debug)]
pub struct WriteGuard<'a> {
    pub(crate) allocation: &'a FastIoAllocation,
    pub(crate) proof: WriteProof,
    pub(crate) read: ReadProof,
    /// Whether the thread was panicking already when the guard was made.
    pub(crate) panicking: bool,
    /// Whether the writer says that it did not come to its end.
    pub(crate) poisons: bool,
}

impl WriteGuard<'_> {
    /// Says that the writer did not come to its end: when the guard goes, the allocation is poisoned.
    pub fn poison(&mut self) {
        self.poisons = true;
    }
}

impl Deref for WriteGuard<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        let allocation = self.allocation;
        sys::bytes(&allocation.held, allocation.offset, allocation.length, &self.read).expect(CHECKED)
    }
}

impl DerefMut for WriteGuard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        let allocation = self.allocation;
        sys::bytes_mut(&allocation.held, allocation.offset, allocation.length, &mut self.proof)
            .expect(CHECKED)
    }
}

impl Drop for WriteGuard<'_> {
    fn drop(&mut self) {
        let store = self.allocation.context.store();
        if store.forked() {
            return;
        }
        if self.poisons || (!self.panicking && std::thread::panicking()) {
            let _ = store.poison(self.allocation.id);
        }
        let _ = store.end_write(self.allocation.id);
    }
}
