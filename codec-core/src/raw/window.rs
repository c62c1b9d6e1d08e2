//! Stretches of memory that cursors move over.
//!
//! The invariant of both: `start <= cursor <= end`, all three within one allocation that stays where it is for as
//! long as the window is used; and what lies between `start` and `cursor` of an [`Output`] is initialised.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

/// Memory to write to.
pub(crate) struct Output {
    start: *mut u8,
    cursor: *mut u8,
    end: *mut u8,
}

impl Output {
    /// A window without memory.
    #[inline]
    pub(crate) fn empty() -> Self {
        let nowhere = ptr::NonNull::<u8>::dangling().as_ptr();
        Self { start: nowhere, cursor: nowhere, end: nowhere }
    }

    /// A window over `memory`.
    ///
    /// # Safety
    ///
    /// `memory` stays valid, and used by nobody else, for as long as the window is written through.
    pub(crate) unsafe fn over(memory: &mut [MaybeUninit<u8>]) -> Self {
        let range = memory.as_mut_ptr_range();
        Self { start: range.start.cast(), cursor: range.start.cast(), end: range.end.cast() }
    }

    /// Bytes that are free.
    #[inline(always)]
    pub(crate) fn free(&self) -> usize {
        self.end as usize - self.cursor as usize
    }

    /// Bytes that were written.
    #[inline]
    pub(crate) fn written(&self) -> usize {
        self.cursor as usize - self.start as usize
    }

    /// Writes `bytes`, if they fit.
    #[inline(always)]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.free() {
            return false;
        }
        // SAFETY: the window has room, as was just seen, and is exclusive, so `bytes` lie elsewhere.
        unsafe { super::text::copy_short(bytes.as_ptr(), self.cursor, bytes.len()) };
        // SAFETY: at most `end`.
        self.cursor = unsafe { self.cursor.add(bytes.len()) };
        true
    }

    /// Reserves `count` bytes and gives their address.
    ///
    /// # Safety
    ///
    /// They are free ([`free`](Self::free)), and the caller writes all of them before anything else is done with
    /// the window.
    #[inline(always)]
    pub(crate) unsafe fn reserve(&mut self, count: usize) -> *mut u8 {
        let start = self.cursor;
        // SAFETY: `count` bytes are free, so the sum is at most `end`.
        self.cursor = unsafe { start.add(count) };
        start
    }
}

/// Memory to read from.
pub(crate) struct Input<'i> {
    start: *const u8,
    cursor: *const u8,
    end: *const u8,
    bytes: PhantomData<&'i [u8]>,
}

impl<'i> Input<'i> {
    /// A window over bytes that stay.
    #[inline]
    pub(crate) fn over(bytes: &'i [u8]) -> Self {
        let range = bytes.as_ptr_range();
        Self { start: range.start, cursor: range.start, end: range.end, bytes: PhantomData }
    }

    /// A window over bytes that stay only until the endpoint behind them is used again.
    ///
    /// # Safety
    ///
    /// The window is replaced before that.
    pub(crate) unsafe fn over_transient(bytes: &[u8]) -> Self {
        let range = bytes.as_ptr_range();
        Self { start: range.start, cursor: range.start, end: range.end, bytes: PhantomData }
    }

    /// Bytes that are left.
    #[inline(always)]
    pub(crate) fn left(&self) -> usize {
        self.end as usize - self.cursor as usize
    }

    /// Bytes that were taken.
    pub(crate) fn taken(&self) -> usize {
        self.cursor as usize - self.start as usize
    }

    /// How far `address` lies behind the start, if it lies within the window.
    pub(crate) fn position_of(&self, address: *const u8) -> Option<usize> {
        let window = self.start as usize..self.end as usize;
        window.contains(&(address as usize)).then(|| address as usize - self.start as usize)
    }

    /// Takes `count` bytes and gives their address.
    #[inline(always)]
    pub(crate) fn take(&mut self, count: usize) -> Option<*const u8> {
        if count > self.left() {
            return None;
        }
        let start = self.cursor;
        // SAFETY: `count` bytes are left, so the sum is at most `end`.
        self.cursor = unsafe { start.add(count) };
        Some(start)
    }

    /// Takes bytes that are known to be there.
    ///
    /// # Safety
    ///
    /// `count` bytes are left, and they stay for `'i`.
    #[inline(always)]
    pub(crate) unsafe fn take_unchecked(&mut self, count: usize) -> &'i [u8] {
        debug_assert!(count <= self.left());
        let start = self.cursor;
        // SAFETY: so many bytes are left, so the sum is at most `end`.
        self.cursor = unsafe { start.add(count) };
        // SAFETY: they were part of the slice that the window was made over, which stays, by this function's contract.
        unsafe { core::slice::from_raw_parts(start, count) }
    }

    /// The bytes that are left, without taking them.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &[u8] {
        // SAFETY: what lies between `cursor` and `end` is readable for as long as the window is used, which the
        // borrow of `self` outlasts.
        unsafe { core::slice::from_raw_parts(self.cursor, self.left()) }
    }

    /// Takes `count` bytes for as long as the input stays.
    ///
    /// # Safety
    ///
    /// The window is over bytes that stay for `'i`: it was not made by `over_transient`.
    #[inline(always)]
    pub(crate) unsafe fn take_slice(&mut self, count: usize) -> Option<&'i [u8]> {
        let start = self.take(count)?;
        // SAFETY: these bytes were part of the slice that the window was made over, and stay for `'i`.
        Some(unsafe { core::slice::from_raw_parts(start, count) })
    }

    /// Takes as many bytes as `bytes` holds, if they are there.
    #[inline(always)]
    pub(crate) fn copy_to(&mut self, bytes: &mut [MaybeUninit<u8>]) -> bool {
        let Some(start) = self.take(bytes.len()) else { return false };
        // SAFETY: so many bytes are readable from `start` on, as `take` saw; the destination is exclusive.
        unsafe { ptr::copy_nonoverlapping(start, bytes.as_mut_ptr().cast::<u8>(), bytes.len()) };
        true
    }
}
