//! Memory that is filled before it is a value: struct fields, boxes, vectors.
//!
//! The invariant: whatever is initialised is owned by exactly one guard or collection, so that an early return or a
//! panic drops it once.

use alloc::alloc::{Layout, alloc};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::row;
use super::whole::DecodeWhole as _;
use crate::decode::Decode;
use crate::error::{Error, Result};
use crate::reader::Reader;

/// A field that is initialised while the struct around it is not yet.
///
/// Dropping the guard drops the field.
pub struct Place<T> {
    field: *mut T,
}

impl<T> Place<T> {
    /// Guards a field.
    ///
    /// # Safety
    ///
    /// The field is initialised, and nobody else uses or drops it while the guard lives.
    #[inline(always)]
    pub(crate) unsafe fn new(field: *mut T) -> Self {
        Self { field }
    }

    /// Leaves the field to the struct around it, which is complete now.
    #[inline(always)]
    pub fn keep(self) {
        core::mem::forget(self);
    }
}

impl<T> Drop for Place<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the field is initialised and this guard is its only owner.
        unsafe { self.field.drop_in_place() };
    }
}

/// An empty vector with room for `count` elements; the allocator's refusal is an error.
///
/// One null check on a fresh allocation is measurably cheaper than `try_reserve_exact` on an empty vector.
#[inline(always)]
pub(crate) fn allocate<T>(count: usize) -> Result<Vec<T>> {
    if count == 0 || size_of::<T>() == 0 {
        return Ok(Vec::new());
    }
    let Ok(layout) = Layout::array::<T>(count) else { return Err(out_of_memory::<T>(count)) };
    // SAFETY: the layout's size is not zero, as neither factor is.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() {
        return Err(out_of_memory::<T>(count));
    }
    // SAFETY: allocated by the global allocator, with the layout of an array of `count` elements; none of them is
    // claimed to be initialised.
    Ok(unsafe { Vec::from_raw_parts(memory.cast(), 0, count) })
}

#[cold]
fn out_of_memory<T>(count: usize) -> Error {
    out_of_memory_bytes((count as u64).saturating_mul(size_of::<T>() as u64))
}

/// The error for memory that the allocator refused.
#[cold]
pub(crate) fn out_of_memory_bytes(bytes: u64) -> Error {
    Error::OutOfMemory { bytes }
}

/// The bytes of a slot, none of them claimed to be initialised.
pub(crate) fn slot_bytes<T>(slot: &mut [MaybeUninit<T>]) -> &mut [MaybeUninit<u8>] {
    let length = size_of_val(slot);
    // SAFETY: the same memory, exclusive for the same time; bytes have no alignment, and `MaybeUninit` no invariant.
    unsafe { core::slice::from_raw_parts_mut(slot.as_mut_ptr().cast(), length) }
}

/// A fresh box, charged to the limits; the allocator's refusal is an error.
#[inline]
pub(super) fn fresh<T>(reader: &mut Reader<'_>) -> Result<Box<MaybeUninit<T>>> {
    reader.charge(size_of::<T>())?;
    if size_of::<T>() == 0 {
        return Ok(Box::new_uninit());
    }
    // SAFETY: the size is not zero.
    let memory = unsafe { alloc(Layout::new::<T>()) };
    let Some(memory) = NonNull::new(memory.cast::<MaybeUninit<T>>()) else {
        return Err(out_of_memory::<T>(1));
    };
    // SAFETY: allocated by the global allocator with the layout of `T`, which is that of `MaybeUninit<T>`.
    Ok(unsafe { Box::from_raw(memory.as_ptr()) })
}

/// A value in a fresh box.
pub(crate) fn boxed_value<T>(value: T, reader: &mut Reader<'_>) -> Result<Box<T>> {
    Ok(Box::write(fresh(reader)?, value))
}

/// Decodes into a fresh box, in place.
#[inline(always)]
pub(crate) fn boxed<'de, T: Decode<'de>>(reader: &mut Reader<'de>) -> Result<Box<T>> {
    T::decode_boxed(reader)
}

/// Decodes into a fresh shared pointer, in place. `Rc` and `Arc` cannot report that memory is out.
macro_rules! shared {
    ($name:ident, $pointer:ident) => {
        pub(crate) fn $name<'de, T: Decode<'de>>(reader: &mut Reader<'de>) -> Result<$pointer<T>> {
            // With the two counters.
            reader.charge(size_of::<T>() + 2 * size_of::<usize>())?;
            let mut slot = $pointer::<T>::new_uninit();
            let Some(place) = $pointer::get_mut(&mut slot) else {
                unreachable!("a fresh pointer is not shared");
            };
            let decoded = row::decode_into(place, reader);
            // SAFETY: `decode_into` returned `Ok`, so the slot is initialised.
            decoded.map(|()| unsafe { slot.assume_init() })
        }
    };
}

shared!(rc, Rc);
shared!(arc, Arc);
