//! The memory of each thread, counted by the allocator, which can also refuse one allocation.
//!
//! A block that grows counts what it grows by; whether the allocator has the old one and the new one for an instant is its
//! own matter.
#![allow(unsafe_code, reason = "an allocator that counts, and fails when told to")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    /// How many more allocations succeed before one fails; negative for all.
    static LEFT: Cell<i64> = const { Cell::new(-1) };
}

fn changed(by: isize) {
    let now = NOW.get() + by;
    NOW.set(now);
    PEAK.set(PEAK.get().max(now));
}

fn refuses() -> bool {
    let left = LEFT.get();
    if left >= 0 {
        LEFT.set(left - 1);
    }
    left == 0
}

// SAFETY: everything is forwarded to the system's allocator, or refused with a null pointer, as an allocator may.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refuses() {
            return std::ptr::null_mut();
        }
        changed(layout.size() as isize);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if refuses() {
            return std::ptr::null_mut();
        }
        changed(layout.size() as isize);
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        changed(-(layout.size() as isize));
        // SAFETY: the caller's.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if refuses() {
            return std::ptr::null_mut();
        }
        changed(size as isize - layout.size() as isize);
        // SAFETY: the caller's.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// From now on, the most memory that this thread has is noted. Gives what it has.
pub(crate) fn start() -> isize {
    let now = NOW.get();
    PEAK.set(now);
    now
}

/// The most bytes that this thread had since [`start`] beyond what it had then.
pub(crate) fn peak(before: isize) -> u64 {
    PEAK.get().saturating_sub(before).max(0) as u64
}

/// The result of `work` if its allocation of this number fails, and whether it came to that.
pub(crate) fn refusing<R>(number: i64, work: impl FnOnce() -> R) -> (R, bool) {
    LEFT.set(number);
    let result = work();
    let failed = LEFT.replace(-1) < 0;
    (result, failed)
}
