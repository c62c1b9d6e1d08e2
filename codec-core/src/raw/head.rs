//! The head of a row: as many bytes as its type's layout says, reserved once and then accessed without checks.
//!
//! The invariant: whoever calls an `unsafe` method here has reserved what it takes.
//!
//! A part of a row gets the head by value: a cursor in a register, where a reference would be one in memory.

use core::marker::PhantomData;
use core::ptr;

/// Writes the head of a row.
#[derive(Clone, Copy)]
pub struct HeadWriter<'h> {
    cursor: *mut u8,
    window: PhantomData<&'h [u8]>,
}

impl HeadWriter<'_> {
    /// A writer from `start` on.
    ///
    /// # Safety
    ///
    /// As many bytes as will be put are writable from `start` on, for the lifetime of the writer.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn new(start: *mut u8) -> Self {
        Self { cursor: start, window: PhantomData }
    }

    /// The head from here on, for a part of `count` bytes; this one goes on behind them.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn part(&mut self, count: usize) -> Self {
        let part = *self;
        self.cursor = self.cursor.wrapping_add(count);
        part
    }

    /// Writes the next bytes.
    ///
    /// # Safety
    ///
    /// `N` bytes of the head are still free.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub unsafe fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        // SAFETY: `N` bytes are writable at the cursor, by this function's contract; an array of bytes has no
        // alignment to keep.
        unsafe { self.cursor.cast::<[u8; N]>().write(bytes) };
        // SAFETY: the cursor stays within the head, or at its end.
        self.cursor = unsafe { self.cursor.add(N) };
    }

    /// Writes the memory of a value whose layout is bulk.
    ///
    /// # Safety
    ///
    /// `size_of::<T>()` bytes of the head are still free, and all bytes of `value` are initialised.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub unsafe fn put_memory<T>(&mut self, value: &T) {
        // SAFETY: the value's bytes are initialised and the head has room for them, by this function's contract;
        // the head is exclusive, so the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(ptr::from_ref(value).cast::<u8>(), self.cursor, size_of::<T>()) };
        // SAFETY: as in `put`.
        self.cursor = unsafe { self.cursor.add(size_of::<T>()) };
    }
}

/// Reads the head of a row.
#[derive(Clone, Copy)]
pub struct HeadReader<'h> {
    cursor: *const u8,
    window: PhantomData<&'h [u8]>,
}

impl HeadReader<'_> {
    /// A reader from `start` on.
    ///
    /// # Safety
    ///
    /// As many bytes as will be taken are readable from `start` on, for the lifetime of the reader.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn new(start: *const u8) -> Self {
        Self { cursor: start, window: PhantomData }
    }

    /// The head from here on, for a part of `count` bytes; this one goes on behind them.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn part(&mut self, count: usize) -> Self {
        let part = *self;
        self.cursor = self.cursor.wrapping_add(count);
        part
    }

    /// Reads the next bytes.
    ///
    /// # Safety
    ///
    /// `N` bytes of the head are not read yet.
    #[cfg_attr(not(debug_assertions), inline(always))]
    #[must_use]
    pub unsafe fn take<const N: usize>(&mut self) -> [u8; N] {
        // SAFETY: `N` bytes are readable at the cursor, by this function's contract; bytes have no alignment.
        let bytes = unsafe { self.cursor.cast::<[u8; N]>().read() };
        // SAFETY: the cursor stays within the head, or at its end.
        self.cursor = unsafe { self.cursor.add(N) };
        bytes
    }

    /// Copies the next `size_of::<T>()` bytes over a value.
    ///
    /// # Safety
    ///
    /// So many bytes of the head are not read yet, and `slot` is writable; afterwards it is a `T` only if these
    /// bytes are one.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub unsafe fn take_memory<T>(&mut self, slot: *mut T) {
        // SAFETY: readable and writable by this function's contract; the slot is not part of the input.
        unsafe { ptr::copy_nonoverlapping(self.cursor, slot.cast::<u8>(), size_of::<T>()) };
        // SAFETY: as in `take`.
        self.cursor = unsafe { self.cursor.add(size_of::<T>()) };
    }

    /// Where the next byte is read from.
    #[inline(always)]
    pub(crate) fn cursor(&self) -> *const u8 {
        self.cursor
    }
}
