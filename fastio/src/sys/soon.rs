//! Cache lines that will be needed soon: asked for early, several of them are on their way at the same time.
//!
//! Not here: which ones. Invariant: a hint changes nothing but time, whatever stands at the address.

use super::SegmentEntry;

impl SegmentEntry {
    /// Has the processor fetch all of it, to write there.
    #[inline]
    pub(crate) fn soon_written(&self) {
        soon_written(&self.state);
        soon_written(&self.access);
        soon_written(&self.holders);
        soon_written(&self.owners);
    }
}

/// Has the processor fetch the line of `place`, to write there.
#[inline(always)]
pub(crate) fn soon_written<T>(place: &T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a hint, which reads and writes nothing that the program sees and never faults; a processor without it takes
    // it for no operation.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) place, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = place;
}

/// Has the processor fetch the line of `place`, to read there.
#[inline(always)]
pub(crate) fn soon_read<T>(place: &T) {
    soon_read_at(std::ptr::from_ref(place).cast());
}

/// Has the processor fetch the line at `address`, to read there.
#[inline(always)]
pub(super) fn soon_read_at(address: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prefetcht0 [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = address;
}
