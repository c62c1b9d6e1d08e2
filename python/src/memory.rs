//! The memory that arrays lie in: what keeps an allocation, and its lock, for as long as an array refers to it.
//!
//! Not here: arrays (`array.rs`). Invariant: the memory stays mapped as long as the object lives, whatever becomes of the
//! lock; it is given out for writing only while it has the write lock.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicPtr, Ordering::Relaxed},
};

use podwire_codec_core::Segment;
use podwire_fastio::{FastIoAllocation, ReadGuard, SharedBytes, WriteGuard};
use pyo3::prelude::*;
use self_cell::self_cell;

self_cell!(
    /// A handle with a read lock.
    pub(crate) struct Reading {
        owner: FastIoAllocation,
        #[covariant]
        dependent: ReadGuard,
    }
);

self_cell!(
    /// A handle with the write lock.
    pub(crate) struct Writing {
        owner: FastIoAllocation,
        #[covariant]
        dependent: WriteGuard,
    }
);

/// What keeps the memory.
pub(crate) enum Keeper {
    /// A sealed allocation: nobody writes to it any more.
    Sealed(SharedBytes),
    /// A part of a value, in whatever memory.
    Part(Segment),
    /// An allocation that nobody writes to as long as this lives.
    Reading(Reading),
    /// An allocation that nobody else reads or writes as long as this lives.
    Writing(Writing),
    /// An allocation whose lock was given back. What reads here may see what others write.
    Unlocked(FastIoAllocation),
}

/// Memory that arrays lie in. Arrays refer to it; nobody else needs it.
#[pyclass(frozen, module = "podwire")]
pub(crate) struct Memory {
    keeper: Mutex<Keeper>,
    address: AtomicPtr<u8>,
    length: usize,
    /// Whether it was made to be filled and published: by `empty_array`.
    fresh: bool,
}

impl Memory {
    fn new(keeper: Keeper, address: *mut u8, length: usize, fresh: bool) -> Self {
        Self { keeper: Mutex::new(keeper), address: AtomicPtr::new(address), length, fresh }
    }

    pub(crate) fn sealed(bytes: SharedBytes) -> Self {
        let (address, length) = (bytes.as_ptr().cast_mut(), bytes.len());
        Self::new(Keeper::Sealed(bytes), address, length, false)
    }

    pub(crate) fn reading(reading: Reading) -> Self {
        let bytes: &[u8] = reading.borrow_dependent();
        let (address, length) = (bytes.as_ptr().cast_mut(), bytes.len());
        Self::new(Keeper::Reading(reading), address, length, false)
    }

    pub(crate) fn writing(mut writing: Writing, fresh: bool) -> Self {
        let (address, length) = writing.with_dependent_mut(|_, guard| (guard.as_mut_ptr(), guard.len()));
        Self::new(Keeper::Writing(writing), address, length, fresh)
    }

    /// A part of a value; `None` if the host cannot read it.
    pub(crate) fn part(segment: Segment) -> Option<Self> {
        let bytes = segment.bytes().ok()?;
        let (address, length) = (bytes.as_ptr().cast_mut(), bytes.len());
        Some(Self::new(Keeper::Part(segment), address, length, false))
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn address(&self) -> *mut u8 {
        self.address.load(Relaxed)
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    pub(crate) fn is_writable(&self) -> bool {
        matches!(*self.keeper(), Keeper::Writing(_))
    }

    /// The allocation, if it is one whole.
    pub(crate) fn allocation(&self) -> Option<FastIoAllocation> {
        match &*self.keeper() {
            Keeper::Sealed(bytes) => Some(bytes.allocation().clone()),
            Keeper::Part(_) => None,
            Keeper::Reading(reading) => Some(reading.borrow_owner().clone()),
            Keeper::Writing(writing) => Some(writing.borrow_owner().clone()),
            Keeper::Unlocked(allocation) => Some(allocation.clone()),
        }
    }

    /// The memory as a segment, if nobody writes to it any more.
    pub(crate) fn segment(&self) -> Option<Segment> {
        match &*self.keeper() {
            Keeper::Sealed(bytes) => Some(bytes.clone().into()),
            Keeper::Part(segment) => Some(segment.clone()),
            _ => None,
        }
    }

    /// Gives the lock back. The memory stays.
    pub(crate) fn unlock(&self, py: Python<'_>) {
        let allocation = match &*self.keeper() {
            Keeper::Reading(reading) => reading.borrow_owner().clone(),
            Keeper::Writing(writing) => writing.borrow_owner().clone(),
            _ => return,
        };
        let before = std::mem::replace(&mut *self.keeper(), Keeper::Unlocked(allocation));
        py.detach(|| drop(before));
    }

    /// Marks what is being written as half written.
    pub(crate) fn poison(&self) {
        if let Keeper::Writing(writing) = &mut *self.keeper() {
            writing.with_dependent_mut(|_, guard| guard.poison());
        }
    }

    /// Says that the allocation is sealed by now.
    pub(crate) fn became_sealed(&self, bytes: SharedBytes) {
        *self.keeper() = Keeper::Sealed(bytes);
    }
}
