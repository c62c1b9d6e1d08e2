//! A segment's mapping in this process: set up by the first holder, there as long as there is one.
//!
//! Not here: what makes a process a holder for others. Invariant: the mapping is replaced and dropped only in a step
//! of the gate that runs alone, and a `Held` exists only while the gate counts it.

use std::{
    cell::UnsafeCell,
    io,
    ptr::NonNull,
    sync::atomic::{AtomicPtr, AtomicU32, Ordering::Relaxed},
};

use rustix::{
    io::Errno,
    mm::{Advice, madvise},
};

use super::{Shared, SharedMap, soon::soon_read_at};
use crate::gate::Gate;

/// The mapping of one segment in this process, and how many handles use it.
#[derive(Default)]
pub(crate) struct Holding {
    gate: Gate,
    map: UnsafeCell<Option<SharedMap>>,
    epoch: AtomicU32,
    /// Where the mapping was when it was last set up; may be gone.
    begin: AtomicPtr<u8>,
}

// SAFETY: `map` is changed only in steps of the gate, which run alone and are ordered before and after all other uses
// by the gate's acquire and release; everything else is atomic; a `SharedMap` may be used and dropped by any thread.
unsafe impl Sync for Holding {}

/// A place in the count of a `Holding`, and with it the right to use the mapping.
pub(crate) struct Held {
    address: NonNull<u8>,
    length: usize,
    pub(crate) epoch: u32,
}

// SAFETY: a mapping belongs to the process, not to a thread; what it is used for is guarded elsewhere.
unsafe impl Send for Held {}
// SAFETY: as above; a shared `Held` gives out only atomics, and payload against a proof.
unsafe impl Sync for Held {}

/// The mapping, in a step that runs alone.
pub(crate) struct Place<'a> {
    map: &'a mut Option<SharedMap>,
    epoch: &'a AtomicU32,
    begin: &'a AtomicPtr<u8>,
}

impl Place<'_> {
    /// Whether the file of this epoch is mapped.
    pub(crate) fn has(&self, epoch: u32) -> bool {
        self.map.is_some() && self.epoch.load(Relaxed) == epoch
    }

    /// The mapping, if it is of the file of this epoch.
    pub(crate) fn map_of(&self, epoch: u32) -> Option<&SharedMap> {
        self.map.as_ref().filter(|_| self.epoch.load(Relaxed) == epoch)
    }

    pub(crate) fn set(&mut self, map: SharedMap, epoch: u32) {
        self.begin.store(map.address(0, 0).unwrap_or(std::ptr::null_mut()), Relaxed);
        *self.map = Some(map);
        self.epoch.store(epoch, Relaxed);
    }

    /// Unmaps; whether anything was mapped.
    pub(crate) fn clear(&mut self) -> bool {
        self.map.take().is_some()
    }
}

impl Holding {
    /// Has the processor fetch the line at an offset, to read there, if the segment is mapped.
    #[inline]
    pub(crate) fn soon_read(&self, offset: usize) {
        soon_read_at(self.begin.load(Relaxed).wrapping_add(offset));
    }

    /// Becomes a holder. If this is the first, `first` runs alone and must see to it that something is mapped. Whether it
    /// was comes with the right.
    #[inline]
    pub(crate) fn enter<E>(
        &self,
        first: impl FnOnce(&mut Place<'_>) -> Result<(), E>,
    ) -> Result<(Held, bool), E> {
        let was_first = self.gate.enter(|| {
            // SAFETY: this step runs alone, and nobody has a `Held`: this is the only reference.
            let map = unsafe { &mut *self.map.get() };
            first(&mut Place { map, epoch: &self.epoch, begin: &self.begin })
        })?;
        // SAFETY: the gate counts this user, so that no step runs that changes the mapping.
        let map = unsafe { &*self.map.get() };
        let address = map.as_ref().and_then(|map| NonNull::new(map.address(0, 0)?));
        let length = map.as_ref().map_or(0, SharedMap::length);
        let address = address.expect("the first holder has mapped something");
        Ok((Held { address, length, epoch: self.epoch.load(Relaxed) }, was_first))
    }

    /// One more for somebody who holds already.
    pub(crate) fn again(&self, held: &Held) -> Held {
        // There is at least one holder, so that there is no first step and nothing that fails.
        let _ = self.gate.enter(|| Ok::<(), ()>(()));
        Held { ..*held }
    }

    /// Runs `step` alone, if nobody holds it.
    pub(crate) fn if_unused(&self, step: impl FnOnce(&mut Place<'_>)) {
        self.gate.if_unused(|| {
            // SAFETY: as in `enter`.
            let map = unsafe { &mut *self.map.get() };
            step(&mut Place { map, epoch: &self.epoch, begin: &self.begin });
        });
    }

    /// Gives a place back, after which the `Held` is not used any more. If it was the last, `last` runs alone.
    #[inline]
    pub(crate) fn leave(&self, _held: &Held, last: impl FnOnce(&mut Place<'_>)) -> bool {
        self.gate.leave(|| {
            // SAFETY: as in `enter`.
            let map = unsafe { &mut *self.map.get() };
            last(&mut Place { map, epoch: &self.epoch, begin: &self.begin });
        })
    }
}

impl Held {
    /// Has the kernel provide all pages of the mapping now; an older kernel does so at their first touch.
    pub(crate) fn populate(&self) -> io::Result<()> {
        // SAFETY: the range is exactly the mapping, which stays as long as `self`; the advice changes no byte.
        let advised =
            unsafe { madvise(self.address.as_ptr().cast(), self.length, Advice::LinuxPopulateWrite) };
        match advised {
            Err(Errno::INVAL) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The address of a byte inside the mapping, if there are `length` bytes from there on.
    #[inline]
    pub(super) fn address(&self, offset: usize, length: usize) -> Option<*mut u8> {
        let end = offset.checked_add(length)?;
        (end <= self.length).then(|| self.address.as_ptr().wrapping_add(offset))
    }

    /// `count` records from an offset on; `None` where they do not fit. Only in the header and in channels, never in other payload.
    pub(crate) fn records<T: Shared>(&self, offset: usize, count: usize) -> Option<&[T]> {
        let address = self.address(offset, size_of::<T>().checked_mul(count)?)?.cast::<T>();
        if !address.is_aligned() {
            return None;
        }
        // SAFETY: the range is inside the mapping, which stays as long as `self`; it is aligned; `T: Shared` consists of
        // atomics only, so that every bit pattern is valid and concurrent changes are no data race.
        Some(unsafe { std::slice::from_raw_parts(address, count) })
    }
}
